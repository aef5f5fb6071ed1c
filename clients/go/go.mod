module github.com/pomerium-jwt/pomerium-jwt/clients/go

// cgo's noescape and nocallback
go 1.24
