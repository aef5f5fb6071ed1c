package pomerium

// The installed library: see `make install`. `make go-package` puts a file in this one's place that links the static
// library which it packs into the module.

// #cgo pkg-config: pomerium_jwt
import "C"
