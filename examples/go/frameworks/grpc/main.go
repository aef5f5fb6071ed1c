// Command grpc is a gRPC server behind Pomerium, with gRPC's own health service.
package main

import (
	"cmp"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	pomerium "github.com/pomerium-jwt/pomerium-go"
	pomeriumgrpc "github.com/pomerium-jwt/pomerium-go/grpc"
)

func main() {
	verifier, err := pomerium.NewOverEnv(pomerium.Options{ExemptPaths: []string{"/grpc.health.v1.Health/Check"}})
	if err != nil {
		log.Fatal(err)
	}
	guard := pomerium.NewGuard(verifier, pomerium.WithLogger(slog.Default()))
	server := grpc.NewServer(
		grpc.UnaryInterceptor(pomeriumgrpc.UnaryInterceptor(guard)),
		grpc.StreamInterceptor(pomeriumgrpc.StreamInterceptor(guard)),
		grpc.UnknownServiceHandler(pomeriumgrpc.UnknownMethod),
	) // handlers ask pomerium.FromContext(ctx) for the identity
	healthpb.RegisterHealthServer(server, health.NewServer())

	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "8080"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
