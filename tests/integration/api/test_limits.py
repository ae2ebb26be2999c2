"""Sizes, rates, deadlines: what is too much is refused, and health and metrics always answer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from reconciler.http.gate import AT_ONCE, LARGEST_BODY, WAITING
from reconciler.http.rate_limits import Limits, Rate
from reconciler.http.venue_questions import AT_ONCE as AT_VENUES
from reconciler.simulation.venue import FaultKind
from tests.integration.api.setting import PLENTY, UNLIMITED, Api, seed, serving
from tests.integration.api.tokens import OPERATOR_TOKEN, VIEWER_TOKEN, Jwks
from tests.scenarios.setting import Setting

RARE = Rate(per_second=0.01, burst=3)
JSON = {"Content-Type": "application/json"}


async def test_a_large_body_is_refused_whatever_it_says_of_its_size(api: Api) -> None:
    before = await api.dump()

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 1024 + 1):
            yield b" " * 1024

    for body in (b" " * (LARGEST_BODY + 1), chunks()):
        with contextlib.suppress(aiohttp.ClientConnectionError):  # cut off while still sending
            status, _ = await api.ask("POST", "/api/reconcile", data=body, headers=JSON)
            assert status == 413
    assert (await api.ask("POST", "/api/reconcile", data=b" " * 1_000_000, token="x"))[0] == 401
    assert await api.dump() == before
    largest = b"{}" + b" " * (LARGEST_BODY - 2)
    assert (await api.ask("POST", "/api/reconcile", data=largest, headers=JSON))[0] == 202


async def test_an_endless_header_or_address_is_refused(api: Api) -> None:
    for head in (
        f"GET /api/{'x' * 200_000} HTTP/1.1\r\n",
        f"GET /api/status HTTP/1.1\r\nX: {'x' * 200_000}",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
        with contextlib.suppress(ConnectionError):
            writer.write(head.encode())
            assert b" 400 " in await reader.readline()
        writer.close()


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999"])
async def test_an_odd_length_is_refused(api: Api, length: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
    head = f"POST /api/reconcile HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR_TOKEN}\r\n"
    writer.write(f"{head}Content-Length: {length}\r\n\r\n".encode())
    status = (await reader.readline()).split()[1]
    assert status in {b"400", b"413"}
    writer.close()


async def test_one_address_has_a_rate(setting: Setting, jwks: Jwks) -> None:
    limits = Limits(address=RARE, caller=PLENTY, refusals=PLENTY)
    async with serving(setting, jwks, limits=limits) as api:
        answers = [await api.ask_in_full("GET", "/api/status") for _ in range(4)]
        assert [status for status, _, _ in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[-1][2].headers["Retry-After"]) <= 100
        assert (await api.ask("GET", "/health"))[0] == 200


async def test_one_caller_has_a_rate_and_others_have_theirs(setting: Setting, jwks: Jwks) -> None:
    limits = Limits(address=PLENTY, caller=RARE, refusals=PLENTY)
    async with serving(setting, jwks, limits=limits) as api:
        codes = [(await api.ask("GET", "/api/status"))[0] for _ in range(4)]
        assert codes == [200, 200, 200, 429]
        assert (await api.ask("GET", "/api/status", token=VIEWER_TOKEN))[0] == 200
        assert (await api.ask("GET", "/api/status", token=jwks.signed()))[0] == 200


async def test_refused_tokens_have_a_rate_and_lock_nobody_out(setting: Setting, jwks: Jwks) -> None:
    limits = Limits(address=PLENTY, caller=PLENTY, refusals=RARE)
    async with serving(setting, jwks, limits=limits) as api:
        codes = [(await api.ask("GET", "/api/status", token="guess"))[0] for _ in range(5)]
        assert codes == [401, 401, 401, 429, 429]
        assert (await api.ask("GET", "/api/status", token=OPERATOR_TOKEN))[0] == 200
        assert (await api.ask("GET", "/api/status", token=jwks.signed()))[0] == 200
        assert (await api.ask("POST", "/api/reconcile", token=VIEWER_TOKEN))[0] == 403


async def test_an_operation_that_takes_too_long_is_given_up(setting: Setting, jwks: Jwks) -> None:
    await seed(setting)
    soon = timedelta(seconds=0.5)
    async with serving(setting, jwks, answer_within=soon) as api:
        async with setting.connection.transaction():
            await setting.connection.execute("lock table reconciler.incidents")
            begun = time.monotonic()
            status, answer = await api.ask("POST", "/api/incidents/1/ack")
            assert status == 503
            assert "not known" in answer["reasons"][0]
            assert time.monotonic() - begun < 5
        incident = await setting.row("select status from reconciler.incidents where id = 1")
        assert incident["status"] == "open"
        assert (await api.ask("POST", "/api/incidents/1/ack"))[0] == 200


async def test_health_answers_while_the_api_is_full(setting: Setting, jwks: Jwks) -> None:
    await seed(setting)
    async with serving(setting, jwks, limits=UNLIMITED) as api:
        async with setting.connection.transaction():
            await setting.connection.execute("lock table reconciler.incidents")
            asked = [
                asyncio.ensure_future(api.ask("GET", "/api/incidents/1"))
                for _ in range(AT_ONCE + WAITING + 5)
            ]
            done, waiting = await asyncio.wait(asked, timeout=5)
            assert sorted(task.result()[0] for task in done) == [503] * 5
            assert len(waiting) == AT_ONCE + WAITING
            for path in ("/health/live", "/health", "/metrics"):
                begun = time.monotonic()
                assert (await api.ask("GET", path))[0] == 200
                assert time.monotonic() - begun < 1
        assert {(await task)[0] for task in waiting} == {200}


async def test_a_body_that_never_comes_takes_no_turn(api: Api) -> None:
    port = int(api.url.rpartition(":")[2])
    head = f"POST /api/reconcile HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR_TOKEN}\r\n"
    writers = []
    for _ in range(AT_ONCE + WAITING):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Length: 10\r\n\r\n".encode())
        writers.append(writer)
    await asyncio.sleep(0.2)
    assert (await api.ask("GET", "/api/incidents"))[0] == 200
    for writer in writers:
        writer.close()


async def test_a_venue_that_hangs_leaves_turns_to_others(api: Api) -> None:
    venue = api.setting.venue
    assert (await api.ask("GET", "/api/positions?account=main"))[0] == 200
    hanging = [venue.faults.set(FaultKind.HANG, endpoint) for endpoint in ("positions", "order")]
    asked = [
        asyncio.ensure_future(api.ask("GET", "/api/positions?account=main"))
        for _ in range(AT_VENUES)
    ]
    await asyncio.sleep(0.3)
    status, answer = await api.ask("GET", "/api/quarantine/o1?live=true")
    assert (status, answer["detail"]) == (503, "Other requests wait for venues already.")
    assert (await api.ask("GET", "/api/quarantine/o1"))[0] == 200
    for fault in hanging:
        venue.faults.clear(fault)
    assert {(await one)[0] for one in asked} == {200}
    assert (await api.ask("GET", "/api/quarantine/o1?live=true"))[0] == 200
