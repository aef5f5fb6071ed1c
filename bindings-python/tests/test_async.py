"""Waiting in asyncio: one fetch and one thread, however many tasks wait."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from conftest import Issuer

from pomerium_jwt import KeysUnavailable, TokenError, Verifier
from pomerium_jwt._waiting import WORKER
from pomerium_jwt.testing import TestIssuer


def test_answers_at_once_when_it_can() -> None:
    issuer = TestIssuer()
    coroutine = issuer.verifier().verify_async(issuer.token())
    with pytest.raises(StopIteration) as done:  # before it has waited for anything
        coroutine.send(None)
    assert done.value.value.subject == "alice"
    with pytest.raises(TokenError):
        issuer.verifier().verify_async(issuer.expired()).send(None)
    with pytest.raises(StopIteration) as passed:
        issuer.verifier(exempt_paths="/health").admit_async("", "/health").send(None)
    assert passed.value.value is None


def test_a_cold_start_is_one_fetch(issuer: Issuer) -> None:
    verifier, token = Verifier(route=issuer.url), issuer.mint()

    async def main() -> None:
        verified = (verifier.verify_async(token) for _ in range(500))
        admitted = (verifier.admit_async(token, "/") for _ in range(500))
        identities = await asyncio.gather(*verified, *admitted)
        assert {identity.subject for identity in identities if identity} == {"alice"} and all(identities)

    asyncio.run(main())
    assert issuer.fetches() == 1


def test_several_event_loops_share_one_fetch(issuer: Issuer) -> None:
    verifier, token = Verifier(route=issuer.url), issuer.mint()
    start, subjects = threading.Barrier(4), []

    def loop() -> None:
        start.wait()
        subjects.append(asyncio.run(verifier.verify_async(token)).subject)

    threads = [threading.Thread(target=loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert subjects == ["alice"] * 4
    assert issuer.fetches() == 1


def test_twenty_thousand_tasks_while_the_key_server_hangs(issuer: Issuer) -> None:
    """One worker thread; those who are cancelled leave at once; the others share the outcome."""
    issuer.post("/fault?kind=hang")
    verifier, token = Verifier(route=issuer.url, timeout=60), issuer.mint()
    same_keys = verifier.with_options(optional=True)
    before = native_threads()

    async def main() -> None:
        calls = [
            verifier.verify_async(token) if number % 2 else same_keys.verify_async(token) for number in range(20_000)
        ]
        tasks = [asyncio.create_task(call) for call in calls]
        while await asyncio.to_thread(issuer.fetches) == 0:
            await asyncio.sleep(0.01)
        # asyncio.to_thread has threads of its own
        assert [thread.name for thread in threading.enumerate()].count(WORKER) == 1
        # The worker, the core's fetch, its look-up of the name, and asyncio's pool
        assert native_threads() - before <= 3 + asyncio_threads()

        cancelled, waiting = tasks[:10_000], tasks[10_000:]
        for task in cancelled:
            task.cancel()
        await asyncio.wait(cancelled)
        assert all(task.cancelled() for task in cancelled)
        assert not any(task.done() for task in waiting), "the fetch still hangs, so nobody else may have an answer"

        issuer.close()  # ends the fetch
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {KeysUnavailable}

    asyncio.run(main())
    assert verifier.status()["fetches"] == 1


def native_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def asyncio_threads() -> int:
    return sum(thread.name.startswith("asyncio") for thread in threading.enumerate())


def test_where_the_system_gives_no_thread(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop is not stopped and nobody waits for ever: the answer is that there are no keys."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    verifier, token = Verifier(route=issuer.url), issuer.mint()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(KeysUnavailable):
            asyncio.run(verifier.verify_async(token))
    verifier.refresh(force=True)
    assert asyncio.run(verifier.verify_async(token)).subject == "alice"
