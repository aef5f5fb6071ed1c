package pomerium_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

// whoami is an application behind the middleware.
func whoami() http.Handler {
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject := "nobody"
		if identity, found := pomerium.FromContext(r.Context()); found {
			subject = identity.Subject
		}
		w.Header().Set("Caller", subject)
		_, _ = io.WriteString(w, subject)
	})
	mux := http.NewServeMux()
	mux.Handle("/", who)
	mux.Handle("/admin", pomerium.RequireGroup("admins", "owners")(who))
	mux.Handle("/user", pomerium.RequireUser(who))
	return mux
}

// protected is the application under a real server, HTTP/1.1 or HTTP/2.
func protected(t *testing.T, verifier *pomerium.Verifier, http2 bool, options ...pomerium.Option) *httptest.Server {
	t.Helper()
	options = append([]pomerium.Option{quiet}, options...)
	return serve(t, pomerium.Middleware(verifier, options...)(whoami()), http2)
}

func serve(t *testing.T, handler http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.StartTLS()
	server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(server.Close)
	return server
}

// send returns status, body and headers of the answer to a GET with these values of the header.
func send(t *testing.T, server *httptest.Server, path string, tokens ...string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	must(t, err)
	request.Header[pomeriumtest.Header] = tokens
	return do(t, server, request)
}

func do(t *testing.T, server *httptest.Server, request *http.Request) (int, string, http.Header) {
	t.Helper()
	response, err := server.Client().Do(request)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	if http2 := server.EnableHTTP2; http2 != (response.ProtoMajor == 2) {
		t.Fatalf("the server spoke %s", response.Proto)
	}
	return response.StatusCode, string(body), response.Header
}

func TestWhoGetsIn(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	good, admin := issuer.Token(nil), issuer.Token(claims{"groups": []string{"staff", "admins"}})
	anonymous := issuer.Token(claims{"sub": "", "groups": []string{"admins"}})
	none, one := []string{}, func(token string) []string { return []string{token} }
	optional := func(o *pomerium.Options) { o.Optional = true }
	exempt := func(o *pomerium.Options) { o.ExemptPaths = []string{"/health", "/public/*"} }
	admins := func(o *pomerium.Options) { o.RequireGroup = []string{"admins"} }
	anybody := func(o *pomerium.Options) { o.AllowAnonymous = true }
	for _, row := range []struct {
		change func(*pomerium.Options)
		path   string
		tokens []string
		status int
		answer string
	}{
		{nil, "/", one(good), 200, "alice"},
		{nil, "/", one("Bearer " + good), 200, "alice"},
		{nil, "/", none, 401, "token_missing"},
		{nil, "/", one(""), 401, "token_missing"},
		{nil, "/", []string{good, good}, 401, "token_repeated"},
		{nil, "/", []string{"", good}, 401, "token_repeated"},
		{nil, "/", one("nonsense"), 401, "token_malformed"},
		{nil, "/", one(good[:len(good)-6] + "AAAAAA"), 401, "signature_invalid"},
		{nil, "/", one(issuer.Expired()), 401, "token_expired"},
		{nil, "/", one(issuer.WrongAudience()), 401, "audience_mismatch"},
		{nil, "/", one(anonymous), 401, "subject_missing"},
		{nil, "/?jwt=" + good, none, 401, "token_missing"},
		{nil, "/nowhere", none, 401, "token_missing"},
		{nil, "/admin", one(admin), 200, "alice"},
		{nil, "/admin", one(good), 403, "group_required"},
		{nil, "/admin", none, 401, "token_missing"},
		{nil, "/user", one(good), 200, "alice"},
		{optional, "/", none, 200, "nobody"},
		{optional, "/", one(good), 200, "alice"},
		{optional, "/", one("nonsense"), 401, "token_malformed"},
		{optional, "/", []string{good, good}, 401, "token_repeated"},
		{optional, "/admin", none, 401, "token_missing"},
		{optional, "/user", none, 401, "token_missing"},
		{exempt, "/health", none, 200, "nobody"},
		{exempt, "/health", one(good), 200, "nobody"},
		{exempt, "/health", one("nonsense"), 200, "nobody"},
		{exempt, "/health?page=1", none, 200, "nobody"},
		{exempt, "/public/a/b.css", none, 200, "nobody"},
		{exempt, "/", none, 401, "token_missing"},
		{admins, "/", one(admin), 200, "alice"},
		{admins, "/", one(good), 403, "group_required"},
		{admins, "/", none, 401, "token_missing"},
		{anybody, "/", one(anonymous), 200, ""},
		{anybody, "/user", one(anonymous), 401, "subject_missing"},
		{anybody, "/admin", one(anonymous), 401, "subject_missing"},
	} {
		options := issuer.Options()
		if row.change != nil {
			row.change(&options)
		}
		for _, http2 := range []bool{false, true} {
			server := protected(t, newVerifier(t, options), http2)
			status, body, header := send(t, server, row.path, row.tokens...)
			expected := row.answer
			if row.status != 200 {
				expected = fmt.Sprintf(`{"error":"%s"}`, row.answer)
			}
			if status != row.status || body != expected {
				t.Errorf("%s, %d tokens, HTTP/2 %t: %d %s, expected %d %s", row.path, len(row.tokens), http2, status, body, row.status, expected)
			}
			if why := wrongHeaders(status, header); why != "" {
				t.Errorf("%s: %d: %s", row.path, status, why)
			}
			server.Close()
		}
	}
}

