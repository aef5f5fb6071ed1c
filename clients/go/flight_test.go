package pomerium

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A refresh that was running when the library asked for one may have fetched before: it does not count.
func TestAWaitSeesARefreshThatBeganAfterIt(t *testing.T) {
	verifier, err := NewForRoute("http://127.0.0.1:9") // the discard port: nobody listens
	must(err)
	defer func() { _ = verifier.Close() }()
	release, fetched := make(chan struct{}), make(chan error)
	running, _ := verifier.flights.wanted.join(func() error {
		<-release
		return nil
	})
	go func() { fetched <- verifier.fetched(context.Background()) }()
	time.Sleep(50 * time.Millisecond) // until it has joined; should it come later, it begins one
	close(release)
	<-running.done
	must(<-fetched)
	status, err := verifier.Status()
	must(err)
	if status.Fetches != 1 {
		t.Errorf("%d fetches", status.Fetches)
	}
}

// A refresh that is forced fetches, even while the one that verifications wait for is running.
func TestAForcedRefreshIsOneOfItsOwn(t *testing.T) {
	verifier, err := NewForRoute("http://127.0.0.1:9")
	must(err)
	defer func() { _ = verifier.Close() }()
	release := make(chan struct{})
	verifier.flights.wanted.join(func() error {
		<-release
		return nil
	})
	defer close(release)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // only if it waits for the other
	defer cancel()
	if err := verifier.Refresh(ctx, true); !errors.Is(err, ErrKeysUnavailable) || ctx.Err() != nil {
		t.Error(err)
	}
}

// One goroutine waits in C for a set of keys, however many verifiers use it.
func TestVerifiersOverTheSameKeysShareTheirRefreshes(t *testing.T) {
	base, err := NewForRoute("http://127.0.0.1:9")
	must(err)
	defer func() { _ = base.Close() }()
	other, err := base.With(RequestOptions{HeaderName: "X-Other"})
	must(err)
	defer func() { _ = other.Close() }()
	if base.flights != other.flights {
		t.Error("each waits by itself")
	}
}
