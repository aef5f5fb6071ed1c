"""Who is calling? Verifies the JWT that Pomerium puts into X-Pomerium-Jwt-Assertion, strictly and fast.

    from pomerium_jwt import Verifier, VerifyError

    verifier = Verifier(route="https://app.example.com")  # once per application; threads share it
    try:
        identity = verifier.verify(header)  # the raw text of the header, "" if there is none
    except VerifyError as refused:
        ...  # answer with refused.status; log str(refused), never send it to the client

Flask: pomerium_jwt.flask. Any WSGI application: pomerium_jwt.wsgi. Tests of applications: pomerium_jwt.testing.
"""

from ._errors import AccessDenied, Code, Kind, KeysUnavailable, OptionsError, TokenError, VerifyError
from ._links import logout_url
from ._native import Identity
from ._options import Options
from ._status import Health, KeyStatus, LastError, Pinned, Status
from ._verifier import Verifier

__all__ = [
    "AccessDenied",
    "Code",
    "Health",
    "Identity",
    "KeyStatus",
    "KeysUnavailable",
    "Kind",
    "LastError",
    "Options",
    "OptionsError",
    "Pinned",
    "Status",
    "TokenError",
    "Verifier",
    "VerifyError",
    "logout_url",
]
