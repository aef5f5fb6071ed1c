// Package frameworks tries every way into an application of each framework: nothing gets in without a token.
package frameworks

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
	"github.com/rs/cors"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

const origin = "https://elsewhere.example.com"

type middleware = func(http.Handler) http.Handler

// reached is what every handler answers, files excepted.
func reached(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		connection, err := websocket.Accept(w, r, nil)
		if err == nil {
			_ = connection.Write(r.Context(), websocket.MessageText, []byte("reached"))
			_ = connection.Close(websocket.StatusNormalClosure, "")
		}
		return
	}
	_, _ = io.WriteString(w, "reached "+r.Method+strings.Repeat(" and something to compress", 100))
}

// routers have a page, a mounted application, files, an early hook and their own page for unknown paths. protect is put
// where the documentation says.
var routers = map[string]func(protect middleware, files string) http.Handler{
	"net/http": func(protect middleware, files string) http.Handler {
		inner := http.NewServeMux()
		inner.HandleFunc("/page", reached)
		mux := http.NewServeMux()
		mux.HandleFunc("/page", reached)
		mux.HandleFunc("/health", reached)
		mux.Handle("/mounted/", http.StripPrefix("/mounted", inner))
		mux.Handle("/files/", http.StripPrefix("/files", http.FileServer(http.Dir(files))))
		return protect(mux)
	},
	"chi": func(protect middleware, files string) http.Handler {
		inner := chi.NewRouter()
		inner.HandleFunc("/page", reached)
		router := chi.NewRouter()
		router.Use(chimiddleware.Compress(5), chimiddleware.GetHead)
		router.Use(chimiddleware.StripSlashes, chimiddleware.Recoverer)
		router.HandleFunc("/page", reached)
		router.HandleFunc("/health", reached)
		router.Mount("/mounted", inner)
		router.Handle("/files/*", http.StripPrefix("/files", http.FileServer(http.Dir(files))))
		return protect(router)
	},
	"chi without a route": func(protect middleware, _ string) http.Handler {
		router := chi.NewRouter()
		router.NotFound(reached)
		return protect(router)
	},
	"gin": func(protect middleware, files string) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		router := gin.New()
		router.HandleMethodNotAllowed = true
		router.RedirectFixedPath = true
		router.Use(gin.Recovery(), func(c *gin.Context) { c.Header("Hook", "ran") })
		router.Any("/page", gin.WrapF(reached))
		router.Any("/health", gin.WrapF(reached))
		router.Group("/mounted").Any("/page", gin.WrapF(reached))
		router.Static("/files", files)
		return protect(router)
	},
	"echo": func(protect middleware, files string) http.Handler {
		router := echo.New()
		router.Pre(echo.WrapMiddleware(protect))
		router.Pre(echomiddleware.MethodOverride(), echomiddleware.RemoveTrailingSlash())
		router.Use(echomiddleware.Gzip(), echomiddleware.Recover())
		page := echo.WrapHandler(http.HandlerFunc(reached))
		router.Any("/page", page)
		router.Any("/health", page)
		router.Group("/mounted").Any("/page", page)
		router.Static("/files", files)
		return router
	},
}

// stacks are what applications put before or after the middleware, each with what the whole answers.
func stack() middleware {
	sessions := scs.New()
	allowed := cors.New(cors.Options{AllowedOrigins: []string{origin}, AllowedMethods: []string{"GET", "DELETE"}})
	return func(next http.Handler) http.Handler {
		for _, front := range []middleware{
			sessions.LoadAndSave, handlers.CompressHandler, handlers.HTTPMethodOverrideHandler, allowed.Handler, requestID,
		} {
			next = front(next)
		}
		return next
	}
}

// requestID is as tracing does it: a value in the context, a header in the response.
func requestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "1")
		next.ServeHTTP(w, r)
	})
}

// orders are where the others' middleware stands.
var orders = map[string]func(protect middleware) middleware{
	"alone": func(protect middleware) middleware { return protect },
	"before": func(protect middleware) middleware {
		return func(next http.Handler) http.Handler { return stack()(protect(next)) }
	},
	"after": func(protect middleware) middleware {
		return func(next http.Handler) http.Handler { return protect(stack()(next)) }
	},
}

type asked struct {
	method, target string
	headers        []string
	body           string
}

var preflight = []string{"Origin: " + origin, "Access-Control-Request-Method: DELETE"}

