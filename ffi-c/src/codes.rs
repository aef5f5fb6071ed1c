//! Codes: their names, their kinds and their HTTP statuses.

use std::ffi::c_char;

use pomerium_jwt::{ErrorCode, ErrorKind};

use crate::PomeriumJwtAdmission;

/// The answer of `pomerium_jwt_admit` to a request that passes without an identity.
pub(crate) const PASSED: i32 = PomeriumJwtAdmission::Passed as i32;

/// The kind of a code, which decides the HTTP status to answer with. A later version may add kinds: treat an unknown
/// number as POMERIUM_JWT_KIND_INTERNAL.
#[repr(C)]
pub enum PomeriumJwtKind {
    /// Success: 200.
    Ok = 0,
    /// An option or an argument is wrong: 500, or do not start.
    Options = 1,
    /// The token is refused: 401.
    Token = 2,
    /// There are no keys to check the token with: 503, with Retry-After if they are fetched.
    Keys = 3,
    /// A fault in the library or on the machine: 500.
    Internal = 4,
    /// The user is known and may not do this: 403.
    Access = 5,
}

/// The stable name of a code, such as token_expired: "ok" for 0, "passed" for POMERIUM_JWT_PASSED, "internal" for
/// unknown numbers. The caller does not free it.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_code_name(code: i32) -> *const c_char {
    match code {
        0 => return c"ok".as_ptr(),
        PASSED => return c"passed".as_ptr(),
        _ => {}
    }
    let known = ErrorCode::try_from(code).unwrap_or(ErrorCode::Internal);
    let row = ErrorCode::ALL.iter().position(|listed| *listed == known).unwrap_or(ErrorCode::ALL.len() - 1);
    CODE_NAMES[row].as_ptr().cast()
}

/// The kind of a code, a number of pomerium_jwt_kind: 0 for POMERIUM_JWT_PASSED, POMERIUM_JWT_KIND_INTERNAL for
/// unknown numbers.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_code_kind(code: i32) -> i32 {
    let kind = match (code, ErrorCode::try_from(code).map(ErrorCode::kind)) {
        (0 | PASSED, _) => PomeriumJwtKind::Ok,
        (_, Ok(ErrorKind::Options)) => PomeriumJwtKind::Options,
        (_, Ok(ErrorKind::Token)) => PomeriumJwtKind::Token,
        (_, Ok(ErrorKind::Keys)) => PomeriumJwtKind::Keys,
        (_, Ok(ErrorKind::Access)) => PomeriumJwtKind::Access,
        _ => PomeriumJwtKind::Internal,
    };
    kind as i32
}

/// The HTTP status to answer with: 200 for 0 and POMERIUM_JWT_PASSED, else 401, 403, 500 or 503; 500 for unknown
/// numbers.
#[unsafe(no_mangle)]
pub extern "C" fn pomerium_jwt_code_status(code: i32) -> i32 {
    match code {
        0 | PASSED => 200,
        _ => ErrorCode::try_from(code).unwrap_or(ErrorCode::Internal).status().into(),
    }
}

/// Every code's name, followed by a NUL, in the order of [`ErrorCode::ALL`].
static CODE_NAMES: [[u8; 32]; ErrorCode::ALL.len()] = {
    let mut names = [[0; 32]; ErrorCode::ALL.len()];
    let mut row = 0;
    while row < names.len() {
        let name = ErrorCode::ALL[row].name().as_bytes();
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
