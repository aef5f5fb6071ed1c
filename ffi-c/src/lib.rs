//! The whole C ABI. What every function takes and gives is said once, at the top of `include/pomerium_jwt.h`, and is
//! what the comments below mean by "the header's conventions".
//!
//! Everything unsafe goes through `door.rs`: one way in for text, one way out, one guard against panics.
#![deny(missing_docs, clippy::undocumented_unsafe_blocks)]
#![allow(clippy::missing_safety_doc, reason = "the header's conventions are the safety section of every function")]

mod door;
mod shared;

use std::{
    ffi::{CString, c_char},
    ptr,
};

use pomerium_jwt::{Code, Error, Identity, Kind, Options, Verifier};

use door::{Failure, Place, answer, bytes, guarded, json, text, to_c};

/// Checks tokens against one set of options. Immutable once made: threads may share it without a lock.
pub struct PomeriumJwtVerifier {
    verifier: Verifier,
    /// Owned by the process: freeing it does nothing.
    shared: bool,
}

/// Makes a verifier from options, a JSON object such as `{"route":"https://app.example.com"}`; the README lists all.
/// Touches no network; files named in the options are read now. On success `*verifier` is to be freed with
/// pomerium_jwt_verifier_free; with a NULL `verifier` the options are checked and nothing is made. On failure `*message`
/// says what to write instead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verifier_new(
    options: *const c_char,
    len: usize,
    verifier: *mut *mut PomeriumJwtVerifier,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (place, message) = unsafe { (Place::new(verifier), Place::new(message)) };
    answer(message, || {
        // SAFETY: the header's conventions for text
        let made = Verifier::from_json(unsafe { bytes(options, len, "options") }?)?;
        place.fill(|| Box::into_raw(Box::new(PomeriumJwtVerifier { verifier: made, shared: false })));
        Ok(None)
    })
}

/// As pomerium_jwt_verifier_new, but one verifier per process for these bytes of options: equal bytes give the same
/// verifier, with its keys. For hosts whose objects die with each request. It is never freed; at most 64 different
/// texts can be shared. A failed construction is not kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verifier_shared(
    options: *const c_char,
    len: usize,
    verifier: *mut *const PomeriumJwtVerifier,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (place, message) = unsafe { (Place::new(verifier.cast::<*mut PomeriumJwtVerifier>()), Place::new(message)) };
    answer(message, || {
        // SAFETY: the header's conventions for text
        let options = unsafe { bytes(options, len, "options") }?;
        if place.is_wanted() {
            let found = shared::find_or_make(options)?;
            place.fill(|| found.cast_mut());
        } else {
            Verifier::from_json(options)?;
        }
        Ok(None)
    })
}

/// The options of the environment variables `POMERIUM_JWT_<OPTION>`, as a JSON object for the two functions above. The
/// program must not change its environment meanwhile. On failure `*message` names the variable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_options_from_env(options: *mut *mut c_char, message: *mut *mut c_char) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let (place, message) = unsafe { (Place::new(options), Place::new(message)) };
    answer(message, || {
        let options = Options::from_env()?;
        place.fill_text(|| options.to_json());
        Ok(None)
    })
}

/// Who sent this token: the raw text of the header X-Pomerium-Jwt-Assertion, empty if there was none, several values
/// joined by commas. On success `*output` is the identity and `*claims` the verified payload, both JSON objects. On failure
/// `*output` is a sentence for the log, never for the HTTP client. Where keys have to be fetched first it waits for them,
/// at most `timeout`.
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

/// As pomerium_jwt_verify, at the time `now` in Unix seconds, 0 to 2^53-1, instead of the clock's. Uses the keys at
/// hand and fetches none.
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

/// As pomerium_jwt_verify, but never waits: for hosts with a scheduler of their own. `*ticket` is 0 on the first call of
/// a request. POMERIUM_JWT_KEYS_NEEDED writes the ticket and asks for one pomerium_jwt_refresh(verifier, 0, ...) on a
/// thread that may wait; the next call with this ticket is final. With a NULL `ticket` the call is final at once.
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
    unsafe { verify(verifier, token, len, output, claims, |verifier, token| verifier.verify_cached(token, ticket)) }
}

