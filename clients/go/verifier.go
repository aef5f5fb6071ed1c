// Package pomerium says who is calling: it verifies the JWT that Pomerium puts into X-Pomerium-Jwt-Assertion, strictly and
// fast.
//
//	verifier, err := pomerium.NewForRoute("https://app.example.com") // once per application; goroutines share it
//	if err != nil {
//		log.Fatal(err)
//	}
//	protect := pomerium.Middleware(verifier)
//	http.ListenAndServe(":8080", protect(handler))
//
// A handler asks [FromContext] for the [Identity]. Tests of applications: package pomeriumtest. It needs cgo, and the C
// library where it is not packed into the module; the README says how to get either.
package pomerium

import (
	"context"
	"encoding/json"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"
)

// A Verifier verifies Pomerium's tokens. Make one per application and share it between goroutines. All its errors are
// *[Error].
type Verifier struct {
	native  native
	cleanup runtime.Cleanup
	checks  checks

	calls     sync.RWMutex   // held for reading by calls that do not wait, for writing to close
	closed    bool           // under calls
	refreshes sync.WaitGroup // the calls that wait in C; none begins when closed

	wanted, forced flight
}

// checks is what the options say of names, as they were written, for the log.
type checks struct {
	Route    names `json:"route"`
	Issuer   names `json:"issuer"`
	Audience names `json:"audience"`
}

type names []string

// UnmarshalJSON takes what the library takes: a list, or one string.
func (n *names) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return json.Unmarshal(text, (*[]string)(n))
	}
	*n = make(names, 1)
	return json.Unmarshal(text, &(*n)[0])
}

// New makes a verifier. It touches no network; files named in the options are read now. The error is InvalidOptions, in a
// sentence that says what to write instead.
func New(options Options) (*Verifier, error) {
	document, err := options.document()
	if err != nil {
		return nil, err
	}
	return newVerifier(document)
}

// NewForRoute makes a verifier for the application with this route: its `from:` URL in Pomerium.
func NewForRoute(route string) (*Verifier, error) {
	return New(Options{Route: []string{route}})
}

// FromEnv makes a verifier with the options of the environment, POMERIUM_JWT_ROUTE and so on: lists are separated by
// commas, objects are JSON, an empty variable counts as not set. The error names the variable. Like all C code it must not run
// while another goroutine calls [os.Setenv].
func FromEnv() (*Verifier, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	options := optionsFromEnv()
	if options.code != 0 {
		return nil, refusal(options)
	}
	return newVerifier(options.output)
}

func newVerifier(document string) (*Verifier, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	made, answer := newNative(document)
	if answer.code != 0 {
		return nil, refusal(answer)
	}
	verifier := &Verifier{native: made}
	// A net for those who forget Close
	verifier.cleanup = runtime.AddCleanup(verifier, native.free, made)
	if err := json.Unmarshal([]byte(document), &verifier.checks); err != nil {
		return nil, newError(codeInternal, "the options cannot be read again: "+err.Error())
	}
	return verifier, nil
}

// Verify says who sent this token: the raw text of the header, "" if there was none, several values joined by commas
// (which is refused).
//
// It answers at once when it can. Where keys have to be fetched first, all callers wait for one fetch, at most for the
// option Timeout, and no longer than until ctx ends, which has no other effect. The error is then KeysUnavailable, and
// [errors.Is] finds the error of ctx in it too.
func (v *Verifier) Verify(ctx context.Context, token string) (*Identity, error) {
	first := v.call(func(n native) answer { return n.verify(token, 0) })
	if first.code != codeKeysNeeded {
		return v.outcome(first)
	}
	if err := v.fetched(ctx); err != nil {
		return nil, v.cancelled(err)
	}
	// With the ticket the answer is final. It says why there are no keys
	return v.outcome(v.call(func(n native) answer { return n.verify(token, first.ticket) }))
}

// VerifyAt is as Verify, at the time now instead of the clock's. It uses the keys at hand, fetches none and pins nothing.
func (v *Verifier) VerifyAt(token string, now time.Time) (*Identity, error) {
	return v.outcome(v.call(func(n native) answer { return n.verifyAt(token, now.Unix()) }))
}

