"""Who is calling? Verifies the JWT that Pomerium puts into X-Pomerium-Jwt-Assertion, strictly and fast.

    from pomerium_jwt import Verifier, VerifyError

    verifier = Verifier(route="https://app.example.com")  # once per application; threads share it
    try:
        identity = verifier.verify(header)  # the raw text of the header, "" if there is none
    except VerifyError as refused:
        ...  # answer with refused.status, refused.headers, refused.body; str(refused) is for your log alone

Flask: pomerium_jwt.flask. Any WSGI application: pomerium_jwt.wsgi. Tests of applications: pomerium_jwt.testing.
"""

from ._errors import AccessDenied, Code, KeysUnavailable, Kind, OptionsError, TokenError, VerifyError
from ._links import logout_url
from ._native import Identity, __version__, is_upgrade, require_group, require_user
from ._option_types import Options, RequestOptions
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
    "RequestOptions",
    "Status",
    "TokenError",
    "Verifier",
    "VerifyError",
    "__version__",
    "is_upgrade",
    "logout_url",
    "require_group",
    "require_user",
]
