// Command gin is the example application with gin.
package main

import (
	"log"
	"log/slog"
	"net/http"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"
	"github.com/rs/cors"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	"github.com/pomerium-jwt/pomerium-jwt/examples/go/serve"
)

func main() {
	verifier, err := pomerium.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/", index)
	router.HEAD("/", index)
	router.GET("/admin", requireGroup("admins"), index)
	router.HEAD("/admin", requireGroup("admins"), index)
	health := func(c *gin.Context) { c.JSON(http.StatusOK, verifier.Health()) }
	router.GET("/health", health)
	router.HEAD("/health", health)
	router.GET("/ws", socket)
	router.NoRoute(anything)

	// Around the router: gin answers some requests before its own middleware. Serve this instead of calling router.Run
	handler := pomerium.Middleware(verifier, pomerium.WithLogger(slog.Default()))(router)
	if serve.Origin() != "" { // CORS stands in front, so that browsers may read refusals too
		handler = cors.New(cors.Options{
			AllowedOrigins: []string{serve.Origin()},
			AllowedHeaders: []string{"Authorization"},
			AllowedMethods: []string{"GET", "DELETE"},
		}).Handler(handler)
	}
	serve.Run(handler)
}

// requireGroup ends gin's chain if a request is refused. gin.WrapH does not: later handlers would run all the same.
func requireGroup(groups ...string) gin.HandlerFunc {
	middleware := pomerium.RequireGroup(groups...)
	return func(c *gin.Context) {
		refused := true
		middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { refused = false })).ServeHTTP(c.Writer, c.Request)
		if refused {
			c.Abort()
		}
	}
}

func index(c *gin.Context) {
	identity, _ := pomerium.FromContext(c.Request.Context()) // nil if the request passed without one
	c.JSON(http.StatusOK, identity)
}

func anything(c *gin.Context) {
	var subject any
	if identity, found := pomerium.FromContext(c.Request.Context()); found {
		subject = identity.Subject
	}
	c.JSON(http.StatusOK, gin.H{"reached": true, "subject": subject})
}

func socket(c *gin.Context) {
	connection, err := websocket.Accept(c.Writer, c.Request, nil)
	if err != nil {
		return // it has answered
	}
	subject := ""
	if identity, found := pomerium.FromContext(c.Request.Context()); found {
		subject = identity.Subject
	}
	_ = connection.Write(c.Request.Context(), websocket.MessageText, []byte(subject))
	_ = connection.Close(websocket.StatusNormalClosure, "")
}
