//go:build cgo

package pomerium

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"
)

// Ptr is a pointer to a value, for an option whose zero differs from not being set. With Go 1.26 new(value) does it too.
func Ptr[T any](value T) *T { return &value }

func (o Options) document() (string, error) { return document(o) }

// document is the JSON object that the library judges, of a struct whose fields are tagged with the options' names.
func document(of any) (string, error) {
	members := map[string]any{}
	options := reflect.ValueOf(of)
	for number := range options.NumField() {
		field := options.Field(number)
		if field.IsZero() {
			continue
		}
		name := options.Type().Field(number).Tag.Get("option")
		member, why := translate(field.Interface())
		if why != "" {
			return "", newError(codeInvalidOptions, name+": "+why)
		}
		members[name] = member
	}
	text, err := json.Marshal(members)
	if err != nil {
		return "", newError(codeInternal, err.Error())
	}
	return string(text), nil
}

// translate returns what JSON says of a value, or why it cannot.
func translate(value any) (member any, why string) {
	switch value := value.(type) {
	case *time.Duration:
		if *value%time.Second != 0 {
			return nil, fmt.Sprintf("takes whole seconds, not %v", *value)
		}
		return int64(*value / time.Second), ""
	case json.RawMessage:
		if !json.Valid(value) {
			return nil, "takes a JWK Set, a JSON object"
		}
	default:
		// encoding/json would replace what is not text by other characters
		if !utf8.ValidString(fmt.Sprint(value)) {
			return nil, "takes text in UTF-8"
		}
	}
	return value, ""
}
