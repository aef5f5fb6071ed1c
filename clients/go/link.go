package pomerium

// The installed library: see `make install`. `make go-package` adds a file that links the static library which it packs
// into the module, and leaves this one to other platforms.

// #cgo pkg-config: pomerium_jwt
import "C"
