package pomeriumgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	pomeriumgrpc "github.com/pomerium-jwt/pomerium-go/grpc"
	"github.com/pomerium-jwt/pomerium-go/pomeriumtest"
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
	issuer := pomeriumtest.NewIssuer(t)
	const header = "x-pomerium-jwt-assertion"
	good, admin := issuer.Token(nil), issuer.Token(pomeriumtest.Claims{"groups": []string{"admins"}})
	optional := func(o *pomerium.Options) { o.Optional = true }
	exempt := func(paths ...string) func(*pomerium.Options) {
		return func(o *pomerium.Options) { o.ExemptPaths = paths }
	}
	admins := func(o *pomerium.Options) { o.RequireGroup = []string{"admins"} }
	away := func(o *pomerium.Options) { *o = pomerium.Options{Route: []string{"http://127.0.0.1:9"}} } // nobody listens
	authorization := func(o *pomerium.Options) { o.HeaderName = "Authorization" }
	for _, row := range []struct {
		name     string
		change   func(*pomerium.Options)
		metadata []string
		code     codes.Code
		answer   string // the caller of a call that gets through, else the error's message
	}{
		{"good", nil, []string{header, good}, codes.OK, "alice"},
		{"absent", nil, nil, codes.Unauthenticated, "token_missing"},
		{"twice", nil, []string{header, good, header, good}, codes.Unauthenticated, "token_repeated"},
		{"twice, one empty", nil, []string{header, good, header, ""}, codes.Unauthenticated, "token_repeated"},
		{"expired", nil, []string{header, issuer.Expired()}, codes.Unauthenticated, "token_expired"},
		{"no keys", away, []string{header, good}, codes.Unavailable, "keys_unavailable"},
		{"optional, absent", optional, nil, codes.OK, "nobody"},
		{"optional, bad", optional, []string{header, "x"}, codes.Unauthenticated, "token_malformed"},
		{"exempt", exempt(check, watch), nil, codes.OK, "nobody"},
		{"exempt service", exempt("/grpc.health.v1.Health/*"), nil, codes.OK, "nobody"},
		{"another exempt", exempt("/grpc.health.v1.Health"), nil, codes.Unauthenticated, "token_missing"},
		{"group", admins, []string{header, admin}, codes.OK, "alice"},
		{"another group", admins, []string{header, good}, codes.PermissionDenied, "group_required"},
		{"another header", authorization, []string{"authorization", "Bearer " + good}, codes.OK, "alice"},
	} {
		options := issuer.Options()
		if row.change != nil {
			row.change(&options)
		}
		verifier, err := pomerium.New(options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = verifier.Close() })
		client, callers := serve(t, verifier)
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
			if retries := retryAfter(got); (retries > 0) != (row.code == codes.Unavailable) {
				t.Errorf("%s, %s: RetryInfo %v", row.name, method, retries)
			}
		}
	}
}

// retryAfter is what an answer's RetryInfo says, 0 if it has none.
func retryAfter(answer *status.Status) time.Duration {
	for _, detail := range answer.Details() {
		if retry, found := detail.(*errdetails.RetryInfo); found {
			return retry.RetryDelay.AsDuration()
		}
	}
	return 0
}

func TestAClosedVerifierIsInternal(t *testing.T) {
	verifier := pomeriumtest.NewIssuer(t).Verifier()
	client, _ := serve(t, verifier)
	_ = verifier.Close()
	_, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{})
	if got := status.Convert(err); got.Code() != codes.Internal || got.Message() != "invalid_argument" {
		t.Error(err)
	}
}

// Methods and services that do not exist say so to nobody without a token.
func TestUnknownMethodsAreVerifiedToo(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	connection := connect(t, issuer.Verifier(), service{health.NewServer(), make(chan string, 1)})
	for _, method := range []string{"/grpc.health.v1.Health/Nothing", "/no.Service/Method"} {
		for token, expected := range map[string]codes.Code{"": codes.Unauthenticated, issuer.Token(nil): codes.Unimplemented} {
			ctx := metadata.AppendToOutgoingContext(t.Context(), "x-pomerium-jwt-assertion", token)
			err := connection.Invoke(ctx, method, &healthpb.HealthCheckRequest{}, &healthpb.HealthCheckResponse{})
			if status.Code(err) != expected {
				t.Errorf("%s: %v, expected %v", method, err, expected)
			}
		}
	}
}

func TestErrorIsThatOfARefusedCall(t *testing.T) {
	_, err := pomerium.AdmissionFromContext(t.Context()).RequireGroup("admins")
	if got := status.Convert(pomeriumgrpc.Error(err)); got.Code() != codes.Unauthenticated || got.Message() != "token_missing" {
		t.Error(got)
	}
	if other := errors.New("other"); pomeriumgrpc.Error(other) != other || pomeriumgrpc.Error(nil) != nil {
		t.Error("other errors stay as they are")
	}
}

// A handler that forgets Error: the message, which names groups, is not for the client.
func TestWhatAHandlerReturnsIsThatOfARefusedCall(t *testing.T) {
	issuer := pomeriumtest.NewIssuer(t)
	guard := pomerium.NewGuard(issuer.Verifier(), pomerium.WithLogger(slog.New(slog.DiscardHandler)))
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("x-pomerium-jwt-assertion", issuer.Token(nil)))
	demand := func(ctx context.Context) error {
		_, err := pomerium.AdmissionFromContext(ctx).RequireGroup("secret-group")
		return fmt.Errorf("billing: %w", err)
	}
	_, unary := pomeriumgrpc.UnaryInterceptor(guard)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: check},
		func(ctx context.Context, _ any) (any, error) { return nil, demand(ctx) })
	stream := pomeriumgrpc.StreamInterceptor(guard)(nil, serverStream{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: watch},
		func(_ any, stream grpc.ServerStream) error { return demand(stream.Context()) })
	for name, err := range map[string]error{"unary": unary, "stream": stream} {
		if got := status.Convert(err); got.Code() != codes.PermissionDenied || got.Message() != "group_required" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

type serverStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s serverStream) Context() context.Context { return s.ctx }

func TestAnInterceptorTakesAGuard(t *testing.T) {
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

// serve is a real server, and a client of it.
func serve(t *testing.T, verifier *pomerium.Verifier) (healthpb.HealthClient, <-chan string) {
	t.Helper()
	service := service{health.NewServer(), make(chan string, 1)}
	return healthpb.NewHealthClient(connect(t, verifier, service)), service.callers
}

func connect(t *testing.T, verifier *pomerium.Verifier, service service) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	guard := pomerium.NewGuard(verifier, pomerium.WithLogger(slog.New(slog.DiscardHandler)))
	server := grpc.NewServer(
		grpc.UnaryInterceptor(pomeriumgrpc.UnaryInterceptor(guard)),
		grpc.StreamInterceptor(pomeriumgrpc.StreamInterceptor(guard)),
		grpc.UnknownServiceHandler(pomeriumgrpc.UnknownMethod),
	)
	healthpb.RegisterHealthServer(server, service)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}
