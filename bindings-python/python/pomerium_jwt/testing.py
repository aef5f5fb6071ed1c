"""For tests of applications: tokens signed as Pomerium signs them, and verified as in production.

    issuer = TestIssuer("app.example.com")
    verifier = issuer.verifier()
    verifier.verify(issuer.token(sub="alice", groups=["admins"]))

With pytest the fixtures `pomerium_issuer` and `pomerium_headers` are there without an import.
"""

from __future__ import annotations

import json
from typing import Any

from ._native import Signer
from ._option_types import Options
from ._typing import Unpack
from ._verifier import Verifier

HEADER = "X-Pomerium-Jwt-Assertion"

# Beyond every leeway and every max_token_age in use
_LONG_AGO = 2 * 86_400


class TestIssuer:
    """Stands in for Pomerium in tests: signs with a key of its own, a new one for each TestIssuer.

    Tokens are signed now by the system's clock, as verifiers read it: a library that freezes Python's time changes neither.

    host: the host of the application's route, without port.
    """

    __test__ = False  # not a test, in spite of its name

    def __init__(self, host: str = "app.example.com") -> None:
        self.host = host
        self._signer = Signer()

    @property
    def options(self) -> Options:
        """What a Verifier takes to accept these tokens: the route, and this issuer's JWK Set."""
        return {"route": f"https://{self.host}", "jwks": json.loads(self._signer.key_set())}

    @property
    def flask_config(self) -> dict[str, object]:
        """The same for app.config of Flask."""
        return {f"POMERIUM_JWT_{name.upper()}": value for name, value in self.options.items()}

    @property
    def environment(self) -> dict[str, str]:
        """The same for os.environ, for applications that read their options there."""
        return {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in self.flask_config.items()
        }

    def verifier(self, **options: Unpack[Options]) -> Verifier:
        """A verifier that accepts these tokens, with more options if given."""
        merged: Options = {**self.options, **options}
        return Verifier(**merged)

    def token(self, sub: str = "alice", **claims: Any) -> str:
        """A token that was signed now and lives for five minutes.

        Any claim can be given, such as groups=["admins"] or exp=0. With sub="" it is the token of a request to a public
        route, for nobody. Three names are not claims: `host`, for which `iss` and `aud` follow; `expires_in` seconds,
        also negative; `without`, a list of claims to leave out.
        """
        user = {"email": f"{sub}@example.com", "name": sub.title()} if sub else {}
        return self._signer.token(self.host, self._signer.now(), json.dumps({"sub": sub, **user, **claims}))

    def headers(self, sub: str = "alice", **claims: Any) -> dict[str, str]:
        """The request headers that carry such a token."""
        return {HEADER: self.token(sub, **claims)}

    def expired(self, **claims: Any) -> str:
        """A token that expired two days ago."""
        then = self._signer.now() - _LONG_AGO
        return self.token(**{"iat": then - 300, "exp": then, **claims})

    def wrong_audience(self, **claims: Any) -> str:
        """A token for another application behind the same Pomerium."""
        return self.token(**{"aud": "another-application.example.com", **claims})
