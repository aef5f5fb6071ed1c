"""The verifier as applications see it: options in, and waiting in asyncio. The rest is native."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from . import _native
from ._errors import VerifyError
from ._native import Identity
from ._options import to_json
from ._status import Health, Status, health

if TYPE_CHECKING:
    from concurrent.futures import Future

    from typing_extensions import Self, Unpack

    from ._options import Options

WORKER = "pomerium-jwt refresh"
"""The name of the thread that fetches for asyncio."""


class Verifier(_native.Verifier):
    """Verifies Pomerium's tokens. Make one per application and share it between threads, tasks and forked processes.

    Verifier(route="https://app.example.com") protects an application; Options has the other options. Construction
    touches no network; files are read then. Raises OptionsError, in a sentence that says what to write instead.
    There is nothing to close.
    """

    options: Mapping[str, object]
    """The options as they were given."""
    _waiting: dict[int, _Worker]

    def __new__(cls, **options: Unpack[Options]) -> Self:
        self = super().__new__(cls, to_json(options))
        self.options = MappingProxyType({**options})
        self._waiting = {}
        return self

    @classmethod
    def from_env(cls) -> Self:
        """A verifier with the options of the environment: POMERIUM_JWT_ROUTE and so on.

        Lists are separated by commas, objects are JSON, booleans are true, false, 1 or 0; an empty variable counts as
        unset. Raises OptionsError, naming the variable.
        """
        return cls(**json.loads(_native.options_from_env()))

    async def verify_async(self, token: str | bytes) -> Identity:
        """As verify, for asyncio: answers at once when it can; where keys have to be fetched first, all tasks of all
        event loops wait for one fetch, which has one thread. A cancelled task leaves at once.
        """
        identity = self.verify_cached(token)
        if isinstance(identity, int):
            await self._refreshed()
            identity = self.verify_cached(token, identity)
        return cast(Identity, identity)

    def status(self) -> Status:
        """The state of keys, pins and counters. Never waits and never fetches."""
        return cast(Status, json.loads(self.status_json()))

    def health(self) -> Health:
        """The status in short, for a health page."""
        return health(self.status())

    def __repr__(self) -> str:
        return f"<Verifier {', '.join(self.options)}>"

    async def _refreshed(self) -> None:
        """Waits for the one refresh of this verifier in this process."""
        import asyncio

        # By process: a fork may have left the parent's lock locked and its thread behind
        worker = self._waiting.setdefault(os.getpid(), _Worker())
        await asyncio.wrap_future(worker.refresh(self))


class _Worker:
    """The one thread that waits for keys while any number of tasks wait for it. It ends with the refresh."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Future[None] | None = None

    def refresh(self, verifier: _native.Verifier) -> Future[None]:
        from concurrent.futures import Future

        with self._lock:
            if self._running is not None:
                return self._running
            running = self._running = Future()
            # From now on a task that is cancelled cancels its own waiting only
            running.set_running_or_notify_cancel()
        # No daemon: one that comes back while the interpreter ends could crash it. It ends within the option timeout
        thread = threading.Thread(name=WORKER, target=self._run, args=(verifier, running), daemon=False)
        try:
            thread.start()
        except RuntimeError:  # the system gives no thread: waiting here would stop the event loop
            self._land(running)
        return running

    def _run(self, verifier: _native.Verifier, running: Future[None]) -> None:
        try:
            verifier.refresh()
        except VerifyError:
            pass  # the answer with the ticket says why there are no keys
        finally:
            self._land(running)

    def _land(self, running: Future[None]) -> None:
        with self._lock:
            self._running = None
        running.set_result(None)
