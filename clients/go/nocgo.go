//go:build !cgo

package pomerium

// The compiler's complaint about this name says what to do.
var _ = pomerium_jwt_needs_cgo_so_build_with_CGO_ENABLED_1_and_a_C_compiler
