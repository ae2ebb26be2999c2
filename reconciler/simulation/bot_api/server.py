"""The bot's surface: health, an authenticated status, a trade endpoint, a WebSocket."""

import asyncio
from collections.abc import Callable
from typing import Any

import jwt
from aiohttp import web

from reconciler.simulation.loopback import LOOPBACK, LoopbackService
from reconciler.simulation.supabase import ProjectKeys, SimulatedSupabase
from reconciler.simulation.supabase.keys import TokenRefused

LONGEST_REASON = 123
"""Bytes of a close, beside its code (RFC 6455)."""
WhyNot = Callable[[str], str | None]
"""Why a token lets nobody in; None: it does."""


def by_secret(secret: str) -> WhyNot:
    """Verifies by the legacy HS256 secret alone, as bots did before keys were rotated."""

    def why_not(token: str) -> str | None:
        try:
            jwt.decode(token, secret, ["HS256"], audience="authenticated")
        except jwt.PyJWTError as error:
            return str(error)
        return None

    return why_not


def by_project(project: SimulatedSupabase) -> WhyNot:
    """Verifies as the project does."""
    keys: ProjectKeys = project.keys

    def why_not(token: str) -> str | None:
        try:
            keys.verify(token, now=project.now)
        except TokenRefused as refused:
            return str(refused)
        return None

    return why_not


class SimulatedBotApi(LoopbackService):
    """One bot, on 127.0.0.1 only; use it with `async with`."""

    def __init__(self, why_not: WhyNot) -> None:
        super().__init__()
        self.why_not = why_not
        self.degraded: list[dict[str, str]] = []
        """What readiness calls degraded; `is_ready` False makes it 503."""
        self.is_ready = True
        self.is_door_open = False
        """Neither trade nor WebSocket ask for a token."""
        self.is_socket_open = False
        """The WebSocket alone asks for none."""
        self.closes_sockets_with: int | None = None
        """Accepts each handshake, and closes at once with this code."""
        self.echoes = False
        """Puts the token it was shown into headers and into the reason of a close."""
        self.forced: dict[str, tuple[int, Any]] = {}
        """Status and body by path, in place of the true answer."""
        self.trades = 0
        """Orders that were accepted: must stay 0, whatever is open."""
        self.bodies: list[bytes] = []
        """What the trade endpoint was sent."""

    @property
    def websocket_url(self) -> str:
        """The address of its WebSocket."""
        return f"ws://{LOOPBACK}:{self.port}/ws"

    def application(self) -> web.Application:
        """Its routes."""
        app = web.Application(middlewares=[self._forcing()])
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/ready", self._ready)
        app.router.add_get("/api/status", self._status)
        app.router.add_post("/api/trade", self._trade)
        app.router.add_get("/ws", self._socket)
        return app

    def _forcing(self) -> Any:
        @web.middleware
        async def forcing(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.path in self.forced:
                status, body = self.forced[request.path]
                return web.json_response(body, status=status, headers=self._echo(request))
            answer: web.StreamResponse = await handler(request)
            if not answer.prepared:
                answer.headers.update(self._echo(request))
            return answer

        return forcing

    def _echo(self, request: web.Request) -> dict[str, str]:
        """As badly written servers do, in whatever header one might look at."""
        token = _token(request)
        if not self.echoes or not token:
            return {}
        names = ("x-sb-error-code", "WWW-Authenticate", "Location", "Server", "X-Token")
        return dict.fromkeys(names, token)

    def _refusal(self, request: web.Request) -> web.Response | None:
        token = _token(request)
        why = self.why_not(token) if token else "no token"
        return None if why is None else web.json_response({"error": why}, status=401)

    async def _live(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, _request: web.Request) -> web.Response:
        body = {"status": "ok" if self.is_ready else "failing", "degraded": self.degraded}
        return web.json_response(body, status=200 if self.is_ready else 503)

    async def _status(self, request: web.Request) -> web.Response:
        return self._refusal(request) or web.json_response({"mode": "live"})

    async def _trade(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        if not self.is_door_open and (refusal := self._refusal(request)):
            return refusal
        if not body:
            return web.json_response({"detail": "a body is required"}, status=422)
        self.trades += 1
        return web.json_response({"accepted": True})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        is_open = self.is_door_open or self.is_socket_open or self.closes_sockets_with
        if not is_open and (refusal := self._refusal(request)):
            return refusal
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self.closes_sockets_with is not None:
            said = _token(request).encode()[:LONGEST_REASON] if self.echoes else b""
            await socket.close(code=self.closes_sockets_with, message=said)
            return socket
        with_deadline = asyncio.timeout(5)
        try:
            async with with_deadline:
                await socket.receive()
        except TimeoutError:
            await socket.close()
        return socket


def _token(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")
