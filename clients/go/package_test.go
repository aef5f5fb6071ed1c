package pomerium_test

// The package as strangers meet it: packed, built outside the repository with nothing installed, documented.

import (
	"bufio"
	"debug/elf"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

const module = "github.com/pomerium-jwt/pomerium-go"

// packed is the module as `make go-package` writes it.
func packed() string { return filepath.Join(target(), "go", "module") }

// FOLDER is where the caller stands, and not a folder of the source to remove.
func TestPackedIntoARelativeFolder(t *testing.T) {
	script, err := filepath.Abs("package")
	must(t, err)
	installed, err := filepath.Abs(filepath.Join(target(), "go", "installed"))
	must(t, err)
	folder := t.TempDir()
	command(t, folder, nil, script, installed, "module")
	if _, err := os.Stat(filepath.Join(folder, "module", "go.mod")); err != nil {
		t.Error(err)
	}
}

// README.md's first program and its test, in a project of their own, with the packed module and nothing installed.
func TestInstallAsAStrangerWould(t *testing.T) {
	folder := t.TempDir()
	const address = `"127.0.0.1:8080"`
	program := readFile(t, filepath.Join(root, "examples/go/hello/main.go"))
	if !strings.Contains(program, address) {
		t.Fatalf("README.md's first program is not what this test knows:\n%s", program)
	}
	issuer := startIssuer(t)
	free := freeAddress(t)
	program = strings.Replace(program, address, strconv.Quote(free), 1)
	write(t, folder, "main.go", program)
	write(t, folder, "main_test.go", readmeTest(t))
	version := regexp.MustCompile(`(?m)^version = "(.+)"`).FindStringSubmatch(readFile(t, filepath.Join(root, "Cargo.toml")))[1]
	lib := "/lib/" + runtime.GOOS + "_" + runtime.GOARCH
	write(t, folder, "go.mod", fmt.Sprintf("module example.com/stranger\n\ngo 1.24\n\nrequire %s v%s\nrequire %s v%s // indirect\n\nreplace %s => %s\nreplace %s => %s\n",
		module, version, module+lib, version, module, packed(), module+lib, packed()+lib))

	nothing := []string{"POMERIUM_JWT_ROUTE=" + issuer.url, "GOPROXY=off", "PKG_CONFIG=/nothing/installed", "PKG_CONFIG_PATH=", "LD_LIBRARY_PATH="}
	command(t, folder, nothing, "go", "vet", "./...")
	command(t, folder, nothing, "go", "test", "./...")
	command(t, folder, nothing, "go", "build", "-o", "stranger")
	command(t, folder, nothing, "go", "mod", "vendor")
	command(t, folder, nothing, "go", "build", "-o", "vendored", "-mod=vendor")
	command(t, folder, nothing, "go", "build", "-o", "root/static", "-ldflags", `-extldflags "-static"`)
	command(t, folder, nothing, "go", "test", module+"/...") // the examples, which its documentation shows
	if _, err := os.Stat(filepath.Join(packed(), "example_test.go")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "go.sum")); err == nil {
		t.Error("the module should need no other: there is a go.sum")
	}
	needsGlibcAlone(t, filepath.Join(folder, "stranger"))

	for _, name := range []string{"stranger", "vendored", "static"} {
		run := exec.Command(filepath.Join(folder, name))
		if name == "static" { // in an empty root
			run = exec.Command("chroot", filepath.Join(folder, "root"), "/static")
			if os.Geteuid() != 0 {
				run = exec.Command("unshare", append([]string{"--user", "--map-root-user"}, run.Args...)...)
			}
		}
		program := start(t, run, nothing)
		url := "http://" + free
		program.listens(t, url)
		good := issuer.mint("email=alice@example.com")
		if status := get(t, url, good); status != 200 {
			t.Errorf("%s: a good token: %d", name, status)
		}
		if status := get(t, url, issuer.mint("expires_in=-100")); status != 401 {
			t.Errorf("%s: an expired token: %d", name, status)
		}
		if status := preflight(t, url); status != 401 {
			t.Errorf("%s: a preflight: %d", name, status)
		}
		program.stop()
	}

	issuer.post("/fault?kind=500")
	start(t, exec.Command(filepath.Join(folder, "stranger")), nothing).listens(t, "http://"+free)
	if status := get(t, "http://"+free, issuer.mint()); status != 503 {
		t.Errorf("no keys: %d", status)
	}
}

