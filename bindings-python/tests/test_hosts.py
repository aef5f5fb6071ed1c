"""Hosts that are not threads of one interpreter: sub-interpreters, gevent, trio; and a frozen clock."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import freezegun
import pytest
import time_machine
import trio
from conftest import Issuer

from pomerium_jwt import KeysUnavailable, Verifier
from pomerium_jwt._waiting import WORKER
from pomerium_jwt.testing import TestIssuer

# The interpreters' module has another name, and create() other arguments, in each version
INTERPRETERS = """
import sys
try:
    import _interpreters as interpreters
    create = lambda: interpreters.create("legacy")
except ImportError:
    import _xxsubinterpreters as interpreters
    create = lambda: interpreters.create(isolated=False)

SECOND = '''
try:
    import pomerium_jwt
    from pomerium_jwt.testing import TestIssuer
except ImportError as error:
    print("ImportError:", error, flush=True)
else:
    issuer = TestIssuer()
    try:
        issuer.verifier().verify(issuer.expired())
    except pomerium_jwt.TokenError as error:
        print(error.code, issuer.verifier().verify(issuer.token()).subject, flush=True)
'''

def run_in_another():
    assert interpreters.run_string(create(), SECOND) is None
"""


# The first interpreter, or another one, is the first to import it
FIRST = ["exec(SECOND); exec(SECOND)", "run_in_another()"]


@pytest.mark.parametrize("first", FIRST)
def test_one_interpreter_works_and_each_other_is_told(first: str, python: str = sys.executable) -> None:
    """found: mod_wsgi's default; import worked, each refusal was a 500, and CPython 3.12 crashed."""
    script = f"{INTERPRETERS}\n{first}\nrun_in_another()\nrun_in_another()\n"
    run = subprocess.run([python, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    *worked, second, third = run.stdout.splitlines()
    assert set(worked) == {"token_expired alice"}
    assert second == third and second.startswith("ImportError: pomerium_jwt is in use in another interpreter")
    assert "WSGIApplicationGroup %{GLOBAL}" in second and "single-interpreter = true" in second


GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys, time
from pathlib import Path
import gevent
from pomerium_jwt import KeysUnavailable, Verifier
from urllib.request import Request, urlopen

url, token = sys.argv[1:]
threads = lambda: len(list(Path("/proc/self/task").iterdir()))
fetches = lambda: urlopen(url + "/stats").read()
post = lambda path: urlopen(Request(url + path, method="POST")).read()
verifier = Verifier(route=url, timeout=60)

def call(how):
    try:
        return verifier.verify(token).subject if how % 2 else verifier.admit(token, "/").subject
    except KeysUnavailable:
        return "unavailable"

post("/fault?kind=hang")
before = threads()
waiting = [gevent.spawn(call, number) for number in range(20_000)]
while b'"fetches":0' in fetches():
    gevent.sleep(0.01)
assert threads() - before <= 4, f"{threads() - before} more threads"  # gevent's, the core's, its look-up of the name
gevent.killall(waiting[:10_000])
began, ticks = time.monotonic(), 0
while time.monotonic() - began < 1:
    gevent.sleep(0.001)
    ticks += 1
assert ticks > 50, f"other greenlets stood still: {ticks} ticks"
assert not any(greenlet.ready() for greenlet in waiting[10_000:])
assert verifier.status()["fetches"] == 1
print("waiting", flush=True)
gevent.joinall(waiting)
assert {greenlet.value for greenlet in waiting[10_000:]} == {"unavailable"}
print("done")
"""


def test_other_greenlets_run_while_gevent_waits_for_keys(issuer: Issuer) -> None:
    """found: gevent workers stood still while keys were fetched."""
    command = [sys.executable, "-W", "error", "-c", GEVENT, issuer.url, issuer.mint()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        waiting = process.stdout.readline()
        issuer.close()  # ends the fetch
        out, err = process.communicate()
    assert (waiting + out, process.returncode) == ("waiting\ndone\n", 0), err


def test_a_gevent_program_fetches_once_and_then_answers_at_once(issuer: Issuer) -> None:
    script = """
from gevent import monkey
monkey.patch_all()
import sys, gevent
from pomerium_jwt import Verifier
verifier = Verifier(route=sys.argv[1])
greenlets = [gevent.spawn(lambda: verifier.verify(sys.argv[2]).subject) for _ in range(1000)]
gevent.joinall(greenlets, raise_error=True)
print({greenlet.value for greenlet in greenlets}, verifier.status()["fetches"])
"""
    run = subprocess.run([sys.executable, "-c", script, issuer.url, issuer.mint()], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "{'alice'} 1\n"), run.stderr


def test_trio_waits_for_one_fetch(issuer: Issuer) -> None:
    verifier, token = Verifier(route=issuer.url), issuer.mint()
    subjects: list[str] = []

    async def one() -> None:
        subjects.append((await verifier.verify_async(token)).subject)
        admitted = await verifier.admit_async(token, "/")
        assert admitted is not None and admitted.subject == "alice"

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(1000):
                nursery.start_soon(one)

    trio.run(main)
    assert subjects == ["alice"] * 1000
    assert issuer.fetches() == 1


def test_trio_cancels_at_once_and_without_threads(issuer: Issuer) -> None:
    issuer.post("/fault?kind=hang")
    verifier, token = Verifier(route=issuer.url, timeout=60), issuer.mint()
    codes: list[str] = []

    async def one() -> None:
        try:
            await verifier.verify_async(token)
        except KeysUnavailable as error:
            codes.append(error.code)

    async def main() -> None:
        with trio.move_on_after(1) as scope:
            async with trio.open_nursery() as nursery:
                for _ in range(10_000):
                    nursery.start_soon(one)
                await trio.sleep(0.5)
                assert [thread.name for thread in threading.enumerate()].count(WORKER) == 1
        assert scope.cancelled_caught and not codes
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one)
            await trio.to_thread.run_sync(issuer.close)  # ends the fetch
        assert codes == ["keys_unavailable"]

    trio.run(main)


def test_elsewhere_waiting_says_what_to_call(issuer: Issuer) -> None:
    coroutine: Any = Verifier(route=issuer.url).verify_async(issuer.mint())
    with pytest.raises(RuntimeError, match="asyncio and in trio"):
        coroutine.send(None)


@pytest.mark.parametrize("frozen", [freezegun.freeze_time, time_machine.travel])
def test_a_frozen_clock_changes_neither_tokens_nor_verifiers(frozen: Any) -> None:
    issuer = TestIssuer()
    with frozen("2012-01-14"):
        assert issuer.verifier(max_token_age=60).verify(issuer.token()).subject == "alice"
    token = issuer.token()
    with frozen("2099-01-01"):
        assert issuer.verifier(leeway=0).verify(token).subject == "alice"
