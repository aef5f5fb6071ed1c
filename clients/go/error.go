//go:build cgo

package pomerium

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// A Code is the stable name of a refusal, the same in every language. It is an error to compare with:
//
//	errors.Is(err, pomerium.ErrTokenExpired)
type Code string

// The codes of all refusals.
const (
	ErrInvalidOptions      Code = "invalid_options"
	ErrInvalidArgument     Code = "invalid_argument"
	ErrTokenMissing        Code = "token_missing"
	ErrTokenRepeated       Code = "token_repeated"
	ErrTokenTooLarge       Code = "token_too_large"
	ErrTokenMalformed      Code = "token_malformed"
	ErrAlgorithmNotAllowed Code = "algorithm_not_allowed"
	ErrHeaderUnsupported   Code = "header_unsupported"
	ErrKeyNotFound         Code = "key_not_found"
	ErrSignatureInvalid    Code = "signature_invalid"
	ErrClaimsMalformed     Code = "claims_malformed"
	ErrTokenExpired        Code = "token_expired"
	ErrTokenNotYetValid    Code = "token_not_yet_valid"
	ErrTokenIssuedInFuture Code = "token_issued_in_future"
	ErrTokenTooOld         Code = "token_too_old"
	ErrIssuerMismatch      Code = "issuer_mismatch"
	ErrAudienceMismatch    Code = "audience_mismatch"
	ErrSubjectMissing      Code = "subject_missing"
	ErrClaimMismatch       Code = "claim_mismatch"
	ErrKeysUnavailable     Code = "keys_unavailable"
	ErrKeysNeeded          Code = "keys_needed"
	ErrKeysEmpty           Code = "keys_empty"
	ErrGroupRequired       Code = "group_required"
	ErrInternal            Code = "internal"
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

// An Error is why a token or a request was refused; every error of a [Verifier] is one.
type Error struct {
	Code Code
	// Number is the stable number of the code.
	Number int
	Kind   Kind
	// Message is one sentence with the facts that help. It is for logs and never for the HTTP client: it may name
	// expected issuers and key ids.
	Message string
	// Status is the HTTP status to answer with: 401, 403, 503 or 500.
	Status int
	// RetryAfter is after how many whole seconds another attempt can succeed; 0 if no time helps.
	RetryAfter time.Duration

	response *response // as the library gives it with an admission, else nil
	cause    error
}

// response is the rest of the HTTP response.
type response struct {
	Headers    map[string]string `json:"headers"`
	RetryAfter *int64            `json:"retry_after"`
	Body       string            `json:"body"`
	Message    string            `json:"message"`
}

// Error is the code and the message, for logs.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is lets [errors.Is] find the code.
func (e *Error) Is(target error) bool { return target == error(e.Code) }

// Unwrap returns the context's error if a context ended the wait for keys, else nil.
func (e *Error) Unwrap() error { return e.cause }

// Header returns the headers of the response to send with Status and Body.
func (e *Error) Header() http.Header {
	header := http.Header{}
	if e.response != nil {
		for name, value := range e.response.Headers {
			header.Set(name, value)
		}
		return header
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	if e.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	if e.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64(e.RetryAfter/time.Second), 10))
	}
	return header
}

// Body is the body of the response, {"error":"token_expired"}: the code and nothing else.
func (e *Error) Body() string {
	if e.response != nil {
		return e.response.Body
	}
	return fmt.Sprintf(`{"error":%q}`, string(e.Code))
}

// By the number that the header gives a kind; 0 is not an error.
var kinds = [...]Kind{1: KindOptions, 2: KindToken, 3: KindKeys, 4: KindInternal, 5: KindAccess}

// newError makes the error of a code of the header.
func newError(code int32, message string) *Error { return refusal(failure(code, message)) }

func refusal(failed answer) *Error {
	kind := KindInternal
	if 0 < failed.kind && int(failed.kind) < len(kinds) {
		kind = kinds[failed.kind]
	}
	return &Error{
		Code:    Code(failed.name),
		Number:  int(failed.code),
		Kind:    kind,
		Message: failed.output,
		Status:  failed.status,
	}
}

// admissionRefusal makes the error of an admission, of which the library writes the whole response.
func admissionRefusal(failed answer) *Error {
	response := &response{}
	if err := json.Unmarshal([]byte(failed.output), response); err != nil {
		return newError(codeInternal, "the library's refusal cannot be read: "+err.Error())
	}
	refused := refusal(failed)
	refused.Message, refused.response = response.Message, response
	if response.RetryAfter != nil {
		refused.RetryAfter = time.Duration(*response.RetryAfter) * time.Second
	}
	return refused
}
