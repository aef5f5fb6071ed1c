"""What all framework integrations share. Who gets in is decided by the core: an integration collects a request's facts,
and renders the answer."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import _native
from ._errors import Code, VerifyError
from ._native import Identity, invalid_options
from ._options import to_json
from ._verifier import Verifier

log = logging.getLogger("pomerium_jwt")

_PREFIX = re.compile(r"(/[A-Za-z0-9_~.-]+)*")

ErrorHandler = Callable[["Refusal"], "tuple[str, str | bytes]"]
"""Gives the content type and the body of a refusal."""

OnRefused = Callable[[Code, str, str], object]
"""Called with code, message and path of each refusal. The message is for logs, and the client chose the path."""


@dataclass(frozen=True)
class Refusal:
    """What an error_handler gets: all that the client may be told."""

    code: Code
    status: int
    """401, 403, 503 or 500; the handler cannot change it."""
    headers: Mapping[str, str]
    """They are part of the answer, except for the Content-Type, which is the handler's."""
    body: bytes
    """The answer without a handler: {"error":"token_expired"}."""


@dataclass(frozen=True)
class Facts:
    """A request, as `admit` of the core wants to know it."""

    token: str | bytes
    """All values of the header, joined by commas."""
    sent_path: str
    """As the client sent it; "" if the application routes by something else."""
    upgrade: bool
    shown_path: str
    """For people to read."""


class Integration:
    """A verifier, and what a framework needs to use it. Raises OptionsError, so that the application stops at start."""

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        verifier: Verifier | None,
        error_handler: Callable[[Refusal], Any] | None,
        on_refused: OnRefused | None,
        root_path: str | None = None,
    ) -> None:
        for name, value in (("error_handler", error_handler), ("on_refused", on_refused)):
            if value is not None and not callable(value):
                raise invalid_options(f"{name} takes a function")
        if root_path is not None and not (isinstance(root_path, str) and _PREFIX.fullmatch(root_path)):
            raise invalid_options('root_path takes the prefix that the server is told, such as "/api"')
        if verifier is None:
            verifier = _over_the_environment(options)
        elif not isinstance(verifier, Verifier):
            raise invalid_options("verifier takes a Verifier")
        elif options:
            raise invalid_options(f"a verifier of your own already has its options: leave out {', '.join(options)}")
        self.verifier = verifier
        self.header_name = verifier.header_name
        self.root_path = root_path or ""
        self.error_handler = error_handler
        self._on_refused = on_refused or _RefusalLog()
        # Trust on first use is for development: the line then ends with a warning
        level = logging.WARNING if verifier.options.get("trust_on_first_use") else logging.INFO
        log.log(level, "%s", verifier.summary)

    def admit(self, facts: Facts) -> Identity | None:
        """The identity; None for a request that passes without one. Raises VerifyError, of which on_refused was told."""
        try:
            return self.verifier.admit(facts.token, facts.sent_path, upgrade=facts.upgrade)
        except VerifyError as error:
            self.refused(error, facts.shown_path)
            raise

    async def admit_async(self, facts: Facts) -> Identity | None:
        """As admit, for asyncio and trio."""
        try:
            return await self.verifier.admit_async(facts.token, facts.sent_path, upgrade=facts.upgrade)
        except VerifyError as error:
            self.refused(error, facts.shown_path)
            raise

    def refused(self, error: VerifyError, path: str) -> None:
        """To be called once for each refusal. `path` is for people to read. A hook that fails changes no answer."""
        try:
            self._on_refused(error.code, error.message, path)
        except Exception:
            log.exception("on_refused failed")

    def answer(self, error: VerifyError) -> tuple[dict[str, str], bytes]:
        """Headers and body of a refusal, for frameworks whose error_handler gives a content type and a body."""
        content_type, body = self.handled(error, _content) or (error.headers["Content-Type"], error.body)
        return {**error.headers, "Content-Type": content_type, "Content-Length": str(len(body))}, body

    def handled(self, error: VerifyError, render: Callable[[Any], Any]) -> Any:
        """What `render` makes of the error_handler's answer; None if there is none. A handler that fails changes nothing
        for the client, who gets the answer without a handler."""
        if self.error_handler is None:
            return None
        try:
            return render(self.error_handler(Refusal(error.code, error.status, error.headers, error.body)))
        except Exception:
            log.exception("error_handler failed, so a refusal is rendered without it")
            return None


def _content(answer: tuple[str, str | bytes]) -> tuple[str, bytes]:
    """The content type and body that an error_handler gives."""
    content_type, body = answer
    if not isinstance(content_type, str) or not isinstance(body, (str, bytes)):
        raise TypeError("an error_handler gives a content type, which is str, and a body, which is str or bytes")
    return content_type, body.encode() if isinstance(body, str) else body


def _over_the_environment(options: Mapping[str, Any]) -> Verifier:
    """Code wins, option by option, so that operations can add a demand without a change of code."""
    merged, warning = _native.options_over_env(to_json(options))
    verifier = Verifier(**json.loads(merged))
    if warning is not None:
        log.warning("%s", warning)
    return verifier


class _RefusalLog:
    """A warning for a refusal, at most one a second for each code: the client chooses how many there are, and the
    paths."""

    _PAUSE = 1.0
    _LONGEST_PATH = 200

    def __init__(self) -> None:
        self._process_lock = (os.getpid(), threading.Lock())
        self._next: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def _lock(self) -> threading.Lock:
        """A fork may leave the parent's lock held in the child for ever: each process has its own."""
        pid, lock = self._process_lock
        if pid != os.getpid():
            self._process_lock = (os.getpid(), lock := threading.Lock())
        return lock

    def __call__(self, code: Code, message: str, path: str) -> None:
        now = time.monotonic()
        with self._lock():
            if now < self._next.get(code, 0):
                self._unsaid[code] = self._unsaid.get(code, 0) + 1
                return
            self._next[code] = now + self._PAUSE
            unsaid = self._unsaid.pop(code, 0)
        more = f" ({unsaid} more since the last such line)" if unsaid else ""
        # %a: a path cannot write a line of its own into the log
        log.warning("refused %a: %s: %s%s", path[: self._LONGEST_PATH], code, message, more)
