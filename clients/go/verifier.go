//go:build cgo

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
// library if it is not packed into the module; the README says how to get either.
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
	warning string // to log at start

	calls     sync.RWMutex   // held for reading by calls that do not wait, for writing to close
	closed    bool           // under calls
	refreshes sync.WaitGroup // the calls that wait in C; none begins when closed

	flights *flights
}

// flights are the refreshes that run over one set of keys. Verifiers made by With share them.
type flights struct{ wanted, forced flight }

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
// commas, objects are JSON, an empty variable counts as not set. The error names the variable. Like all C code it must
// not run while another goroutine calls [os.Setenv].
func FromEnv() (*Verifier, error) { return NewOverEnv(Options{}) }

// NewOverEnv lays options given in code over those of the environment, so that operators can add a demand: code wins,
// option by option, and a key source in code replaces the environment's. A field at its zero value overrides nothing.
// [Middleware] logs a warning that names the variables that code overrides.
func NewOverEnv(options Options) (*Verifier, error) {
	document, err := options.document()
	if err != nil {
		return nil, err
	}
	if err := checkABI(); err != nil {
		return nil, err
	}
	merged := optionsOverEnv(document)
	if merged.code != 0 {
		return nil, refusal(merged)
	}
	verifier, err := newVerifier(merged.output)
	if err != nil {
		return nil, err
	}
	verifier.warning = merged.claims
	return verifier, nil
}

func newVerifier(document string) (*Verifier, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	made, answer := newNative(document)
	return adopt(made, answer, &flights{})
}

// adopt wraps what the library made.
func adopt(made native, answer answer, flights *flights) (*Verifier, error) {
	if answer.code != 0 {
		return nil, refusal(answer)
	}
	verifier := &Verifier{native: made, flights: flights}
	// A net for those who forget Close
	verifier.cleanup = runtime.AddCleanup(verifier, native.free, made)
	return verifier, nil
}

// With makes a verifier with other request options over the same keys, pins and counts: for two mounts of one
// application. Fields at their zero value stay as they are here. Close both, in any order.
func (v *Verifier) With(options RequestOptions) (*Verifier, error) {
	document, err := document(options)
	if err != nil {
		return nil, err
	}
	var made native
	given := v.call(func(n native) (result answer) {
		made, result = n.with(document)
		return result
	})
	verifier, err := adopt(made, given, v.flights)
	if err != nil {
		return nil, err
	}
	verifier.warning = v.warning
	return verifier, nil
}

// Admit decides whether a request gets in: what every integration calls, and where all rules about requests are. The
// error is an *[Error], of which [Error.Header] and [Error.Body] give the response. It waits for keys as Verify does.
func (v *Verifier) Admit(ctx context.Context, request Request) (Admission, error) {
	answer, err := v.judge(ctx, func(n native, ticket int64) answer { return n.admit(request, ticket) })
	switch {
	case err != nil:
		return Admission{}, err
	case answer.code == codePassed:
		return Admission{}, nil
	case answer.code != 0 && answer.local:
		return Admission{}, refusal(answer)
	case answer.code != 0:
		return Admission{}, admissionRefusal(answer)
	}
	identity, err := newIdentity(answer.output, answer.claims)
	return Admission{identity}, err
}

// Verify says who sent this token: the raw text of the header, "" if there was none, several values joined by commas
// (which is refused).
//
// It answers at once when it can. If keys have to be fetched first, all callers wait for one fetch, at most for the
// option Timeout, and no longer than until ctx ends, which has no other effect. The error is then ErrKeysUnavailable, and
// [errors.Is] finds the error of ctx in it too.
func (v *Verifier) Verify(ctx context.Context, token string) (*Identity, error) {
	answer, err := v.judge(ctx, func(n native, ticket int64) answer { return n.verify(token, ticket) })
	if err != nil {
		return nil, err
	}
	return v.outcome(answer)
}

// judge asks the library twice if it needs keys first: with the ticket its answer is final, and says why there are none.
func (v *Verifier) judge(ctx context.Context, ask func(n native, ticket int64) answer) (answer, error) {
	first := v.call(func(n native) answer { return ask(n, 0) })
	if first.code != codeKeysNeeded {
		return first, nil
	}
	if err := v.fetched(ctx); err != nil {
		return answer{}, v.cancelled(err)
	}
	return v.call(func(n native) answer { return ask(n, first.ticket) }), nil
}

// VerifyAt is as Verify, at the time now instead of the clock's. It uses the keys at hand, fetches none and pins nothing.
func (v *Verifier) VerifyAt(token string, now time.Time) (*Identity, error) {
	return v.outcome(v.call(func(n native) answer { return n.verifyAt(token, now.Unix()) }))
}

// Refresh brings the keys up to date: it joins a fetch in flight or starts one that is due, and waits for it as Verify
// does. With force, for warming up and for operators, it fetches at once, at most once a second.
func (v *Verifier) Refresh(ctx context.Context, force bool) error {
	if v.flights == nil {
		return newError(codeInvalidArgument, "the verifier was not made by New")
	}
	flight := &v.flights.wanted
	if force {
		flight = &v.flights.forced
	}
	refresh, _ := flight.join(func() error { return v.refresh(force) })
	if err := refresh.wait(ctx); err != nil {
		return v.cancelled(err)
	}
	return refresh.err
}

// Status returns the state of keys, pins and counters. It never waits. While no usable key is loaded it
// starts a fetch that is due.
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

// Health says whether this instance can verify, for health pages. Of a closed verifier it is the zero value.
func (v *Verifier) Health() Health {
	status, err := v.Status()
	if err != nil {
		return Health{}
	}
	return status.Health
}

// Metrics returns the counters and the age of the keys as text for a monitoring system, in the format of OpenMetrics 1.0:
// Content-Type `application/openmetrics-text; version=1.0.0; charset=utf-8`. It holds no user, path or token.
func (v *Verifier) Metrics() (string, error) {
	answer := v.call(native.metrics)
	if answer.code != 0 {
		return "", refusal(answer)
	}
	return answer.output, nil
}

// Summary is the line to log at start: what is accepted, where the keys come from, which header, and the request options
// that are set. Of a closed verifier it is empty.
func (v *Verifier) Summary() string {
	described, _ := v.describe()
	return described.Summary
}

// HeaderName is the request header that carries the token. Of a closed verifier it is empty.
func (v *Verifier) HeaderName() string {
	described, _ := v.describe()
	return described.HeaderName
}

type description struct {
	Summary    string `json:"summary"`
	HeaderName string `json:"header_name"`
}

// describe needs no keys, and starts no fetch.
func (v *Verifier) describe() (described description, err error) {
	answer := v.call(native.describe)
	if answer.code != 0 {
		return description{}, refusal(answer)
	}
	if err := json.Unmarshal([]byte(answer.output), &described); err != nil {
		return description{}, newError(codeInternal, "the library's description cannot be read: "+err.Error())
	}
	return described, nil
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
// afterwards, "" for none: Pomerium 0.33 and later follows it only with its runtime flag
// allow_any_sign_out_redirect_uri, otherwise signout_redirect_url in Pomerium's settings decides.
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
	refresh, began := v.flights.wanted.join(run)
	if err := refresh.wait(ctx); err != nil || began || refresh.err != nil {
		return err
	}
	refresh, _ = v.flights.wanted.join(run)
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
	refused := v.refusal(failure(codeKeysUnavailable, "the wait for keys was given up: "+cause.Error()))
	refused.cause = cause
	return refused
}

func closed() answer {
	answer := failure(codeInvalidArgument, "the verifier is closed")
	answer.local = true
	return answer
}