// wrongHeaders says how the headers of a response are not those of its status.
func wrongHeaders(status int, header http.Header) string {
	expected := map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "Www-Authenticate": "", "Retry-After": ""}
	if status == 200 {
		expected = map[string]string{"Cache-Control": "", "Www-Authenticate": "", "Retry-After": ""}
	}
	if status == 401 {
		expected["Www-Authenticate"] = `Bearer error="invalid_token"`
	}
	for name, value := range expected {
		if header.Get(name) != value {
			return fmt.Sprintf("%s: %q, expected %q", name, header.Get(name), value)
		}
	}
	return ""
}

// Who gets through was decided when the middleware was made.
func TestGroupsAreThoseOfTheStart(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	groups := []string{"admins"}
	options := issuer.Options()
	options.RequireGroup = groups
	servers := []*httptest.Server{
		protected(t, newVerifier(t, options), false),
		serve(t, pomerium.Middleware(issuer.Verifier(), quiet)(pomerium.RequireGroup(groups...)(whoami())), false),
	}
	groups[0] = "staff"
	for number, server := range servers {
		if status, body, _ := send(t, server, "/", issuer.Token(claims{"groups": []string{"staff"}})); status != 403 {
			t.Error(number, status, body)
		}
	}
}

func TestAGroupWithACommaIsOneGroup(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	handler := pomerium.Middleware(issuer.Verifier(), quiet)(pomerium.RequireGroup("a,b")(whoami()))
	server := serve(t, handler, false)
	for group, expected := range map[string]int{"a,b": 200, "a": 403, "b": 403} {
		if status, _, _ := send(t, server, "/", issuer.Token(claims{"groups": []string{group}})); status != expected {
			t.Error(group, status)
		}
	}
}

func TestAnotherHeader(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	options := issuer.Options()
	options.HeaderName = "authorization"
	server := protected(t, newVerifier(t, options), true)
	if status, body, _ := send(t, server, "/", issuer.Token(nil)); status != 401 || body != `{"error":"token_missing"}` {
		t.Error(status, body)
	}
	request, err := http.NewRequest(http.MethodGet, server.URL, nil)
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+issuer.Token(nil))
	if status, body, _ := do(t, server, request); status != 200 || body != "alice" {
		t.Error(status, body)
	}
}

// If something put an identity into the context before, the middleware's is the one that counts.
func TestAnIdentityThatIsInTheContextAlreadyIsGone(t *testing.T) {
	outer, inner := pomeriumtest.NewIssuer(t), pomeriumtest.NewIssuer(t)
	options := inner.Options()
	options.Optional, options.HeaderName = true, "X-Inner"
	handler := pomerium.Middleware(outer.Verifier(), quiet)(pomerium.Middleware(newVerifier(t, options), quiet)(whoami()))
	server := serve(t, handler, false)
	if status, body, _ := send(t, server, "/", outer.Token(nil)); status != 200 || body != "nobody" {
		t.Error(status, body)
	}
}

