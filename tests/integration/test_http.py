"""Health, metrics and the closed API over real HTTP, and the server's start and end."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from reconciler.http.app import build_app
from reconciler.http.server import AddressUnavailableError, HttpServer
from reconciler.telemetry.health import HealthBoard
from reconciler.telemetry.metrics import Metrics

LOOPBACK = "127.0.0.1"


@pytest.fixture
def health() -> HealthBoard:
    board = HealthBoard(mode="enforce", version="9.9.9")
    board.database_up(up=True)
    board.startup_begun([])
    return board


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    metrics.declare(["main"])
    return metrics


@pytest.fixture
async def server(health: HealthBoard, metrics: Metrics) -> AsyncIterator[HttpServer]:
    one = HttpServer(build_app(health=health, metrics=metrics), LOOPBACK, 0)
    await one.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(one.serve())
        yield one
        await one.stop()


@pytest.fixture
async def http(server: HttpServer) -> AsyncIterator[aiohttp.ClientSession]:
    deadline = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(base_url=server.url, timeout=deadline) as session:
        yield session


async def _ask(
    http: aiohttp.ClientSession, path: str, method: str = "GET", **more: Any
) -> tuple[int, Any, aiohttp.ClientResponse]:
    async with http.request(method, path, allow_redirects=False, **more) as answer:
        body = await answer.read()
        is_json = answer.content_type == "application/json" and body
        return answer.status, (await answer.json() if is_json else body.decode()), answer


async def test_live(http: aiohttp.ClientSession) -> None:
    status, body, answer = await _ask(http, "/health/live")
    assert (status, body) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "server" not in answer.headers


async def test_ready_follows_the_board(http: aiohttp.ClientSession, health: HealthBoard) -> None:
    assert (await _ask(http, "/health/ready"))[:2] == (200, {"status": "ok", "degraded": []})
    health.degraded("notifications", "slack answers 500")
    status, body, _ = await _ask(http, "/health/ready")
    assert (status, body["status"]) == (200, "degraded")
    health.database_up(up=False, why="connection refused")
    status, body, _ = await _ask(http, "/health/ready")
    assert (status, body["status"]) == (503, "failing")
    assert {"what": "database", "why": "connection refused"} in body["degraded"]


async def test_health_is_always_200(http: aiohttp.ClientSession, health: HealthBoard) -> None:
    health.startup_failed("no")
    status, body, _ = await _ask(http, "/health")
    assert (status, body["status"], body["version"]) == (200, "failing", "9.9.9")
    assert body == health.report()


async def test_metrics_in_both_formats(http: aiohttp.ClientSession) -> None:
    status, body, answer = await _ask(http, "/metrics")
    assert status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'reconciler_guard_trips_total{account="main",guard="mass_change"} 0.0' in body
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    _, body, answer = await _ask(http, "/metrics", headers=accept)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith("# EOF\n")


@pytest.mark.parametrize("accept", ["text/plain; version=nonsense", "é", ";;,,=", "x" * 4000])
async def test_no_accept_header_breaks_metrics(http: aiohttp.ClientSession, accept: str) -> None:
    assert (await _ask(http, "/metrics", headers={"Accept": accept}))[0] == 200


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
async def test_head_has_the_status_and_no_body(http: aiohttp.ClientSession, path: str) -> None:
    status, body, answer = await _ask(http, path, "HEAD")
    assert (status, body) == (200, "")
    assert int(answer.headers["Content-Length"]) > 0
    assert (await _ask(http, path, "POST"))[0] == 405


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/status", "/api/openapi.json", "/api/x/y%2Fz?a=1", "/api/../api"]
)
async def test_api_is_closed(http: aiohttp.ClientSession, method: str, path: str) -> None:
    tokens = {"Authorization": "Bearer anything"}
    status, body, answer = await _ask(http, path, method, headers=tokens)
    assert status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert method == "HEAD" or "detail" in body


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/redoc", "/openapi.json", "/apis", "/health/", "/health/x", "/metrics/"]
)
async def test_other_paths_are_not_found(http: aiohttp.ClientSession, path: str) -> None:
    assert (await _ask(http, path))[0] == 404


async def test_the_loop_turns_while_metrics_are_rendered(
    http: aiohttp.ClientSession, metrics: Metrics
) -> None:
    metrics.declare(f"account-{index}" for index in range(300))
    scrape = asyncio.ensure_future(_ask(http, "/metrics"))
    turns = 0
    while not scrape.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert (await scrape)[0] == 200
    assert turns > 20  # rendering in the loop itself lets it turn a few times, before and after


async def test_small_answers_wait_for_no_delayed_ack(http: aiohttp.ClientSession) -> None:
    seconds = []
    for _ in range(15):
        begun = time.monotonic()
        await _ask(http, "/health/live")
        seconds.append(time.monotonic() - begun)
    assert sorted(seconds)[7] < 0.03


async def test_signals_stay_ours(health: HealthBoard, metrics: Metrics) -> None:
    def handlers() -> list[Any]:
        return [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]

    before = handlers()
    one = HttpServer(build_app(health=health, metrics=metrics), LOOPBACK, 0)
    await one.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(one.serve())
        await asyncio.sleep(0.15)
        assert handlers() == before
        await one.stop()
    assert handlers() == before


async def test_answers_from_start_on_and_not_after_stop(
    health: HealthBoard, metrics: Metrics
) -> None:
    one = HttpServer(build_app(health=health, metrics=metrics), LOOPBACK, 0)
    await one.start()
    assert one.port != 0
    async with aiohttp.ClientSession(base_url=one.url) as http:
        assert (await _ask(http, "/health/live"))[0] == 200
        await one.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await _ask(http, "/health/live")


async def test_an_address_in_use_is_named_with_its_setting(server: HttpServer) -> None:
    second = HttpServer(_never, LOOPBACK, server.port)
    with pytest.raises(AddressUnavailableError) as caught:
        await second.start()
    message = str(caught.value)
    assert f"{LOOPBACK}:{server.port}" in message
    assert "in use" in message
    assert "RECONCILER_HTTP__PORT" in message
    await second.stop()  # of what never started


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid"])
async def test_an_address_of_others_is_refused_clearly(host: str) -> None:
    with pytest.raises(AddressUnavailableError, match=host):
        await HttpServer(_never, host, 0).start()


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0", "", "::"])
async def test_host_names_and_wildcards(health: HealthBoard, metrics: Metrics, host: str) -> None:
    one = HttpServer(build_app(health=health, metrics=metrics), host, 0)
    await one.start()
    try:
        async with aiohttp.ClientSession() as http:
            for url in (one.url, f"http://127.0.0.1:{one.port}"):
                assert (await _ask(http, f"{url}/health/live"))[0] == 200
    finally:
        await one.stop()


async def _never(_scope: Any, _receive: Any, _send: Any) -> None:
    """An application that does not answer, however long one waits."""
    await asyncio.sleep(3600)


@pytest.mark.parametrize(
    "sent",
    [
        b"",  # connected, silent
        b"GET /health HTTP/1.1\r\nHost: x\r\n",  # never ends its headers
        b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",  # nor its body
        b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",  # kept alive after an answer
    ],
)
async def test_stopping_takes_less_than_a_second(
    health: HealthBoard, metrics: Metrics, sent: bytes
) -> None:
    one = HttpServer(build_app(health=health, metrics=metrics), LOOPBACK, 0)
    assert await _seconds_to_stop(one, sent) < 1


async def test_stopping_cuts_an_answer_that_never_ends() -> None:
    one = HttpServer(_never, LOOPBACK, 0)
    assert await _seconds_to_stop(one, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") < 1


async def test_stopping_cuts_a_client_that_does_not_read() -> None:
    async def flood(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            chunk = {"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True}
            await send(chunk)

    one = HttpServer(flood, LOOPBACK, 0)
    assert await _seconds_to_stop(one, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") < 1


async def _seconds_to_stop(one: HttpServer, sent: bytes) -> float:
    await one.start()
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(one.serve())
        reader, writer = await asyncio.open_connection(LOOPBACK, one.port)
        writer.write(sent)
        await writer.drain()
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        await one.stop()
        took = time.monotonic() - begun
        async with asyncio.timeout(1):
            await serving
            await _read_to_the_end(reader)
        writer.close()
    return took


async def _read_to_the_end(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):  # cut off is an end, too
        while await reader.read(65536):
            pass


async def test_cancelling_the_task_stops_the_server(health: HealthBoard, metrics: Metrics) -> None:
    one = HttpServer(build_app(health=health, metrics=metrics), LOOPBACK, 0)
    await one.start()
    serving = asyncio.ensure_future(one.serve())
    await asyncio.sleep(0.05)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with socket.create_server((LOOPBACK, one.port)):  # free again
        pass
    await one.stop()


async def test_an_end_of_its_own_is_an_error(health: HealthBoard, metrics: Metrics) -> None:
    one = HttpServer(build_app(health=health, metrics=metrics), LOOPBACK, 0)
    await one.start()
    one._server.should_exit = True
    with pytest.raises(RuntimeError, match="ended by itself"):
        await one.serve()


async def test_the_service_is_ready_only_while_jobs_succeed(
    http: aiohttp.ClientSession, health: HealthBoard
) -> None:
    health.job_expected("reconciliation", timedelta(seconds=60))
    health.startup_begun(["main"])
    assert (await _ask(http, "/health/ready"))[0] == 503
    health.account_attempted("main")
    assert (await _ask(http, "/health/ready"))[0] == 200
