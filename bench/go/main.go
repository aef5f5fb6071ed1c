// Command go times the Go client next to the libraries that a Go program would otherwise use, in one process.
//
// Each verifies the same 2,000 distinct tokens under one key with the same checks (algorithm, signature, exp, nbf, iss,
// aud), and reads subject, email and groups. The libraries take turns in short rounds and the medians are printed, so that a
// change of the machine's speed meets all of them: read the ratios. The table goes to bench/go.json in Cargo's target
// directory too.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

const (
	host   = "app.example.com"
	tokens = 2000
	rounds = 25
	share  = tokens / 5 // of them in each round
)

// user is what an application reads.
type user struct {
	subject, email string
	groups         []string
}

// A subject verifies one token. Each has its key ready, as it would have in an application.
type subject struct {
	name, module string
	verify       func(token string) (user, error)
}

type row struct {
	Name    string  `json:"name"`
	Version string  `json:"version"`
	Micros  float64 `json:"us"`
	Ratio   float64 `json:"ratio"`
}

func main() {
	issuer := pomeriumtest.NewIssuerFor(&reporter{}, host)
	compared := []subject{
		ours(issuer),
		golangJWT(issuer.KeySet()),
		goJose(issuer.KeySet()),
		lestrratJWX(issuer.KeySet()),
	}
	for _, subject := range compared {
		check(subject, issuer)
	}
	report(compared, measure(compared, mint(issuer)))
}

// mint gives tokens with the claims that Pomerium usually sends.
func mint(issuer *pomeriumtest.Issuer) []string {
	minted := make([]string, tokens)
	for number := range minted {
		minted[number] = issuer.Token(pomeriumtest.Claims{
			"sub": fmt.Sprintf("google-oauth2|%09d", number), "email": "alice@example.com", "name": "Alice Example",
			"groups": []string{"admins", "staff"}, "sid": "7f2b7e0c-3f0d-4d2c-9e0e-0d5a3c1b9a11", "exp": 4_000_000_000,
		})
	}
	return minted
}

// check ends the program if a library lets something pass: it is not compared for the same work.
func check(subject subject, issuer *pomeriumtest.Issuer) {
	got, err := subject.verify(issuer.Token(pomeriumtest.Claims{"groups": []string{"admins", "staff"}}))
	if err != nil || got.subject != "alice" || got.email != "alice@example.com" || strings.Join(got.groups, " ") != "admins staff" {
		log.Fatalf("%s gives %+v and %v for a good token", subject.name, got, err)
	}
	good := issuer.Token(nil)
	for name, token := range map[string]string{
		"expired":          issuer.Expired(),
		"without exp":      issuer.Token(pomeriumtest.Claims{"exp": pomeriumtest.Absent}),
		"wrong audience":   issuer.WrongAudience(),
		"without audience": issuer.Token(pomeriumtest.Claims{"aud": pomeriumtest.Absent}),
		"wrong issuer":     issuer.Token(pomeriumtest.Claims{"iss": "other.example.com"}),
		"without issuer":   issuer.Token(pomeriumtest.Claims{"iss": pomeriumtest.Absent}),
		"not yet valid":    issuer.Token(pomeriumtest.Claims{"nbf": time.Now().Unix() + 1000}),
		"another key":      pomeriumtest.NewIssuerFor(&reporter{}, host).Token(nil),
		"altered":          good[:len(good)-8] + strings.Map(other, good[len(good)-8:]),
	} {
		if _, err := subject.verify(token); err == nil {
			log.Fatalf("%s accepts a wrong token: %s", subject.name, name)
		}
	}
}

// other is another letter of base64url.
func other(letter rune) rune {
	if letter == 'A' {
		return 'B'
	}
	return 'A'
}

// measure gives the median microseconds of one verification for each.
func measure(compared []subject, minted []string) []float64 {
	times := make([][]float64, len(compared))
	for turn := range rounds {
		batch := minted[turn*share%tokens:][:share]
		for number, subject := range compared {
			began := time.Now()
			for _, token := range batch {
				if _, err := subject.verify(token); err != nil {
					log.Fatal(err)
				}
			}
			times[number] = append(times[number], float64(time.Since(began).Nanoseconds())/1000/share)
		}
	}
	medians := make([]float64, len(compared))
	for number, measured := range times {
		slices.Sort(measured)
		medians[number] = measured[len(measured)/2]
	}
	return medians
}

func report(compared []subject, medians []float64) {
	var rows []row
	fmt.Printf("%-14s %-10s %8s %8s\n", "", "version", "µs", "to ours")
	for number, subject := range compared {
		row := row{subject.name, version(subject.module), medians[number], medians[number] / medians[0]}
		fmt.Printf("%-14s %-10s %8.1f %8.2f\n", row.Name, row.Version, row.Micros, row.Ratio)
		rows = append(rows, row)
	}
	target, set := os.LookupEnv("CARGO_TARGET_DIR")
	if !set {
		target = filepath.Join("..", "..", "target")
	}
	path := filepath.Join(target, "bench", "go.json")
	text, err := json.MarshalIndent(rows, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("\nAlso in %s.\n", path)
}

// version is that of a module in this program.
func version(module string) string {
	build, _ := debug.ReadBuildInfo()
	for _, dependency := range build.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "?"
}

// reporter ends the program where a test would end.
type reporter struct{ testing.TB }

func (*reporter) Helper()                           {}
func (*reporter) Cleanup(func())                    {}
func (*reporter) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
