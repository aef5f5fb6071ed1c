package pomerium_test

import (
	"bufio"
	"bytes"
	"context"
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

	pomerium "github.com/pomerium-jwt/pomerium-jwt/clients/go"
	"github.com/pomerium-jwt/pomerium-jwt/clients/go/pomeriumtest"
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
	return mux
}

// protected is the application under a real server, HTTP/1.1 or HTTP/2.
func protected(t *testing.T, verifier *pomerium.Verifier, http2 bool, options ...pomerium.GateOption) *httptest.Server {
	t.Helper()
	silence(t)
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

// send gives status, body and headers of the answer to a GET with these values of the header.
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
	optional, exempt := pomerium.WithOptional(), pomerium.WithExemptPaths("/healthz", "/käse")
	admins := pomerium.WithRequireGroup("admins")
	good, admin := issuer.Token(nil), issuer.Token(claims{"groups": []string{"staff", "admins"}})
	none, one := []string{}, func(token string) []string { return []string{token} }
	type options = []pomerium.GateOption
	for _, row := range []struct {
		options options
		path    string
		tokens  []string
		status  int
		answer  string
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
		{nil, "/", one(issuer.Token(claims{"sub": ""})), 401, "subject_missing"},
		{nil, "/?jwt=" + good, none, 401, "token_missing"},
		{nil, "/nowhere", none, 401, "token_missing"},
		{nil, "/admin", one(admin), 200, "alice"},
		{nil, "/admin", one(good), 403, "group_required"},
		{nil, "/admin", none, 401, "token_missing"},
		{options{optional}, "/", none, 200, "nobody"},
		{options{optional}, "/", one(good), 200, "alice"},
		{options{optional}, "/", one("nonsense"), 401, "token_malformed"},
		{options{optional}, "/", one(issuer.Expired()), 401, "token_expired"},
		{options{optional}, "/", []string{good, good}, 401, "token_repeated"},
		{options{optional}, "/admin", none, 401, "token_missing"},
		{options{optional, admins}, "/", none, 200, "nobody"},
		{options{optional, admins}, "/", one(good), 403, "group_required"},
		{options{exempt}, "/healthz", none, 200, "nobody"},
		{options{exempt}, "/healthz", one(good), 200, "nobody"},
		{options{exempt}, "/healthz", one("nonsense"), 200, "nobody"},
		{options{exempt}, "/healthz?page=1", none, 200, "nobody"},
		{options{exempt}, "/k%C3%A4se", none, 200, "nobody"},
		{options{exempt}, "/%68ealthz", none, 401, "token_missing"},
		{options{exempt}, "/healthz/", none, 401, "token_missing"},
		{options{exempt}, "/healthz/../admin", none, 401, "token_missing"},
		{options{exempt}, "/HEALTHZ", none, 401, "token_missing"},
		{options{exempt}, "/", none, 401, "token_missing"},
		{options{admins}, "/", one(admin), 200, "alice"},
		{options{admins}, "/", one(good), 403, "group_required"},
		{options{admins}, "/", none, 401, "token_missing"},
	} {
		for _, http2 := range []bool{false, true} {
			server := protected(t, issuer.Verifier(), http2, row.options...)
			status, body, header := send(t, server, row.path, row.tokens...)
			expected := row.answer
			if row.status != 200 {
				expected = fmt.Sprintf(`{"error":"%s"}`, row.answer)
			}
			if status != row.status || body != expected {
				t.Errorf("%s, %d tokens, HTTP/2 %t: %d %s, expected %d %s", row.path, len(row.tokens), http2, status, body, row.status, expected)
			}
			if status != 200 && (header.Get("Content-Type") != "application/json" || header.Get("Retry-After") != "") {
				t.Errorf("%v", header)
			}
			server.Close()
		}
	}
}

