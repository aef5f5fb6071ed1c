// Package pomeriumgrpc has gRPC servers verify the JWT that Pomerium sends with every call.
//
//	guard := pomerium.NewGuard(verifier)
//	grpc.NewServer(
//		grpc.UnaryInterceptor(pomeriumgrpc.UnaryInterceptor(guard)),
//		grpc.StreamInterceptor(pomeriumgrpc.StreamInterceptor(guard)),
//		grpc.UnknownServiceHandler(pomeriumgrpc.UnknownMethod),
//	)
//
// The last line is for methods that do not exist: without it gRPC answers them to anybody, before any interceptor.
//
// A handler asks [pomerium.FromContext] for the identity. A refused call ends with Unauthenticated, PermissionDenied,
// Unavailable with RetryInfo if there are no keys, or Internal, and the refusal's code as its message. The options
// ExemptPaths and HeaderName take full methods, /package.Service/Method, and names of metadata.
package pomeriumgrpc

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pomerium "github.com/pomerium-jwt/pomerium-go"
)

// UnaryInterceptor lets admitted calls through to their handler. It panics if the guard is nil.
func UnaryInterceptor(guard *pomerium.Guard) grpc.UnaryServerInterceptor {
	demand(guard)
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx, err := admit(ctx, guard, info.FullMethod)
		if err != nil {
			return nil, err
		}
		response, err := handler(ctx, request)
		return response, Error(err)
	}
}

// StreamInterceptor lets admitted streams through to their handler. A stream is checked when it is opened and outlives
// its token: see [pomerium.ExpiryContext]. It panics if the guard is nil.
func StreamInterceptor(guard *pomerium.Guard) grpc.StreamServerInterceptor {
	demand(guard)
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		ctx, err := admit(stream.Context(), guard, info.FullMethod)
		if err != nil {
			return err
		}
		return Error(handler(server, admittedStream{stream, ctx}))
	}
}

// UnknownMethod answers methods that do not exist with Unimplemented, after the stream interceptor.
func UnknownMethod(any, grpc.ServerStream) error {
	return status.Error(codes.Unimplemented, "unknown method")
}

// Error makes of the error of [pomerium.Admission.RequireUser] or RequireGroup the same as for a refused call. Other
// errors stay as they are. The interceptors do so with what handlers return; call it if none of them is in front.
func Error(err error) error {
	var refused *pomerium.Error
	if !errors.As(err, &refused) {
		return err
	}
	answer := status.New(code(refused.Status), string(refused.Code))
	if refused.RetryAfter > 0 {
		retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(refused.RetryAfter)}
		if detailed, err := answer.WithDetails(retry); err == nil {
			answer = detailed
		}
	}
	return answer.Err()
}

type admittedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s admittedStream) Context() context.Context { return s.ctx }

func admit(ctx context.Context, guard *pomerium.Guard, method string) (context.Context, error) {
	values := metadata.ValueFromIncomingContext(ctx, guard.HeaderName())
	ctx, err := guard.Admit(ctx, pomerium.Request{Token: strings.Join(values, ","), Path: method})
	if err != nil {
		return nil, Error(err)
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

func demand(guard *pomerium.Guard) {
	if guard == nil {
		panic("pomeriumgrpc: the guard is nil: make one with pomerium.NewGuard")
	}
}
