// Package pomeriumgrpc has gRPC servers verify the JWT that Pomerium sends with every call.
//
//	gate := pomerium.NewGate(verifier)
//	grpc.NewServer(
//		grpc.UnaryInterceptor(pomeriumgrpc.UnaryInterceptor(gate)),
//		grpc.StreamInterceptor(pomeriumgrpc.StreamInterceptor(gate)),
//	)
//
// A handler asks [pomerium.FromContext] for the identity. A refused call ends with Unauthenticated, PermissionDenied
// (WithRequireGroup), Unavailable where there are no keys, or Internal, and the refusal's code as its message.
package pomeriumgrpc

import (
	"context"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pomerium "github.com/pomerium-jwt/pomerium-jwt/clients/go"
)

// UnaryInterceptor lets verified calls pass to their handler. It panics if the gate is nil.
func UnaryInterceptor(gate *pomerium.Gate) grpc.UnaryServerInterceptor {
	demand(gate)
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx, err := admit(ctx, gate, info.FullMethod)
		if err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

// StreamInterceptor lets verified streams pass to their handler. A stream is checked when it is opened and outlives its
// token: see [pomerium.ExpiryContext]. It panics if the gate is nil.
func StreamInterceptor(gate *pomerium.Gate) grpc.StreamServerInterceptor {
	demand(gate)
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		ctx, err := admit(stream.Context(), gate, info.FullMethod)
		if err != nil {
			return err
		}
		return handler(server, verifiedStream{stream, ctx})
	}
}

type verifiedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s verifiedStream) Context() context.Context { return s.ctx }

func admit(ctx context.Context, gate *pomerium.Gate, method string) (context.Context, error) {
	ctx, refusal := gate.Admit(ctx, metadata.ValueFromIncomingContext(ctx, gate.HeaderName()), method)
	if refusal != nil {
		return nil, status.Error(code(refusal.Status), refusal.Code)
	}
	return ctx, nil
}

func code(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	default:
		return codes.Internal
	}
}

func demand(gate *pomerium.Gate) {
	if gate == nil {
		panic("pomeriumgrpc: an interceptor takes a gate, not nil")
	}
}
