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
 * - Return value: unless its comment says otherwise, a function that gives int32_t gives 0 for success and else a code
 *   of the list below. pomerium_jwt_admit has one more answer, POMERIUM_JWT_PASSED.
 * - Any thread may call any function, several threads at once may use one verifier, and so may the child of a fork(). A
 *   signal handler may not call any. A call needs at most 64 KiB of stack.
 * - Text comes in as a pointer and a length in bytes, and may hold any byte; NULL with length 0 is the empty text. Text
 *   without a length ends with a NUL. The library does not keep the pointer after the call.
 * - Text goes out as UTF-8 that ends with a NUL and belongs to the caller: free it with pomerium_jwt_string_free, not
 *   with free(). A message is a sentence for logs and never for the HTTP client. Of a token whose signature has not
 *   been verified it quotes at most the kid, and that only if it is 1 to 64 of A-Z a-z 0-9 - _.
 * - Each out-pointer may be NULL if the result is not wanted. One that is not NULL is always written, with NULL if there
 *   is nothing to give, so that freeing it is always right.
 * - A NULL verifier, or a NULL text with a length, is POMERIUM_JWT_INVALID_ARGUMENT. A fault in the library itself is
 *   POMERIUM_JWT_INTERNAL. If memory runs out the library ends the process.
 *
 * Written by cbindgen from ffi-c/src/ and core/src/code.rs: change those, then run `make header`.
 */


#ifndef POMERIUM_JWT_H
#define POMERIUM_JWT_H

#include <stddef.h>
#include <stdint.h>

// The stable code of a refusal: a name, a number, a kind and a meaning, the same in every language.
//
// Numbers are never reused and names never change. The list is printed to `conformance/codes.json`.
typedef enum {
    // An option is unknown, of the wrong type or out of its range, or the options contradict each other.
    POMERIUM_JWT_INVALID_OPTIONS = 1,
    // A function was called with an invalid argument.
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
    // The signature is not valid under the key.
    POMERIUM_JWT_SIGNATURE_INVALID = 107,
    // The payload is not a strict JSON object, or a registered claim has the wrong type or range.
    POMERIUM_JWT_CLAIMS_MALFORMED = 108,
    // `exp` has passed.
    POMERIUM_JWT_TOKEN_EXPIRED = 109,
    // `nbf` is in the future.
    POMERIUM_JWT_TOKEN_NOT_YET_VALID = 110,
    // `iat` is in the future.
    POMERIUM_JWT_TOKEN_ISSUED_IN_FUTURE = 111,
    // `iat` is longer ago than `max_token_age`.
    POMERIUM_JWT_TOKEN_TOO_OLD = 112,
    // `iss` is not an expected issuer.
    POMERIUM_JWT_ISSUER_MISMATCH = 113,
    // `aud` holds no expected audience, or not the host of an issuer matched by a pattern.
    POMERIUM_JWT_AUDIENCE_MISMATCH = 114,
    // `sub` is missing or empty: nobody is signed in.
    POMERIUM_JWT_SUBJECT_MISSING = 115,
    // A claim does not have a value that `expect_claims` accepts.
    POMERIUM_JWT_CLAIM_MISMATCH = 116,
    // There are no keys to check with, and they could not be fetched.
    POMERIUM_JWT_KEYS_UNAVAILABLE = 200,
    // The keys have to be fetched first: refresh, then ask again with the ticket.
    POMERIUM_JWT_KEYS_NEEDED = 201,
    // The key set has no usable key.
    POMERIUM_JWT_KEYS_EMPTY = 202,
    // The user is in none of the groups that `require_group` or a route demands.
    POMERIUM_JWT_GROUP_REQUIRED = 300,
    // A fault in this library or on this machine.
    POMERIUM_JWT_INTERNAL = 900,
} pomerium_jwt_code;

