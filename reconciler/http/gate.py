"""What stands before every path of the API, the unknown ones included.

In this order: the address's rate, the token, the caller's rate, the role, the body, a turn. Who
has no token learns nothing of the paths, and what changes something needs the role whatever its
route forgot. Health and metrics do not come through here: they always answer.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.http.authentication import Authentication, fingerprint_of
from reconciler.http.callers import Caller, TokenRefusedError
from reconciler.http.problems import Problem
from reconciler.http.rate_limits import Buckets, Limits, address_key, retry_after
from reconciler.telemetry.metrics import Metrics

log = structlog.get_logger("reconciler.http")

CALLER: Final = "reconciler.caller"
"""Where a route finds who calls, in the request's scope."""
DEADLINE: Final = "reconciler.deadline"
"""Where it finds the request's `asyncio.Timeout`."""
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY: Final = 64 * 1024
BODY_WITHIN: Final = timedelta(seconds=10)
ANSWER_WITHIN: Final = timedelta(seconds=30)
AT_ONCE: Final = 4
"""Each takes a database connection, of which the whole daemon has ten: passes go on beside."""
WAITING: Final = 32

UNAUTHORIZED: Final = "A valid bearer token is needed."
FORBIDDEN: Final = "This token may not do that."


class Gate:
    """An ASGI application before another one."""

    def __init__(
        self,
        api: ASGIApp,
        authentication: Authentication,
        *,
        metrics: Metrics,
        limits: Limits,
        answer_within: timedelta = ANSWER_WITHIN,
    ) -> None:
        self._api = api
        self._authentication = authentication
        self._rejections = metrics.auth_rejections_total
        self._by_address = Buckets(limits.address)
        self._by_caller = Buckets(limits.caller)
        self._refused = Buckets(limits.refusals)
        self._answer_within = answer_within
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, within the deadline."""
        answering = _Answering(send)
        try:
            async with asyncio.timeout(self._answer_within.total_seconds()) as deadline:
                await self._serve({**scope, DEADLINE: deadline}, receive, answering.send)
        except Problem as problem:
            await problem.response()(scope, receive, answering.send)
        except TimeoutError:
            if not deadline.expired() or answering.has_begun:
                raise
            late = Problem(
                503,
                "This took too long, and was given up.",
                ("whether it was done is not known: look before you ask again",),
            )
            await late.response()(scope, receive, answering.send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = await self._admit(scope)
        body = await _read_body(scope, receive)
        async with self._turn():
            await self._api({**_with_raw_path(scope), CALLER: caller}, body, send)

    async def _admit(self, scope: Scope) -> Caller:
        """Who calls, where they may do what they ask. Raises Problem."""
        client = scope.get("client")
        address = address_key(client[0] if client else None)
        _refuse_while(self._by_address.take(address))
        try:
            caller = await self._authentication.caller(scope["headers"])
        except TokenRefusedError as refused:
            self._count(401)
            # Good tokens from there are let in all the same: nobody locks a neighbour out.
            _refuse_while(self._refused.take(address))
            _log_refusal(scope, 401, refused.reason)
            raise Problem(
                401, self._unauthorized(), headers={"WWW-Authenticate": "Bearer"}
            ) from None
        _refuse_while(self._by_caller.take(caller.name))
        if caller.role is None or (scope["method"] not in READING and not caller.may_change):
            self._count(403)
            _log_refusal(scope, 403, f"{caller.name} has the role {caller.role}")
            raise Problem(403, FORBIDDEN)
        return caller

    def _unauthorized(self) -> str:
        if self._authentication.is_configured:
            return UNAUTHORIZED
        return "A bearer token is needed, and none is configured on this daemon."

    def _count(self, code: int) -> None:
        self._rejections.labels("api", str(code)).inc()

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """A few at once, some more in a queue, and no more. Raises Problem."""
        if self._waiting >= WAITING:
            raise Problem(503, "Too many requests are under way.", headers={"Retry-After": "1"})
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()


class _Answering:
    """Knows whether an answer has begun, and lets no cache keep one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            MutableHeaders(scope=message)["Cache-Control"] = "no-store"
        await self._send(message)


def _log_refusal(scope: Scope, code: int, reason: str) -> None:
    """What the answer does not say, and never the token."""
    client = scope.get("client")
    log.warning(
        "[AUTH] request refused",
        code=code,
        reason=reason,
        address=client[0] if client else None,
        method=scope["method"],
        path=scope["path"][:200],
        fingerprint=fingerprint_of(scope["headers"]),
    )


def _refuse_while(wait: timedelta | None) -> None:
    if wait is not None:
        raise Problem(429, "Too many requests.", headers={"Retry-After": retry_after(wait)})


def _with_raw_path(scope: Scope) -> Scope:
    """Routed by the path as it was sent: an order id may have a `/` in it, as `%2F`."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return {**scope, "path": raw.decode("latin-1")}


async def _read_body(scope: Scope, receive: Receive) -> Receive:
    """The whole body, before anything is begun with it; then what comes after. Raises Problem."""
    too_large = Problem(413, f"The body has more than {LARGEST_BODY} bytes.")
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    if lengths and lengths[0].isdigit() and int(lengths[0]) > LARGEST_BODY:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN.total_seconds()):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > LARGEST_BODY:
                    raise too_large
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise Problem(408, "The body did not arrive in time.") from None
    whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]
    if message["type"] == "http.disconnect":
        whole = [message]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay
