// Package pomeriumtest is for tests of applications behind Pomerium: tokens signed as Pomerium signs them, and verified as
// in production.
//
//	func TestAdminsOnly(t *testing.T) {
//		issuer := pomeriumtest.NewIssuer(t)
//		handler := newHandler(issuer.Verifier())
//		request := httptest.NewRequest("GET", "/admin", nil)
//		issuer.SetHeader(request, pomeriumtest.Claims{"groups": []string{"admins"}})
//		...
//	}
package pomeriumtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	pomerium "github.com/pomerium-jwt/pomerium-go"
)

// Header is the request header that carries a token.
const Header = "X-Pomerium-Jwt-Assertion"

// Claims are claims to set. The others are those of a request from alice, with an e-mail address and a name; of another
// `sub` they follow from it, and with an empty one the token is that of a request to a public route, for nobody.
type Claims map[string]any

// Absent as a value leaves a claim out.
var Absent any = absent{}

type absent struct{}

// How long Pomerium lets a token live.
const lifetime = 5 * time.Minute

// Beyond every leeway and every maximal age in use.
const longAgo = 48 * time.Hour

// An Issuer stands in for Pomerium: it signs with a key of its own, a new one for each.
type Issuer struct {
	t    testing.TB
	host string
	key  *ecdsa.PrivateKey
	jwk  jwk
}

// The members that the thumbprint of RFC 7638 takes, in its order.
type jwk struct {
	Curve   string `json:"crv"`
	KeyType string `json:"kty"`
	X       string `json:"x"`
	Y       string `json:"y"`
}

// NewIssuer makes an issuer for the route https://app.example.com.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	return NewIssuerFor(t, "app.example.com")
}

// NewIssuerFor makes an issuer for another host, without port.
func NewIssuerFor(t testing.TB, host string) *Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	public, err := key.PublicKey.ECDH()
	check(t, err)
	point := public.Bytes() // 4, x, y
	return &Issuer{t, host, key, jwk{"P-256", "EC", encode(point[1:33]), encode(point[33:])}}
}

// Options are what a verifier takes to accept these tokens: the route, and this issuer's JWK Set. Change them and call
// [pomerium.New] if a test needs others.
func (i *Issuer) Options() pomerium.Options {
	return pomerium.Options{Route: []string{"https://" + i.host}, JWKS: i.KeySet()}
}

// Verifier makes a verifier that accepts these tokens. It is closed when the test ends.
func (i *Issuer) Verifier() *pomerium.Verifier {
	i.t.Helper()
	verifier, err := pomerium.New(i.Options())
	check(i.t, err)
	i.t.Cleanup(func() { _ = verifier.Close() })
	return verifier
}

// Token is a token that was signed now and lives for five minutes.
func (i *Issuer) Token(claims Claims) string {
	i.t.Helper()
	payload := i.payload(claims)
	maps.DeleteFunc(payload, func(_ string, value any) bool { return value == Absent })
	return i.sign(payload)
}

// SetHeader has a request carry such a token.
func (i *Issuer) SetHeader(request *http.Request, claims Claims) {
	i.t.Helper()
	request.Header.Set(Header, i.Token(claims))
}

// Expired is a token that expired two days ago.
func (i *Issuer) Expired() string {
	i.t.Helper()
	then := time.Now().Add(-longAgo)
	return i.Token(Claims{"iat": then.Add(-lifetime).Unix(), "exp": then.Unix()})
}

// WrongAudience is a token for another application behind the same Pomerium.
func (i *Issuer) WrongAudience() string {
	i.t.Helper()
	return i.Token(Claims{"aud": "another-application.example.com"})
}

// KeySet is the JWK Set as Pomerium serves it.
func (i *Issuer) KeySet() json.RawMessage {
	i.t.Helper()
	type published struct {
		Use string `json:"use"`
		KID string `json:"kid"`
		jwk
		Algorithm string `json:"alg"`
	}
	set, err := json.Marshal(map[string][]published{"keys": {{"sig", i.kid(), i.jwk, "ES256"}}})
	check(i.t, err)
	return set
}

func (i *Issuer) payload(claims Claims) map[string]any {
	now := time.Now()
	payload := map[string]any{
		"sub": "alice", "groups": []string{}, "sid": "", "jti": uuid(),
		"iss": i.host, "aud": i.host, "iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
	}
	if subject, given := claims["sub"]; given {
		payload["sub"] = subject
	}
	payload["user"] = payload["sub"]
	payload["email"], payload["name"] = "", ""
	if subject, isText := payload["sub"].(string); isText && subject != "" {
		payload["email"] = subject + "@example.com"
		_, first := utf8.DecodeRuneInString(subject)
		payload["name"] = strings.ToUpper(subject[:first]) + subject[first:]
	}
	maps.Copy(payload, claims)
	return payload
}

// sign writes the compact serialization as Pomerium does. encoding/json sorts the names, as Pomerium's own does.
func (i *Issuer) sign(payload map[string]any) string {
	header := fmt.Sprintf(`{"alg":"ES256","kid":"%s","typ":"JWT"}`, i.kid())
	text, err := json.Marshal(payload)
	check(i.t, err)
	signed := encode([]byte(header)) + "." + encode(text)
	hash := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, hash[:])
	check(i.t, err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + encode(signature)
}

// kid is, as Pomerium's, the thumbprint of RFC 7638 in hexadecimal.
func (i *Issuer) kid() string {
	text, err := json.Marshal(i.jwk)
	check(i.t, err)
	thumbprint := sha256.Sum256(text)
	return hex.EncodeToString(thumbprint[:])
}

// uuid is a random one, of version 4 (RFC 9562).
func uuid() string {
	var bytes [16]byte
	_, _ = rand.Read(bytes[:]) // never fails, Go's documentation says
	bytes[6] = bytes[6]&0x0f | 0x40
	bytes[8] = bytes[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", bytes[:4], bytes[4:6], bytes[6:8], bytes[8:10], bytes[10:])
}

func encode(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("pomeriumtest: %v", err)
	}
}
