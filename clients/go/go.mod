module github.com/pomerium-jwt/pomerium-go

// cgo's noescape and nocallback
go 1.24
