/*
 * Verifies the JWT that Pomerium puts into the header X-Pomerium-Jwt-Assertion, strictly and fast.
 *
 *     pomerium_jwt_verifier *verifier;
 *     char *message, *identity;
 *     const char *options = "{\"route\":\"https://app.example.com\"}";
 *     if (pomerium_jwt_verifier_new(options, strlen(options), &verifier, &message) != 0) ...
 *     if (pomerium_jwt_verify(verifier, token, strlen(token), &identity, NULL) == 0) ...
 *     pomerium_jwt_string_free(identity);
 *
 * What holds for every function:
 *
 * - Return value: 0 is success, anything else a code of the list below. Calls may be made from any thread, also several
 *   at once with one verifier, and in the child of a fork(), but not from a signal handler.
 * - Text comes in as pointer and length, and may hold any byte; NULL with length 0 is the empty text. Where there is no
 *   length, it ends with a NUL. It is not kept beyond the call.
 * - Text goes out as UTF-8 that ends with a NUL and belongs to the caller: pomerium_jwt_string_free, not free(). A
 *   message is a sentence for logs and never for the HTTP client; it does not quote the token.
 * - Each out-pointer may be NULL: that result is not wanted. One that is not NULL is always written, with NULL where
 *   there is nothing to give, so that freeing it is always right. `output` and `message` get what the function gives on
 *   success, and the message on failure.
 * - A NULL verifier, or a NULL text with a length, is POMERIUM_JWT_INVALID_ARGUMENT. A fault of the library itself is
 *   POMERIUM_JWT_INTERNAL.
 *
 * Written by cbindgen from ffi-c/src/lib.rs and core/src/error.rs: change those, then run `make header`.
 */


#ifndef POMERIUM_JWT_H
#define POMERIUM_JWT_H

#include <stddef.h>
#include <stdint.h>

// The stable code of a refusal: a name, a number, a kind and a meaning, the same in every language.
//
// Numbers are never reused and names never change. The list is printed to `conformance/codes.json`.
typedef enum {
    // An option is unknown, of the wrong type, out of its range, or the options together make no verifier.
    POMERIUM_JWT_INVALID_OPTIONS = 1,
    // A call was made with an argument it does not take.
    POMERIUM_JWT_INVALID_ARGUMENT = 2,
    // There is no token: the header is absent or empty.
    POMERIUM_JWT_TOKEN_MISSING = 100,
    // There are several tokens, joined by a comma: Pomerium sends exactly one.
    POMERIUM_JWT_TOKEN_REPEATED = 101,
    // The token is longer than `max_token_bytes`.
    POMERIUM_JWT_TOKEN_TOO_LARGE = 102,
    // The text is not a JWS in compact serialization with a strict JSON object as its header.
    POMERIUM_JWT_TOKEN_MALFORMED = 103,
    // The header's `alg` is not one of `algorithms`.
    POMERIUM_JWT_ALGORITHM_NOT_ALLOWED = 104,
    // The header has a `crit`, or a `typ` other than JWT.
    POMERIUM_JWT_HEADER_UNSUPPORTED = 105,
    // No key of the key set fits the header's `kid` and `alg`.
    POMERIUM_JWT_KEY_NOT_FOUND = 106,
    // The signature does not hold under the key.
    POMERIUM_JWT_SIGNATURE_INVALID = 107,
    // The payload is not a strict JSON object, or a registered claim has the wrong type or range.
    POMERIUM_JWT_CLAIMS_MALFORMED = 108,
    // `exp` has passed.
    POMERIUM_JWT_TOKEN_EXPIRED = 109,
    // `nbf` has not come yet.
    POMERIUM_JWT_TOKEN_NOT_YET_VALID = 110,
    // `iat` lies in the future.
    POMERIUM_JWT_TOKEN_ISSUED_IN_FUTURE = 111,
    // `iat` lies further back than `max_token_age`.
    POMERIUM_JWT_TOKEN_TOO_OLD = 112,
    // `iss` is not an expected issuer.
    POMERIUM_JWT_ISSUER_MISMATCH = 113,
    // `aud` holds no expected audience, or not the host of an issuer matched by a pattern.
    POMERIUM_JWT_AUDIENCE_MISMATCH = 114,
    // `sub` is missing or empty: nobody is signed in.
    POMERIUM_JWT_SUBJECT_MISSING = 115,
    // A claim is not what `expect_claims` demands.
    POMERIUM_JWT_CLAIM_MISMATCH = 116,
    // There are no keys to check with, and the key source did not give any.
    POMERIUM_JWT_KEYS_UNAVAILABLE = 200,
    // The keys have to be fetched first: call `refresh`, then ask again with the ticket.
    POMERIUM_JWT_KEYS_NEEDED = 201,
    // The key set has no usable key.
    POMERIUM_JWT_KEYS_EMPTY = 202,
    // A fault of this library or of the machine.
    POMERIUM_JWT_INTERNAL = 900,
} pomerium_jwt_code;