// The kind of a code, which decides the HTTP status to answer with. A later version may add kinds: treat an unknown
// number as POMERIUM_JWT_KIND_INTERNAL.
typedef enum {
    // Success: 200.
    POMERIUM_JWT_KIND_OK = 0,
    // An option or an argument is wrong: 500, or do not start.
    POMERIUM_JWT_KIND_OPTIONS = 1,
    // The token is refused: 401.
    POMERIUM_JWT_KIND_TOKEN = 2,
    // There are no keys to check the token with: 503, with Retry-After if they are fetched.
    POMERIUM_JWT_KIND_KEYS = 3,
    // A fault in the library or on the machine: 500.
    POMERIUM_JWT_KIND_INTERNAL = 4,
    // The user is known and may not do this: 403.
    POMERIUM_JWT_KIND_ACCESS = 5,
} pomerium_jwt_kind;

// The one answer of pomerium_jwt_admit that is neither success nor an error. It is negative: `== 0` means an identity,
// `> 0` an error.
typedef enum {
    // The request needs no token: let it in, as nobody.
    POMERIUM_JWT_PASSED = -1,
} pomerium_jwt_admission;

// Facts of a request for pomerium_jwt_admit, combined with |. Any other bit is POMERIUM_JWT_INVALID_ARGUMENT.
typedef enum {
    // The values of the header Upgrade, joined by commas and trimmed, are neither empty nor exactly h2c in any case; or
    // it is a CONNECT of HTTP/2 or HTTP/3, or the server reports a WebSocket. An upgrade is never exempt.
    POMERIUM_JWT_UPGRADE = 1,
    // The web framework itself marks this endpoint as public, and knows so after routing. An upgrade does not pass by
    // it.
    POMERIUM_JWT_MARKED_PUBLIC = 2,
} pomerium_jwt_flag;

// Checks tokens against one set of options. Immutable once made: threads may share it without a lock.
typedef struct pomerium_jwt_verifier pomerium_jwt_verifier;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Makes a verifier from options, a JSON object such as `{"route":"https://app.example.com"}`; the documentation lists
// all. Touches no network; files named in the options are read now. On success *verifier is new and the caller frees it
// with pomerium_jwt_verifier_free, and *message is NULL. On failure *verifier is NULL and *message, which the caller
// frees with pomerium_jwt_string_free, says how to fix the options. If `verifier` is NULL the options are only checked.
int32_t pomerium_jwt_verifier_new(const char *options, size_t len, pomerium_jwt_verifier **verifier, char **message);

// As pomerium_jwt_verifier_new, but gives one verifier per process for these bytes of options: equal bytes give the
// same verifier, with its keys. For hosts whose objects die with each request. The caller never frees *verifier; it
// lives as long as the process. At most 64 different texts can be shared; a failed construction is not kept. The caller
// frees *message with pomerium_jwt_string_free.
int32_t pomerium_jwt_verifier_shared(const char *options,
                                     size_t len,
                                     const pomerium_jwt_verifier **verifier,
                                     char **message);

// Makes a verifier with other request options over the keys, pins and counts of `base`: a JSON object with any of
// header_name, optional, exempt_paths, require_group. What it does not name stays as in `base`. On success *verifier is
// new and the caller frees it with pomerium_jwt_verifier_free, before or after `base`. On failure *message, which the
// caller frees with pomerium_jwt_string_free, says how to fix the options. If `verifier` is NULL they are only checked.
int32_t pomerium_jwt_verifier_with(const pomerium_jwt_verifier *base,
                                   const char *request_options,
                                   size_t len,
                                   pomerium_jwt_verifier **verifier,
                                   char **message);

// Reads the options from the environment variables `POMERIUM_JWT_<OPTION>`, such as POMERIUM_JWT_ROUTE. No other
// thread may change the environment during the call. On success *options is a JSON object for
// pomerium_jwt_verifier_new. On failure *message names the variable: any other variable with this prefix is
// POMERIUM_JWT_INVALID_OPTIONS. The caller frees both with pomerium_jwt_string_free.
int32_t pomerium_jwt_options_from_env(char **options, char **message);