func TestWithoutCgoTheCompilerSaysWhatToDoAndNothingElse(t *testing.T) {
	build := exec.Command("go", "build", "./...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is when GOARCH is another one
	printed, err := build.CombinedOutput()
	if err == nil || strings.Count(string(printed), ".go:") != 1 || !strings.Contains(string(printed), "set CGO_ENABLED=1 and install a C compiler") {
		t.Errorf("%v\n%s", err, printed)
	}
}

func TestTheModuleNeedsNoOther(t *testing.T) {
	if mod := readFile(t, "go.mod"); strings.Contains(mod, "require") {
		t.Error(mod)
	}
	if _, err := os.Stat("go.sum"); err == nil {
		t.Error("go.sum: the package is for cgo and the standard library alone")
	}
}

func TestTheVerifyExample(t *testing.T) {
	program := buildExample(t, "verify")
	issuer := startIssuer(t)
	route, nobody := "POMERIUM_JWT_ROUTE="+issuer.url, "POMERIUM_JWT_ROUTE=http://127.0.0.1:9"
	for _, row := range []struct {
		environment, token string
		code               int
		printed            string
	}{
		{route, issuer.mint(), 0, "alice -\n"},
		{route, issuer.mint("email=a@example.com") + "\n", 0, "alice a@example.com\n"},
		{route, "", 1, "token_missing: "},
		{route, issuer.mint("expires_in=-100"), 1, "token_expired: "},
		{route + " POMERIUM_JWT_REQUIRE_GROUP=admins", issuer.mint(), 1, "group_required: "},
		{"POMERIUM_JWT_ROUTE=", issuer.mint(), 2, "invalid_options: "},
		{nobody, issuer.mint(), 3, "keys_unavailable: "},
	} {
		run := exec.Command(program)
		run.Env = append(os.Environ(), strings.Fields(row.environment)...)
		run.Stdin = strings.NewReader(row.token)
		printed, _ := run.CombinedOutput()
		if code := run.ProcessState.ExitCode(); code != row.code || !strings.HasPrefix(string(printed), row.printed) {
			t.Errorf("%s: exit code %d, expected %d: %s", row.printed, code, row.code, printed)
		}
	}
}

// What the HTTP suite of conformance/ does not look at: that the application's log names no token.
func TestTheAppExample(t *testing.T) {
	path := buildExample(t, "app")
	issuer := startIssuer(t)
	app := start(t, exec.Command(path), []string{"POMERIUM_JWT_ROUTE=" + issuer.url, "POMERIUM_JWT_EXEMPT_PATHS=/health", "PORT=0"})
	url := strings.TrimSpace(app.line)
	good, expired := issuer.mint("groups=admins,staff", "email=alice@example.com"), issuer.mint("expires_in=-100")
	for _, row := range []struct {
		path, token string
		status      int
		part        string
	}{
		{"/health", "", 200, `{"configured":true,`}, // it starts the fetch that is due
		{"/admin", good, 200, `"groups":["admins","staff"]`},
		{"/", expired, 401, `{"error":"token_expired"}`},
		{"/health", "", 200, `{"configured":true,"asked":true,"keys_loaded":true,"stale":false}`},
	} {
		status, body, _ := request(t, url+row.path, row.token)
		if status != row.status || !strings.Contains(body, row.part) {
			t.Errorf("%s: %d %s, expected %d %s", row.path, status, body, row.status, row.part)
		}
	}
	printed := app.stop()
	if strings.Contains(printed, good) || strings.Contains(printed, expired) || !strings.Contains(printed, "token_expired") ||
		!strings.Contains(printed, "accepts issuer and audience") {
		t.Errorf("the log: %s", printed)
	}
}

func TestTheReadmeQuotesTheExamplesAsTheyAre(t *testing.T) {
	quoted := regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```go\n(.*?)```").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	if len(quoted) != 3 {
		t.Errorf("%d quotations", len(quoted))
	}
	for _, quotation := range quoted {
		if readFile(t, filepath.Join(root, quotation[1])) != quotation[2] {
			t.Errorf("run `make conformance`, which copies %s into clients/go/README.md", quotation[1])
		}
	}
	parts := regexp.MustCompile("(?s)<!-- lines of (\\S+) -->\n```go\n(.*?)```").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	if len(parts) != 3 {
		t.Errorf("%d quotations of lines", len(parts))
	}
	for _, part := range parts {
		lines := "\t" + strings.ReplaceAll(strings.TrimSpace(part[2]), "\n", "\n\t")
		if !strings.Contains(readFile(t, filepath.Join(root, part[1])), strings.ReplaceAll(lines, "\n\t\n", "\n\n")) {
			t.Errorf("these lines are not in %s:\n%s", part[1], part[2])
		}
	}
}

