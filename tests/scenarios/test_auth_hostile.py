"""Servers that stream, redirect, hang on, say odd dates; keys that were copied badly."""

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from reconciler.domain.outcome import OutcomeState
from reconciler.simulation.supabase import Forced
from reconciler.simulation.supabase.server import JWKS_PATH
from tests.scenarios.auth_setting import AuthSetting, auth

__all__ = ["auth"]

After = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CLOSE_4401 = b"\x88\x02\x11\x31"


async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Prices, and no eye for our close."""
    while True:
        writer.write(b"\x81\x02hi")
        await writer.drain()
        await asyncio.sleep(0.01)


async def say_why_and_close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x81\x0cunauthorized" + CLOSE_4401)
    await writer.drain()


async def stay_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(100):
        pass


@contextlib.asynccontextmanager
async def socket_server(after: After) -> AsyncIterator[str]:
    """Accepts every handshake; the address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            key = lines["Sec-WebSocket-Key"] + WEBSOCKET_GUID
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324 - RFC 6455's
            said = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
            said += [f"Sec-WebSocket-Accept: {accept}", "", ""]
            writer.write("\r\n".join(said).encode())
            await after(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
    finally:
        server.close()


# WebSockets.


@pytest.mark.parametrize("after", [stream, stay_silent])
@pytest.mark.parametrize("deadline", ["2s", "300ms"])
async def test_an_open_socket_that_never_answers_a_close(
    auth: AuthSetting, after: After, deadline: str
) -> None:
    """It is an open door, and no server without an answer."""
    async with socket_server(after) as url:
        auth.auth |= {"bot": {"websocket_url": url}, "timeout": deadline, "confirmations": 1}
        await auth.probe(1)
    incident = await auth.incident()
    assert (incident["details"]["class"], incident["severity"]) == ("app_regression", "SEV-1")
    assert incident["details"]["open_doors"] == ["bot_websocket_closed"]
    assert incident["details"]["failed_steps"] == ["bot_websocket_closed"]


async def test_a_socket_that_says_why_before_it_closes(auth: AuthSetting) -> None:
    """It refuses: who shows nothing, which is well, and a good token, which is not."""
    async with socket_server(say_why_and_close) as url:
        auth.auth |= {"bot": {"websocket_url": url}, "confirmations": 1}
        await auth.probe(1)
    details = (await auth.incident())["details"]
    assert (details["open_doors"], details["failed_steps"]) == ([], ["bot_websocket"])


@pytest.mark.parametrize("where", ["same host", "elsewhere"])
async def test_a_websocket_that_redirects_is_not_followed(auth: AuthSetting, where: str) -> None:
    """Least of all with the token in its headers."""
    led_to: list[dict[str, str]] = []

    async def accept(request: web.Request) -> web.WebSocketResponse:
        led_to.append(dict(request.headers))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    async def redirect(request: web.Request) -> web.Response:
        place = request.url.with_path("/there")
        place = place if where == "same host" else place.with_host("localhost")
        return web.Response(status=307, headers={"Location": str(place.with_scheme("http"))})

    app = web.Application()
    app.router.add_get("/ws", redirect)
    app.router.add_get("/there", accept)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        auth.auth |= {"bot": {"websocket_url": f"ws://127.0.0.1:{port}/ws"}}
        outcome = await auth.probe(1)
    finally:
        await runner.cleanup()
    assert led_to == []
    assert "bot_websocket_closed answered 307 without a token" in outcome.sentence


# Clocks.

DATES = [
    "nonsense",
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:00 +999999999999",
    "0",
]


@pytest.mark.parametrize("date", DATES)
async def test_a_date_that_is_none_says_nothing_of_the_clock(auth: AuthSetting, date: str) -> None:
    async with answering(f"Date: {date}") as url:
        auth.auth = {"supabase_url": url, "anon_key": auth.supabase.keys.anon_key}
        async with auth.running() as (probe, parts):
            outcome = await probe.run()
            metrics = parts.metrics.render()[0].decode()
    assert outcome.state is OutcomeState.PARITY, outcome.sentence
    assert 'clock_skew_seconds{source="supabase"}' not in metrics


async def test_an_answer_from_a_cache_says_nothing_of_the_clock(auth: AuthSetting) -> None:
    old = "Date: Mon, 23 Nov 2026 00:00:00 GMT\r\nAge: 590"
    async with answering(old) as url:
        auth.auth = {"supabase_url": url, "anon_key": auth.supabase.keys.anon_key}
        outcome = await auth.probe(1)
    assert outcome.state is OutcomeState.PARITY, outcome.sentence


@contextlib.asynccontextmanager
async def answering(headers: str, *, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Health and an empty key set, with these headers; the address."""
    body = b'{"version": "v2", "keys": []}'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            head = f"HTTP/1.1 200 OK\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, host, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        server.close()


# Addresses and keys.


@pytest.mark.parametrize("more", ["", "/", "///"])
async def test_a_host_by_its_ipv6_address(auth: AuthSetting, more: str) -> None:
    async with answering("X: y", host="::1") as url:
        auth.auth = {"supabase_url": url + more, "anon_key": auth.supabase.keys.anon_key}
        outcome = await auth.probe(1)
    assert outcome.sentence == "sign-in works: 2 steps passed, 13 skipped"


@pytest.mark.parametrize("name", ["service_role_key", "anon_key"])
async def test_a_key_with_its_line_break(auth: AuthSetting, name: str) -> None:
    """A secret that was made with `echo`: no network has broken."""
    auth.auth[name] += "\n"
    await auth.probe(3)
    assert await auth.found() == ("config", "SEV-2")
    checked = await auth.setting.typed("check", "--json")
    assert "is no key of Supabase's" in checked.out
    assert auth.supabase.keys.anon_key not in checked.out


async def test_a_bot_token_with_its_line_break(auth: AuthSetting) -> None:
    """The probe cannot ask with it: that says nothing against the bot's endpoints."""
    auth.auth["bot"]["token"] = auth.bot_token() + "\n"
    await auth.probe(3)
    assert await auth.found() == ("config", "SEV-2")
    assert (await auth.incident())["details"]["failed_steps"] == ["bot_status", "bot_websocket"]


async def test_an_older_gotrue_that_gives_no_codes(auth: AuthSetting) -> None:
    auth.supabase.forced["/auth/v1/admin/"] = Forced(
        status=404, body={"code": 404, "msg": "User not found"}
    )
    outcome = await auth.probe(1)
    assert outcome.state is OutcomeState.PARITY, outcome.sentence


async def test_half_of_a_key_in_the_words_of_an_error(auth: AuthSetting) -> None:
    keys = auth.supabase.keys
    auth.auth |= {"service_role_key": keys.secret_key, "anon_key": keys.publishable_key}
    begins = keys.secret_key[:20]
    auth.supabase.forced["/rest/v1/"] = Forced(status=401, body={"message": f"who is {begins}?"})
    outcome = await auth.probe(1)
    assert "who is ***?" in outcome.sentence
    assert begins not in outcome.sentence


async def test_what_is_asked_of_supabase_in_one_probe(auth: AuthSetting) -> None:
    """A session of the canary's own, its own refresh token, and its own end; nothing else."""
    bots = auth.supabase.users.sign_in("bot@example.test", "bot-password-4711")
    bots.next_token()
    before = bots.current
    auth.auth["bot"] = {**auth.auth["bot"], "token": auth.supabase.issue(bots)}
    await auth.probe(2)
    assert list(auth.supabase.users.sessions) == [bots.id]
    assert (bots.current, bots.used) == (before, set())
    asked = auth.supabase.asked
    assert asked.count("POST /auth/v1/token") == 4
    assert asked.count("POST /auth/v1/logout") == 2
    assert asked.count(f"GET {JWKS_PATH}") <= 4