// Lays options given in code, a JSON object, over those of the environment: code wins, option by option, and a key
// source in code replaces the environment's with its jwks_initial. No other thread may change the environment during
// the call. On success *merged is a JSON object for pomerium_jwt_verifier_new, and *message is a warning to log at
// start that names the variables which code overrides, or NULL if there are none. On failure *message is the reason.
// The caller frees both with pomerium_jwt_string_free.
int32_t pomerium_jwt_options_over_env(const char *options, size_t len, char **merged, char **message);

// Verifies a token and gives the identity of the user. `token` is the raw text of the header X-Pomerium-Jwt-Assertion:
// empty if there was none, several values joined by commas. On success *output is the identity and *claims the
// verified payload, both JSON objects. On failure *output is a message and *claims is NULL. The caller frees both with
// pomerium_jwt_string_free. If keys have to be fetched first, the call waits for them, at most for the option
// `timeout`.
int32_t pomerium_jwt_verify(const pomerium_jwt_verifier *verifier,
                            const char *token,
                            size_t len,
                            char **output,
                            char **claims);

// As pomerium_jwt_verify, at the time `now` in Unix seconds, 0 to 2^53-1, instead of the clock's. Uses the keys that
// are loaded and fetches none. The caller frees *output and *claims with pomerium_jwt_string_free.
int32_t pomerium_jwt_verify_at(const pomerium_jwt_verifier *verifier,
                               const char *token,
                               size_t len,
                               int64_t now,
                               char **output,
                               char **claims);

// As pomerium_jwt_verify, but never waits: for event loops. Set *ticket to 0 before the first call for a request. If
// the answer is POMERIUM_JWT_KEYS_NEEDED, *ticket has been written: call pomerium_jwt_refresh(verifier, 0, ...) on a
// thread that may wait, then call again with the same ticket; that answer is final. If `ticket` is NULL the first
// answer is final, from the keys that are loaded. The caller frees *output and *claims with pomerium_jwt_string_free.
int32_t pomerium_jwt_verify_cached(const pomerium_jwt_verifier *verifier,
                                   const char *token,
                                   size_t len,
                                   int64_t *ticket,
                                   char **output,
                                   char **claims);

// Decides whether a request gets in, and who sent it. Applies all the rules about requests, in this order:
// exempt_paths; no token, if optional is set or the endpoint is marked public; pomerium_jwt_verify. `token` is as
// there. `path` is the path as the client sent it, whole, undecoded and without the query; empty, which is never
// exempt, for * and CONNECT and if a later handler routes by something else. `flags` is 0 or constants of
// pomerium_jwt_flag.
//
// 0 always comes with an identity: *output and *claims as for pomerium_jwt_verify. POMERIUM_JWT_PASSED (-1) lets the
// request in as nobody: both are NULL. Any other number is a code, and *output is a JSON object for pomerium_jwt_get
// with the response to send: code, kind, status, headers (an object), retry_after (seconds), body; and message, for
// the log alone. If `ticket` is NULL the call waits for keys as pomerium_jwt_verify does (not as
// pomerium_jwt_verify_cached); else it never waits, and POMERIUM_JWT_KEYS_NEEDED and *ticket work as in
// pomerium_jwt_verify_cached. The caller frees *output and *claims with pomerium_jwt_string_free.
int32_t pomerium_jwt_admit(const pomerium_jwt_verifier *verifier,
                           const char *token,
                           size_t len,
                           const char *path,
                           size_t path_len,
                           int32_t flags,
                           int64_t *ticket,
                           char **output,
                           char **claims);

// Brings the keys up to date, and waits for that at most `timeout`. `force` 0: joins a fetch that is running, or starts
// one that is due or that a call with a ticket asked for, else does nothing. 1, for warming up and for operators:
// fetches at once, at most once a second. On failure *message is the reason; the caller frees it with
// pomerium_jwt_string_free.
int32_t pomerium_jwt_refresh(const pomerium_jwt_verifier *verifier, int32_t force, char **message);

