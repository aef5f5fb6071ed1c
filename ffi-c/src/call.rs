//! The boundary between C and Rust: pointers from the caller become references, results become pointers.

use std::{
    ffi::{CStr, CString, c_char},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr, slice,
};

use pomerium_jwt::{Error, ErrorCode, Verifier};
use serde::Serialize;

use crate::PomeriumJwtVerifier;

/// The error for an invalid argument.
pub(crate) fn invalid_argument(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidArgument, message)
}

/// One call from C: gives its code, and `output` the text of the work, or the sentence on its failure.
pub(crate) fn call(output: OutPtr<c_char>, work: impl FnOnce() -> Result<Option<String>, Error>) -> i32 {
    call_with(output, |error| error.message().to_owned(), || Ok((0, work()?)))
}

/// The same for work with a code of its own, and with `render` for what `output` gets on failure.
pub(crate) fn call_with(
    output: OutPtr<c_char>,
    render: impl FnOnce(&Error) -> String,
    work: impl FnOnce() -> Result<(i32, Option<String>), Error>,
) -> i32 {
    let panicked = || Error::new(ErrorCode::Internal, "the library panicked: please report it");
    match catch_panic(work).unwrap_or_else(|| Err(panicked())) {
        Ok((code, text)) => {
            text.into_iter().for_each(|text| output.fill_text(|| text));
            code
        }
        Err(error) => {
            output.fill_text(|| render(&error));
            error.code().number()
        }
    }
}

/// The one place where a panic ends, as `None`. Crossing into C it would end the host's process.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Text from the caller: any bytes; NULL with length 0 is the empty text.
///
/// # Safety
/// `start` is NULL, or readable for `len` bytes, which nobody writes to for `'a`.
pub(crate) unsafe fn bytes<'a>(start: *const c_char, len: usize, what: &str) -> Result<&'a [u8], Error> {
    if isize::try_from(len).is_err() {
        return Err(invalid_argument(format!("the length of {what} is {len}: was it a negative number?")));
    }
    if start.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(invalid_argument(format!("{what} is NULL, its length is {len}"))) };
    }
    // SAFETY: the caller's promise; the length was checked
    Ok(unsafe { slice::from_raw_parts(start.cast(), len) })
}

/// A text that ends with a NUL; none if it is NULL or not UTF-8.
///
/// # Safety
/// `start` is NULL or such a text, which nobody writes to for `'a`.
pub(crate) unsafe fn text<'a>(start: *const c_char) -> Option<&'a str> {
    if start.is_null() {
        return None;
    }
    // SAFETY: the caller's promise
    unsafe { CStr::from_ptr(start) }.to_str().ok()
}

/// # Safety
/// `verifier` is NULL, or was made here and is not freed during `'a`.
pub(crate) unsafe fn verifier<'a>(verifier: *const PomeriumJwtVerifier) -> Result<&'a Verifier, Error> {
    // SAFETY: the caller's promise
    match unsafe { verifier.as_ref() } {
        Some(found) => Ok(&found.verifier),
        None => Err(invalid_argument("the verifier is NULL")),
    }
}

/// JSON to hand out.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::new(ErrorCode::Internal, error.to_string()))
}

/// Text for the caller, who frees it with `pomerium_jwt_string_free`. A NUL inside would cut it.
pub(crate) fn to_c(text: String) -> *mut c_char {
    let text = if text.contains('\0') { text.replace('\0', "\\u0000") } else { text };
    CString::new(text).unwrap_or_default().into_raw()
}

/// An out-pointer of the caller, or NULL. It is set to NULL at once, so that every path has written it.
pub(crate) struct OutPtr<T>(*mut *mut T);

impl<T> Clone for OutPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for OutPtr<T> {}

impl<T> OutPtr<T> {
    /// # Safety
    /// `pointer` is NULL, or writable as long as this value is used.
    pub(crate) unsafe fn new(pointer: *mut *mut T) -> Self {
        let out = Self(pointer);
        out.fill(|| ptr::null_mut());
        out
    }

    pub(crate) fn is_wanted(self) -> bool {
        !self.0.is_null()
    }

    /// Writes the value, which is not even made if it is not wanted.
    pub(crate) fn fill(self, value: impl FnOnce() -> *mut T) {
        if self.is_wanted() {
            // SAFETY: the promise of `new`
            unsafe { self.0.write(value()) }
        }
    }
}

impl OutPtr<c_char> {
    pub(crate) fn fill_text(self, text: impl FnOnce() -> String) {
        self.fill(|| to_c(text()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_internal_and_says_so() {
        let mut output = ptr::null_mut();
        // SAFETY: a pointer of our own
        let out = unsafe { OutPtr::new(&raw mut output) };
        assert_eq!(call(out, || panic!("on purpose")), ErrorCode::Internal.number());
        // SAFETY: written by `call` just now
        let message = unsafe { CString::from_raw(output) };
        assert_eq!(message.to_str(), Ok("the library panicked: please report it"));
    }

    #[test]
    fn a_nul_cuts_no_text() {
        // SAFETY: made by `to_c`
        let text = unsafe { CString::from_raw(to_c("a\0b".to_owned())) };
        assert_eq!(text.to_str(), Ok("a\\u0000b"));
    }
}
