package pomerium

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Gate decides who gets in. [Middleware] is one for net/http; use it by itself to write an integration for something
// else.
type Gate struct {
	verifier     *Verifier
	headerName   string
	optional     bool
	exemptPaths  []string
	groups       []string
	errorHandler func(http.ResponseWriter, *http.Request, Refusal)
	onRefused    func(context.Context, Refusal)
}

// A GateOption is an option of an integration, beside those of the verifier.
type GateOption func(*Gate)

// WithHeaderName has the token read from another header than X-Pomerium-Jwt-Assertion.
func WithHeaderName(name string) GateOption {
	if !headerName.MatchString(name) {
		panic(fmt.Sprintf("pomerium: WithHeaderName takes a name of letters, digits and hyphens, not %q", name))
	}
	return func(g *Gate) { g.headerName = name }
}

// WithOptional lets requests without a token pass, without an identity. A token that does not verify is refused all the
// same.
func WithOptional() GateOption {
	return func(g *Gate) { g.optional = true }
}

// WithExemptPaths names paths that need no token, and where none is looked at: health checks. They are compared exactly
// with the decoded path of the URL, in gRPC with the full method; a path with an encoded slash is not exempt.
func WithExemptPaths(paths ...string) GateOption {
	return func(g *Gate) { g.exemptPaths = append(g.exemptPaths, paths...) }
}

// WithRequireGroup refuses, with 403, a verified user who is in none of these groups.
func WithRequireGroup(groups ...string) GateOption {
	if len(groups) == 0 {
		panic("pomerium: WithRequireGroup takes names of groups")
	}
	groups = slices.Clone(groups) // the caller may go on to use its own
	return func(g *Gate) { g.groups = groups }
}

// WithErrorHandler has refusals rendered in another way, in net/http alone. The status is the refusal's, whatever the
// handler writes. The request still carries its token; the refusal's message is not for the client.
func WithErrorHandler(handler func(http.ResponseWriter, *http.Request, Refusal)) GateOption {
	if handler == nil {
		panic("pomerium: WithErrorHandler takes a function, not nil")
	}
	return func(g *Gate) { g.errorHandler = handler }
}

// WithOnRefused has a function called for each refusal, instead of a warning in the log of [slog.Default].
func WithOnRefused(hook func(context.Context, Refusal)) GateOption {
	if hook == nil {
		panic("pomerium: WithOnRefused takes a function, not nil")
	}
	return func(g *Gate) { g.onRefused = hook }
}

// A Refusal is a request that is answered without the application. Its code is for the client, its message for the log.
type Refusal struct {
	// Code is one of the constants of [Code], or "group_required".
	Code string
	// Status is 401, 403, 500 or 503.
	Status  int
	Message string
	Path    string
	// RetryAfter is after how many whole seconds another attempt can succeed; 0 where no time helps.
	RetryAfter time.Duration
}

// NewGate makes a gate and logs, at the level of information, what it checks. It panics if the verifier is nil.
func NewGate(verifier *Verifier, options ...GateOption) *Gate {
	if verifier == nil {
		panic("pomerium: a gate takes a verifier, not nil: look at the error of New")
	}
	gate := &Gate{verifier: verifier, headerName: "X-Pomerium-Jwt-Assertion"}
	for _, option := range options {
		option(gate)
	}
	gate.announce()
	return gate
}

// HeaderName is the header that carries the token.
func (g *Gate) HeaderName() string { return g.headerName }

// Admit gives the context with which a request goes on to the application, or why it does not. values are all values of
// the header. Whatever identity the context carried before is gone.
func (g *Gate) Admit(ctx context.Context, values []string, path string) (context.Context, *Refusal) {
	if slices.Contains(g.exemptPaths, path) {
		return g.pass(ctx, nil), nil
	}
	identity, err := g.verifier.Verify(ctx, strings.Join(values, ","))
	if err != nil {
		refused := err.(*Error)
		if g.optional && refused.Code == TokenMissing {
			return g.pass(ctx, nil), nil
		}
		return nil, g.refuse(ctx, &Refusal{string(refused.Code), refused.Status, refused.Message, path, refused.RetryAfter})
	}
	if refusal := g.checkGroup(ctx, identity, g.groups, path); refusal != nil {
		return nil, refusal
	}
	return g.pass(ctx, identity), nil
}

// checkGroup refuses where nobody is signed in, or where the user is in none of the groups, if there are any.
func (g *Gate) checkGroup(ctx context.Context, identity *Identity, groups []string, path string) *Refusal {
	refusal := Refusal{Path: path}
	switch {
	case len(groups) == 0:
		return nil
	case identity == nil:
		refusal.Code, refusal.Status = string(TokenMissing), http.StatusUnauthorized
		refusal.Message = "the request passed without an identity, this needs one"
	case identity.Anonymous:
		refusal.Code, refusal.Status = string(SubjectMissing), http.StatusUnauthorized
		refusal.Message = "nobody is signed in, this needs a user"
	case !identity.InAnyGroup(groups...):
		refusal.Code, refusal.Status = "group_required", http.StatusForbidden
		refusal.Message = "the user is in none of " + strings.Join(groups, ", ")
	default:
		return nil
	}
	return g.refuse(ctx, &refusal)
}

func (g *Gate) refuse(ctx context.Context, refusal *Refusal) *Refusal {
	if g.onRefused != nil {
		g.onRefused(ctx, *refusal)
	} else {
		slog.WarnContext(ctx, "pomerium: refused", "code", refusal.Code, "message", refusal.Message, "path", refusal.Path)
	}
	return refusal
}

func (g *Gate) announce() {
	source := "a closed verifier"
	if status, err := g.verifier.Status(); err == nil {
		source = status.Source
	}
	checks := g.verifier.checks
	slog.Info("pomerium: every request is verified",
		"issuer", named(checks.Issuer, checks.Route), "audience", named(checks.Audience, checks.Route),
		"keys", source, "header", g.headerName)
}

// named is what is checked: what an option says, what the route gives, or what is pinned later.
func named(option, route names) string {
	switch {
	case option != nil:
		return strings.Join(option, ", ")
	case route != nil:
		return strings.Join(route, ", ")
	default:
		return "of the first token"
	}
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// What a context carries: under a type of our own, so that nobody else can have put it there.
type contextKey struct{}

type admission struct {
	gate     *Gate
	identity *Identity // nil where the request passed without one
}

func (g *Gate) pass(ctx context.Context, identity *Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, admission{g, identity})
}

// FromContext gives the identity of a request that has passed. There is none where it passed without: exempt paths,
// WithOptional.
func FromContext(ctx context.Context) (*Identity, bool) {
	admission, _ := ctx.Value(contextKey{}).(admission)
	return admission.identity, admission.identity != nil
}