// One page here, and two segments of a path elsewhere: what is exempt there is not exempt here.
func TestAnEncodedSlashIsNotExempt(t *testing.T) {
	silence(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/{page}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("page")) })
	mux.HandleFunc("/public/health", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "fine") })
	issuer := pomeriumtest.NewIssuer(t)
	server := serve(t, pomerium.Middleware(issuer.Verifier(), pomerium.WithExemptPaths("/public/health"))(mux), false)
	if status, body, _ := send(t, server, "/public/health"); status != 200 || body != "fine" {
		t.Error(status, body)
	}
	if status, body, _ := send(t, server, "/public%2Fhealth"); status != 401 || body != `{"error":"token_missing"}` {
		t.Error(status, body)
	}
	if status, body, _ := send(t, server, "/public%2Fhealth", issuer.Token(nil)); status != 200 || body != "public/health" {
		t.Error(status, body)
	}
}

func TestAnonymousUsersAreInNoGroup(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	options := issuer.Options()
	options.AllowAnonymous = true
	server := protected(t, newVerifier(t, options), false)
	anonymous := issuer.Token(claims{"sub": "", "groups": []string{"admins"}})
	if status, body, _ := send(t, server, "/", anonymous); status != 200 || body != "" {
		t.Error(status, body)
	}
	if status, body, _ := send(t, server, "/admin", anonymous); status != 401 || body != `{"error":"subject_missing"}` {
		t.Error(status, body)
	}
}

// Who passes was decided when the middleware was made.
func TestGroupsAreThoseOfTheStart(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	groups := []string{"admins"}
	single := pomerium.RequireGroup(groups...)(whoami())
	servers := []*httptest.Server{
		protected(t, issuer.Verifier(), false, pomerium.WithRequireGroup(groups...)),
		serve(t, pomerium.Middleware(issuer.Verifier())(single), false),
	}
	groups[0] = "staff"
	for number, server := range servers {
		if status, body, _ := send(t, server, "/", issuer.Token(claims{"groups": []string{"staff"}})); status != 403 {
			t.Error(number, status, body)
		}
	}
}

