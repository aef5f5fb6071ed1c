package pomerium

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const conformance = "../../conformance"

type testCase struct {
	ID      string          `json:"id"`
	Options json.RawMessage `json:"options"`
	Token   json.RawMessage `json:"token"`
	Now     int64           `json:"now"`
	Expect  struct {
		Identity any    `json:"identity"`
		Claims   any    `json:"claims"`
		Code     Code   `json:"code"`
		Message  string `json:"message"`
	} `json:"expect"`
}

func TestEveryCaseHasItsOutcome(t *testing.T) {
	cases := append(readCases[testCase](t, "cases.json"), readCases[testCase](t, "genuine.json")...)
	t.Chdir(conformance)
	for _, c := range cases {
		if why := c.differs(); why != "" {
			t.Errorf("%s: %s", c.ID, why)
		}
	}
	fmt.Printf("conformance: %d cases\n", len(cases))
}

// differs says how the outcome is not the expected one.
func (c *testCase) differs() string {
	identity, err := c.run()
	if err != nil {
		refused := err.(*Error)
		if refused.Code != c.Expect.Code || !strings.Contains(refused.Message, c.Expect.Message) {
			return fmt.Sprintf("expected %+v, got %v", c.Expect, err)
		}
		return ""
	}
	if c.Expect.Code != "" {
		return fmt.Sprintf("expected %s, got %+v", c.Expect.Code, shown(identity))
	}
	claims, err := decode([]byte(identity.ClaimsText()))
	if err != nil {
		return err.Error()
	}
	got, wanted := plain([]any{shown(identity), claims}), plain([]any{c.Expect.Identity, c.Expect.Claims})
	if !reflect.DeepEqual(got, wanted) {
		return fmt.Sprintf("expected\n%#v, got\n%#v", wanted, got)
	}
	return ""
}

func (c *testCase) run() (*Identity, error) {
	verifier, err := newVerifier(string(c.Options))
	if err != nil {
		return nil, err
	}
	defer func() { _ = verifier.Close() }()
	token, given := c.token()
	if !given {
		return nil, &Error{Message: "the options were accepted"}
	}
	return verifier.VerifyAt(token, time.Unix(c.Now, 0))
}

// token is the text of the header; a case about construction has none.
func (c *testCase) token() (text string, given bool) {
	if c.Token == nil {
		return "", false
	}
	return joined(c.Token), true
}

// joined is a text that is written as a string, or as a list of parts and of pairs of a part and its repetitions.
func joined(written json.RawMessage) (text string) {
	if written[0] == '"' {
		must(json.Unmarshal(written, &text))
		return text
	}
	var parts []any
	must(json.Unmarshal(written, &parts))
	for _, part := range parts {
		if pair, isPair := part.([]any); isPair {
			text += strings.Repeat(pair[0].(string), int(pair[1].(float64)))
		} else {
			text += part.(string)
		}
	}
	return text
}

// shown is the identity as JSON.
func shown(i *Identity) any {
	text, err := json.Marshal(i)
	must(err)
	value, err := decode(text)
	must(err)
	return value
}

// plain has numbers by their value: whole ones exactly, others as float64.
func plain(value any) any {
	switch value := value.(type) {
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		float, err := value.Float64()
		must(err)
		if float == float64(int64(float)) {
			return int64(float)
		}
		return float
	case []any:
		list := []any{}
		for _, entry := range value {
			list = append(list, plain(entry))
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, member := range value {
			object[name] = plain(member)
		}
		return object
	}
	return value
}

func TestCodesAreThePublishedOnes(t *testing.T) {
	type row struct {
		Code   string `json:"code"`
		Number int32  `json:"number"`
		Kind   Kind   `json:"kind"`
		Status int    `json:"status"`
	}
	written := writtenCodes(t)
	rows := readCases[row](t, "codes.json")
	for _, row := range rows {
		name := "Err" + camelCase(row.Code)
		if written[name] != row.Code {
			t.Errorf("add to the codes in error.go: %s Code = %q", name, row.Code)
		}
		delete(written, name)

		made := newError(row.Number, "why")
		expected := Error{Code: Code(row.Code), Number: int(row.Number), Kind: row.Kind, Message: "why", Status: row.Status}
		if *made != expected {
			t.Errorf("number %d gives %+v, codes.json has %+v", row.Number, *made, expected)
		}
	}
	if len(rows) == 0 || len(written) != 0 {
		t.Errorf("error.go has codes of its own: %v", written)
	}
}

// writtenCodes returns the constants of type Code in error.go, name -> value.
func writtenCodes(t *testing.T) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, isValue := node.(*ast.ValueSpec)
		if isValue && fmt.Sprint(spec.Type) == "Code" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			must(err)
			codes[spec.Names[0].Name] = value
		}
		return true
	})
	return codes
}

// The structs are generated; their tags are what the library is asked with.
func TestOptionsAreThePublishedOnes(t *testing.T) {
	type row struct{ Name, Group string }
	var all, request []string
	for _, row := range readCases[row](t, "options.json") {
		all = append(all, row.Name)
		if row.Group == "request" {
			request = append(request, row.Name)
		}
	}
	for _, struct_ := range []struct {
		of     reflect.Type
		wanted []string
	}{{reflect.TypeFor[Options](), all}, {reflect.TypeFor[RequestOptions](), request}} {
		var tags []string
		for number := range struct_.of.NumField() {
			tags = append(tags, struct_.of.Field(number).Tag.Get("option"))
		}
		if !slices.Equal(tags, struct_.wanted) {
			t.Errorf("%v has %v, options.json %v: run `make conformance`", struct_.of, tags, struct_.wanted)
		}
	}
}

func camelCase(name string) string {
	words := strings.Split(name, "_")
	for number, word := range words {
		words[number] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

func TestStatusHasEveryMember(t *testing.T) {
	verifier, err := newVerifier(`{"route":"http://127.0.0.1:9","timeout":1}`)
	must(err)
	defer func() { _ = verifier.Close() }()
	_ = verifier.Refresh(t.Context(), true)
	text := verifier.call(native.status).output
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var status Status
	if err := decoder.Decode(&status); err != nil {
		t.Fatalf("add to Status in status.go: %v", err)
	}
	written, err := json.Marshal(status)
	must(err)
	got, _ := decode(written)
	wanted, _ := decode([]byte(text))
	if !reflect.DeepEqual(got, wanted) || status.LastError == nil {
		t.Errorf("Status in status.go is not all of the library's:\n%s\n%s", written, text)
	}
}

func TestAnOlderOrNewerLibraryIsRefused(t *testing.T) {
	if err := judgeABI(abiVersion, "1.2.3"); err != nil {
		t.Error(err)
	}
	for _, found := range []uint32{0, abiVersion + 1} {
		if err := judgeABI(found, "1.2.3"); err == nil || !strings.Contains(err.Error(), "libpomerium_jwt 1.2.3") {
			t.Errorf("ABI version %d: %v", found, err)
		}
	}
}

func readCases[T any](t *testing.T, name string) []T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(conformance, name))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var rows []T
	if err := decoder.Decode(&rows); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return rows
}

func decode(text []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
