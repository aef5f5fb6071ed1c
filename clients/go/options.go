package pomerium

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"
)

// Options are what a [Verifier] checks. Route alone protects an application. A field at its zero value is not set and has
// the default of the project's README; nil is not set, and an empty list is a value, which is refused. Durations are
// whole seconds. Take a pointer with [Ptr]:
//
//	pomerium.Options{Route: []string{"https://app.example.com"}, Leeway: pomerium.Ptr(30 * time.Second)}
type Options struct {
	// Route is Pomerium's own `from:` URL, or several. It gives Issuer, Audience and JWKSURL.
	Route []string `option:"route"`
	// Issuer has the accepted values of `iss`. Required unless Route is set.
	Issuer []string `option:"issuer"`
	// Audience has the accepted values of `aud`, any of them. Required unless Route is set: one key signs every route.
	Audience []string `option:"audience"`
	// JWKSURL is where the JWK Set is fetched, if not below the route.
	JWKSURL string `option:"jwks_url"`
	// JWKS is the JWK Set itself, a JSON object.
	JWKS json.RawMessage `option:"jwks"`
	// JWKSFile is a file that holds the JWK Set. A change is picked up within a second.
	JWKSFile string `option:"jwks_file"`
	// PublicKey is one public key or certificate in PEM, or that PEM in base64.
	PublicKey string `option:"public_key"`
	// PublicKeyFile is a file that holds what PublicKey takes.
	PublicKeyFile string `option:"public_key_file"`
	// TrustOnFirstUse pins the issuer and audience of the first verified token. For development.
	TrustOnFirstUse bool `option:"trust_on_first_use"`
	// Algorithms has the accepted values of `alg`: ES256, RS256.
	Algorithms []string `option:"algorithms"`
	// ExpectClaims are claims to demand: each must equal one of the values or, if it is a list, contain one.
	ExpectClaims map[string][]string `option:"expect_claims"`
	// PinKIDs has the RFC 7638 thumbprints in hex of the keys to accept.
	PinKIDs []string `option:"pin_kids"`
	// Leeway is the tolerance on `exp`, `nbf` and `iat`.
	Leeway *time.Duration `option:"leeway"`
	// MaxTokenAge is the time since `iat` after which a token is refused.
	MaxTokenAge *time.Duration `option:"max_token_age"`
	// AllowAnonymous accepts a token whose `sub` is empty: public routes are signed too, with no user.
	AllowAnonymous bool `option:"allow_anonymous"`
	// MaxTokenBytes is the length of the longest token accepted.
	MaxTokenBytes *int `option:"max_token_bytes"`
	// JWKSInitial is a JWK Set to start with when keys are fetched, for cold starts.
	JWKSInitial json.RawMessage `option:"jwks_initial"`
	// CAFile is a file of CA certificates in PEM to trust for the fetch, beside the system's.
	CAFile string `option:"ca_file"`
	// CAPEM has CA certificates in PEM to trust for the fetch, beside the system's.
	CAPEM string `option:"ca_pem"`
	// ConnectTo is the `host:port` to dial for the fetch; name and certificate stay the address's.
	ConnectTo string `option:"connect_to"`
	// Timeout is for one whole fetch, and bounds every wait for it.
	Timeout *time.Duration `option:"timeout"`
	// AllowHTTP allows plain http for the fetch from addresses other than loopback.
	AllowHTTP bool `option:"allow_http"`
	// CacheTTL is how long a fetched set is fresh, instead of what its Cache-Control says.
	CacheTTL *time.Duration `option:"cache_ttl"`
	// MaxStale is how long beyond twice the ttl the last good keys answer while the source fails.
	MaxStale *time.Duration `option:"max_stale"`
	// RefetchCooldown is the time between fetches that unknown key ids cause.
	RefetchCooldown *time.Duration `option:"refetch_cooldown"`
	// HeaderName is the request header that carries the token.
	HeaderName string `option:"header_name"`
	// Optional lets requests without a token pass, without an identity. A bad token is refused all the same.
	Optional bool `option:"optional"`
	// ExemptPaths are paths that need no token: /health, or /public/* for everything below it.
	ExemptPaths []string `option:"exempt_paths"`
	// RequireGroup has the groups of which the user must be in at least one.
	RequireGroup []string `option:"require_group"`
}

// Ptr is a pointer to a value, for an option whose zero differs from not being set. With Go 1.26 new(value) does it too.
func Ptr[T any](value T) *T { return &value }

// document is the JSON object that the library judges.
func (o Options) document() (string, error) {
	members := map[string]any{}
	options := reflect.ValueOf(o)
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

// translate gives what JSON says of a value, or why it cannot.
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
		// encoding/json would put other characters in the place of what is no text
		if !utf8.ValidString(fmt.Sprint(value)) {
			return nil, "takes text in UTF-8"
		}
	}
	return value, ""
}
