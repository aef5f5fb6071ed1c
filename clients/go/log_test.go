package pomerium_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

// Unless a logger is given, nothing but warnings reaches the application's own.
func TestNothingIsLoggedUnasked(t *testing.T) {
	log := silence(t)
	pomerium.Middleware(pomeriumtest.NewIssuer(t).Verifier())
	if log.String() != "" {
		t.Error(log)
	}
}

// Starting needs no network.
func TestAMiddlewareFetchesNothingAtStart(t *testing.T) {
	issuer := startIssuer(t)
	verifier := newVerifier(t, issuer.options())
	pomerium.Middleware(verifier, quiet)
	if verifier.Summary() == "" || verifier.HeaderName() == "" {
		t.Error("neither needs keys")
	}
	time.Sleep(300 * time.Millisecond) // a fetch would run in the background
	if fetches := issuer.fetches(); fetches != 0 {
		t.Errorf("%d fetches", fetches)
	}
}

func TestALoggerGetsTheLineAtStartAndRefusals(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	log := &buffer{}
	server := protected(t, issuer.Verifier(), false, pomerium.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	_, said, _ := strings.Cut(log.String(), " level=")
	if said != `INFO msg="pomerium: accepts issuer and audience app.example.com or https://app.example.com/; keys: jwks; `+
		`header: X-Pomerium-Jwt-Assertion"`+"\n" {
		t.Errorf("%q", said)
	}
	token := issuer.Expired()
	send(t, server, "/a%0Ab", token)
	_, line, _ := strings.Cut(log.String(), "\n")
	if strings.Count(line, "\n") != 1 || !strings.Contains(line, "WARN") || !strings.Contains(line, "code=token_expired") ||
		!strings.Contains(line, "path=/a%0Ab count=1") {
		t.Errorf("%q", line)
	}
	for _, part := range strings.Split(token, ".") {
		if strings.Contains(line, part) {
			t.Errorf("the log has a part of the token: %q", line)
		}
	}
}

// The clients choose how many there are, and their paths.
func TestAThousandRefusalsOnAThousandPathsAreTwoLines(t *testing.T) {
	log := silence(t)
	handler := pomerium.Middleware(pomeriumtest.NewIssuer(t).Verifier())(whoami())
	began := time.Now()
	for number := range 1000 {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest("GET", fmt.Sprintf("/path-%d", number), nil))
		if recorder.Code != 401 {
			t.Fatal(recorder.Code)
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 && time.Since(began) < time.Second {
		t.Errorf("%d lines at first", lines)
	}
	counted := func() (sum int) {
		for _, found := range regexp.MustCompile(`code=token_missing .* path=/path-\d+ count=(\d+)`).FindAllStringSubmatch(log.String(), -1) {
			count, _ := strconv.Atoi(found[1])
			sum += count
		}
		return sum
	}
	for deadline := time.Now().Add(time.Minute); counted() < 1000 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if lines, seconds := strings.Count(log.String(), "\n"), time.Since(began).Seconds(); counted() != 1000 || lines > 2+int(seconds) {
		t.Errorf("%d lines in %.1f s with a count of %d", lines, seconds, counted())
	}
}

// A path is for people to read: it is there although handlers route by another one, and short.
func TestTheLogNamesThePathThatWasSent(t *testing.T) {
	verifier := pomeriumtest.NewIssuer(t).Verifier()
	for _, row := range []struct{ target, path string }{
		{"/mount/page?jwt=x", "/mount/page"},
		{"/mount/" + strings.Repeat("x", 100_000), "/mount/" + strings.Repeat("x", 193) + "..."},
		{"http://alice:secret@app.example.com/mount/page", "/page"},
	} {
		log := silence(t)
		handler := http.StripPrefix("/mount", pomerium.Middleware(verifier)(whoami()))
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", row.target, nil))
		if line := log.String(); !strings.Contains(line, "path="+row.path+" count=1") {
			t.Errorf("%.1000q", line)
		}
	}
}

// After a quiet time the next one is written at once.
func TestARefusalAfterAQuietTimeIsWrittenAtOnce(t *testing.T) {
	log := silence(t)
	handler := pomerium.Middleware(pomeriumtest.NewIssuer(t).Verifier())(whoami())
	for number := range 2 {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		if lines := strings.Count(log.String(), "path=/ count=1\n"); lines != number+1 {
			t.Errorf("%d lines after %d refusals", lines, number+1)
		}
		time.Sleep(1500 * time.Millisecond)
	}
}

// What the environment says and code overrides is named once, at start, and never its value.
func TestCodeThatOverridesTheEnvironmentIsWarnedOf(t *testing.T) {
	withoutVariables(t)
	issuer := pomeriumtest.NewIssuer(t)
	t.Setenv("POMERIUM_JWT_LEEWAY", "2718")
	t.Setenv("POMERIUM_JWT_REQUIRE_GROUP", "admins")
	options := issuer.Options()
	options.Leeway = pomerium.Ptr(30 * time.Second)
	verifier, err := pomerium.NewOverEnv(options)
	must(t, err)
	defer func() { _ = verifier.Close() }()
	log := silence(t)
	server := serve(t, pomerium.Middleware(verifier)(whoami()), false)
	if line := log.String(); strings.Count(line, "\n") != 1 || !strings.Contains(line, "WARN") ||
		!strings.Contains(line, "POMERIUM_JWT_LEEWAY") || strings.Contains(line, "2718") || strings.Contains(line, "REQUIRE_GROUP") {
		t.Errorf("%q", line)
	}
	if status, body, _ := send(t, server, "/", issuer.Token(nil)); status != 403 {
		t.Errorf("the environment's demand is gone: %d %s", status, body)
	}
	if status, _, _ := send(t, server, "/", issuer.Token(claims{"groups": []string{"admins"}})); status != 200 {
		t.Error(status)
	}
}

// Also if only a copy is in front of the application.
func TestACopyWarnsOfTheEnvironmentToo(t *testing.T) {
	withoutVariables(t)
	t.Setenv("POMERIUM_JWT_LEEWAY", "2718")
	options := pomeriumtest.NewIssuer(t).Options()
	options.Leeway = pomerium.Ptr(30 * time.Second)
	verifier, err := pomerium.NewOverEnv(options)
	must(t, err)
	defer func() { _ = verifier.Close() }()
	other, err := verifier.With(pomerium.RequestOptions{HeaderName: "X-Other"})
	must(t, err)
	defer func() { _ = other.Close() }()
	log := silence(t)
	pomerium.Middleware(other)
	if line := log.String(); !strings.Contains(line, "POMERIUM_JWT_LEEWAY") {
		t.Errorf("%q", line)
	}
}

// buffer is one that goroutines share.
type buffer struct {
	mutex sync.Mutex
	bytes bytes.Buffer
}

var _ io.Writer = (*buffer)(nil)

func (b *buffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.Write(text)
}

func (b *buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.String()
}

// silence has what the application's own logger gets go into a buffer, until the test ends.
func silence(t *testing.T) *buffer {
	t.Helper()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	log := &buffer{}
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	return log
}