/// Brings the keys up to date, and waits for that at most `timeout`. `force` 0: joins a fetch in flight, or starts one
/// if it is due, else does nothing. 1, for warming up and for operators: fetches at once, at most once a second. On
/// failure `*message` is the reason.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_refresh(
    verifier: *const PomeriumJwtVerifier,
    force: i32,
    message: *mut *mut c_char,
) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let message = unsafe { Place::new(message) };
    answer(message, || {
        // SAFETY: the header's conventions for verifiers
        let verifier = unsafe { door::verifier(verifier) }?;
        let force = match force {
            0 => false,
            1 => true,
            other => return Err(Failure::argument(format!("force is {other}, it takes 0 or 1"))),
        };
        verifier.refresh(force)?;
        Ok(None)
    })
}

/// The state of keys and counters as a JSON object, for metrics and alerts. Never waits and never fetches. Its
/// "next_attempt", in seconds, is what an HTTP 503 says in Retry-After.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_status(verifier: *const PomeriumJwtVerifier, output: *mut *mut c_char) -> i32 {
    // SAFETY: the header's conventions for out-pointers
    let output = unsafe { Place::new(output) };
    answer(output, || {
        // SAFETY: the header's conventions for verifiers
        let status = unsafe { door::verifier(verifier) }?.status();
        Ok(Some(json(&status)?))
    })
}

/// One member of an identity, claims or status text, to be freed with pomerium_jwt_string_free: a string unescaped,
/// any other value as its JSON text. NULL if it is absent, null, or a string that holds U+0000, if an argument is NULL,
/// and if `object` is no JSON object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_get(object: *const c_char, name: *const c_char) -> *mut c_char {
    // SAFETY: the header's conventions for texts that end with a NUL
    let (object, name) = unsafe { (text(object), text(name)) };
    let found = guarded(|| member(object?, name?)).flatten();
    found.map_or(ptr::null_mut(), to_c)
}

/// Frees a verifier, on which no call may run. NULL is fine; a shared one stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_verifier_free(verifier: *mut PomeriumJwtVerifier) {
    // SAFETY: the header's conventions for verifiers
    if unsafe { verifier.as_ref() }.is_some_and(|verifier| !verifier.shared) {
        // SAFETY: made by Box in pomerium_jwt_verifier_new, and not freed before
        guarded(|| drop(unsafe { Box::from_raw(verifier) }));
    }
}

/// Frees a text that this library wrote. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pomerium_jwt_string_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: made by `to_c`, and not freed before
        drop(unsafe { CString::from_raw(string) });
    }
}

/// The stable name of a code, such as token_expired: "ok" for 0, "internal" for unknown numbers. Not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_code_name(code: i32) -> *const c_char {
    if code == 0 {
        return c"ok".as_ptr();
    }
    let known = Code::from_number(code).unwrap_or(Code::Internal);
    let row = Code::ALL.iter().position(|listed| *listed == known).unwrap_or(Code::ALL.len() - 1);
    CODE_NAMES[row].as_ptr().cast()
}

/// What a code is about: 0 ok; 1 options, answer with HTTP 500; 2 token, 401; 3 keys, 503 with Retry-After;
/// 4 internal and unknown numbers, 500.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_code_kind(code: i32) -> i32 {
    if code == 0 { 0 } else { Code::from_number(code).map_or(Kind::Internal, Code::kind).number() }
}

/// Rises only when something that exists changes its meaning; functions, codes and options are added without.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_abi_version() -> u32 {
    1
}

/// The version of the library, such as "0.1.0". Not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
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
    let (output, claims) = unsafe { (Place::new(output), Place::new(claims)) };
    answer(output, || {
        // SAFETY: the header's conventions for verifiers and text
        let (verifier, token) = unsafe { (door::verifier(verifier)?, bytes(token, len, "token")?) };
        let identity = check(verifier, token)?;
        let text = if output.is_wanted() { Some(json(&identity)?) } else { None };
        claims.fill_text(|| identity.claims.text().to_owned());
        Ok(text)
    })
}

/// What [`pomerium_jwt_get`] finds.
fn member(object: &str, name: &str) -> Option<String> {
    let value = pomerium_jwt::member_text(object, name)?;
    if value == "null" {
        return None;
    }
    if !value.starts_with('"') {
        return Some(value.to_owned());
    }
    let string: String = serde_json::from_str(value).ok()?;
    (!string.contains('\0')).then_some(string)
}

/// Every code's name with a NUL behind it, in the order of [`Code::ALL`].
static CODE_NAMES: [[u8; 32]; Code::ALL.len()] = {
    let mut names = [[0; 32]; Code::ALL.len()];
    let mut row = 0;
    while row < names.len() {
        let name = Code::ALL[row].name().as_bytes();
        assert!(name.len() < 32, "room for the NUL");
        let mut at = 0;
        while at < name.len() {
            names[row][at] = name[at];
            at += 1;
        }
        row += 1;
    }
    names
};
