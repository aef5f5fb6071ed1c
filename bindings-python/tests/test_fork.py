"""A verifier that was made before a fork, in the child: what gunicorn --preload does, also while a fetch hangs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import Issuer

# A process of its own, whose threads are all the verifier's. The child ends by os._exit, so that nothing of pytest,
# or of the parent's threads, runs in it
SCRIPT = """
import asyncio, os, signal, sys, threading, time, traceback, urllib.request
from pomerium_jwt import KeysUnavailable, Verifier

url, token, way = sys.argv[1:]
verifier = Verifier(route=url, timeout=3, refetch_cooldown=1)


def verify():
    return asyncio.run(verifier.verify_async(token)) if way == "asyncio" else verifier.verify(token)


def unavailable():
    try:
        verify()
    except KeysUnavailable:
        return True


def post(path):
    urllib.request.urlopen(urllib.request.Request(url + path, method="POST")).read()


def recover():
    signal.alarm(60)  # one that waits for ever fails and does not keep running
    while verifier.status()["state"] != "fresh":
        try:
            verifier.refresh(force=True)
        except KeysUnavailable:  # the fetch that hung has not been given up yet
            time.sleep(0.1)
    assert verify().subject == "alice"


def child():
    assert unavailable(), "the server hangs"
    post("/fault?kind=none")
    recover()


post("/fault?kind=hang")
outcome = []
waiting = threading.Thread(target=lambda: outcome.append(unavailable()))
waiting.start()
while b'"fetches":0' in urllib.request.urlopen(url + "/stats").read():
    time.sleep(0.01)

process = os.fork()
if process == 0:
    try:
        child()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
_, status = os.waitpid(process, 0)
assert os.waitstatus_to_exitcode(status) == 0, f"the child ended with {os.waitstatus_to_exitcode(status)}"
waiting.join()
assert outcome == [True]
recover()
"""


@pytest.mark.parametrize("way", ["threads", "asyncio"])
def test_fork_while_a_fetch_hangs(issuer: Issuer, way: str) -> None:
    command = [sys.executable, "-c", SCRIPT, issuer.url, issuer.mint(), way]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_interpreter_ends_cleanly_while_a_fetch_hangs(issuer: Issuer) -> None:
    issuer.post("/fault?kind=hang")
    script = """
import asyncio, sys
from pomerium_jwt import Verifier
verifier = Verifier(route=sys.argv[1], timeout=1)

async def main():
    asyncio.create_task(verifier.verify_async(sys.argv[2]))
    await asyncio.sleep(0.2)

asyncio.run(main())
print("left")
"""
    run = subprocess.run([sys.executable, "-c", script, issuer.url, issuer.mint()], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "left\n", "")
