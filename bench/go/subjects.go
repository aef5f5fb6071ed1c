package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"log"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

const leeway = time.Minute

func ours(issuer *pomeriumtest.Issuer) subject {
	verifier, err := pomerium.New(issuer.Options())
	demand(err)
	return subject{"pomerium-jwt", "github.com/pomerium-jwt/pomerium-go", func(token string) (user, error) {
		identity, err := verifier.Verify(context.Background(), token)
		if err != nil {
			return user{}, err
		}
		return user{identity.Subject, identity.Email, identity.Groups}, nil
	}}
}

func golangJWT(set json.RawMessage) subject {
	type claims struct {
		jwt.RegisteredClaims
		Email  string   `json:"email"`
		Groups []string `json:"groups"`
	}
	key := publicKey(set)
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer(host), jwt.WithAudience(host), jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway))
	return subject{"golang-jwt", "github.com/golang-jwt/jwt/v5", func(token string) (user, error) {
		var read claims
		_, err := parser.ParseWithClaims(token, &read, func(*jwt.Token) (any, error) { return key, nil })
		return user{read.Subject, read.Email, read.Groups}, err
	}}
}

func goJose(set json.RawMessage) subject {
	type claims struct {
		josejwt.Claims
		Email  string   `json:"email"`
		Groups []string `json:"groups"`
	}
	key := publicKey(set)
	algorithms := []jose.SignatureAlgorithm{jose.ES256}
	return subject{"go-jose", "github.com/go-jose/go-jose/v4", func(token string) (user, error) {
		parsed, err := josejwt.ParseSigned(token, algorithms)
		if err != nil {
			return user{}, err
		}
		var read claims
		if err := parsed.Claims(key, &read); err != nil {
			return user{}, err
		}
		if read.Expiry == nil {
			return user{}, errors.New("exp is missing")
		}
		expected := josejwt.Expected{Issuer: host, AnyAudience: josejwt.Audience{host}, Time: time.Now()}
		err = read.ValidateWithLeeway(expected, leeway)
		return user{read.Subject, read.Email, read.Groups}, err
	}}
}

func lestrratJWX(set json.RawMessage) subject {
	keys, err := jwk.Parse(set)
	demand(err)
	key, _ := keys.Key(0)
	return subject{"jwx", "github.com/lestrrat-go/jwx/v3", func(token string) (user, error) {
		parsed, err := jwxjwt.ParseString(token, jwxjwt.WithKey(jwa.ES256(), key), jwxjwt.WithIssuer(host),
			jwxjwt.WithAudience(host), jwxjwt.WithRequiredClaim("exp"), jwxjwt.WithAcceptableSkew(leeway))
		if err != nil {
			return user{}, err
		}
		var read user
		var groups []any
		read.subject, _ = parsed.Subject()
		if err := parsed.Get("email", &read.email); err != nil {
			return user{}, err
		}
		if err := parsed.Get("groups", &groups); err != nil {
			return user{}, err
		}
		for _, group := range groups {
			read.groups = append(read.groups, group.(string))
		}
		return read, nil
	}}
}

func publicKey(set json.RawMessage) *ecdsa.PublicKey {
	keys, err := jwk.Parse(set)
	demand(err)
	first, _ := keys.Key(0)
	var key ecdsa.PublicKey
	demand(jwk.Export(first, &key))
	return &key
}

func demand(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
