package pomeriumtest_test

import (
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

func TestTokensAreVerifiedAsInProduction(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	request := httptest.NewRequest("GET", "/", nil)
	issuer.SetHeader(request, pomeriumtest.Claims{"sub": "bob", "groups": []string{"admins"}})
	identity, err := issuer.Verifier().Verify(t.Context(), request.Header.Get("X-Pomerium-Jwt-Assertion"))
	if err != nil {
		t.Fatal(err)
	}
	lifetime := identity.ExpiresAt.Sub(identity.IssuedAt)
	if identity.Email != "bob@example.com" || identity.Name != "Bob" || identity.User != "bob" || !identity.InGroup("admins") ||
		identity.Issuer != "app.example.com" || lifetime != 5*time.Minute {
		t.Errorf("%s", identity.ClaimsText())
	}
}

// Down to the order of members and the form of kid and jti.
func TestTokensHaveTheFormOfPomeriumS(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	parts := strings.Split(issuer.Token(pomeriumtest.Claims{"department": "R&D"}), ".")
	for number, form := range []string{
		`^\{"alg":"ES256","kid":"[0-9a-f]{64}","typ":"JWT"\}$`,
		`^\{"aud":"app.example.com","department":"R\\u0026D","email":"alice@example.com","exp":\d+,"groups":\[\],"iat":\d+,` +
			`"iss":"app.example.com","jti":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",` +
			`"name":"Alice","sid":"","sub":"alice","user":"alice"\}$`,
	} {
		text, err := base64.RawURLEncoding.DecodeString(parts[number])
		if err != nil || !regexp.MustCompile(form).Match(text) {
			t.Errorf("%s is not of the form %s", text, form)
		}
	}
	published := regexp.MustCompile(`^\{"keys":\[\{"use":"sig","kid":"[0-9a-f]{64}","crv":"P-256","kty":"EC","x":"[\w-]{43}","y":"[\w-]{43}","alg":"ES256"\}\]\}$`)
	if !published.Match(issuer.KeySet()) {
		t.Errorf("%s", issuer.KeySet())
	}
}

func TestANameOfAnyAlphabet(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	for subject, name := range map[string]string{"öznur": "Öznur", "иван": "Иван", "王": "王", "x": "X"} {
		identity, err := issuer.Verifier().Verify(t.Context(), issuer.Token(pomeriumtest.Claims{"sub": subject}))
		if err != nil || identity.Name != name || identity.Email != subject+"@example.com" {
			t.Errorf("%s: %v %v", subject, identity, err)
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	verifier := issuer.Verifier()
	for _, row := range []struct {
		token string
		code  pomerium.Code
	}{
		{issuer.Expired(), pomerium.ErrTokenExpired},
		{issuer.WrongAudience(), pomerium.ErrAudienceMismatch},
		{issuer.Token(pomeriumtest.Claims{"sub": ""}), pomerium.ErrSubjectMissing},
		{issuer.Token(pomeriumtest.Claims{"sub": 1}), pomerium.ErrClaimsMalformed},
		{issuer.Token(pomeriumtest.Claims{"exp": pomeriumtest.Absent}), pomerium.ErrClaimsMalformed},
		{issuer.Token(pomeriumtest.Claims{"iss": "another.example.com"}), pomerium.ErrIssuerMismatch},
		{pomeriumtest.NewIssuerFor(t, "another.example.com").Token(nil), pomerium.ErrKeyNotFound},
		{pomeriumtest.NewIssuer(t).Token(nil), pomerium.ErrKeyNotFound},
	} {
		if _, err := verifier.Verify(t.Context(), row.token); !errors.Is(err, row.code) {
			t.Errorf("expected %s, got %v", row.code, err)
		}
	}
}
