package pomerium_test

// The five scenarios of conformance/scenarios.md, step by step, at the same time. The race detector changes the time that
// a call takes by far less than the bounds leave.

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	pomerium "github.com/pomerium-jwt/pomerium-go"
)

func scenario(t *testing.T) *running {
	t.Parallel()
	return startIssuer(t)
}

func (r *running) verifier(ttl time.Duration) *pomerium.Verifier {
	r.t.Helper()
	options := r.options()
	options.CacheTTL = &ttl
	options.Timeout = pomerium.Ptr(2 * time.Second)
	options.RefetchCooldown = pomerium.Ptr(time.Second)
	options.MaxStale = pomerium.Ptr(time.Minute)
	return newVerifier(r.t, options)
}

// outcome is the code of a verification, "" if it gave alice.
func outcome(t *testing.T, verifier *pomerium.Verifier, token string) pomerium.Code {
	t.Helper()
	identity, err := verifier.Verify(context.Background(), token)
	if err == nil && identity.Subject != "alice" {
		t.Errorf("subject %q", identity.Subject)
	}
	return codeOf(err)
}

func accepted(t *testing.T, verifier *pomerium.Verifier, token string) {
	t.Helper()
	if code := outcome(t, verifier, token); code != "" {
		t.Errorf("refused: %s", code)
	}
}

// took is how long an accepted verification took.
func took(t *testing.T, verifier *pomerium.Verifier, token string) time.Duration {
	t.Helper()
	start := time.Now()
	accepted(t, verifier, token)
	return time.Since(start)
}

func steadily(until func() bool, call func()) {
	for !until() {
		call()
		time.Sleep(50 * time.Millisecond)
	}
}

func passed(moment time.Time) func() bool {
	return func() bool { return !time.Now().Before(moment) }
}

func untilFresh(t *testing.T, verifier *pomerium.Verifier, call func()) {
	t.Helper()
	start := time.Now()
	steadily(func() bool {
		return state(t, verifier).State == pomerium.StateFresh || time.Since(start) > 10*time.Second
	}, call)
	if status := state(t, verifier); status.State != pomerium.StateFresh {
		t.Errorf("not fresh within 10 seconds: %+v", status)
	}
}

func state(t *testing.T, verifier *pomerium.Verifier) *pomerium.Status {
	t.Helper()
	status, err := verifier.Status()
	must(t, err)
	return status
}

func TestScenario1ColdStartUnderConcurrency(t *testing.T) {
	issuer := scenario(t)
	token, verifier := issuer.mint(), issuer.verifier(time.Minute)
	if fetches := issuer.fetches(); fetches != 0 {
		t.Errorf("%d fetches before the first token", fetches)
	}
	start := make(chan struct{})
	var ended sync.WaitGroup
	for range 16 {
		spawn(&ended, func() {
			<-start
			accepted(t, verifier, token)
		})
	}
	close(start)
	ended.Wait()
	if fetches := issuer.fetches(); fetches != 1 {
		t.Errorf("%d fetches", fetches)
	}
}

func TestScenario2RotationUnderLoad(t *testing.T) {
	issuer := scenario(t)
	verifier := issuer.verifier(time.Second)
	stop := make(chan struct{})
	var ended sync.WaitGroup
	for range 4 {
		spawn(&ended, func() {
			verified, headers := 0, map[string]bool{}
			for {
				select {
				case <-stop:
					if verified < 20 || len(headers) != 2 {
						t.Errorf("%d tokens under %d key ids", verified, len(headers))
					}
					return
				case <-time.After(20 * time.Millisecond):
				}
				token := issuer.mint()
				accepted(t, verifier, token)
				header, _, _ := strings.Cut(token, ".")
				headers[header] = true
				verified++
			}
		})
	}
	for _, step := range []struct {
		pause time.Duration
		name  string
	}{{time.Second, "append"}, {2 * time.Second, "swap"}, {2 * time.Second, "drop"}} {
		time.Sleep(step.pause)
		issuer.post("/rotate?step=" + step.name)
	}
	time.Sleep(2 * time.Second)
	close(stop)
	ended.Wait()
	for range 2 {
		time.Sleep(2 * time.Second)
		issuer.post("/rotate")
		accepted(t, verifier, issuer.mint())
	}
}

