// Command app is an application behind Pomerium. The environment says which one:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8080 app
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	pomerium "github.com/pomerium-jwt/pomerium-jwt/clients/go"
)

func main() {
	verifier, err := pomerium.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	protect := pomerium.Middleware(verifier, pomerium.WithExemptPaths("/healthz"))
	admins := pomerium.RequireGroup("admins")

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.Handle("GET /admin", admins(http.HandlerFunc(admin)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		write(w, verifier.Health())
	})

	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "8080"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, protect(mux))) // every request is verified, unknown paths included
}

func index(w http.ResponseWriter, r *http.Request) {
	identity, _ := pomerium.FromContext(r.Context())
	write(w, map[string]any{"subject": identity.Subject, "email": identity.Email, "groups": identity.Groups})
}

func admin(w http.ResponseWriter, r *http.Request) {
	identity, _ := pomerium.FromContext(r.Context())
	var claims struct {
		Department string `json:"department"`
	}
	if err := identity.Claims(&claims); err != nil {
		http.Error(w, "a department is text", http.StatusInternalServerError)
		return
	}
	write(w, map[string]string{"department": claims.Department, "sign_out": pomerium.LogoutURL("")})
}

func write(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
