package pomerium_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

func TestWrongOptions(t *testing.T) {
	route := []string{"https://app.example.com"}
	for _, row := range []struct {
		options pomerium.Options
		part    string
	}{
		{pomerium.Options{}, "audience"},
		{pomerium.Options{Route: []string{}}, "route"},
		{pomerium.Options{Route: []string{"app.example.com"}}, "route"},
		{pomerium.Options{Route: []string{"https://\xff.example.com"}}, "route: takes text in UTF-8"},
		{pomerium.Options{Route: route, Algorithms: []string{}}, "algorithms"},
		{pomerium.Options{Route: route, Leeway: pomerium.Ptr(1500 * time.Millisecond)}, "leeway: takes whole seconds, not 1.5s"},
		{pomerium.Options{Route: route, Leeway: pomerium.Ptr(-time.Second)}, "leeway"},
		{pomerium.Options{Route: route, Timeout: pomerium.Ptr(time.Duration(0))}, "timeout"},
		{pomerium.Options{Route: route, MaxTokenBytes: pomerium.Ptr(0)}, "max_token_bytes"},
		{pomerium.Options{Route: route, JWKS: json.RawMessage("")}, "jwks"},
		{pomerium.Options{Route: route, JWKS: json.RawMessage("[]")}, "jwks"},
		{pomerium.Options{Route: route, JWKS: json.RawMessage(`{"keys":[]`)}, "jwks"},
		{pomerium.Options{Route: route, JWKSFile: "/no/such/file"}, "/no/such/file"},
		{pomerium.Options{Route: route, ExpectClaims: map[string][]string{"department": nil}}, "expect_claims"},
		{pomerium.Options{Route: route, ExpectClaims: map[string][]string{"department": {"\xff"}}}, "expect_claims"},
	} {
		verifier, err := pomerium.New(row.options)
		if !errors.Is(err, pomerium.ErrInvalidOptions) || !strings.Contains(err.Error(), row.part) || verifier != nil {
			t.Errorf("%+v should be refused and the message name %q: %v", row.options, row.part, err)
		}
	}
}

func TestZeroIsAValueAndNotSetIsNot(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	justExpired := issuer.Token(claims{"exp": time.Now().Unix() - 10})
	options := issuer.Options()
	if _, err := newVerifier(t, options).Verify(t.Context(), justExpired); err != nil {
		t.Errorf("the default leeway is 60 s: %v", err)
	}
	options.Leeway = pomerium.Ptr(time.Duration(0))
	if _, err := newVerifier(t, options).Verify(t.Context(), justExpired); !errors.Is(err, pomerium.ErrTokenExpired) {
		t.Errorf("a leeway of 0: %v", err)
	}
}

func TestOptionsInGoSOwnTypes(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	file := filepath.Join(t.TempDir(), "jwks.json")
	must(t, os.WriteFile(file, issuer.KeySet(), 0o600))
	verifier := newVerifier(t, pomerium.Options{
		Issuer: []string{"app.example.com"}, Audience: []string{"app.example.com"}, JWKSFile: file,
		MaxTokenAge: pomerium.Ptr(2 * time.Minute), MaxTokenBytes: pomerium.Ptr(2048), AllowAnonymous: true,
		ExpectClaims: map[string][]string{"department": {"R&D", "IT"}},
	})
	if _, err := verifier.Verify(t.Context(), issuer.Token(claims{"sub": "", "department": "R&D"})); err != nil {
		t.Error(err)
	}
	if _, err := verifier.Verify(t.Context(), issuer.Token(claims{"department": "HR"})); !errors.Is(err, pomerium.ErrClaimMismatch) {
		t.Error(err)
	}
}

func TestFromEnv(t *testing.T) {
	withoutVariables(t)
	if _, err := pomerium.FromEnv(); !errors.Is(err, pomerium.ErrInvalidOptions) || !strings.Contains(err.Error(), "audience") {
		t.Error(err)
	}
	issuer := pomeriumtest.NewIssuer(t)
	t.Setenv("POMERIUM_JWT_ROUTE", "https://app.example.com")
	t.Setenv("POMERIUM_JWT_JWKS", string(issuer.KeySet()))
	t.Setenv("POMERIUM_JWT_PORT", "tcp://10.0.0.1:80")
	verifier, err := pomerium.FromEnv()
	must(t, err)
	defer func() { _ = verifier.Close() }()
	if _, err := verifier.Verify(t.Context(), issuer.Token(nil)); err != nil {
		t.Error(err)
	}
	t.Setenv("POMERIUM_JWT_LEEWAY", "a minute")
	if _, err := pomerium.FromEnv(); err == nil || !strings.Contains(err.Error(), "POMERIUM_JWT_LEEWAY") {
		t.Error(err)
	}
}

// withoutVariables unsets what the environment says of us, until the test ends.
func withoutVariables(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "POMERIUM_JWT_") {
			t.Setenv(name, "")
		}
	}
}
