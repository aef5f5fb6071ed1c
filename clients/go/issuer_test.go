package pomerium_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	pomerium "github.com/pomerium-jwt/pomerium-go"
)

const root = "../.."

// running is a `pomerium-jwt issuer`, as conformance/scenarios.md describes it.
type running struct {
	t     *testing.T
	url   string
	stdin io.Closer
}

func startIssuer(t *testing.T) *running {
	t.Helper()
	command := exec.Command(filepath.Join(target(), "debug", "pomerium-jwt"), "issuer", "--until-stdin-closes")
	stdin, err := command.StdinPipe()
	must(t, err)
	stdout, err := command.StdoutPipe()
	must(t, err)
	if err := command.Start(); err != nil {
		t.Fatalf("%v; `make test-go` builds it", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	address, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ready {
		t.Fatalf("the issuer wrote %q", line)
	}
	return &running{t, address, stdin}
}

// stop breaks all its connections.
func (r *running) stop() { _ = r.stdin.Close() }

// mint returns a token for alice. claims are parameters of /mint.
func (r *running) mint(claims ...string) string {
	r.t.Helper()
	return r.ask(http.MethodGet, "/mint?"+strings.Join(append([]string{"sub=alice"}, claims...), "&"))
}

func (r *running) post(path string) {
	r.t.Helper()
	r.ask(http.MethodPost, path)
}

func (r *running) fetches() int {
	r.t.Helper()
	var stats struct{ Fetches int }
	must(r.t, json.Unmarshal([]byte(r.ask(http.MethodGet, "/stats")), &stats))
	return stats.Fetches
}

// options are those of a verifier for its tokens.
func (r *running) options() pomerium.Options {
	return pomerium.Options{Route: []string{r.url}}
}

func (r *running) ask(method, path string) string {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, nil)
	must(r.t, err)
	response, err := http.DefaultClient.Do(request)
	must(r.t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(r.t, err)
	if response.StatusCode/100 != 2 {
		r.t.Fatalf("%s %s: %s %s", method, path, response.Status, body)
	}
	return string(body)
}

// target is where cargo builds.
func target() string {
	folder, set := os.LookupEnv("CARGO_TARGET_DIR")
	if !set {
		folder = filepath.Join(root, "target")
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		panic(err)
	}
	return absolute
}

func newVerifier(t *testing.T, options pomerium.Options) *pomerium.Verifier {
	t.Helper()
	verifier, err := pomerium.New(options)
	must(t, err)
	t.Cleanup(func() { _ = verifier.Close() })
	return verifier
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
