package pomerium

/*
#include <stdlib.h>
#include <string.h>

#include <pomerium_jwt.h>

// All that one call gives, so that Go crosses into C once for it.
typedef struct {
	int32_t code;
	int32_t kind;
	const char *name;
	int64_t ticket;
	char *output;
	size_t output_length;
	char *claims;
	size_t claims_length;
} pomerium_go_answer;

static inline pomerium_go_answer pomerium_go_finish(int32_t code, int64_t ticket, char *output, char *claims) {
	return (pomerium_go_answer){
		.code = code,
		.kind = pomerium_jwt_code_kind(code),
		.name = pomerium_jwt_code_name(code),
		.ticket = ticket,
		.output = output,
		.output_length = output ? strlen(output) : 0,
		.claims = claims,
		.claims_length = claims ? strlen(claims) : 0,
	};
}

static inline pomerium_go_answer pomerium_go_verify(
	const pomerium_jwt_verifier *verifier, const char *token, size_t length, int64_t ticket) {
	char *output, *claims;
	int32_t code = pomerium_jwt_verify_cached(verifier, token, length, &ticket, &output, &claims);
	return pomerium_go_finish(code, ticket, output, claims);
}

static inline pomerium_go_answer pomerium_go_verify_at(
	const pomerium_jwt_verifier *verifier, const char *token, size_t length, int64_t now) {
	char *output, *claims;
	int32_t code = pomerium_jwt_verify_at(verifier, token, length, now, &output, &claims);
	return pomerium_go_finish(code, 0, output, claims);
}

static inline pomerium_go_answer pomerium_go_new(
	const char *options, size_t length, pomerium_jwt_verifier **verifier) {
	char *output;
	int32_t code = pomerium_jwt_verifier_new(options, length, verifier, &output);
	return pomerium_go_finish(code, 0, output, NULL);
}

static inline pomerium_go_answer pomerium_go_options_from_env(void) {
	char *options, *message;
	int32_t code = pomerium_jwt_options_from_env(&options, &message);
	return pomerium_go_finish(code, 0, code == 0 ? options : message, NULL);
}

static inline pomerium_go_answer pomerium_go_refresh(const pomerium_jwt_verifier *verifier, int32_t force) {
	char *message;
	int32_t code = pomerium_jwt_refresh(verifier, force, &message);
	return pomerium_go_finish(code, 0, message, NULL);
}

static inline pomerium_go_answer pomerium_go_status(const pomerium_jwt_verifier *verifier) {
	char *output;
	int32_t code = pomerium_jwt_status(verifier, &output);
	return pomerium_go_finish(code, 0, output, NULL);
}

static inline void pomerium_go_free(char *output, char *claims) {
	pomerium_jwt_string_free(output);
	pomerium_jwt_string_free(claims);
}

// The library keeps no pointer beyond a call, so what it is given may stay on Go's stack, and it never calls Go.
#cgo noescape pomerium_go_verify
#cgo nocallback pomerium_go_verify
#cgo noescape pomerium_go_verify_at
#cgo nocallback pomerium_go_verify_at
#cgo noescape pomerium_go_new
#cgo nocallback pomerium_go_new
#cgo nocallback pomerium_go_options_from_env
#cgo nocallback pomerium_go_refresh
#cgo nocallback pomerium_go_status
#cgo nocallback pomerium_go_free
*/
import "C"

import (
	"fmt"
	"sync"
	"unsafe"
)

// What this package is written for: see pomerium_jwt_abi_version in the header.
const abiVersion = 1

// native is the library's verifier. Whoever calls it sees to it that it has not been freed.
type native struct {
	pointer *C.pomerium_jwt_verifier
}

// answer is what one call gave: of a success the output, of a failure the message in it.
type answer struct {
	code   int32
	kind   int32
	name   string
	ticket int64
	output string
	claims string
}

func newNative(options string) (native, answer) {
	var made native
	result := C.pomerium_go_new(pointer(options), length(options), &made.pointer)
	return made, take(result)
}

func optionsFromEnv() answer {
	return take(C.pomerium_go_options_from_env())
}

// verify never waits. A ticket of 0 begins a verification, any other is the final call's.
func (n native) verify(token string, ticket int64) answer {
	return take(C.pomerium_go_verify(n.pointer, pointer(token), length(token), C.int64_t(ticket)))
}

func (n native) verifyAt(token string, now int64) answer {
	return take(C.pomerium_go_verify_at(n.pointer, pointer(token), length(token), C.int64_t(now)))
}

// refresh keeps a thread of the system while it waits for the key source.
func (n native) refresh(force bool) answer {
	number := C.int32_t(0)
	if force {
		number = 1
	}
	return take(C.pomerium_go_refresh(n.pointer, number))
}

func (n native) status() answer {
	return take(C.pomerium_go_status(n.pointer))
}

func (n native) free() {
	C.pomerium_jwt_verifier_free(n.pointer)
}

// describe gives the name and the kind of a code of the header.
func describe(code int32) (name string, kind int32) {
	return C.GoString(C.pomerium_jwt_code_name(C.int32_t(code))), int32(C.pomerium_jwt_code_kind(C.int32_t(code)))
}

// checkABI says, once for the whole process, whether the library is one that this package knows how to call.
var checkABI = sync.OnceValue(func() error {
	return judgeABI(uint32(C.pomerium_jwt_abi_version()), C.GoString(C.pomerium_jwt_version()))
})

func judgeABI(found uint32, version string) error {
	if found == abiVersion {
		return nil
	}
	return newError(codeInternal, fmt.Sprintf("libpomerium_jwt %s has the ABI version %d, and this Go package is for %d: "+
		"install the library of the same release", version, found, abiVersion))
}

// The codes of what is refused without the library being asked.
const (
	codeInvalidOptions  = int32(C.POMERIUM_JWT_INVALID_OPTIONS)
	codeInvalidArgument = int32(C.POMERIUM_JWT_INVALID_ARGUMENT)
	codeKeysUnavailable = int32(C.POMERIUM_JWT_KEYS_UNAVAILABLE)
	codeKeysNeeded      = int32(C.POMERIUM_JWT_KEYS_NEEDED)
	codeInternal        = int32(C.POMERIUM_JWT_INTERNAL)
)

// take copies an answer into Go's memory and frees it in C's.
func take(from C.pomerium_go_answer) answer {
	taken := answer{
		code:   int32(from.code),
		kind:   int32(from.kind),
		ticket: int64(from.ticket),
		output: C.GoStringN(from.output, C.int(from.output_length)),
		claims: C.GoStringN(from.claims, C.int(from.claims_length)),
	}
	if taken.code != 0 {
		taken.name = C.GoString(from.name)
	}
	C.pomerium_go_free(from.output, from.claims)
	return taken
}

// pointer and length hand a string to C without a copy. C gets no NUL behind it, and NULL for the empty one.
func pointer(text string) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(text)))
}

func length(text string) C.size_t {
	return C.size_t(len(text))
}
