package pomerium_test

// What the middleware makes of a request's facts, byte by byte over real sockets.

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

// exempting is a server whose health page and public files need no token; after it anything is answered.
func exempting(t *testing.T, front func(http.Handler) http.Handler) string {
	t.Helper()
	options := pomeriumtest.NewIssuer(t).Options()
	options.ExemptPaths = []string{"/health", "/public/*"}
	reached := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "reached") })
	handler := pomerium.Middleware(newVerifier(t, options), quiet)(reached)
	if front != nil {
		handler = front(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// exchange sends a request as it is written, and gives the status and the rest of the answer.
func exchange(t *testing.T, address, method, target string, headers ...string) (*http.Response, string) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	must(t, err)
	defer func() { _ = connection.Close() }()
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: app.example.com", "Connection: close"}, headers...)
	_, err = io.WriteString(connection, strings.Join(lines, "\r\n")+"\r\n\r\n")
	must(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	must(t, err)
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response, string(body)
}

func TestOnlyTheExemptSpellingPasses(t *testing.T) {
	address := exempting(t, nil)
	for target, status := range map[string]int{
		"/health":                          200,
		"/health?x=/../admin":              200,
		"/public/a/b.css":                  200,
		"http://app.example.com/health":    200,
		"http://elsewhere/health?x":        200,
		"/%68ealth":                        401,
		"/health%2F":                       401,
		"/health/":                         401,
		"//health":                         401,
		"/./health":                        401,
		"/x/../health":                     401,
		"/health/../admin":                 401,
		"/health;x=1":                      401,
		"/health%00":                       401,
		"/health%3Fx":                      401,
		"/HEALTH":                          401,
		"/health\\":                        401,
		"/public":                          401,
		"/public/":                         401,
		"/public//a":                       401,
		"/public/../admin":                 401,
		"/public/%2e%2e/admin":             401,
		"/public%2Fa":                      401,
		"/public/a%2F..%2F..%2Fadmin":      401,
		"/public/a\\..\\..\\admin":         401,
		"//app.example.com/health":         401,
		"///health":                        401,
		"http://app.example.com":           401,
		"http://app.example.com//health":   401,
		"https://app.example.com/%68ealth": 401,
	} {
		response, body := exchange(t, address, "GET", target)
		if response.StatusCode != status || (status == 200) != (body == "reached") {
			t.Errorf("%s: %d %s", target, response.StatusCode, body)
		}
	}
}

func TestMethodsWithoutAPath(t *testing.T) {
	address := exempting(t, nil)
	if response, body := exchange(t, address, "CONNECT", "app.example.com:443"); response.StatusCode != 401 {
		t.Error(response.StatusCode, body)
	}
	// net/http answers this one by itself, with nothing
	if response, body := exchange(t, address, "OPTIONS", "*"); body != "" {
		t.Error(response.StatusCode, body)
	}
}

// Handlers route by what a middleware in front made of the URL, so that what the client sent says nothing any more.
func TestARewrittenPathIsNotExempt(t *testing.T) {
	for name, front := range map[string]func(http.Handler) http.Handler{
		"path": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL.Path = "/admin"
				next.ServeHTTP(w, r)
			})
		},
		"whole URL": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL = &url.URL{Path: "/admin"}
				next.ServeHTTP(w, r)
			})
		},
		"raw path": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL.Path, r.URL.RawPath = "/admin", "/health"
				next.ServeHTTP(w, r)
			})
		},
		"StripPrefix": func(next http.Handler) http.Handler { return http.StripPrefix("/public", next) },
	} {
		address := exempting(t, front)
		for _, target := range []string{"/health", "/public/health", "/public/a"} {
			if response, body := exchange(t, address, "GET", target); body == "reached" {
				t.Errorf("%s, %s: %d", name, target, response.StatusCode)
			}
		}
	}
	address := exempting(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = "/health"
			next.ServeHTTP(w, r)
		})
	})
	if response, _ := exchange(t, address, "GET", "/admin"); response.StatusCode != 401 {
		t.Error("rewritten to an exempt path:", response.StatusCode)
	}
	// The path of a request that was made by hand is unknown
	request, err := http.NewRequest("GET", "/health", nil)
	must(t, err)
	options := pomeriumtest.NewIssuer(t).Options()
	options.ExemptPaths = []string{"/health"}
	recorder := httptest.NewRecorder()
	pomerium.Middleware(newVerifier(t, options), quiet)(whoami()).ServeHTTP(recorder, request)
	if recorder.Code != 401 {
		t.Error(recorder.Code)
	}
}