func TestRequireGroupWithoutTheMiddlewareLetsNobodyIn(t *testing.T) {
	log := silence(t)
	issuer := pomeriumtest.NewIssuer(t)
	for _, handler := range []http.Handler{pomerium.RequireGroup("admins")(whoami()), pomerium.RequireUser(whoami())} {
		status, body, _ := send(t, serve(t, handler, false), "/", issuer.Token(claims{"groups": []string{"admins"}}))
		if status != 401 || body != `{"error":"token_missing"}` {
			t.Error(status, body, log)
		}
	}
}

func TestKeysUnavailableIs503(t *testing.T) {
	server := protected(t, newVerifier(t, pomerium.Options{Route: []string{"http://127.0.0.1:9"}}), true)
	status, body, header := send(t, server, "/", pomeriumtest.NewIssuer(t).Token(nil))
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if status != 503 || body != `{"error":"keys_unavailable"}` || err != nil || seconds < 1 {
		t.Error(status, body, header)
	}
}

func TestAClosedVerifierIs500(t *testing.T) {
	options := pomeriumtest.NewIssuer(t).Options()
	options.Optional, options.ExemptPaths = true, []string{"/health"}
	verifier := newVerifier(t, options)
	server := protected(t, verifier, false)
	must(t, verifier.Close())
	for _, path := range []string{"/", "/health"} {
		if status, body, _ := send(t, server, path); status != 500 || body != `{"error":"invalid_argument"}` {
			t.Error(status, body)
		}
	}
}

// Nothing is withheld or wrapped: the handler gets the server's own ResponseWriter.
func TestNoResponseWriterIsWrapped(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	recorder := httptest.NewRecorder()
	handler := pomerium.Middleware(issuer.Verifier(), quiet)(pomerium.RequireUser(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if w != http.ResponseWriter(recorder) {
			t.Errorf("%T", w)
		}
		w.WriteHeader(http.StatusTeapot)
	})))
	request := httptest.NewRequest(http.MethodOptions, "/", nil)
	issuer.SetHeader(request, nil)
	handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusTeapot {
		t.Error(recorder.Code)
	}
}

// An error handler renders a body and has nothing by which it could let anybody in.
func TestErrorHandlers(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	page := func(r *http.Request, refused *pomerium.Error) (string, []byte) {
		return "text/html", []byte("<p>refused at " + r.URL.Path + ": " + string(refused.Code))
	}
	server := protected(t, issuer.Verifier(), false, pomerium.WithErrorHandler(page))
	status, body, header := send(t, server, "/path")
	if status != 401 || body != "<p>refused at /path: token_missing" || header.Get("Content-Type") != "text/html" ||
		header.Get("Www-Authenticate") == "" || header.Get("Cache-Control") != "no-store" {
		t.Error(status, body, header)
	}
	if status, body, _ := send(t, server, "/admin", issuer.Token(nil)); status != 403 || body != "<p>refused at /admin: group_required" {
		t.Error(status, body)
	}
	silent := func(*http.Request, *pomerium.Error) (string, []byte) { return "", nil }
	server = protected(t, issuer.Verifier(), false, pomerium.WithErrorHandler(silent))
	if status, body, _ := send(t, server, "/"); status != 401 || body != "" {
		t.Error(status, body)
	}
}

func TestHooksSeeEachRefusal(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	seen := make(chan string, 3)
	server := protected(t, issuer.Verifier(), false, pomerium.WithOnRefused(func(ctx context.Context, refused *pomerium.Error, path string) {
		seen <- fmt.Sprint(refused.Code, " ", refused.Status, " ", path, " ", refused.Message != "", " ", ctx.Err())
	}))
	send(t, server, "/a?x=1")
	send(t, server, "/a")
	send(t, server, "/admin", issuer.Token(nil))
	for _, expected := range []string{
		"token_missing 401 /a true <nil>", "token_missing 401 /a true <nil>", "group_required 403 /admin true <nil>",
	} {
		if got := <-seen; got != expected {
			t.Errorf("%s, expected %s", got, expected)
		}
	}
}

