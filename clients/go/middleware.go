//go:build cgo

package pomerium

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Middleware lets requests through to a handler if its verifier admits them, and answers the others itself: 401 if the
// token is refused, 403 for groups, 503 with Retry-After if there are no keys, and {"error":"token_expired"} as the
// body. The reason is in the log.
//
// Put it around the whole application, router included: handlers outside it are not protected. A
// CORS middleware belongs in front: preflights carry no token and are refused like any other request without one.
//
// It panics if the verifier is nil, closed or not made by this package.
func Middleware(verifier *Verifier, options ...Option) func(http.Handler) http.Handler {
	guard := NewGuard(verifier, options...)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, err := guard.admit(r.Context(), facts(r, guard.headerName), shownPath(r))
			if err != nil {
				guard.render(w, r, err.(*Error))
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// RequireUser is a middleware for single handlers inside of [Middleware]: it refuses requests without a signed-in user.
func RequireUser(next http.Handler) http.Handler {
	return demand(next, Admission.RequireUser)
}

// RequireGroup is a middleware for single handlers inside of [Middleware]: only users in at least one of these groups
// get through. It panics without groups.
func RequireGroup(groups ...string) func(http.Handler) http.Handler {
	if len(groups) == 0 {
		panic("pomerium: RequireGroup got no groups: name at least one")
	}
	groups = slices.Clone(groups) // the caller may change its own later
	return func(next http.Handler) http.Handler {
		return demand(next, func(admission Admission) (*Identity, error) { return admission.RequireGroup(groups...) })
	}
}

func demand(next http.Handler, check func(Admission) (*Identity, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, _ := r.Context().Value(contextKey{}).(admitted)
		guard := found.guard
		if guard == nil {
			guard = unguarded
		}
		if _, err := check(found.Admission); err != nil {
			guard.refuse(r.Context(), err, shownPath(r))
			guard.render(w, r, err.(*Error))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// unguarded reports the refusals of routes that have no Middleware in front.
var unguarded = func() *Guard {
	guard := &Guard{}
	guard.onRefused = newRefusalLog(guard.log).report
	return guard
}()

// facts collects what decides who gets in.
func facts(r *http.Request, headerName string) Request {
	return Request{
		Token:   strings.Join(r.Header.Values(headerName), ","),
		Path:    sentPath(r),
		Upgrade: isUpgrade(strings.Join(r.Header.Values("Upgrade"), ",")) || r.Method == http.MethodConnect && r.ProtoMajor > 1,
	}
}

// sentPath is the path as the client sent it. It is empty, which is never exempt, if there is none, or if a middleware in
// front has rewritten the URL by which handlers route.
func sentPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if r.Method == http.MethodConnect || path == "*" {
		return ""
	}
	if !strings.HasPrefix(path, "/") { // the absolute form
		_, rest, _ := strings.Cut(path, "://")
		_, rest, found := strings.Cut(rest, "/")
		if !found {
			return ""
		}
		path = "/" + rest
	}
	if path != r.URL.EscapedPath() {
		return ""
	}
	return path
}

// shownPath is for people to read, also if handlers route by another one.
func shownPath(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		return path
	}
	return r.URL.EscapedPath()
}

// isUpgrade takes the values of the header Upgrade, joined by commas.
func isUpgrade(joined string) bool {
	value := strings.Trim(joined, " \t\r\n\f")
	return value != "" && !strings.EqualFold(value, "h2c")
}

func (g *Guard) render(w http.ResponseWriter, r *http.Request, refused *Error) {
	header, body := refused.Header(), []byte(refused.Body())
	if g.errorHandler != nil {
		var contentType string
		contentType, body = g.errorHandler(r, refused)
		header.Set("Content-Type", contentType)
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = nil
	}
	w.WriteHeader(refused.Status)
	if len(body) > 0 {
		_, _ = w.Write(body)
	}
}
