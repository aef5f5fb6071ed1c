//go:build cgo

package pomerium

import (
	"context"
	"log/slog"
	"net/http"
)

// A Guard is shared by all integrations: it asks its verifier, reports refusals and passes the identity on. It holds no
// rule about who gets in. [Middleware] has one inside; make one to write an integration for something else.
type Guard struct {
	verifier     *Verifier
	headerName   string
	logger       *slog.Logger // nil: slog.Default(), warnings alone
	onRefused    func(ctx context.Context, refused *Error, path string)
	errorHandler func(r *http.Request, refused *Error) (contentType string, body []byte)
}

// An Option configures an integration in addition to its verifier. Who gets in is decided by the verifier's
// [Options].
type Option func(*Guard)

// WithLogger sets the logger for the line at start and for refusals. By default refusals and other warnings go to
// [slog.Default], and nothing else is logged.
func WithLogger(logger *slog.Logger) Option {
	if logger == nil {
		panic("pomerium: WithLogger got nil: for silence use slog.New(slog.DiscardHandler)")
	}
	return func(g *Guard) { g.logger = logger }
}

// WithOnRefused sets a function to call for each refusal. By default refusals are logged as warnings, at most one line
// a second for the same code, with their count and the path of one.
func WithOnRefused(hook func(ctx context.Context, refused *Error, path string)) Option {
	if hook == nil {
		panic("pomerium: WithOnRefused got nil instead of a function")
	}
	return func(g *Guard) { g.onRefused = hook }
}

// WithErrorHandler sets a function that renders the body of refusals in net/http, such as an HTML page. Status and
// headers stay what they are, except for the Content-Type. The message of the refusal is not for the client.
func WithErrorHandler(handler func(r *http.Request, refused *Error) (contentType string, body []byte)) Option {
	if handler == nil {
		panic("pomerium: WithErrorHandler got nil instead of a function")
	}
	return func(g *Guard) { g.errorHandler = handler }
}

// NewGuard makes a guard and logs, if [WithLogger] is given, what it accepts. It panics if the verifier is nil, closed
// or not made by this package.
func NewGuard(verifier *Verifier, options ...Option) *Guard {
	if verifier == nil {
		panic("pomerium: the verifier is nil: check the error of New")
	}
	described, err := verifier.describe()
	if err != nil {
		panic("pomerium: the verifier cannot be used: " + err.Error())
	}
	guard := &Guard{verifier: verifier, headerName: described.HeaderName}
	for _, option := range options {
		option(guard)
	}
	if guard.onRefused == nil {
		guard.onRefused = newRefusalLog(guard.log).report
	}
	guard.announce(described.Summary)
	return guard
}

// HeaderName is the request header that carries the token.
func (g *Guard) HeaderName() string { return g.headerName }

// Admit returns the context with which a request continues to the application, for [FromContext]; an identity that the
// context carried before is gone. If the request is refused it reports that, and the error is an *[Error].
func (g *Guard) Admit(ctx context.Context, request Request) (context.Context, error) {
	return g.admit(ctx, request, request.Path)
}

// admit reports the path that is for people to read.
func (g *Guard) admit(ctx context.Context, request Request, shown string) (context.Context, error) {
	admission, err := g.verifier.Admit(ctx, request)
	if err != nil {
		g.refuse(ctx, err, shown)
		return nil, err
	}
	return context.WithValue(ctx, contextKey{}, admitted{admission, g}), nil
}

func (g *Guard) refuse(ctx context.Context, err error, path string) {
	g.onRefused(ctx, err.(*Error), path)
}

func (g *Guard) log() *slog.Logger {
	if g.logger != nil {
		return g.logger
	}
	return slog.Default()
}

func (g *Guard) announce(summary string) {
	if g.logger != nil {
		g.logger.Info("pomerium: " + summary)
	}
	if g.verifier.warning != "" {
		g.log().Warn("pomerium: " + g.verifier.warning)
	}
}
