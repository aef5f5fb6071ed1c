package pomerium_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	pomerium "github.com/pomerium-jwt/pomerium-go"
)

func Example() {
	verifier, err := pomerium.New(pomerium.Options{
		Route:       []string{"https://app.example.com"},
		ExemptPaths: []string{"/health"},
	})
	if err != nil {
		log.Fatal(err)
	}
	protect := pomerium.Middleware(verifier)
	http.Handle("GET /", protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Hello", pomerium.MustFromContext(r.Context()).Email)
	})))
}

func ExampleNew() {
	_, err := pomerium.New(pomerium.Options{
		Route:   []string{"https://app.example.com"},
		Leeway:  pomerium.Ptr(30 * time.Second),
		Timeout: pomerium.Ptr(100 * time.Millisecond),
	})
	fmt.Println(err)
	// Output: invalid_options: timeout: takes whole seconds, not 100ms
}

func ExampleVerifier_Verify() {
	verifier, err := pomerium.NewForRoute("https://app.example.com")
	if err != nil {
		log.Fatal(err)
	}
	request, _ := http.NewRequest("GET", "https://app.example.com/", nil)
	_, err = verifier.Verify(context.Background(), request.Header.Get("X-Pomerium-Jwt-Assertion"))
	var refused *pomerium.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Code, errors.Is(err, pomerium.ErrTokenMissing))
	}
	// Output: 401 token_missing true
}