// Gives the state of the keys, the counters and the request options: *output is a JSON object, or the message on
// failure; the caller frees it with pomerium_jwt_string_free. Never waits; while no usable key is loaded it starts a
// fetch that is due. After an error of POMERIUM_JWT_KIND_KEYS its member next_attempt, in seconds, is the value of
// Retry-After, or null if keys are not fetched.
int32_t pomerium_jwt_status(const pomerium_jwt_verifier *verifier, char **output);

// Gives what an integration needs at start: *output is a JSON object with header_name and summary, the line to log, or the
// message on failure; the caller frees it with pomerium_jwt_string_free. Unlike pomerium_jwt_status it never starts a
// fetch.
int32_t pomerium_jwt_describe(const pomerium_jwt_verifier *verifier,
                              char **output);

// Gives metrics for a monitoring system to scrape: *output is text in the format of OpenMetrics 1.0, to be sent as
// application/openmetrics-text; version=1.0.0; charset=utf-8, or the message on failure; the caller frees it with
// pomerium_jwt_string_free. It holds no user, path or token. Never waits, as pomerium_jwt_status.
int32_t pomerium_jwt_metrics(const pomerium_jwt_verifier *verifier, char **output);

// Reads one member of a JSON object that this library wrote: a string unescaped, any other value as its JSON text.
// NULL if it is absent, null, or a string that holds U+0000, if an argument is NULL, and if `object` is not a JSON
// object. The caller frees the result with pomerium_jwt_string_free.
char *pomerium_jwt_get(const char *object, const char *name);

// Tells whether the user of an identity is in this group: 1 if so, else 0. Also 0 if nobody is signed in, if an
// argument is NULL, and if `identity` is not the *output of a success (the claims are not an identity).
int32_t pomerium_jwt_in_group(const char *identity, const char *group);

// Frees a verifier of pomerium_jwt_verifier_new or pomerium_jwt_verifier_with, on which no call may be running. Does
// nothing for NULL and for a shared verifier.
void pomerium_jwt_verifier_free(pomerium_jwt_verifier *verifier);

// Frees a text that this library wrote. Does nothing for NULL.
void pomerium_jwt_string_free(char *string);

// Rises only if something that exists changes its meaning. New functions, codes and options do not change it.
uint32_t pomerium_jwt_abi_version(void);

// The version of the library, such as "0.1.0". The caller does not free it.
const char *pomerium_jwt_version(void);

// The stable name of a code, such as token_expired: "ok" for 0, "passed" for POMERIUM_JWT_PASSED, "internal" for
// unknown numbers. The caller does not free it.
const char *pomerium_jwt_code_name(int32_t code);

// The kind of a code, a number of pomerium_jwt_kind: 0 for POMERIUM_JWT_PASSED, POMERIUM_JWT_KIND_INTERNAL for
// unknown numbers.
int32_t pomerium_jwt_code_kind(int32_t code);

// The HTTP status to answer with: 200 for 0 and POMERIUM_JWT_PASSED, else 401, 403, 500 or 503; 500 for unknown
// numbers.
int32_t pomerium_jwt_code_status(int32_t code);

// As pomerium_jwt_options_over_env, with these environment variables instead of the process's: `variables` is a JSON
// object of strings; names without the prefix POMERIUM_JWT_ are passed over. For hosts that know variables which the
// process does not have. The caller frees both with pomerium_jwt_string_free.
int32_t pomerium_jwt_options_over_variables(const char *options,
                                            size_t len,
                                            const char *variables,
                                            size_t variables_len,
                                            char **merged,
                                            char **message);

// Tells whether to write a line to the log now: 1 if so, else 0. `code` 0 asks for the line at start, the summary of
// pomerium_jwt_describe, which is due once in a process for the same text. Any other code asks for the warning of a refusal, which is due at most once a second
// in a process; *held is then how many with this code were not written since the last one.
int32_t pomerium_jwt_log_due(const pomerium_jwt_verifier *verifier,
                             int32_t code,
                             uint64_t *held);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* POMERIUM_JWT_H */
