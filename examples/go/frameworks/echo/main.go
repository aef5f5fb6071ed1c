// Command echo is the example application with echo.
package main

import (
	"log"
	"log/slog"
	"net/http"

	"github.com/coder/websocket"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-jwt/examples/go/serve"
)

func main() {
	verifier, err := pomerium.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	router := echo.New()
	if serve.Origin() != "" { // CORS stands in front, so that browsers may read refusals too
		router.Pre(middleware.CORSWithConfig(middleware.CORSConfig{
			AllowOrigins: []string{serve.Origin()},
			AllowHeaders: []string{"Authorization"},
			AllowMethods: []string{"GET", "DELETE"},
		}))
	}
	// Pre and not Use: before the router, which may change the path
	router.Pre(echo.WrapMiddleware(pomerium.Middleware(verifier, pomerium.WithLogger(slog.Default()))))

	for _, path := range []string{"/", "/admin", "/health", "/ws", "/*"} {
		router.RouteNotFound(path, anything)
	}
	get := []string{http.MethodGet, http.MethodHead}
	router.Match(get, "/", index)
	router.Match(get, "/admin", index, echo.WrapMiddleware(pomerium.RequireGroup("admins")))
	router.Match(get, "/health", func(c echo.Context) error { return c.JSON(http.StatusOK, verifier.Health()) })
	router.GET("/ws", socket)
	serve.Run(router)
}

func index(c echo.Context) error {
	identity, _ := pomerium.FromContext(c.Request().Context()) // nil if the request passed without one
	return c.JSON(http.StatusOK, identity)
}

func anything(c echo.Context) error {
	var subject any
	if identity, found := pomerium.FromContext(c.Request().Context()); found {
		subject = identity.Subject
	}
	return c.JSON(http.StatusOK, map[string]any{"reached": true, "subject": subject})
}

func socket(c echo.Context) error {
	connection, err := websocket.Accept(c.Response(), c.Request(), nil)
	if err != nil {
		return nil // it has answered
	}
	subject := ""
	if identity, found := pomerium.FromContext(c.Request().Context()); found {
		subject = identity.Subject
	}
	_ = connection.Write(c.Request().Context(), websocket.MessageText, []byte(subject))
	return connection.Close(websocket.StatusNormalClosure, "")
}
