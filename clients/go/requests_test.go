package pomerium

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// requestCase is a line of requests.json.
type requestCase struct {
	ID      string          `json:"id"`
	Options json.RawMessage `json:"options"`
	With    json.RawMessage `json:"with"`
	Request *struct {
		Token        json.RawMessage `json:"token"`
		Path         string          `json:"path"`
		Upgrade      bool            `json:"upgrade"`
		MarkedPublic bool            `json:"marked_public"`
	} `json:"request"`
	Demand *struct {
		User   bool     `json:"user"`
		Groups []string `json:"groups"`
	} `json:"demand"`
	Expect map[string]any `json:"expect"`
}

func TestEveryRequestHasItsOutcome(t *testing.T) {
	cases := readCases[requestCase](t, "requests.json")
	for _, c := range cases {
		if why := c.differs(); why != "" {
			t.Errorf("%s: %s", c.ID, why)
		}
	}
	if len(cases) < 280 {
		t.Errorf("%d cases: requests.json has lost some", len(cases))
	}
	fmt.Printf("requests: %d cases\n", len(cases))
}

func (c *requestCase) differs() string {
	verifier, err := c.verifier()
	if err != nil || c.Request == nil {
		refused, _ := err.(*Error)
		message, _ := c.Expect["message"].(string)
		if c.Request != nil || refused == nil || string(refused.Code) != c.Expect["code"] || !strings.Contains(refused.Message, message) {
			return fmt.Sprintf("expected %v, got %v", c.Expect, err)
		}
		return ""
	}
	defer func() { _ = verifier.Close() }()
	if got := c.admit(verifier); !reflect.DeepEqual(plain(got), plain(any(c.Expect))) {
		return fmt.Sprintf("expected\n%v, got\n%v", c.Expect, got)
	}
	return ""
}

func (c *requestCase) verifier() (*Verifier, error) {
	verifier, err := newVerifier(string(c.Options))
	if err != nil || c.With == nil {
		return verifier, err
	}
	// What Go's typed RequestOptions could not express is judged by the library too
	defer func() { _ = verifier.Close() }()
	made, answer := verifier.native.with(string(c.With))
	return adopt(made, answer, verifier.flights)
}

// admit returns the outcome in the form of the cases.
func (c *requestCase) admit(verifier *Verifier) any {
	admission, err := verifier.Admit(context.Background(), Request{
		Token: joined(c.Request.Token), Path: c.Request.Path, Upgrade: c.Request.Upgrade, MarkedPublic: c.Request.MarkedPublic,
	})
	if err == nil && c.Demand != nil {
		if c.Demand.User {
			_, err = admission.RequireUser()
		} else {
			_, err = admission.RequireGroup(c.Demand.Groups...)
		}
	}
	if err != nil {
		refused := err.(*Error)
		headers := map[string]any{}
		for name, values := range refused.Header() {
			headers[strings.ReplaceAll(name, "Www", "WWW")] = strings.Join(values, ",")
		}
		return map[string]any{
			"code": string(refused.Code), "status": int64(refused.Status), "headers": headers, "body": refused.Body(),
		}
	}
	if identity, found := admission.Identity(); found {
		return map[string]any{"identity": shown(identity)}
	}
	return map[string]any{"passed": true}
}