var ways = []asked{
	{method: "GET", target: "/page"},
	{method: "GET", target: "/page/"},
	{method: "GET", target: "//page"},
	{method: "GET", target: "/PAGE"},
	{method: "GET", target: "/nowhere"},
	{method: "GET", target: "/mounted/page"},
	{method: "GET", target: "/mounted/nowhere"},
	{method: "GET", target: "/mounted"},
	{method: "GET", target: "/files/secret.txt"},
	{method: "GET", target: "/files/"},
	{method: "GET", target: "/files"},
	{method: "HEAD", target: "/files/secret.txt"},
	{method: "GET", target: "/%68ealth"},
	{method: "GET", target: "/health/"},
	{method: "GET", target: "/health/../page"},
	{method: "GET", target: "http://app.example.com/page"},
	{method: "POST", target: "/page", body: "a=b"},
	{method: "POST", target: "/page", headers: []string{"Content-Type: application/x-www-form-urlencoded"}, body: "_method=DELETE"},
	{method: "POST", target: "/page", headers: []string{"X-HTTP-Method-Override: DELETE"}},
	{method: "GET", target: "/page", headers: []string{"X-HTTP-Method-Override: OPTIONS"}},
	{method: "OPTIONS", target: "/page"},
	{method: "OPTIONS", target: "/files/secret.txt"},
	{method: "TRACE", target: "/page"},
	{method: "PROPFIND", target: "/page"},
	{method: "CONNECT", target: "/page"},
	{method: "GET", target: "/page", headers: []string{"Accept-Encoding: gzip"}},
	{method: "GET", target: "/page", headers: []string{"Origin: " + origin}},
	{method: "GET", target: "/page", headers: []string{"Cookie: session=x"}},
	{method: "GET", target: "/page", headers: []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: localhost"}},
	{method: "GET", target: "/page?jwt=eyJ", headers: []string{"X-Pomerium-Jwt-Assertion-For: eyJ"}},
	{method: "GET", target: "/page", headers: webSocket},
	{method: "GET", target: "/health", headers: webSocket},
	{method: "GET", target: "/health", headers: []string{"Upgrade: websocket"}},
	{method: "OPTIONS", target: "/page", headers: preflight},
	{method: "OPTIONS", target: "/nowhere", headers: preflight},
}

var webSocket = []string{"Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}

func TestNoWayInWithoutAToken(t *testing.T) {
	files := t.TempDir()
	if err := os.WriteFile(filepath.Join(files, "secret.txt"), []byte("reached"), 0o600); err != nil {
		t.Fatal(err)
	}
	issuer := pomeriumtest.NewIssuer(t)
	for name, router := range routers {
		for order, around := range orders {
			options := issuer.Options()
			options.ExemptPaths = []string{"/health"}
			verifier, err := pomerium.New(options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = verifier.Close() })
			protect := pomerium.Middleware(verifier, pomerium.WithLogger(slog.New(slog.DiscardHandler)))
			server := httptest.NewServer(router(around(protect), files))
			t.Cleanup(server.Close)
			address := server.Listener.Addr().String()

			for _, way := range ways {
				answer, body := way.ask(t, address)
				// A CORS middleware in front answers preflights by itself, with no body
				answered := order == "before" && answer.StatusCode == 204 && body == ""
				if answer.StatusCode != 401 && !answered || strings.Contains(body, "reached") || answer.Header.Get("Hook") != "" {
					t.Errorf("%s, %s: %s %s %q: %d %.40s", name, order, way.method, way.target, way.headers, answer.StatusCode, body)
				}
				if got := answer.Header.Get("Access-Control-Allow-Origin"); way.fromElsewhere() && (got == origin) != (order == "before") {
					t.Errorf("%s, %s: Access-Control-Allow-Origin %q", name, order, got)
				}
			}
			lookIn(t, name+", "+order, address, issuer.Token(nil))
		}
	}
}

// lookIn tries the same application with a token: what was refused above is there.
func lookIn(t *testing.T, name, address, token string) {
	t.Helper()
	header := "X-Pomerium-Jwt-Assertion: " + token
	for _, way := range []asked{
		{method: "GET", target: "/page", headers: []string{header}},
		{method: "GET", target: "/mounted/page", headers: []string{header}},
		{method: "GET", target: "/files/secret.txt", headers: []string{header}},
		{method: "DELETE", target: "/page", headers: []string{header}},
		{method: "GET", target: "/health"},
	} {
		if answer, body := way.ask(t, address); answer.StatusCode != 200 || !strings.HasPrefix(body, "reached") {
			t.Errorf("%s: %s %s: %d %.40s", name, way.method, way.target, answer.StatusCode, body)
		}
	}
	open := asked{method: "GET", target: "/page", headers: append([]string{header}, webSocket...)}
	if answer, _ := open.ask(t, address); answer.StatusCode != 101 {
		t.Errorf("%s: a WebSocket with a token: %d", name, answer.StatusCode)
	}
}

func (a asked) fromElsewhere() bool { return len(a.headers) == 1 && a.headers[0] == "Origin: "+origin }

// ask sends the request as it is written.
func (a asked) ask(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(time.Minute))
	ending := "close"
	if strings.Contains(strings.Join(a.headers, "\n"), "Upgrade:") {
		ending = "Upgrade"
	}
	lines := append([]string{a.method + " " + a.target + " HTTP/1.1", "Host: app.example.com", "Connection: " + ending}, a.headers...)
	if a.body != "" {
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(a.body)))
	}
	if _, err := io.WriteString(connection, strings.Join(lines, "\r\n")+"\r\n\r\n"+a.body); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: a.method})
	if err != nil {
		t.Fatalf("%s %s: %v", a.method, a.target, err)
	}
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return answer, ""
	}
	body, _ := io.ReadAll(answer.Body)
	return answer, string(body)
}
