package pomerium

import "time"

// A Code is the stable name of a refusal, the same in every language. It is an error to compare with:
//
//	errors.Is(err, pomerium.TokenExpired)
type Code string

// The codes of all refusals. The project's README says for each what to do.
const (
	InvalidOptions      Code = "invalid_options"
	InvalidArgument     Code = "invalid_argument"
	TokenMissing        Code = "token_missing"
	TokenRepeated       Code = "token_repeated"
	TokenTooLarge       Code = "token_too_large"
	TokenMalformed      Code = "token_malformed"
	AlgorithmNotAllowed Code = "algorithm_not_allowed"
	HeaderUnsupported   Code = "header_unsupported"
	KeyNotFound         Code = "key_not_found"
	SignatureInvalid    Code = "signature_invalid"
	ClaimsMalformed     Code = "claims_malformed"
	TokenExpired        Code = "token_expired"
	TokenNotYetValid    Code = "token_not_yet_valid"
	TokenIssuedInFuture Code = "token_issued_in_future"
	TokenTooOld         Code = "token_too_old"
	IssuerMismatch      Code = "issuer_mismatch"
	AudienceMismatch    Code = "audience_mismatch"
	SubjectMissing      Code = "subject_missing"
	ClaimMismatch       Code = "claim_mismatch"
	KeysUnavailable     Code = "keys_unavailable"
	KeysNeeded          Code = "keys_needed"
	KeysEmpty           Code = "keys_empty"
	GroupRequired       Code = "group_required"
	Internal            Code = "internal"
)

// Error is the code itself.
func (c Code) Error() string { return string(c) }

// A Kind says what an error is about.
type Kind string

// The kinds of errors.
const (
	KindOptions  Kind = "options"  // the application's configuration or call is wrong: HTTP 500
	KindToken    Kind = "token"    // the token is refused: HTTP 401
	KindKeys     Kind = "keys"     // there are no keys to judge it with: HTTP 503 with Retry-After
	KindAccess   Kind = "access"   // the user is known and may not do this: HTTP 403
	KindInternal Kind = "internal" // a fault of the library or of the machine: HTTP 500
)

// An Error is why there is no verified identity; every error of a [Verifier] is one.
type Error struct {
	Code Code
	// Number is the stable number of the code.
	Number int
	Kind   Kind
	// Message is one sentence with the facts that help. It is for logs and never for the HTTP client: it may name
	// expected issuers and key ids. It never quotes the token.
	Message string
	// Status is the HTTP status to answer with: 401, 503 or 500.
	Status int
	// RetryAfter is after how many whole seconds another attempt can succeed; 0 where no time helps.
	RetryAfter time.Duration

	cause error
}

// Error is the code and the message, for logs.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is lets [errors.Is] find the code.
func (e *Error) Is(target error) bool { return target == error(e.Code) }

// Unwrap gives the context's error where a context ended the wait for keys, else nil.
func (e *Error) Unwrap() error { return e.cause }

// By the number that the header gives a kind; 0 is no error.
var kinds = [...]struct {
	name   Kind
	status int
}{
	1: {KindOptions, 500},
	2: {KindToken, 401},
	3: {KindKeys, 503},
	4: {KindInternal, 500},
	5: {KindAccess, 403},
}

// newError makes the error of a code of the header.
func newError(code int32, message string) *Error {
	name, kind := describe(code)
	return refusal(answer{code: code, kind: kind, name: name, output: message})
}

func refusal(failed answer) *Error {
	kind := kinds[4]
	if 0 < failed.kind && int(failed.kind) < len(kinds) {
		kind = kinds[failed.kind]
	}
	return &Error{
		Code:    Code(failed.name),
		Number:  int(failed.code),
		Kind:    kind.name,
		Message: failed.output,
		Status:  kind.status,
	}
}