func TestAnotherHeader(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	server := protected(t, issuer.Verifier(), true, pomerium.WithHeaderName("authorization"))
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

// Whoever put an identity into the context before, the middleware's is the one that counts.
func TestAnIdentityThatIsInTheContextAlreadyIsGone(t *testing.T) {
	silence(t)
	outer, inner := pomeriumtest.NewIssuer(t), pomeriumtest.NewIssuer(t)
	handler := pomerium.Middleware(outer.Verifier())(
		pomerium.Middleware(inner.Verifier(), pomerium.WithOptional(), pomerium.WithHeaderName("X-Inner"))(whoami()))
	server := serve(t, handler, false)
	if status, body, _ := send(t, server, "/", outer.Token(nil)); status != 200 || body != "nobody" {
		t.Error(status, body)
	}
}

func TestRequireGroupWithoutTheMiddlewareLetsNobodyIn(t *testing.T) {
	log := silence(t)
	server := serve(t, pomerium.RequireGroup("admins")(whoami()), false)
	issuer := pomeriumtest.NewIssuer(t)
	status, body, _ := send(t, server, "/", issuer.Token(claims{"groups": []string{"admins"}}))
	if status != 500 || body != `{"error":"internal"}` || !strings.Contains(log.String(), "put Middleware before RequireGroup") {
		t.Error(status, body, log)
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
	issuer := pomeriumtest.NewIssuer(t)
	verifier := issuer.Verifier()
	server := protected(t, verifier, false, pomerium.WithOptional())
	must(t, verifier.Close())
	if status, body, _ := send(t, server, "/", issuer.Token(nil)); status != 500 || body != `{"error":"invalid_argument"}` {
		t.Error(status, body)
	}
}

// An error handler renders, and cannot let in: what it writes has the refusal's status.
func TestErrorHandlersAndHooks(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	for name, handler := range map[string]func(http.ResponseWriter, *http.Request, pomerium.Refusal){
		"says 200": func(w http.ResponseWriter, _ *http.Request, refusal pomerium.Refusal) {
			w.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(w, "refused: "+refusal.Code)
		},
		"says nothing of a status": func(w http.ResponseWriter, _ *http.Request, refusal pomerium.Refusal) {
			_, _ = io.WriteString(w, "refused: "+refusal.Code)
		},
		"flushes": func(w http.ResponseWriter, _ *http.Request, refusal pomerium.Refusal) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "refused: "+refusal.Code)
		},
		"redirects": func(w http.ResponseWriter, _ *http.Request, refusal pomerium.Refusal) {
			w.Header().Set("Location", "/admin")
			w.WriteHeader(http.StatusFound)
			_, _ = io.WriteString(w, "refused: "+refusal.Code)
		},
	} {
		seen := make(chan pomerium.Refusal, 1)
		server := protected(t, issuer.Verifier(), false, pomerium.WithErrorHandler(handler),
			pomerium.WithOnRefused(func(_ context.Context, refusal pomerium.Refusal) { seen <- refusal }))
		if status, body, _ := send(t, server, "/path"); status != 401 || body != "refused: token_missing" {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if refusal := <-seen; refusal.Code != "token_missing" || refusal.Path != "/path" || refusal.Message == "" {
			t.Errorf("%s: %+v", name, refusal)
		}
	}
	silent := func(http.ResponseWriter, *http.Request, pomerium.Refusal) {}
	server := protected(t, issuer.Verifier(), false, pomerium.WithErrorHandler(silent))
	if status, body, _ := send(t, server, "/"); status != 401 || body != "" {
		t.Error(status, body)
	}
}

func TestTheLog(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	server := protected(t, issuer.Verifier(), false)
	options := issuer.Options()
	options.Issuer = []string{"app.example.com", "other.example.com"}
	start := silence(t)
	pomerium.Middleware(newVerifier(t, options))
	line, _ := strings.CutSuffix(start.String(), "\n")
	if _, said, _ := strings.Cut(line, " level="); said != `INFO msg="pomerium: every request is verified" `+
		`issuer="app.example.com, other.example.com" audience=https://app.example.com keys=jwks header=X-Pomerium-Jwt-Assertion` {
		t.Errorf("%s", line)
	}
	log := silence(t)
	token := issuer.Expired()
	send(t, server, "/a%0Ab", token)
	line = log.String()
	if strings.Count(line, "\n") != 1 || !strings.Contains(line, "WARN") || !strings.Contains(line, "token_expired") ||
		!strings.Contains(line, `path="/a\nb"`) {
		t.Errorf("%q", line)
	}
	for _, part := range strings.Split(token, ".") {
		if strings.Contains(line, part) {
			t.Errorf("the log has a part of the token: %q", line)
		}
	}
}

func TestProgrammingErrorsPanicAtStart(t *testing.T) {
	verifier := pomeriumtest.NewIssuer(t).Verifier()
	silence(t)
	for name, construct := range map[string]func(){
		"no verifier":      func() { pomerium.Middleware(nil) },
		"a header":         func() { pomerium.Middleware(verifier, pomerium.WithHeaderName("X Token")) },
		"no header":        func() { pomerium.Middleware(verifier, pomerium.WithHeaderName("")) },
		"no handler":       func() { pomerium.Middleware(verifier, pomerium.WithErrorHandler(nil)) },
		"no hook":          func() { pomerium.Middleware(verifier, pomerium.WithOnRefused(nil)) },
		"no group":         func() { pomerium.Middleware(verifier, pomerium.WithRequireGroup()) },
		"no group, either": func() { pomerium.RequireGroup() },
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

// A WebSocket is an upgrade of a verified request: the connection outlives the request, and its context ends with the token.
func TestAWebSocketIsCheckedAtOpeningAndEndsWithItsToken(t *testing.T) {
	silence(t)
	issuer := pomeriumtest.NewIssuer(t)
	options := issuer.Options()
	options.Leeway = pomerium.Ptr(10 * time.Second)
	causes := make(chan error, 1)
	upgrade := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, _ := pomerium.FromContext(r.Context())
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
	server := httptest.NewServer(pomerium.Middleware(newVerifier(t, options))(upgrade))
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
	if cause := <-causes; cause != pomerium.TokenExpired || time.Now().Unix() < expires {
		t.Errorf("closed at %d because of %v, the token expired at %d", time.Now().Unix(), cause, expires)
	}
}

// silence has what is logged go into a buffer, until the test ends.
func silence(t *testing.T) *bytes.Buffer {
	t.Helper()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	log := &bytes.Buffer{}
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	return log
}
