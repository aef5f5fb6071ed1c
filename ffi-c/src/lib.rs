//! The whole C ABI. The conventions of all functions are at the top of `include/pomerium_jwt.h`; the comments below call
//! them "the header's conventions".
//!
//! Everything unsafe goes through `call.rs`: one function that takes text, one that hands it out, one that catches panics.
#![deny(missing_docs, clippy::undocumented_unsafe_blocks)]
#![allow(clippy::missing_safety_doc, reason = "the header's conventions are the safety section of every function")]

mod call;
mod codes;
mod hosts;
mod members;
mod shared;

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char},
    ptr,
};

use pomerium_jwt::{Admission, Error, Identity, Options, Request, Ticket, Verifier};

use call::{OutPtr, bytes, call, call_with, catch_panic, invalid_argument, json, text, to_c};
pub use codes::{PomeriumJwtKind, pomerium_jwt_code_kind, pomerium_jwt_code_name, pomerium_jwt_code_status};
pub use hosts::{pomerium_jwt_log_due, pomerium_jwt_options_over_variables};
use members::{is_member, member};

/// Checks tokens against one set of options. Immutable once made: threads may share it without a lock.
pub struct PomeriumJwtVerifier {
    verifier: Verifier,
    /// Owned by the process: freeing it does nothing.
    shared: bool,
}

/// The one answer of pomerium_jwt_admit that is neither success nor an error. It is negative: `== 0` means an identity,
/// `> 0` an error.
#[repr(C)]
pub enum PomeriumJwtAdmission {
    /// The request needs no token: let it in, as nobody.
    Passed = -1,
}

/// Facts of a request for pomerium_jwt_admit, combined with |. Any other bit is POMERIUM_JWT_INVALID_ARGUMENT.
#[repr(C)]
pub enum PomeriumJwtFlag {
    /// The values of the header Upgrade, joined by commas and trimmed, are neither empty nor exactly h2c in any case; or
    /// it is a CONNECT of HTTP/2 or HTTP/3, or the server reports a WebSocket. An upgrade is never exempt.
    Upgrade = 1,
    /// The web framework itself marks this endpoint as public, and knows so after routing. An upgrade does not pass by
    /// it.
    MarkedPublic = 2,
}

/// Makes a verifier from options, a JSON object such as `{"route":"https://app.example.com"}`; the documentation lists
/// all. Touches no network; files named in the options are read now. On success *verifier is new and the caller frees it
/// with pomerium_jwt_verifier_free, and *message is NULL. On failure *verifier is NULL and *message, which the caller
/// frees with pomerium_jwt_string_free, says how to fix the options. If `verifier` is NULL the options are only checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verifier_new(
    options: *const c_char,
    len: usize,
    verifier: *mut *mut PomeriumJwtVerifier,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (out, message) = unsafe { (OutPtr::new(verifier), OutPtr::new(message)) };
    call(message, || {
        // SAFETY: the header's conventions for text
        let made = Verifier::from_json(unsafe { bytes(options, len, "options") }?)?;
        out.fill(|| boxed(made));
        Ok(None)
    })
}

/// As pomerium_jwt_verifier_new, but gives one verifier per process for these bytes of options: equal bytes give the
/// same verifier, with its keys. For hosts whose objects die with each request. The caller never frees *verifier; it
/// lives as long as the process. At most 64 different texts can be shared; a failed construction is not kept. The caller
/// frees *message with pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verifier_shared(
    options: *const c_char,
    len: usize,
    verifier: *mut *const PomeriumJwtVerifier,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (out, message) = unsafe { (OutPtr::new(verifier.cast::<*mut PomeriumJwtVerifier>()), OutPtr::new(message)) };
    call(message, || {
        // SAFETY: the header's conventions for text
        let options = unsafe { bytes(options, len, "options") }?;
        if out.is_wanted() {
            let found = shared::find_or_make(options)?;
            out.fill(|| found.cast_mut());
        } else {
            Verifier::from_json(options)?;
        }
        Ok(None)
    })
}

/// Makes a verifier with other request options over the keys, pins and counts of `base`: a JSON object with any of
/// header_name, optional, exempt_paths, require_group. What it does not name stays as in `base`. On success *verifier is
/// new and the caller frees it with pomerium_jwt_verifier_free, before or after `base`. On failure *message, which the
/// caller frees with pomerium_jwt_string_free, says how to fix the options. If `verifier` is NULL they are only checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verifier_with(
    base: *const PomeriumJwtVerifier,
    request_options: *const c_char,
    len: usize,
    verifier: *mut *mut PomeriumJwtVerifier,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (out, message) = unsafe { (OutPtr::new(verifier), OutPtr::new(message)) };
    call(message, || {
        // SAFETY: the header's conventions for verifiers and text
        let (base, options) = unsafe { (call::verifier(base)?, bytes(request_options, len, "request_options")?) };
        let made = base.with(Options::from_json(options)?)?;
        out.fill(|| boxed(made));
        Ok(None)
    })
}

