package frameworks

import (
	"google.golang.org/grpc"

	pomerium "github.com/pomerium-jwt/pomerium-jwt/clients/go"
	pomeriumgrpc "github.com/pomerium-jwt/pomerium-jwt/clients/go/grpc"
)

func withGRPC(verifier *pomerium.Verifier) *grpc.Server {
	gate := pomerium.NewGate(verifier, pomerium.WithExemptPaths("/grpc.health.v1.Health/Check"))
	return grpc.NewServer(
		grpc.UnaryInterceptor(pomeriumgrpc.UnaryInterceptor(gate)),
		grpc.StreamInterceptor(pomeriumgrpc.StreamInterceptor(gate)),
	) // handlers ask pomerium.FromContext(ctx) for the identity
}
