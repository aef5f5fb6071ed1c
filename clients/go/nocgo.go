//go:build !cgo

package pomerium

// The compiler's one complaint is this text.
var _ struct{} = "pomerium needs cgo: set CGO_ENABLED=1 and install a C compiler (for another platform, a cross compiler as CC)"