/// Reads the options from the environment variables `POMERIUM_JWT_<OPTION>`, such as POMERIUM_JWT_ROUTE. No other
/// thread may change the environment during the call. On success *options is a JSON object for
/// pomerium_jwt_verifier_new. On failure *message names the variable: any other variable with this prefix is
/// POMERIUM_JWT_INVALID_OPTIONS. The caller frees both with pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_options_from_env(options: *mut *mut c_char, message: *mut *mut c_char) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (out, message) = unsafe { (OutPtr::new(options), OutPtr::new(message)) };
    call(message, || {
        let options = Options::from_env()?;
        out.fill_text(|| options.to_json());
        Ok(None)
    })
}

/// Lays options given in code, a JSON object, over those of the environment: code wins, option by option, and a key
/// source in code replaces the environment's with its jwks_initial. No other thread may change the environment during
/// the call. On success *merged is a JSON object for pomerium_jwt_verifier_new, and *message is a warning to log at
/// start that names the variables which code overrides, or NULL if there are none. On failure *message is the reason.
/// The caller frees both with pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_options_over_env(
    options: *const c_char,
    len: usize,
    merged: *mut *mut c_char,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (out, message) = unsafe { (OutPtr::new(merged), OutPtr::new(message)) };
    call(message, || {
        // SAFETY: the header's conventions for text
        let overlay = Options::from_json(unsafe { bytes(options, len, "options") }?)?.over_env()?;
        out.fill_text(|| overlay.options.to_json());
        Ok(overlay.warning())
    })
}

/// Verifies a token and gives the identity of the user. `token` is the raw text of the header X-Pomerium-Jwt-Assertion:
/// empty if there was none, several values joined by commas. On success *output is the identity and *claims the
/// verified payload, both JSON objects. On failure *output is a message and *claims is NULL. The caller frees both with
/// pomerium_jwt_string_free. If keys have to be fetched first, the call waits for them, at most for the option
/// `timeout`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verify(
    verifier: *const PomeriumJwtVerifier,
    token: *const c_char,
    len: usize,
    output: *mut *mut c_char,
    claims: *mut *mut c_char,
) -> i32 {
    // SAFETY: all pointers are passed on as they came
    unsafe { verify(verifier, token, len, output, claims, |verifier, token| verifier.verify(token)) }
}

/// As pomerium_jwt_verify, at the time `now` in Unix seconds, 0 to 2^53-1, instead of the clock's. Uses the keys that
/// are loaded and fetches none. The caller frees *output and *claims with pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verify_at(
    verifier: *const PomeriumJwtVerifier,
    token: *const c_char,
    len: usize,
    now: i64,
    output: *mut *mut c_char,
    claims: *mut *mut c_char,
) -> i32 {
    // SAFETY: all pointers are passed on as they came
    unsafe { verify(verifier, token, len, output, claims, |verifier, token| verifier.verify_at(token, now)) }
}

/// As pomerium_jwt_verify, but never waits: for event loops. Set *ticket to 0 before the first call for a request. If
/// the answer is POMERIUM_JWT_KEYS_NEEDED, *ticket has been written: call pomerium_jwt_refresh(verifier, 0, ...) on a
/// thread that may wait, then call again with the same ticket; that answer is final. If `ticket` is NULL the first
/// answer is final, from the keys that are loaded. The caller frees *output and *claims with pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verify_cached(
    verifier: *const PomeriumJwtVerifier,
    token: *const c_char,
    len: usize,
    ticket: *mut i64,
    output: *mut *mut c_char,
    claims: *mut *mut c_char,
) -> i32 {
    // SAFETY: NULL, or the caller's own integer, which nobody else uses during the call
    let ticket = unsafe { ticket.as_mut() };
    // SAFETY: all pointers are passed on as they came
    unsafe {
        verify(verifier, token, len, output, claims, |verifier, token| match ticket {
            Some(number) => with_ticket(number, |ticket| verifier.try_verify(token, Some(ticket))),
            None => verifier.try_verify(token, None),
        })
    }
}

