"""The verifier as applications see it: options in, and waiting in asyncio and trio. The rest is native."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from . import _native
from ._native import Identity
from ._option_types import Options, RequestOptions
from ._options import to_json
from ._status import Health, Status
from ._typing import Self, Unpack
from ._waiting import Waiting

# Values that are long, or that can be about people
_UNSHOWN = {"jwks", "jwks_initial", "public_key", "ca_pem", "expect_claims"}


class Verifier(_native.Verifier):
    """Verifies Pomerium's tokens. Make one per application and share it between threads, tasks and forked processes.

    Verifier(route="https://app.example.com") protects an application; Options has the other options. Construction
    touches no network; files are read then. Raises OptionsError, in a sentence that says what to write instead.
    There is nothing to close. A pickled verifier is its options: the copy has keys, pins and counts of its own.
    """

    options: Mapping[str, object]
    """The options as they were given."""
    _waiting: Waiting

    def __new__(cls, **options: Unpack[Options]) -> Self:
        self = super().__new__(cls, to_json(options))
        self.options = MappingProxyType({**options})
        self._waiting = Waiting()
        return self

    @classmethod
    def from_env(cls) -> Self:
        """A verifier with the options of the environment: POMERIUM_JWT_ROUTE and so on.

        Lists are separated by commas, or JSON if they begin with `[`; objects are JSON; booleans are true, false, 1 or 0;
        an empty variable counts as unset. Raises OptionsError, naming the variable, also for one that is unknown.
        """
        return cls(**json.loads(_native.options_from_env()))

    def with_options(self, **options: Unpack[RequestOptions]) -> Self:
        """A verifier with other request options over the same keys, pins and counts: for two mounts of one application,
        or for HTTP and WebSockets. What is not named stays as it is here. Raises OptionsError.
        """
        made = _native.Verifier.__new__(type(self), to_json(options), self)
        made.options = MappingProxyType({**self.options, **options})
        made._waiting = self._waiting
        return made

    async def verify_async(self, token: str | bytes) -> Identity:
        """As verify, for asyncio and trio: answers at once if it can; if keys have to be fetched first, all tasks of all
        event loops wait for one fetch, which has one thread. A cancelled task leaves at once.
        """
        identity = self.verify_cached(token)
        if isinstance(identity, int):
            await self._waiting.for_keys(self)
            identity = self.verify_cached(token, identity)
        return cast(Identity, identity)

    async def admit_async(
        self, token: str | bytes, path: str | bytes, *, upgrade: bool = False, marked_public: bool = False
    ) -> Identity | None:
        """As admit, for asyncio and trio; waits as verify_async does."""
        identity = self.admit_cached(token, path, upgrade=upgrade, marked_public=marked_public)
        if isinstance(identity, int):
            await self._waiting.for_keys(self)
            identity = self.admit_cached(token, path, upgrade=upgrade, marked_public=marked_public, ticket=identity)
        return cast("Identity | None", identity)

    def status(self) -> Status:
        """The state of keys, pins and counters. Never waits; while no usable key is loaded it starts a fetch that is
        due."""
        return cast(Status, json.loads(self.status_json()))

    def health(self) -> Health:
        """Whether this process can verify tokens, for a health page. Never waits, and starts a fetch that is due."""
        return cast(Health, json.loads(self.health_json()))

    def __repr__(self) -> str:
        shown = (f"{name}={'...' if name in _UNSHOWN else repr(value)}" for name, value in self.options.items())
        return f"Verifier({', '.join(shown)})"

    def __copy__(self) -> Self:
        return self  # immutable

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, tuple[type[Self], str]]:
        return _restore, (type(self), to_json(self.options))


def _restore(kind: type[Verifier], options: str) -> Verifier:
    return kind(**json.loads(options))
