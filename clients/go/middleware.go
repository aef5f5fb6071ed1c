package pomerium

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Middleware lets verified requests pass to a handler and answers the others itself: 401 for a token that is refused, 503
// with Retry-After where there are no keys, 403 for groups, and {"error":"token_expired"} as the body. Why is in the log.
//
// CORS preflight requests, for which browsers send no credentials, pass without an identity. Anybody can send them, and a
// handler that looks at no method answers them as any other: it gets to send its status and headers, and no content.
//
// Programming errors, such as a verifier that is nil, panic when the middleware is made.
func Middleware(verifier *Verifier, options ...GateOption) func(http.Handler) http.Handler {
	gate := NewGate(verifier, options...)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isPreflight(r) {
				next.ServeHTTP(contentless{w}, r.WithContext(gate.pass(r.Context(), nil)))
				return
			}
			ctx, refusal := gate.Admit(r.Context(), r.Header.Values(gate.headerName), path(r))
			if refusal != nil {
				gate.render(w, r, refusal)
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// RequireGroup is a middleware for single handlers behind [Middleware]: only users in one of these groups pass, and no CORS
// preflight. It panics without groups.
func RequireGroup(groups ...string) func(http.Handler) http.Handler {
	if len(groups) == 0 {
		panic("pomerium: RequireGroup takes names of groups")
	}
	groups = slices.Clone(groups)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			passed, found := r.Context().Value(contextKey{}).(admission)
			if !found {
				gate := &Gate{}
				gate.render(w, r, gate.refuse(r.Context(), &Refusal{
					Code: string(Internal), Status: http.StatusInternalServerError, Path: path(r),
					Message: "nothing has been verified: put Middleware before RequireGroup",
				}))
				return
			}
			if refusal := passed.gate.checkGroup(r.Context(), passed.identity, groups, path(r)); refusal != nil {
				passed.gate.render(w, r, refusal)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// path is the decoded path, unless it is encoded in an unusual way: routers see more than one path in /public%2Fhealth, and
// what is exempt for one must not open the other.
func path(r *http.Request) string { return cmp.Or(r.URL.RawPath, r.URL.Path) }

func (g *Gate) render(w http.ResponseWriter, r *http.Request, refusal *Refusal) {
	refused := &refusedWriter{writer: w, refusal: refusal}
	if g.errorHandler != nil {
		g.errorHandler(refused, r, *refusal)
	} else {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(refused, `{"error":%q}`, refusal.Code)
	}
	refused.WriteHeader(refusal.Status)
}

// refusedWriter holds the status of a refusal fast. It has no Unwrap: what lies below could be flushed, with status 200.
type refusedWriter struct {
	writer  http.ResponseWriter
	refusal *Refusal
	written bool
}

func (w *refusedWriter) Header() http.Header { return w.writer.Header() }

func (w *refusedWriter) Write(body []byte) (int, error) {
	w.WriteHeader(w.refusal.Status)
	return w.writer.Write(body)
}

func (w *refusedWriter) WriteHeader(int) {
	if w.written {
		return
	}
	w.written = true
	if w.refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64(w.refusal.RetryAfter/time.Second), 10))
	}
	w.writer.WriteHeader(w.refusal.Status)
}

// contentless keeps from a preflight what http.FileServer and others would send whatever the method. It has no Unwrap, so
// that nobody hijacks the connection.
type contentless struct{ http.ResponseWriter }

func (w contentless) Write(content []byte) (int, error) {
	w.Header().Del("Content-Length")
	return len(content), nil
}

func (w contentless) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}