/// Decides whether a request gets in, and who sent it. Applies all the rules about requests, in this order:
/// exempt_paths; no token, if optional is set or the endpoint is marked public; pomerium_jwt_verify. `token` is as
/// there. `path` is the path as the client sent it, whole, undecoded and without the query; empty, which is never
/// exempt, for * and CONNECT and if a later handler routes by something else. `flags` is 0 or constants of
/// pomerium_jwt_flag.
///
/// 0 always comes with an identity: *output and *claims as for pomerium_jwt_verify. POMERIUM_JWT_PASSED (-1) lets the
/// request in as nobody: both are NULL. Any other number is a code, and *output is a JSON object for pomerium_jwt_get
/// with the response to send: code, kind, status, headers (an object), retry_after (seconds), body; and message, for
/// the log alone. If `ticket` is NULL the call waits for keys as pomerium_jwt_verify does (not as
/// pomerium_jwt_verify_cached); else it never waits, and POMERIUM_JWT_KEYS_NEEDED and *ticket work as in
/// pomerium_jwt_verify_cached. The caller frees *output and *claims with pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_admit(
    verifier: *const PomeriumJwtVerifier,
    token: *const c_char,
    len: usize,
    path: *const c_char,
    path_len: usize,
    flags: i32,
    ticket: *mut i64,
    output: *mut *mut c_char,
    claims: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers; the ticket is NULL, or the caller's own integer
    let (output, claims, ticket) = unsafe { (OutPtr::new(output), OutPtr::new(claims), ticket.as_mut()) };
    call_with(output, response, || {
        // SAFETY: the header's conventions for verifiers and text
        let (verifier, token, path) =
            unsafe { (call::verifier(verifier)?, bytes(token, len, "token")?, bytes(path, path_len, "path")?) };
        let (upgrade, marked_public) = facts(flags)?;
        let request = Request { token, path, upgrade, marked_public };
        let admission = match ticket {
            Some(number) => with_ticket(number, |ticket| verifier.try_admit(&request, Some(ticket))),
            None => verifier.admit(&request),
        };
        match admission? {
            Admission::Verified(identity) => Ok((0, written(&identity, output, claims)?)),
            Admission::Passed => Ok((codes::PASSED, None)),
        }
    })
}

/// Brings the keys up to date, and waits for that at most `timeout`. `force` 0: joins a fetch that is running, or starts
/// one that is due or that a call with a ticket asked for, else does nothing. 1, for warming up and for operators:
/// fetches at once, at most once a second. On failure *message is the reason; the caller frees it with
/// pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_refresh(
    verifier: *const PomeriumJwtVerifier,
    force: i32,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let message = unsafe { OutPtr::new(message) };
    call(message, || {
        // SAFETY: the header's conventions for verifiers
        let verifier = unsafe { call::verifier(verifier) }?;
        let force = match force {
            0 => false,
            1 => true,
            other => return Err(invalid_argument(format!("force is {other}; it takes 0 or 1"))),
        };
        verifier.refresh(force)?;
        Ok(None)
    })
}

/// Gives the state of the keys, the counters and the request options: *output is a JSON object, or the message on
/// failure; the caller frees it with pomerium_jwt_string_free. Never waits; while no usable key is loaded it starts a
/// fetch that is due. After an error of POMERIUM_JWT_KIND_KEYS its member next_attempt, in seconds, is the value of
/// Retry-After, or null if keys are not fetched.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_status(verifier: *const PomeriumJwtVerifier, output: *mut *mut c_char) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let output = unsafe { OutPtr::new(output) };
    call(output, || {
        // SAFETY: the header's conventions for verifiers
        let status = unsafe { call::verifier(verifier) }?.status();
        Ok(Some(json(&status)?))
    })
}

/// Gives what an integration needs at start: *output is a JSON object with header_name and summary, the line to log, or the
/// message on failure; the caller frees it with pomerium_jwt_string_free. Unlike pomerium_jwt_status it never starts a
/// fetch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_describe(verifier: *const PomeriumJwtVerifier, output: *mut *mut c_char) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let output = unsafe { OutPtr::new(output) };
    call(output, || {
        // SAFETY: the header's conventions for verifiers
        let verifier = unsafe { call::verifier(verifier) }?;
        let described = [("summary", verifier.summary()), ("header_name", verifier.header_name().to_owned())];
        Ok(Some(json(&BTreeMap::from(described))?))
    })
}

/// Gives metrics for a monitoring system to scrape: *output is text in the format of OpenMetrics 1.0, to be sent as
/// application/openmetrics-text; version=1.0.0; charset=utf-8, or the message on failure; the caller frees it with
/// pomerium_jwt_string_free. It holds no user, path or token. Never waits, as pomerium_jwt_status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_metrics(verifier: *const PomeriumJwtVerifier, output: *mut *mut c_char) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let output = unsafe { OutPtr::new(output) };
    call(output, || {
        // SAFETY: the header's conventions for verifiers
        Ok(Some(unsafe { call::verifier(verifier) }?.metrics()))
    })
}