// The commands that start the examples are those that the README shows, and they build.
func TestTheReadmeStartsTheExamples(t *testing.T) {
	started := regexp.MustCompile("`cd (examples/\\S+) && go run (\\S+)`").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	if len(started) != 5 {
		t.Errorf("%d commands", len(started))
	}
	for _, found := range started {
		command(t, filepath.Join(root, found[1]), nil, "go", "build", "-o", os.DevNull, found[2])
	}
}

// Every name of ours that README.md mentions is there.
func TestTheReadmeNamesOnlyWhatExists(t *testing.T) {
	documented := command(t, ".", nil, "go", "doc", "-all", ".")
	documented += command(t, ".", nil, "go", "doc", "-all", "./pomeriumtest")
	for _, found := range regexp.MustCompile(`pomerium(?:test)?\.([A-Z]\w+)`).FindAllStringSubmatch(readFile(t, "README.md"), -1) {
		if !regexp.MustCompile(`\b` + found[1] + `\b`).MatchString(documented) {
			t.Errorf("README.md mentions %s, which is not there", found[0])
		}
	}
}

// needsGlibcAlone looks at what the dynamic linker would have to find.
func needsGlibcAlone(t *testing.T, program string) {
	t.Helper()
	file, err := elf.Open(program)
	must(t, err)
	defer func() { _ = file.Close() }()
	libraries, err := file.ImportedLibraries()
	must(t, err)
	for _, library := range libraries {
		if !regexp.MustCompile(`^(libc|libm|ld-linux.*)\.so`).MatchString(library) {
			t.Errorf("%s needs %s", program, library)
		}
	}
}

// readmeTest returns the one Go program of README.md that is not quoted from examples/.
func readmeTest(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile("(?s)\n\n```go\n(package main.*?)```").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	if len(found) != 1 || !strings.Contains(found[0][1], "func TestHello(") {
		t.Fatalf("README.md should have one test of its first program: %v", found)
	}
	return found[0][1]
}

func buildExample(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	command(t, filepath.Join(root, "examples/go"), nil, "go", "build", "-o", program, "./"+name)
	return program
}

// program is one that runs, and the first line it wrote to standard output.
type program struct {
	command *exec.Cmd
	line    string
	log     *os.File
	ended   chan struct{}
}

// start runs a program. If it has a PORT, it prints its address.
func start(t *testing.T, command *exec.Cmd, environment []string) *program {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	command.Env = append(os.Environ(), environment...)
	command.Stderr = log
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	started := &program{command: command, log: log, ended: make(chan struct{})}
	t.Cleanup(func() { started.stop() })
	if slices.Contains(environment, "PORT=0") {
		started.line, err = bufio.NewReader(stdout).ReadString('\n')
		must(t, err)
	}
	go func() {
		_ = command.Wait()
		close(started.ended)
	}()
	return started
}

// listens waits until the program answers.
func (p *program) listens(t *testing.T, url string) {
	t.Helper()
	for get(t, url) == 0 {
		select {
		case <-p.ended:
			t.Fatalf("the program has ended: %s", p.stop())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the program and gives what it wrote to standard error.
func (p *program) stop() string {
	_ = p.command.Process.Kill()
	<-p.ended
	printed, _ := os.ReadFile(p.log.Name())
	return string(printed)
}

// get returns the status of an answer, 0 if there is no server.
func get(t *testing.T, url string, tokens ...string) int {
	t.Helper()
	status, _, _ := request(t, url, tokens...)
	return status
}

// preflight returns the status of an answer, 0 if the server broke the connection.
func preflight(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodOptions, url, nil)
	must(t, err)
	request.Header.Set("Access-Control-Request-Method", "GET")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func request(t *testing.T, url string, tokens ...string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	must(t, err)
	request.Header[pomeriumtest.Header] = tokens
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(body), response.Header
}

func command(t *testing.T, folder string, environment []string, words ...string) string {
	t.Helper()
	run := exec.Command(words[0], words[1:]...)
	run.Dir = folder
	run.Env = append(os.Environ(), environment...)
	printed, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, printed)
	}
	return string(printed)
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
}

// freeAddress is one of this machine on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
