"""Every refusal is a VerifyError; its code is stable and the same in every language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

# Compared with conformance/codes.json by a test
Code = Literal[
    "invalid_options",
    "invalid_argument",
    "token_missing",
    "token_repeated",
    "token_too_large",
    "token_malformed",
    "algorithm_not_allowed",
    "header_unsupported",
    "key_not_found",
    "signature_invalid",
    "claims_malformed",
    "token_expired",
    "token_not_yet_valid",
    "token_issued_in_future",
    "token_too_old",
    "issuer_mismatch",
    "audience_mismatch",
    "subject_missing",
    "claim_mismatch",
    "keys_unavailable",
    "keys_needed",
    "keys_empty",
    "group_required",
    "internal",
]

Kind = Literal["options", "token", "keys", "access", "internal"]


class VerifyError(Exception):
    """Why there is no verified identity. Of kind `internal` if it is not one of the subclasses.

    `status`, `headers` and `body` are the response. The message is for logs, never for the HTTP client: it may name
    expected issuers and key ids. It never quotes the token, and values from its payload only after the signature held.
    """

    code: Code
    """The stable name, such as "token_expired"."""
    number: int
    """The stable number of the code."""
    kind: Kind
    """What the error is about."""
    message: str
    """One sentence with the facts that help, for logs."""
    status: int
    """The HTTP status of the response: 401, 403, 503 or 500."""
    retry_after: int | None
    """Seconds after which another attempt can succeed; None if time does not help."""
    headers: Mapping[str, str]
    """The headers of the response."""
    body: bytes
    """The body of the response: {"error":"token_expired"}. A response to HEAD has none."""

    def __init__(
        self,
        code: Code,
        number: int,
        kind: Kind,
        message: str,
        status: int,
        retry_after: int | None,
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        super().__init__(code, number, kind, message, status, retry_after, headers, body)
        self.code = code
        self.number = number
        self.kind = kind
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.headers = headers
        self.body = body

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class OptionsError(VerifyError):
    """The application's configuration or call is wrong. HTTP 500."""


class TokenError(VerifyError):
    """The token is refused. HTTP 401."""


class KeysUnavailable(VerifyError):
    """There are no keys to judge the token with. HTTP 503 with Retry-After."""


class AccessDenied(VerifyError):
    """The user is known and may not do this. HTTP 403."""


_CLASSES: dict[Kind, type[VerifyError]] = {
    "options": OptionsError,
    "token": TokenError,
    "keys": KeysUnavailable,
    "access": AccessDenied,
}


def make(
    code: Code,
    number: int,
    kind: Kind,
    message: str,
    status: int,
    retry_after: int | None,
    headers: Mapping[str, str],
    body: bytes,
) -> VerifyError:
    """What the native half raises. A kind that is not known here is a fault of this package."""
    error = _CLASSES.get(kind, VerifyError)
    return error(code, number, kind, message, status, retry_after, headers, body)
