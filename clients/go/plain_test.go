package pomerium

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

const written = `{"subject":"1|a","user":"1|a","email":"alice@example.com","name":"Ålice {\u0022}","groups":["a","b,]c"],` +
	`"session_id":"s","token_id":"t","issuer":"app.example.com","audience":["app.example.com","https://app.example.com/"],` +
	`"issued_at":1700000000,"expires_at":1700000300,"anonymous":false}`

// Of every text, what is read without encoding/json is what encoding/json reads; texts that are not quite the library's
// are left to it.
func TestPlainIdentity(t *testing.T) {
	plain := strings.ReplaceAll(written, `\u0022`, "")
	change := func(old, new string) string {
		changed := strings.ReplaceAll(plain, old, new)
		if changed == plain {
			t.Fatalf("there is no %s to change", old)
		}
		return changed
	}
	for text, isPlain := range map[string]bool{
		plain:                                    true,
		change(`"alice@example.com"`, "null"):    true,
		change(`"alice@example.com"`, `""`):      true,
		change(`"alice@example.com"`, `"null"`):  true,
		change(`["a","b,]c"]`, `[]`):             true,
		change(`["a","b,]c"]`, `[""]`):           true,
		change(`1700000000`, `null`):             true,
		change(`1700000000`, `0`):                true,
		change(`1700000300`, `9007199254740991`): true,
		change(`false`, `true`):                  true,

		written:                       false,
		change(`1|a`, `\"}`):          false,
		change(`1|a`, `\\`):           false,
		change(`,"name"`, `, "name"`): false,
		change(`,"email":"alice@example.com"`, ``):    false,
		change(`"session_id":`, `"sid":"x","token":`): false,
		change(`"email"`, `"user"`):                   false,
		change(`{"subject"`, `{"new":1,"subject"`):    false,
		change(`false}`, `false,"new":1}`):            false,
		change(`false}`, `false} `):                   false,
		change(`["a","b,]c"]`, `["a",]`):              false,
		change(`["a","b,]c"]`, `["a""b"]`):            false,
		change(`["a","b,]c"]`, `["a",null]`):          false,
		change(`["a","b,]c"]`, `null`):                false,
		change(`1700000000`, `1.7e9`):                 false,
		change(`false`, `null`):                       false,
		change(`false`, `0`):                          false,
		"{}":                                          false,
		"null":                                        false,
		"":                                            false,
	} {
		found := plainIdentity(text)
		if (found != nil) != isPlain {
			t.Errorf("read without encoding/json: %t\n%s", found != nil, text)
		}
		var document identityDocument
		err := json.Unmarshal([]byte(text), &document)
		if identity, failed := newIdentity(text, "{}"); (err != nil) != (failed != nil) {
			t.Errorf("%v, where encoding/json says %v\n%s", failed, err, text)
		} else if err == nil {
			expected := document.identity()
			expected.claims = "{}"
			if !reflect.DeepEqual(identity, expected) {
				got, _ := json.Marshal(identity)
				t.Errorf("read as %s\n%s", got, text)
			}
		}
	}
	for length := range plain {
		if plainIdentity(plain[:length]) != nil {
			t.Errorf("read without its end: %s", plain[:length])
		}
	}
}