func TestProgrammingErrorsPanicAtStart(t *testing.T) {
	verifier, closed := pomeriumtest.NewIssuer(t).Verifier(), pomeriumtest.NewIssuer(t).Verifier()
	must(t, closed.Close())
	for name, construct := range map[string]func(){
		"no verifier":     func() { pomerium.Middleware(nil) },
		"a zero verifier": func() { pomerium.Middleware(&pomerium.Verifier{}) },
		"a closed one":    func() { pomerium.Middleware(closed) },
		"no logger":       func() { pomerium.Middleware(verifier, pomerium.WithLogger(nil)) },
		"no handler":      func() { pomerium.Middleware(verifier, pomerium.WithErrorHandler(nil)) },
		"no hook":         func() { pomerium.Middleware(verifier, pomerium.WithOnRefused(nil)) },
		"no group":        func() { pomerium.RequireGroup() },
		"no identity":     func() { pomerium.MustFromContext(t.Context()) },
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.HasPrefix(said, "pomerium: ") {
					t.Errorf("%s: %s", name, said)
				}
			}()
			construct()
		}()
	}
}

func TestZeroValuesAreNobody(t *testing.T) {
	if (&pomerium.Identity{}).IsUser() || (&pomerium.Identity{Subject: "alice", Anonymous: true}).IsUser() {
		t.Error("a zero identity is a user")
	}
	var admission pomerium.Admission
	_, user := admission.RequireUser()
	_, group := admission.RequireGroup("admins")
	_, anonymous := pomerium.AdmissionFromContext(pomerium.NewContext(t.Context(), admission)).RequireUser()
	for _, err := range []error{user, group, anonymous} {
		if !errors.Is(err, pomerium.ErrTokenMissing) {
			t.Error(err)
		}
	}
	if _, err := admission.RequireGroup(); !errors.Is(err, pomerium.ErrInvalidArgument) {
		t.Error(err)
	}
	text, err := json.Marshal(struct{ A, B any }{(*pomerium.Identity)(nil), pomerium.Identity{}})
	must(t, err)
	if !strings.HasPrefix(string(text), `{"A":null,"B":{"subject":"","user":null,`) || !strings.Contains(string(text), `"groups":[]`) {
		t.Errorf("%s", text)
	}
}

// A WebSocket is an upgrade of a verified request: the connection outlives the request, and its context ends with the token.
func TestAWebSocketIsCheckedAtOpeningAndEndsWithItsToken(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	options := issuer.Options()
	options.Leeway = pomerium.Ptr(10 * time.Second)
	causes := make(chan error, 1)
	upgrade := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity := pomerium.MustFromContext(r.Context())
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = connection.Close() }()
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello " + identity.Subject + "\n")
		_ = buffered.Flush()
		ctx, cancel := pomerium.ExpiryContext(r.Context(), identity)
		defer cancel()
		<-ctx.Done()
		causes <- context.Cause(ctx)
	})
	server := httptest.NewServer(pomerium.Middleware(newVerifier(t, options), quiet)(upgrade))
	t.Cleanup(server.Close)

	open := func(token string) (int, *bufio.Reader) {
		connection, err := net.Dial("tcp", server.Listener.Addr().String())
		must(t, err)
		t.Cleanup(func() { _ = connection.Close() })
		_, err = fmt.Fprintf(connection, "GET /socket HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n%s: %s\r\n\r\n",
			pomeriumtest.Header, token)
		must(t, err)
		reader := bufio.NewReader(connection)
		response, err := http.ReadResponse(reader, nil)
		must(t, err)
		return response.StatusCode, reader
	}
	if status, _ := open(issuer.Expired()); status != 401 {
		t.Error(status)
	}
	expires := time.Now().Add(2 * time.Second).Unix()
	status, reader := open(issuer.Token(claims{"exp": expires}))
	rest, err := io.ReadAll(reader)
	if status != 101 || string(rest) != "hello alice\n" || err != nil {
		t.Errorf("%d %q %v", status, rest, err)
	}
	if cause := <-causes; cause != pomerium.ErrTokenExpired || time.Now().Unix() < expires {
		t.Errorf("closed at %d because of %v, the token expired at %d", time.Now().Unix(), cause, expires)
	}
}

// quiet logs nothing.
var quiet = pomerium.WithLogger(slog.New(slog.DiscardHandler))
