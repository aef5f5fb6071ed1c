//! Refusals as gRPC has them: a status in the headers of a response that is otherwise empty.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use http::{HeaderValue, Method, Version, header::CONTENT_TYPE, request, response};
use pomerium_jwt::Error;

/// Whether a gRPC client has sent it.
pub(crate) fn is_call(request: &request::Parts) -> bool {
    let content = request.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let kind = content.strip_prefix(b"application/grpc");
    request.version == Version::HTTP_2
        && request.method == Method::POST
        && kind.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// Unauthenticated, PermissionDenied, Unavailable or Internal: the number of the refusal's gRPC status.
pub(crate) fn code(error: &Error) -> i32 {
    match error.status() {
        401 => 16,
        403 => 7,
        503 => 14,
        _ => 13,
    }
}

/// The code is the status's message. Unavailable has a RetryInfo if another attempt can succeed.
pub(crate) fn refuse(error: &Error, response: &mut response::Parts) {
    let headers = &mut response.headers;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(code(error)));
    headers.insert("grpc-message", HeaderValue::from_static(error.code().name()));
    if let Some(details) = details(error)
        && let Ok(value) = HeaderValue::try_from(STANDARD_NO_PAD.encode(details))
    {
        headers.insert("grpc-status-details-bin", value);
    }
}

/// A `google.rpc.Status` that holds a `google.rpc.RetryInfo`, as protocol buffers. Three messages of five fields: the
/// crates that generate them would be the largest dependency of this one.
pub(crate) fn details(error: &Error) -> Option<Vec<u8>> {
    let after = error.retry_after().filter(|_| error.status() == 503)?;
    let delay = number(1, seconds(after));
    let retry_info = bytes(1, &delay);
    let any = [bytes(1, b"type.googleapis.com/google.rpc.RetryInfo"), bytes(2, &retry_info)].concat();
    Some(
        [number(1, code(error).unsigned_abs().into()), bytes(2, error.code().name().as_bytes()), bytes(3, &any)]
            .concat(),
    )
}

fn seconds(after: Duration) -> u64 {
    after.as_secs().max(1)
}

fn number(field: u8, value: u64) -> Vec<u8> {
    let mut encoded = vec![field << 3];
    varint(value, &mut encoded);
    encoded
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut encoded = vec![field << 3 | 2];
    varint(value.len() as u64, &mut encoded);
    encoded.extend_from_slice(value);
    encoded
}

fn varint(mut value: u64, encoded: &mut Vec<u8>) {
    while value >= 0x80 {
        encoded.push(value as u8 | 0x80);
        value >>= 7;
    }
    encoded.push(value as u8);
}