// Checks tokens against one set of options. Immutable once made: threads may share it without a lock.
typedef struct pomerium_jwt_verifier pomerium_jwt_verifier;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Makes a verifier from options, a JSON object such as `{"route":"https://app.example.com"}`; the README lists all.
// Touches no network; files named in the options are read now. On success `*verifier` is to be freed with
// pomerium_jwt_verifier_free; with a NULL `verifier` the options are checked and nothing is made. On failure `*message`
// says what to write instead.
int32_t pomerium_jwt_verifier_new(const char *options, size_t len, pomerium_jwt_verifier **verifier, char **message);

// As pomerium_jwt_verifier_new, but one verifier per process for these bytes of options: equal bytes give the same
// verifier, with its keys. For hosts whose objects die with each request. It is never freed; at most 64 different
// texts can be shared. A failed construction is not kept.
int32_t pomerium_jwt_verifier_shared(const char *options,
                                     size_t len,
                                     const pomerium_jwt_verifier **verifier,
                                     char **message);

// The options of the environment variables `POMERIUM_JWT_<OPTION>`, as a JSON object for the two functions above. The
// program must not change its environment meanwhile. On failure `*message` names the variable.
int32_t pomerium_jwt_options_from_env(char **options, char **message);

// Who sent this token: the raw text of the header X-Pomerium-Jwt-Assertion, empty if there was none, several values
// joined by commas. On success `*output` is the identity and `*claims` the verified payload, both JSON objects. On failure
// `*output` is a sentence for the log, never for the HTTP client. Where keys have to be fetched first it waits for them,
// at most `timeout`.
int32_t pomerium_jwt_verify(const pomerium_jwt_verifier *verifier,
                            const char *token,
                            size_t len,
                            char **output,
                            char **claims);

// As pomerium_jwt_verify, at the time `now` in Unix seconds, 0 to 2^53-1, instead of the clock's. Uses the keys at
// hand and fetches none.
int32_t pomerium_jwt_verify_at(const pomerium_jwt_verifier *verifier,
                               const char *token,
                               size_t len,
                               int64_t now,
                               char **output,
                               char **claims);

// As pomerium_jwt_verify, but never waits: for hosts with a scheduler of their own. `*ticket` is 0 on the first call of
// a request. POMERIUM_JWT_KEYS_NEEDED writes the ticket and asks for one pomerium_jwt_refresh(verifier, 0, ...) on a
// thread that may wait; the next call with this ticket is final. With a NULL `ticket` the call is final at once.
int32_t pomerium_jwt_verify_cached(const pomerium_jwt_verifier *verifier,
                                   const char *token,
                                   size_t len,
                                   int64_t *ticket,
                                   char **output,
                                   char **claims);

// Brings the keys up to date, and waits for that at most `timeout`. `force` 0: joins a fetch in flight, or starts one
// if it is due, else does nothing. 1, for warming up and for operators: fetches at once, at most once a second. On
// failure `*message` is the reason.
int32_t pomerium_jwt_refresh(const pomerium_jwt_verifier *verifier, int32_t force, char **message);

// The state of keys and counters as a JSON object, for metrics and alerts. Never waits and never fetches. Its
// "next_attempt", in seconds, is what an HTTP 503 says in Retry-After.
int32_t pomerium_jwt_status(const pomerium_jwt_verifier *verifier, char **output);

// One member of an identity, claims or status text, to be freed with pomerium_jwt_string_free: a string unescaped,
// any other value as its JSON text. NULL if it is absent, null, or a string that holds U+0000, if an argument is NULL,
// and if `object` is no JSON object.
char *pomerium_jwt_get(const char *object, const char *name);

// Frees a verifier, on which no call may run. NULL is fine; a shared one stays.
void pomerium_jwt_verifier_free(pomerium_jwt_verifier *verifier);

// Frees a text that this library wrote. NULL is fine.
void pomerium_jwt_string_free(char *string);

// The stable name of a code, such as token_expired: "ok" for 0, "internal" for unknown numbers. Not to be freed.
const char *pomerium_jwt_code_name(int32_t code);

// What a code is about: 0 ok; 1 options, answer with HTTP 500; 2 token, 401; 3 keys, 503 with Retry-After;
// 4 internal and unknown numbers, 500.
int32_t pomerium_jwt_code_kind(int32_t code);

// Rises only when something that exists changes its meaning; functions, codes and options are added without.
uint32_t pomerium_jwt_abi_version(void);

// The version of the library, such as "0.1.0". Not to be freed.
const char *pomerium_jwt_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* POMERIUM_JWT_H */
