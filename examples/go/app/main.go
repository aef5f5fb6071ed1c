// Command app is an application behind Pomerium. The environment says which one:
// POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health PORT=8080 app
package main

import (
	"encoding/json"
	"log"
	"log/slog"
	"net/http"

	"github.com/coder/websocket"
	"github.com/rs/cors"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-jwt/examples/go/serve"
)

func main() {
	verifier, err := pomerium.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.Handle("GET /admin", pomerium.RequireGroup("admins")(http.HandlerFunc(index)))
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { write(w, verifier.Health()) })
	mux.HandleFunc("GET /ws", socket)
	mux.HandleFunc("/", anything)

	// Around the whole application: every request is verified, unknown paths included
	var handler http.Handler = pomerium.Middleware(verifier, pomerium.WithLogger(slog.Default()))(mux)
	if serve.Origin() != "" { // CORS stands in front, so that browsers may read refusals too
		handler = cors.New(cors.Options{
			AllowedOrigins: []string{serve.Origin()},
			AllowedHeaders: []string{"Authorization"},
			AllowedMethods: []string{"GET", "DELETE"},
		}).Handler(handler)
	}
	serve.Run(handler)
}

func index(w http.ResponseWriter, r *http.Request) {
	identity, _ := pomerium.FromContext(r.Context()) // nil if the request passed without one
	write(w, identity)
}

func anything(w http.ResponseWriter, r *http.Request) {
	var subject any
	if identity, found := pomerium.FromContext(r.Context()); found {
		subject = identity.Subject
	}
	write(w, map[string]any{"reached": true, "subject": subject})
}

func socket(w http.ResponseWriter, r *http.Request) {
	connection, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has answered
	}
	subject := ""
	if identity, found := pomerium.FromContext(r.Context()); found {
		subject = identity.Subject
	}
	_ = connection.Write(r.Context(), websocket.MessageText, []byte(subject))
	_ = connection.Close(websocket.StatusNormalClosure, "")
}

func write(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