/// Reads one member of a JSON object that this library wrote: a string unescaped, any other value as its JSON text.
/// NULL if it is absent, null, or a string that holds U+0000, if an argument is NULL, and if `object` is not a JSON
/// object. The caller frees the result with pomerium_jwt_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_get(object: *const c_char, name: *const c_char) -> *mut c_char {
    // SAFETY: the header's conventions for texts that end with a NUL
    let (object, name) = unsafe { (text(object), text(name)) };
    let found = catch_panic(|| member(object?, name?)).flatten();
    found.map_or(ptr::null_mut(), to_c)
}

/// Tells whether the user of an identity is in this group: 1 if so, else 0. Also 0 if nobody is signed in, if an
/// argument is NULL, and if `identity` is not the *output of a success (the claims are not an identity).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_in_group(identity: *const c_char, group: *const c_char) -> i32 {
    // SAFETY: the header's conventions for texts that end with a NUL
    let (identity, group) = unsafe { (text(identity), text(group)) };
    let found = catch_panic(|| Some(is_member(identity?, group?))).flatten();
    found.unwrap_or_default().into()
}

/// Frees a verifier of pomerium_jwt_verifier_new or pomerium_jwt_verifier_with, on which no call may be running. Does
/// nothing for NULL and for a shared verifier.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verifier_free(verifier: *mut PomeriumJwtVerifier) {
    // SAFETY: the header's conventions for verifiers
    if unsafe { verifier.as_ref() }.is_some_and(|verifier| !verifier.shared) {
        // SAFETY: made by `boxed`, and not freed before
        catch_panic(|| drop(unsafe { Box::from_raw(verifier) }));
    }
}

/// Frees a text that this library wrote. Does nothing for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_string_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: made by `to_c`, and not freed before
        drop(unsafe { CString::from_raw(string) });
    }
}

/// Rises only if something that exists changes its meaning. New functions, codes and options do not change it.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_abi_version() -> u32 {
    1
}

/// The version of the library, such as "0.1.0". The caller does not free it.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

fn boxed(verifier: Verifier) -> *mut PomeriumJwtVerifier {
    Box::into_raw(Box::new(PomeriumJwtVerifier { verifier, shared: false }))
}

/// C carries a ticket as an integer.
fn with_ticket<T>(number: &mut i64, call: impl FnOnce(&mut Ticket) -> T) -> T {
    let mut ticket = Ticket::from_number(*number);
    let answer = call(&mut ticket);
    *number = ticket.number();
    answer
}

/// What the flags say: upgrade, marked public.
fn facts(flags: i32) -> Result<(bool, bool), Error> {
    let (upgrade, marked_public) = (PomeriumJwtFlag::Upgrade as i32, PomeriumJwtFlag::MarkedPublic as i32);
    if flags & !(upgrade | marked_public) != 0 {
        return Err(invalid_argument(format!("flags is {flags}: it has a bit that is not one of pomerium_jwt_flag")));
    }
    Ok((flags & upgrade != 0, flags & marked_public != 0))
}

/// The response to a request that is refused.
fn response(error: &Error) -> String {
    let headers: BTreeMap<_, _> = error.headers().into_iter().collect();
    let response = serde_json::json!({
        "code": error.code().name(),
        "kind": error.kind().name(),
        "status": error.status(),
        "headers": headers,
        "retry_after": error.retry_after_seconds(),
        "body": error.body(),
        "message": error.message(),
    });
    response.to_string()
}

/// The three ways to verify.
unsafe fn verify(
    verifier: *const PomeriumJwtVerifier,
    token: *const c_char,
    len: usize,
    output: *mut *mut c_char,
    claims: *mut *mut c_char,
    check: impl FnOnce(&Verifier, &[u8]) -> Result<Identity, Error>,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (output, claims) = unsafe { (OutPtr::new(output), OutPtr::new(claims)) };
    call(output, || {
        // SAFETY: the header's conventions for verifiers and text
        let (verifier, token) = unsafe { (call::verifier(verifier)?, bytes(token, len, "token")?) };
        written(&check(verifier, token)?, output, claims)
    })
}

/// The identity's text if it is wanted; fills in the claims.
fn written(identity: &Identity, output: OutPtr<c_char>, claims: OutPtr<c_char>) -> Result<Option<String>, Error> {
    let text = if output.is_wanted() { Some(json(identity)?) } else { None };
    claims.fill_text(|| identity.claims.text().to_owned());
    Ok(text)
}
