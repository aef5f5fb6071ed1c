//go:build cgo

package pomerium

import (
	"context"
	"fmt"
	"strings"
)

// A Request holds the facts about a request that decide who gets in. [Middleware] collects them for net/http; collect
// them yourself for anything else.
type Request struct {
	// Token is all values of the header [Verifier.HeaderName], joined by commas; "" if there are none.
	Token string
	// Path is what the client sent, whole (with the prefix under which the application is mounted), undecoded and
	// without the query. Leave it empty, which is never exempt, if a later handler routes by anything else.
	Path string
	// Upgrade says whether the request opens another protocol, such as a WebSocket. It is never exempt.
	Upgrade bool
	// MarkedPublic says whether the host's own means mark the endpoint as public, which is known after routing.
	MarkedPublic bool
}

// An Admission is a request that got in: with an identity, or without one because it needs no token. The zero value is
// the admission of nobody.
type Admission struct{ identity *Identity }

// Identity says who is calling. There is none if the request got in without a token.
func (a Admission) Identity() (*Identity, bool) { return a.identity, a.identity != nil }

// RequireUser returns the identity of a signed-in user. The error is ErrTokenMissing if there is none, and
// ErrSubjectMissing if the identity is anonymous.
func (a Admission) RequireUser() (*Identity, error) {
	if a.identity == nil {
		return nil, newError(codeTokenMissing, "this route demands a signed-in user, and the request passed without a token")
	}
	if !a.identity.IsUser() {
		return nil, newError(codeSubjectMissing, "this route demands a signed-in user, and sub is empty")
	}
	return a.identity, nil
}

// RequireGroup returns the identity of a signed-in user who is in at least one of these groups. The error is one of
// RequireUser, or ErrGroupRequired; without names of groups it is ErrInvalidArgument.
func (a Admission) RequireGroup(groups ...string) (*Identity, error) {
	if len(groups) == 0 {
		return nil, newError(codeInvalidArgument, "RequireGroup got no groups: name at least one")
	}
	identity, err := a.RequireUser()
	if err != nil {
		return nil, err
	}
	if !identity.InAnyGroup(groups...) {
		return nil, newError(codeGroupRequired, "the user is in none of the groups that this route demands: "+quoted(groups))
	}
	return identity, nil
}

// quoted names a handful of groups in a message.
func quoted(groups []string) string {
	const shown = 4
	names := make([]string, 0, shown+1)
	for _, group := range groups[:min(shown, len(groups))] {
		names = append(names, fmt.Sprintf("%q", group))
	}
	if len(groups) > shown {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}

// What a context carries: under a type of our own, so that nobody else can have put it there.
type contextKey struct{}

type admitted struct {
	Admission
	guard *Guard // reports what a single route refuses; nil if there is none
}

// NewContext returns a context that carries an admission, for [FromContext] to find. It replaces an earlier one.
func NewContext(ctx context.Context, admission Admission) context.Context {
	return context.WithValue(ctx, contextKey{}, admitted{Admission: admission})
}

// FromContext returns the identity of a request that has been verified. There is none if the request got in without a
// token (the options Optional and ExemptPaths), or if nothing verifies requests.
func FromContext(ctx context.Context) (*Identity, bool) {
	return AdmissionFromContext(ctx).Identity()
}

// MustFromContext returns the identity of a request on a route where there always is one. It panics if there is none: if
// nothing verifies requests, or if the options Optional or ExemptPaths let this one pass.
func MustFromContext(ctx context.Context) *Identity {
	identity, found := FromContext(ctx)
	if !found {
		panic("pomerium: the request has no identity: use FromContext if the route needs no token, else put Middleware in front")
	}
	return identity
}

// AdmissionFromContext returns the admission of a request, for the demands of a single route:
//
//	identity, err := pomerium.AdmissionFromContext(ctx).RequireGroup("admins")
func AdmissionFromContext(ctx context.Context) Admission {
	found, _ := ctx.Value(contextKey{}).(admitted)
	return found.Admission
}
