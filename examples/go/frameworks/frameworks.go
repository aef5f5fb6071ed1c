// Package frameworks has the same protected application with chi, gin and echo.
package frameworks

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"

	pomerium "github.com/pomerium-jwt/pomerium-jwt/clients/go"
)

func withChi(verifier *pomerium.Verifier) http.Handler {
	router := chi.NewRouter()
	router.Use(pomerium.Middleware(verifier))
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		identity, _ := pomerium.FromContext(r.Context())
		fmt.Fprint(w, identity.Email)
	})
	router.With(pomerium.RequireGroup("admins")).Get("/admin", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "admin")
	})
	return router
}

func withGin(verifier *pomerium.Verifier) http.Handler {
	router := gin.New()
	router.GET("/", func(c *gin.Context) {
		identity, _ := pomerium.FromContext(c.Request.Context())
		c.String(http.StatusOK, identity.Email)
	})
	admin := func(c *gin.Context) { c.String(http.StatusOK, "admin") }
	router.GET("/admin", ginMiddleware(pomerium.RequireGroup("admins")), admin)
	return pomerium.Middleware(verifier)(router) // serve this instead of calling router.Run
}

// ginMiddleware stops gin where a request is refused. gin.WrapH does not: the handlers behind it would run all the same.
func ginMiddleware(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		refused := true
		middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			refused, c.Request = false, r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if refused {
			c.Abort()
		}
	}
}

func withEcho(verifier *pomerium.Verifier) http.Handler {
	router := echo.New()
	router.Use(echo.WrapMiddleware(pomerium.Middleware(verifier)))
	router.GET("/", func(c echo.Context) error {
		identity, _ := pomerium.FromContext(c.Request().Context())
		return c.String(http.StatusOK, identity.Email)
	})
	admin := func(c echo.Context) error { return c.String(http.StatusOK, "admin") }
	router.GET("/admin", admin, echo.WrapMiddleware(pomerium.RequireGroup("admins")))
	return router
}
