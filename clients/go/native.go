package pomerium

/*
#include <stdlib.h>
#include <string.h>

#include <pomerium_jwt.h>

// All that one call gives, so that Go crosses into C once for it.
typedef struct {
	int32_t code;
	int32_t kind;
	int32_t status;
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
		.status = pomerium_jwt_code_status(code),
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

static inline pomerium_go_answer pomerium_go_admit(
	const pomerium_jwt_verifier *verifier, const char *token, size_t length, const char *path, size_t path_length,
	int32_t flags, int64_t ticket) {
	char *output, *claims;
	int32_t code = pomerium_jwt_admit(verifier, token, length, path, path_length, flags, &ticket, &output, &claims);
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

static inline pomerium_go_answer pomerium_go_with(
	const pomerium_jwt_verifier *base, const char *options, size_t length, pomerium_jwt_verifier **verifier) {
	char *output;
	int32_t code = pomerium_jwt_verifier_with(base, options, length, verifier, &output);
	return pomerium_go_finish(code, 0, output, NULL);
}

// Of a success the options, and in the place of claims the warning.
static inline pomerium_go_answer pomerium_go_options_over_env(const char *options, size_t length) {
	char *merged, *message;
	int32_t code = pomerium_jwt_options_over_env(options, length, &merged, &message);
	return pomerium_go_finish(code, 0, code == 0 ? merged : message, code == 0 ? message : NULL);
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

static inline pomerium_go_answer pomerium_go_describe(const pomerium_jwt_verifier *verifier) {
	char *output;
	int32_t code = pomerium_jwt_describe(verifier, &output);
	return pomerium_go_finish(code, 0, output, NULL);
}

static inline pomerium_go_answer pomerium_go_metrics(const pomerium_jwt_verifier *verifier) {
	char *output;
	int32_t code = pomerium_jwt_metrics(verifier, &output);
	return pomerium_go_finish(code, 0, output, NULL);
}

static inline void pomerium_go_free(char *output, char *claims) {
	pomerium_jwt_string_free(output);
	pomerium_jwt_string_free(claims);
}

// The library keeps no pointer beyond a call, so what it is given may stay on Go's stack, and it never calls Go.
#cgo noescape pomerium_go_verify
#cgo nocallback pomerium_go_verify
#cgo noescape pomerium_go_admit
#cgo nocallback pomerium_go_admit
#cgo noescape pomerium_go_verify_at
#cgo nocallback pomerium_go_verify_at
#cgo noescape pomerium_go_new
#cgo nocallback pomerium_go_new
#cgo noescape pomerium_go_with
#cgo nocallback pomerium_go_with
#cgo noescape pomerium_go_options_over_env
#cgo nocallback pomerium_go_options_over_env
#cgo nocallback pomerium_go_refresh
#cgo nocallback pomerium_go_status
#cgo nocallback pomerium_go_describe
#cgo nocallback pomerium_go_metrics
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

// native is the library's verifier. Its callers make sure that it has not been freed.
type native struct {
	pointer *C.pomerium_jwt_verifier
}

// answer is what one call gave: of a success the output, of a failure the message in it.
type answer struct {
	code   int32
	kind   int32
	status int
	name   string
	ticket int64
	output string
	claims string
	local  bool // given without asking the library
}

func newNative(options string) (native, answer) {
	var made native
	result := C.pomerium_go_new(pointer(options), length(options), &made.pointer)
	return made, take(result)
}

// with makes a verifier with other request options over the same keys.
func (n native) with(options string) (native, answer) {
	var made native
	result := C.pomerium_go_with(n.pointer, pointer(options), length(options), &made.pointer)
	return made, take(result)
}

// optionsOverEnv returns the merged options as output, and the warning to log as claims.
func optionsOverEnv(options string) answer {
	return take(C.pomerium_go_options_over_env(pointer(options), length(options)))
}

// verify never waits. A ticket of 0 begins a verification, any other is the final call's.
func (n native) verify(token string, ticket int64) answer {
	return take(C.pomerium_go_verify(n.pointer, pointer(token), length(token), C.int64_t(ticket)))
}

// admit never waits either.
func (n native) admit(request Request, ticket int64) answer {
	flags := C.int32_t(0)
	if request.Upgrade {
		flags |= C.POMERIUM_JWT_UPGRADE
	}
	if request.MarkedPublic {
		flags |= C.POMERIUM_JWT_MARKED_PUBLIC
	}
	return take(C.pomerium_go_admit(n.pointer, pointer(request.Token), length(request.Token),
		pointer(request.Path), length(request.Path), flags, C.int64_t(ticket)))
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

// describe starts no fetch, unlike status.
func (n native) describe() answer {
	return take(C.pomerium_go_describe(n.pointer))
}

func (n native) metrics() answer {
	return take(C.pomerium_go_metrics(n.pointer))
}

func (n native) free() {
	C.pomerium_jwt_verifier_free(n.pointer)
}

// failure is the answer for a code of the header that the library was not asked for.
func failure(code int32, message string) answer {
	return answer{
		code:   code,
		kind:   int32(C.pomerium_jwt_code_kind(C.int32_t(code))),
		status: int(C.pomerium_jwt_code_status(C.int32_t(code))),
		name:   C.GoString(C.pomerium_jwt_code_name(C.int32_t(code))),
		output: message,
	}
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

// The codes that this package compares with, or gives without asking the library.
const (
	codePassed          = int32(C.POMERIUM_JWT_PASSED)
	codeInvalidOptions  = int32(C.POMERIUM_JWT_INVALID_OPTIONS)
	codeInvalidArgument = int32(C.POMERIUM_JWT_INVALID_ARGUMENT)
	codeKeysUnavailable = int32(C.POMERIUM_JWT_KEYS_UNAVAILABLE)
	codeKeysNeeded      = int32(C.POMERIUM_JWT_KEYS_NEEDED)
	codeTokenMissing    = int32(C.POMERIUM_JWT_TOKEN_MISSING)
	codeSubjectMissing  = int32(C.POMERIUM_JWT_SUBJECT_MISSING)
	codeGroupRequired   = int32(C.POMERIUM_JWT_GROUP_REQUIRED)
	codeInternal        = int32(C.POMERIUM_JWT_INTERNAL)
)

// take copies an answer into Go's memory and frees it in C's.
func take(from C.pomerium_go_answer) answer {
	taken := answer{
		code:   int32(from.code),
		kind:   int32(from.kind),
		status: int(from.status),
		ticket: int64(from.ticket),
		output: C.GoStringN(from.output, C.int(from.output_length)),
		claims: C.GoStringN(from.claims, C.int(from.claims_length)),
	}
	if taken.code > 0 {
		taken.name = C.GoString(from.name)
	}
	C.pomerium_go_free(from.output, from.claims)
	return taken
}

// pointer and length hand a string to C without a copy. C gets no NUL after it, and NULL for the empty one.
func pointer(text string) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(text)))
}

func length(text string) C.size_t {
	return C.size_t(len(text))
}
