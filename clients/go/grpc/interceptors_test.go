package pomeriumgrpc_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pomerium "github.com/pomerium-jwt/pomerium-jwt/clients/go"
	pomeriumgrpc "github.com/pomerium-jwt/pomerium-jwt/clients/go/grpc"
	"github.com/pomerium-jwt/pomerium-jwt/clients/go/pomeriumtest"
)

const check, watch = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"

// service is gRPC's own health service, which notes who has called it.
type service struct {
	*health.Server
	callers chan string
}

func (s service) Check(ctx context.Context, in *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	s.callers <- caller(ctx)
	return s.Server.Check(ctx, in)
}

func (s service) Watch(in *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	s.callers <- caller(stream.Context())
	return stream.Send(&healthpb.HealthCheckResponse{})
}

func caller(ctx context.Context) string {
	if identity, found := pomerium.FromContext(ctx); found {
		return identity.Subject
	}
	return "nobody"
}

func TestWhoGetsIn(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	issuer := pomeriumtest.NewIssuer(t)
	away, err := pomerium.NewForRoute("http://127.0.0.1:9") // the discard port: nobody listens
	if err != nil {
		t.Fatal(err)
	}
	closed := issuer.Verifier()
	_ = closed.Close()
	const header = "x-pomerium-jwt-assertion"
	good, admin := issuer.Token(nil), issuer.Token(pomeriumtest.Claims{"groups": []string{"admins"}})
	for _, row := range []struct {
		name     string
		gate     *pomerium.Gate
		metadata []string
		code     codes.Code
		answer   string // the caller of a call that passes, else the error's message
	}{
		{"good", gate(issuer), []string{header, good}, codes.OK, "alice"},
		{"absent", gate(issuer), nil, codes.Unauthenticated, "token_missing"},
		{"twice", gate(issuer), []string{header, good, header, good}, codes.Unauthenticated, "token_repeated"},
		{"expired", gate(issuer), []string{header, issuer.Expired()}, codes.Unauthenticated, "token_expired"},
		{"no keys", pomerium.NewGate(away), []string{header, good}, codes.Unavailable, "keys_unavailable"},
		{"closed", pomerium.NewGate(closed), []string{header, good}, codes.Internal, "invalid_argument"},
		{"optional, absent", gate(issuer, pomerium.WithOptional()), nil, codes.OK, "nobody"},
		{"optional, bad", gate(issuer, pomerium.WithOptional()), []string{header, "x"}, codes.Unauthenticated, "token_malformed"},
		{"exempt", gate(issuer, pomerium.WithExemptPaths(check, watch)), nil, codes.OK, "nobody"},
		{"another exempt", gate(issuer, pomerium.WithExemptPaths("/grpc.health.v1.Health/")), nil, codes.Unauthenticated, "token_missing"},
		{"group", gate(issuer, pomerium.WithRequireGroup("admins")), []string{header, admin}, codes.OK, "alice"},
		{"another group", gate(issuer, pomerium.WithRequireGroup("admins")), []string{header, good}, codes.PermissionDenied, "group_required"},
		{"another header", gate(issuer, pomerium.WithHeaderName("Authorization")), []string{"authorization", "Bearer " + good}, codes.OK, "alice"},
	} {
		client, callers := serve(t, row.gate)
		ctx := metadata.AppendToOutgoingContext(t.Context(), row.metadata...)
		for method, call := range map[string]func() error{
			"unary": func() error {
				_, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
				return err
			},
			"stream": func() error {
				stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
				if err != nil {
					return err
				}
				for err == nil {
					_, err = stream.Recv()
				}
				if err == io.EOF {
					return nil
				}
				return err
			},
		} {
			got := status.Convert(call())
			answer := got.Message()
			if got.Code() == codes.OK {
				answer = <-callers
			}
			if got.Code() != row.code || answer != row.answer {
				t.Errorf("%s, %s: %v %q, expected %v %q", row.name, method, got.Code(), answer, row.code, row.answer)
			}
		}
	}
}

func TestAnInterceptorTakesAGate(t *testing.T) {
	for name, construct := range map[string]func(){
		"unary":  func() { pomeriumgrpc.UnaryInterceptor(nil) },
		"stream": func() { pomeriumgrpc.StreamInterceptor(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: it should not start", name)
				}
			}()
			construct()
		}()
	}
}

func gate(issuer *pomeriumtest.Issuer, options ...pomerium.GateOption) *pomerium.Gate {
	return pomerium.NewGate(issuer.Verifier(), options...)
}

// serve is a real server, and a client of it.
func serve(t *testing.T, gate *pomerium.Gate) (healthpb.HealthClient, <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(
		grpc.UnaryInterceptor(pomeriumgrpc.UnaryInterceptor(gate)),
		grpc.StreamInterceptor(pomeriumgrpc.StreamInterceptor(gate)),
	)
	service := service{health.NewServer(), make(chan string, 1)}
	healthpb.RegisterHealthServer(server, service)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return healthpb.NewHealthClient(connection), service.callers
}