func TestScenario3AWithdrawnKey(t *testing.T) {
	issuer := scenario(t)
	issuer.post("/rotate?step=append")
	token, busy, idle := issuer.mint(), issuer.verifier(2*time.Second), issuer.verifier(2*time.Second)
	accepted(t, busy, token)
	accepted(t, idle, token)
	issuer.post("/withdraw")
	withdrawn := time.Now()

	idleCode := make(chan pomerium.Code, 1)
	go func() {
		time.Sleep(time.Until(withdrawn.Add(4100 * time.Millisecond)))
		idleCode <- outcome(t, idle, token)
	}()
	codes := map[pomerium.Code]int{}
	steadily(passed(withdrawn.Add(6*time.Second)), func() {
		began := time.Now()
		code := outcome(t, busy, token)
		if code == "" && (len(codes) > 0 || began.Sub(withdrawn) >= 4*time.Second) {
			t.Errorf("accepted %v after the withdrawal, and %v before", began.Sub(withdrawn), codes)
		}
		if code != "" {
			codes[code]++
		}
	})
	if codes[pomerium.ErrKeyNotFound] == 0 || len(codes) != 1 {
		t.Errorf("busy: %v", codes)
	}
	if code := <-idleCode; code != pomerium.ErrKeyNotFound {
		t.Errorf("idle: %q", code)
	}

	token = issuer.mint()
	for name, verifier := range map[string]*pomerium.Verifier{"busy": busy, "idle": idle} {
		if code := outcome(t, verifier, token); code != pomerium.ErrKeyNotFound {
			t.Errorf("%s, another token of the withdrawn key: %q", name, code)
		}
	}
	time.Sleep(2 * time.Second)
	issuer.post("/rotate")
	token = issuer.mint()
	accepted(t, busy, token)
	accepted(t, idle, token)
}

func TestScenario4TheKeyServerHangs(t *testing.T) {
	issuer := scenario(t)
	token, busy, idle := issuer.mint(), issuer.verifier(5*time.Second), issuer.verifier(5*time.Second)
	accepted(t, busy, token)
	accepted(t, idle, token)
	issuer.post("/fault?kind=hang")
	fetches := issuer.fetches()
	steadily(passed(time.Now().Add(11*time.Second)), func() {
		if waited := took(t, busy, token); waited >= time.Second {
			t.Errorf("under steady traffic a call waited for %v", waited)
		}
	})
	if more := issuer.fetches() - fetches; more < 2 {
		t.Errorf("it has tried %d times only", more)
	}
	if first := took(t, idle, token); first < time.Second || first >= 4*time.Second {
		t.Errorf("the first call after a long rest took %v: it should wait for one fetch", first)
	}
	if second := took(t, idle, token); second >= time.Second {
		t.Errorf("the second call waited too, for %v", second)
	}
	issuer.post("/fault?kind=none")
	untilFresh(t, busy, func() { accepted(t, busy, token) })
}

func TestScenario5AnOutageShorterThanMaxStale(t *testing.T) {
	issuer := scenario(t)
	token, busy, idle := issuer.mint(), issuer.verifier(2*time.Second), issuer.verifier(2*time.Second)
	accepted(t, busy, token)
	accepted(t, idle, token)
	issuer.post("/fault?kind=reset")
	steadily(passed(time.Now().Add(7*time.Second)), func() { accepted(t, busy, token) })
	accepted(t, idle, token)
	for name, verifier := range map[string]*pomerium.Verifier{"busy": busy, "idle": idle} {
		if state(t, verifier).LastError == nil {
			t.Errorf("%s does not know of the outage", name)
		}
	}
	issuer.post("/rotate")
	issuer.post("/fault?kind=none")
	untilFresh(t, busy, func() { outcome(t, busy, token) })
	time.Sleep(1100 * time.Millisecond)
	accepted(t, busy, issuer.mint())
}
