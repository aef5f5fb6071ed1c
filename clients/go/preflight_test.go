package pomerium_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	pomerium "github.com/pomerium-jwt/pomerium-jwt/clients/go"
	"github.com/pomerium-jwt/pomerium-jwt/clients/go/pomeriumtest"
)

func TestPreflightPassesAndOtherOptionsRequestsDoNot(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	server := protected(t, issuer.Verifier(), false)
	for _, row := range []struct {
		method, path, ask string
		status            int
	}{
		{"OPTIONS", "/", "GET", 200},
		{"OPTIONS", "/admin", "GET", 401},
		{"OPTIONS", "/", "", 401},
		{"GET", "/", "GET", 401},
	} {
		request, err := http.NewRequest(row.method, server.URL+row.path, nil)
		must(t, err)
		if row.ask != "" {
			request.Header.Set("Access-Control-Request-Method", row.ask)
		}
		request.Header.Set(pomeriumtest.Header, "nonsense")
		status, body, header := do(t, server, request)
		if status != row.status || status == 200 && (header.Get("Caller") != "nobody" || body != "") {
			t.Errorf("%+v: %d %s", row, status, body)
		}
	}
}

// Handlers that look at no method answer a preflight as they answer any request, and who sends it is unknown.
func TestAPreflightGetsNoContent(t *testing.T) {
	silence(t)
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "secret.txt"), []byte("secret"), 0o600))
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(folder)))
	mux.HandleFunc("/declared", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "6")
		_, _ = io.WriteString(w, "secret")
	})
	mux.HandleFunc("/flushed", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "secret")
		_ = http.NewResponseController(w).Flush()
	})
	mux.HandleFunc("/hijacked", func(w http.ResponseWriter, _ *http.Request) {
		if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Error("a preflight became a connection")
			_ = connection.Close()
		}
	})
	mux.HandleFunc("/status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, http2 := range []bool{false, true} {
		server := serve(t, pomerium.Middleware(pomeriumtest.NewIssuer(t).Verifier())(mux), http2)
		for path, expected := range map[string]int{
			"/secret.txt": 200, "/declared": 200, "/flushed": 200, "/hijacked": 200, "/status": 204,
		} {
			request, err := http.NewRequest(http.MethodOptions, server.URL+path, nil)
			must(t, err)
			request.Header.Set("Access-Control-Request-Method", "GET")
			if status, body, header := do(t, server, request); status != expected || body != "" || header.Get("Content-Length") == "6" {
				t.Errorf("%s: %d %q %v", path, status, body, header)
			}
		}
	}
}
