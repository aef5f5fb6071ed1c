"""The five scenarios of conformance/scenarios.md, step by step."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable

from conftest import Issuer

from pomerium_jwt import KeysUnavailable, TokenError, Verifier, VerifyError


def verifier(issuer: Issuer, cache_ttl: int) -> Verifier:
    return Verifier(route=issuer.url, cache_ttl=cache_ttl, timeout=2, refetch_cooldown=1, max_stale=60)


def accepted(verifier: Verifier, token: str) -> None:
    assert verifier.verify(token).subject == "alice"


def steadily(until: Callable[[], bool], call: Callable[[], object]) -> None:
    while not until():
        call()
        time.sleep(0.05)


def clock_at(moment: float) -> Callable[[], bool]:
    return lambda: time.monotonic() >= moment


def until_fresh(verifier: Verifier, call: Callable[[], object]) -> None:
    start = time.monotonic()
    steadily(lambda: verifier.status()["state"] == "fresh" or time.monotonic() > start + 10, call)
    assert verifier.status()["state"] == "fresh", "within 10 seconds"


def took(call: Callable[[], object]) -> float:
    start = time.monotonic()
    call()
    return time.monotonic() - start


def test_1_cold_start_under_concurrency(issuer: Issuer) -> None:
    token, one = issuer.mint(), verifier(issuer, cache_ttl=60)
    assert issuer.fetches() == 0
    start, subjects = threading.Barrier(16), []

    def work() -> None:
        start.wait()
        subjects.append(one.verify(token).subject)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert subjects == ["alice"] * 16
    assert issuer.fetches() == 1


def test_2_rotation_under_load(issuer: Issuer) -> None:
    one, stop = verifier(issuer, cache_ttl=1), threading.Event()
    counts, headers, refused = [0] * 4, [set[str]() for _ in range(4)], list[str]()

    def work(number: int) -> None:
        while not stop.wait(0.02):
            token = issuer.mint()
            headers[number].add(base64.urlsafe_b64decode(token.split(".")[0] + "==").decode())
            try:
                accepted(one, token)
                counts[number] += 1
            except VerifyError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for pause, step in [(1, "append"), (2, "swap"), (2, "drop")]:
        time.sleep(pause)
        issuer.post(f"/rotate?step={step}")
    time.sleep(2)
    stop.set()
    for thread in threads:
        thread.join()
    assert not refused
    assert all(count >= 20 for count in counts), counts
    assert all(len(seen) == 2 for seen in headers), "each saw two kids"

    for _ in range(2):
        time.sleep(2)
        issuer.post("/rotate")
        accepted(one, issuer.mint())


def test_3_a_withdrawn_key(issuer: Issuer) -> None:
    issuer.post("/rotate?step=append")
    token = issuer.mint()
    busy, idle = verifier(issuer, cache_ttl=2), verifier(issuer, cache_ttl=2)
    accepted(busy, token)
    accepted(idle, token)
    issuer.post("/withdraw")
    withdrawn = time.monotonic()
    codes: list[tuple[float, str]] = []
    idle_code: list[str] = []

    def look() -> None:
        began = time.monotonic()
        codes.append((began, code(busy, token)))

    def look_idle() -> None:
        time.sleep(withdrawn + 4.1 - time.monotonic())
        idle_code.append(code(idle, token))

    thread = threading.Thread(target=look_idle)
    thread.start()
    steadily(clock_at(withdrawn + 6), look)
    thread.join()
    first = next(number for number, (_, seen) in enumerate(codes) if seen != "ok")
    assert all(seen != "ok" for began, seen in codes if began >= withdrawn + 4)
    assert {seen for _, seen in codes[first:]} == {"key_not_found"}, "after the first refusal none is accepted"
    assert idle_code == ["key_not_found"]

    token = issuer.mint()
    assert (code(busy, token), code(idle, token)) == ("key_not_found", "key_not_found")
    time.sleep(2)
    issuer.post("/rotate")
    token = issuer.mint()
    accepted(busy, token)
    accepted(idle, token)


def code(verifier: Verifier, token: str) -> str:
    try:
        accepted(verifier, token)
        return "ok"
    except (TokenError, KeysUnavailable) as error:
        return error.code


def test_4_the_key_server_hangs(issuer: Issuer) -> None:
    token, busy, idle = issuer.mint(), verifier(issuer, cache_ttl=5), verifier(issuer, cache_ttl=5)
    accepted(busy, token)
    accepted(idle, token)
    issuer.post("/fault?kind=hang")
    fetches, times = issuer.fetches(), list[float]()
    steadily(clock_at(time.monotonic() + 11), lambda: times.append(took(lambda: accepted(busy, token))))
    assert max(times) < 1, "nobody waits under steady traffic"
    assert issuer.fetches() >= fetches + 2
    first, second = took(lambda: accepted(idle, token)), took(lambda: accepted(idle, token))
    assert 1 <= first < 4 and second < 1, (first, second)
    issuer.post("/fault?kind=none")
    until_fresh(busy, lambda: accepted(busy, token))


def test_5_an_outage_shorter_than_max_stale(issuer: Issuer) -> None:
    token, busy, idle = issuer.mint(), verifier(issuer, cache_ttl=2), verifier(issuer, cache_ttl=2)
    accepted(busy, token)
    accepted(idle, token)
    issuer.post("/fault?kind=reset")
    steadily(clock_at(time.monotonic() + 7), lambda: accepted(busy, token))
    accepted(idle, token)
    assert busy.status()["last_error"] and idle.status()["last_error"]
    issuer.post("/rotate")
    issuer.post("/fault?kind=none")
    until_fresh(busy, lambda: code(busy, token))
    time.sleep(1.1)
    accepted(busy, issuer.mint())
