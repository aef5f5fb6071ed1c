// Command chi is the example application with chi.
package main

import (
	"encoding/json"
	"log"
	"log/slog"
	"net/http"

	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/cors"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-jwt/examples/go/serve"
)

func main() {
	verifier, err := pomerium.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	router := chi.NewRouter()
	router.Get("/", index)
	router.Head("/", index)
	router.With(pomerium.RequireGroup("admins")).Get("/admin", index)
	router.With(pomerium.RequireGroup("admins")).Head("/admin", index)
	health := func(w http.ResponseWriter, _ *http.Request) { write(w, verifier.Health()) }
	router.Get("/health", health)
	router.Head("/health", health)
	router.Get("/ws", socket)
	router.NotFound(anything)
	router.MethodNotAllowed(anything)

	// Around the router: while it has no route, chi calls NotFound without what Use was given
	handler := pomerium.Middleware(verifier, pomerium.WithLogger(slog.Default()))(router)
	if serve.Origin() != "" { // CORS stands in front, so that browsers may read refusals too
		handler = cors.Handler(cors.Options{
			AllowedOrigins: []string{serve.Origin()},
			AllowedHeaders: []string{"Authorization"},
			AllowedMethods: []string{"GET", "DELETE"},
		})(handler)
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
