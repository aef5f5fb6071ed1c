// Command hello greets the user whom Pomerium has signed in.
package main

import (
	"fmt"
	"log"
	"net/http"

	pomerium "github.com/pomerium-jwt/pomerium-go"
)

func hello(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, "Hello ", pomerium.MustFromContext(r.Context()).Email)
}

func main() {
	verifier, err := pomerium.FromEnv() // once per application
	if err != nil {
		log.Fatal(err)
	}
	protect := pomerium.Middleware(verifier)
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", protect(http.HandlerFunc(hello))))
}
