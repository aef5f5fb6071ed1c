module github.com/pomerium-jwt/pomerium-jwt/examples/go

go 1.24

require (
	github.com/coder/websocket v1.8.15
	github.com/pomerium-jwt/pomerium-go v0.1.0
	github.com/rs/cors v1.11.1
)

replace github.com/pomerium-jwt/pomerium-go => ../../clients/go
