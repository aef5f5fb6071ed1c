package frameworks

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	pomerium "github.com/pomerium-jwt/pomerium-jwt/clients/go"
	"github.com/pomerium-jwt/pomerium-jwt/clients/go/pomeriumtest"
)

func TestFrameworks(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	issuer := pomeriumtest.NewIssuer(t)
	good, admin := issuer.Token(nil), issuer.Token(pomeriumtest.Claims{"groups": []string{"admins"}})
	for name, application := range map[string]func(*pomerium.Verifier) http.Handler{
		"chi": withChi, "gin": withGin, "echo": withEcho,
	} {
		server := httptest.NewServer(application(issuer.Verifier()))
		t.Cleanup(server.Close)
		for _, row := range []struct {
			path   string
			tokens []string
			status int
			body   string
		}{
			{"/", []string{good}, 200, "alice@example.com"},
			{"/", nil, 401, `{"error":"token_missing"}`},
			{"/", []string{good, good}, 401, `{"error":"token_repeated"}`},
			{"/", []string{issuer.Expired()}, 401, `{"error":"token_expired"}`},
			{"/nowhere", nil, 401, `{"error":"token_missing"}`},
			{"/admin", []string{admin}, 200, "admin"},
			{"/admin", []string{good}, 403, `{"error":"group_required"}`},
		} {
			request, err := http.NewRequest(http.MethodGet, server.URL+row.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header[pomeriumtest.Header] = row.tokens
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode != row.status || string(body) != row.body {
				t.Errorf("%s %s: %d %s, expected %d %s", name, row.path, response.StatusCode, body, row.status, row.body)
			}
		}
	}
}

func TestGRPC(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := withGRPC(pomeriumtest.NewIssuer(t).Verifier())
	healthpb.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	client := healthpb.NewHealthClient(connection)
	if _, err := client.Check(context.Background(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("the exempt method: %v", err)
	}
	if _, err := client.List(context.Background(), &healthpb.HealthListRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("another method: %v", err)
	}
	_ = connection.Close()
}