func TestUpgradesAreNeverExempt(t *testing.T) {
	address := exempting(t, nil)
	for upgrade, status := range map[string]int{
		"Upgrade: websocket": 401, "Upgrade: h2c": 200, "Upgrade:  H2C ": 200, "Upgrade:": 200, "Upgrade: h2c, websocket": 401,
		"Upgrade: h2c\r\nUpgrade: websocket": 401, "Upgrade: \r\nUpgrade: websocket": 401, "upgrade: WebSocket": 401,
	} {
		for _, connection := range []string{"X: y", "Connection: Upgrade"} {
			response, body := exchange(t, address, "GET", "/health", upgrade, connection)
			if response.StatusCode != status {
				t.Errorf("%q: %d %s", upgrade, response.StatusCode, body)
			}
		}
	}
}

// CORS preflights are requests like any other, and a method in a header is none.
func TestPreflightsAndOverriddenMethodsAreRefused(t *testing.T) {
	address := exempting(t, nil)
	for _, headers := range [][]string{
		{"Origin: https://elsewhere", "Access-Control-Request-Method: DELETE"},
		{"X-HTTP-Method-Override: OPTIONS"},
		{},
	} {
		for _, method := range []string{"OPTIONS", "GET", "POST", "DELETE", "TRACE", "PROPFIND"} {
			response, body := exchange(t, address, method, "/", append(headers, "Content-Length: 0")...)
			if response.StatusCode != 401 || body != `{"error":"token_missing"}` {
				t.Errorf("%s %v: %d %s", method, headers, response.StatusCode, body)
			}
		}
	}
}

func TestHEADIsRefusedWithTheHeadersOfGETAndNoBody(t *testing.T) {
	address := exempting(t, nil)
	get, body := exchange(t, address, "GET", "/")
	head, none := exchange(t, address, "HEAD", "/")
	get.Header.Del("Date")
	head.Header.Del("Date")
	if head.StatusCode != 401 || none != "" || head.ContentLength != int64(len(body)) {
		t.Error(head.StatusCode, none, head.ContentLength)
	}
	for name := range get.Header {
		if get.Header.Get(name) != head.Header.Get(name) {
			t.Errorf("%s: %q, %q", name, get.Header.Get(name), head.Header.Get(name))
		}
	}
}

// Writers other than net/http's, such as those of middleware in front, do not withhold it.
func TestHEADIsWrittenNoBody(t *testing.T) {
	recorder := httptest.NewRecorder()
	handler := pomerium.Middleware(pomeriumtest.NewIssuer(t).Verifier(), quiet)(whoami())
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodHead, "/", nil))
	if recorder.Code != 401 || recorder.Body.Len() != 0 || recorder.Header().Get("Content-Length") != "25" {
		t.Error(recorder.Code, recorder.Body, recorder.Header())
	}
}

// All values count, however they are written; other spellings of the name and trailers are not values.
func TestEveryValueOfTheHeaderCounts(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	server := httptest.NewServer(pomerium.Middleware(issuer.Verifier(), quiet)(whoami()))
	t.Cleanup(server.Close)
	good := issuer.Token(nil)
	const name = "X-Pomerium-Jwt-Assertion: "
	for _, row := range []struct {
		headers []string
		answer  string
	}{
		{[]string{name + good}, "alice"},
		{[]string{strings.ToUpper(name) + good}, "alice"},
		{[]string{name + good, strings.ToLower(name) + good}, `{"error":"token_repeated"}`},
		{[]string{name + good, name}, `{"error":"token_repeated"}`},
		{[]string{name, name + good}, `{"error":"token_repeated"}`},
		{[]string{"X_Pomerium_Jwt_Assertion: " + good}, `{"error":"token_missing"}`},
		{[]string{"X-Pomerium-Jwt-Assertion-For: " + good}, `{"error":"token_missing"}`},
		{[]string{name + strings.Repeat("x", 60_000)}, `{"error":"token_malformed"}`},
	} {
		if _, body := exchange(t, server.Listener.Addr().String(), "GET", "/", row.headers...); body != row.answer {
			t.Errorf("%.80q: %s", row.headers, body)
		}
	}
}
