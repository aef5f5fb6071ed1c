"""Waiting for keys, as the process waits: threads, gevent, asyncio or trio.

In each of these ways one thread fetches for a verifier, and it ends with the fetch. The native half calls `wait` when a
verification needs keys that have to be fetched first.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from . import _native
from ._errors import VerifyError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ._verifier import Verifier

WORKER = "pomerium-jwt refresh"
"""The name of the thread that fetches for asyncio and trio."""


def wait(verifier: Verifier) -> None:
    """Waits for the keys in this thread, or in this greenlet."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_anything_patched():
        verifier._waiting.in_gevent(verifier)
    else:
        refresh(verifier)


def refresh(verifier: _native.Verifier) -> None:
    try:
        verifier.refresh()
    except VerifyError:
        pass  # the answer with the ticket says why there are no keys


class Waiting:
    """Who waits for the keys of one verifier. Entries are by process: a fork can leave the parent's locks locked, and its
    threads behind."""

    def __init__(self) -> None:
        self._workers: dict[int, _Worker] = {}
        self._fetches: dict[tuple[int, int], _Fetch] = {}

    async def for_keys(self, verifier: _native.Verifier) -> None:
        """Waits in asyncio or trio for the one refresh of this verifier in this process."""
        worker = self._workers.setdefault(os.getpid(), _Worker())
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_task():
            await _in_trio(trio, worker.refresh(verifier))
            return
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "waiting for keys works in asyncio and in trio; elsewhere call verify or admit"
            ) from None
        await asyncio.wrap_future(worker.refresh(verifier))

    def in_gevent(self, verifier: _native.Verifier) -> None:
        """Waits in gevent's thread pool, so that other greenlets run; all greenlets of a hub share one thread."""
        from gevent import get_hub

        hub = get_hub()
        key = os.getpid(), id(hub)
        fetch = self._fetches.get(key)
        if fetch is None or fetch.ended:  # one that has ended does not help a later caller
            fetch = self._fetches[key] = _Fetch()
            fetch.result = hub.threadpool.spawn(fetch.run, verifier)
        fetch.result.wait()


class _Fetch:
    """A refresh in gevent's thread pool."""

    result: Any

    def __init__(self) -> None:
        self.ended = False

    def run(self, verifier: _native.Verifier) -> None:
        try:
            refresh(verifier)
        finally:
            self.ended = True


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
        # Not a daemon: one that comes back while the interpreter ends could crash it. It ends within the option timeout
        thread = threading.Thread(name=WORKER, target=self._run, args=(verifier, running), daemon=False)
        try:
            thread.start()
        except RuntimeError:  # the system gives no thread: waiting here would stop the event loop
            self._end(running)
        return running

    def _run(self, verifier: _native.Verifier, running: Future[None]) -> None:
        try:
            refresh(verifier)
        finally:
            self._end(running)

    def _end(self, running: Future[None]) -> None:
        with self._lock:
            self._running = None
        running.set_result(None)


async def _in_trio(trio: Any, running: Future[None]) -> None:
    """A task that is cancelled leaves at once, and no thread waits for it."""
    ended, token = trio.Event(), trio.lowlevel.current_trio_token()

    def tell(_: Future[None]) -> None:
        try:
            token.run_sync_soon(ended.set)
        except trio.RunFinishedError:
            pass  # nobody waits any more

    running.add_done_callback(tell)
    await ended.wait()