// Refresh brings the keys up to date: it joins a fetch in flight or starts one that is due, and waits for it as Verify
// does. With force, for warming up and for operators, it fetches at once, at most once a second.
func (v *Verifier) Refresh(ctx context.Context, force bool) error {
	flight := &v.wanted
	if force {
		flight = &v.forced
	}
	refresh, _ := flight.join(func() error { return v.refresh(force) })
	if err := refresh.wait(ctx); err != nil {
		return v.cancelled(err)
	}
	return refresh.err
}

// Status gives the state of keys, pins and counters. It never waits and never fetches.
func (v *Verifier) Status() (*Status, error) {
	answer := v.call(native.status)
	if answer.code != 0 {
		return nil, refusal(answer)
	}
	status := &Status{}
	if err := json.Unmarshal([]byte(answer.output), status); err != nil {
		return nil, newError(codeInternal, "the library's status cannot be read: "+err.Error())
	}
	return status, nil
}

// Health gives the status in short, for a health page. Of a closed verifier it is the zero value.
func (v *Verifier) Health() Health {
	status, err := v.Status()
	if err != nil {
		return Health{}
	}
	return status.health()
}

// Close waits for the calls that run and frees the keys. Later calls are refused with InvalidArgument; closing again does
// nothing. An application that uses its verifier to its end need not close it. The error is nil.
func (v *Verifier) Close() error {
	v.calls.Lock()
	closed := v.closed
	v.closed = true
	v.calls.Unlock()

	v.refreshes.Wait()
	if !closed && v.native.pointer != nil {
		v.cleanup.Stop()
		runtime.KeepAlive(v) // until then: Stop cannot take back a cleanup that has begun
		v.native.free()
	}
	return nil
}

// LogoutURL is where a user signs out of Pomerium, a path of the application's own host. returnTo is the URL to go to
// afterwards, which Pomerium must know as one of its routes; "" for none.
func LogoutURL(returnTo string) string {
	const path = "/.pomerium/sign_out"
	if returnTo == "" {
		return path
	}
	// A space as %20, which is right in every part of a URL
	return path + "?pomerium_redirect_uri=" + strings.ReplaceAll(url.QueryEscape(returnTo), "+", "%20")
}

// call runs what does not wait.
func (v *Verifier) call(run func(native) answer) answer {
	v.calls.RLock()
	defer v.calls.RUnlock()
	if v.closed {
		return closed()
	}
	return run(v.native)
}

// refresh waits in C.
func (v *Verifier) refresh(force bool) error {
	v.calls.RLock()
	if v.closed {
		v.calls.RUnlock()
		return refusal(closed())
	}
	v.refreshes.Add(1)
	v.calls.RUnlock()

	defer v.refreshes.Done()
	if answer := v.native.refresh(force); answer.code != 0 {
		return v.refusal(answer)
	}
	return nil
}

// fetched waits for a refresh that began after the library has asked for one: one that was running already may have
// fetched before. The error is that of ctx.
func (v *Verifier) fetched(ctx context.Context) error {
	run := func() error { return v.refresh(false) }
	refresh, began := v.wanted.join(run)
	if err := refresh.wait(ctx); err != nil || began || refresh.err != nil {
		return err
	}
	refresh, _ = v.wanted.join(run)
	return refresh.wait(ctx)
}

func (v *Verifier) outcome(answer answer) (*Identity, error) {
	if answer.code != 0 {
		return nil, v.refusal(answer)
	}
	return newIdentity(answer.output, answer.claims)
}

// refusal is an error that says when to come again.
func (v *Verifier) refusal(answer answer) *Error {
	refused := refusal(answer)
	if refused.Kind != KindKeys {
		return refused
	}
	if status, err := v.Status(); err == nil && status.NextAttempt != nil {
		refused.RetryAfter = time.Duration(*status.NextAttempt) * time.Second
	}
	return refused
}

// cancelled is the error of a wait that a context has ended.
func (v *Verifier) cancelled(cause error) *Error {
	name, kind := describe(codeKeysUnavailable)
	refused := v.refusal(answer{
		code: codeKeysUnavailable, kind: kind, name: name, output: "the wait for keys was given up: " + cause.Error(),
	})
	refused.cause = cause
	return refused
}

func closed() answer {
	name, kind := describe(codeInvalidArgument)
	return answer{code: codeInvalidArgument, kind: kind, name: name, output: "the verifier is closed"}
}
