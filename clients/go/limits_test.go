//go:build !race

package pomerium_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
)

// What the race detector would not let measure: it allows 8,128 goroutines, and keeps memory of its own. Their names
// begin with TestLimit, so that `make test-go` runs them alone in a second run.

// Goroutines that wait in C would take a thread each, and end the process at 10,000.
func TestLimit20000GoroutinesWaitWhileTheKeyServerHangs(t *testing.T) {
	const goroutines = 20_000
	issuer := startIssuer(t)
	token := issuer.mint()
	issuer.post("/fault?kind=hang")
	options := issuer.options()
	options.Timeout = pomerium.Ptr(time.Minute)
	verifier := newVerifier(t, options)

	ctx, cancel := context.WithCancel(t.Context())
	before := threads(t)
	var ended sync.WaitGroup
	outcomes := make(chan error, goroutines)
	for range goroutines {
		spawn(&ended, func() {
			_, err := verifier.Verify(ctx, token)
			outcomes <- err
		})
	}
	for waiting() < goroutines {
		time.Sleep(10 * time.Millisecond)
	}
	during := threads(t)
	if during > before+goroutines/20 { // a handful; some more on many cores
		t.Errorf("%d goroutines that wait took %d threads of the system", goroutines, during-before)
	}
	if got := issuer.fetches(); got != 1 {
		t.Errorf("%d fetches for all of them", got)
	}

	cancelled := time.Now()
	cancel()
	ended.Wait() // those that did not leave now would get the error of the fetch, in a minute
	t.Logf("threads: %d before, %d while %d goroutines waited; all left within %v of their cancellation",
		before, during, goroutines, time.Since(cancelled).Round(time.Millisecond))
	close(outcomes)
	for err := range outcomes {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%v", err)
		}
	}
	issuer.stop() // ends the fetch, for which Close waits
}

// waiting is how many goroutines wait for keys.
func waiting() (count int) {
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)  // equal stacks once, with their number
	_, groups, _ := strings.Cut(stacks.String(), "\n") // the first line is the total
	for _, stack := range strings.Split(groups, "\n\n") {
		if number := 0; strings.Contains(stack, ".(*refresh).wait+") {
			_, _ = fmt.Sscanf(stack, "%d @", &number)
			count += number
		}
	}
	return count
}

func TestLimitMemoryStaysFlat(t *testing.T) {
	rounds := 100_000
	if given, err := strconv.Atoi(os.Getenv("SOAK_ROUNDS")); err == nil {
		rounds = given
	}
	issuer := pomeriumtest.NewIssuer(t)
	verifier := issuer.Verifier()
	good, bad := issuer.Token(claims{"groups": []string{"admins"}}), issuer.Expired()
	run := func(rounds int) {
		for number := range rounds {
			identity, err := verifier.Verify(context.Background(), good)
			if err != nil || !identity.InGroup("admins") {
				t.Fatal(identity, err)
			}
			if _, err := verifier.Admit(context.Background(), pomerium.Request{Token: bad}); !errors.Is(err, pomerium.ErrTokenExpired) {
				t.Fatal(err)
			}
			if number%100 == 0 { // what else allocates in C
				_, err := verifier.Status()
				must(t, err)
				_, err = pomerium.New(pomerium.Options{})
				if !errors.Is(err, pomerium.ErrInvalidOptions) {
					t.Fatal(err)
				}
			}
		}
	}
	run(rounds / 10)
	before := residentBytes(t)
	run(rounds)
	grown := residentBytes(t) - before
	t.Logf("%d rounds grew the process by %d bytes", rounds, grown)
	if grown > 4<<20 { // a leak of 64 bytes a round is 6.4 MB
		t.Errorf("%d rounds grew the process by %d bytes", rounds, grown)
	}
}

func TestLimitVerifiersAreFreed(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	token := issuer.Token(nil)
	for name, done := range map[string]func(*pomerium.Verifier) error{
		"closed":    (*pomerium.Verifier).Close,
		"forgotten": func(*pomerium.Verifier) error { return nil },
	} {
		run := func(verifiers int) {
			for number := range verifiers {
				verifier, err := pomerium.New(issuer.Options())
				must(t, err)
				_, err = verifier.Verify(context.Background(), token)
				must(t, err)
				must(t, done(verifier))
				if number%50 == 0 {
					collect()
				}
			}
			collect()
		}
		run(100)
		before := residentBytes(t)
		run(1000)
		grown := residentBytes(t) - before
		t.Logf("1000 %s verifiers grew the process by %d bytes", name, grown)
		if grown > 64<<20 { // each has a table of 100 kB and more for its key
			t.Errorf("1000 %s verifiers grew the process by %d bytes", name, grown)
		}
	}
}

// collect has all cleanups run that are due: one that is registered last tells when.
func collect() {
	for range 2 {
		done := make(chan struct{})
		runtime.AddCleanup(new([16]byte), func(done chan struct{}) { close(done) }, done)
		runtime.GC()
		<-done
	}
}

// residentBytes is the memory of the process after Go has given back what it does not use.
func residentBytes(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	var size, resident int
	_, err := fmt.Sscan(readFile(t, "/proc/self/statm"), &size, &resident)
	must(t, err)
	return resident * os.Getpagesize()
}

func threads(t *testing.T) int {
	t.Helper()
	for line := range strings.Lines(readFile(t, "/proc/self/status")) {
		var count int
		if found, _ := fmt.Sscanf(line, "Threads: %d", &count); found == 1 {
			return count
		}
	}
	t.Fatal("/proc/self/status names no threads")
	return 0
}
