module github.com/pomerium-jwt/pomerium-jwt/examples/go

go 1.24

require github.com/pomerium-jwt/pomerium-jwt/clients/go v0.1.0

replace github.com/pomerium-jwt/pomerium-jwt/clients/go => ../../clients/go
