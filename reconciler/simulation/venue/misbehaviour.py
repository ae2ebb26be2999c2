"""Carrying out a fault: instead of the answer, or on the answer, down to the socket."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from aiohttp import web

from reconciler.simulation.venue.faults import Fault, FaultKind, FaultRule

HTML = (
    "<!DOCTYPE html><html><head><title>{title}</title></head>"
    "<body><center><h1>{title}</h1></center><hr><center>cloudflare</center></body></html>"
)
# What Binance itself says with these statuses; all others come from a proxy, in HTML.
BINANCE_ERRORS = {
    401: (-2015, "Invalid API-key, IP, or permissions for action."),
    418: (-1003, "Way too many requests; IP banned until 1893456000000."),
    429: (-1003, "Too many requests; current limit of IP is 2400 requests per minute."),
}
RETRY_AFTER_SECONDS = 5
# Logged when the request arrives, as one that gets no answer.
UNANSWERED = frozenset({FaultKind.RESET, FaultKind.CUT_BODY, FaultKind.HANG, FaultKind.HANG_AFTER})
KNOWN_STATUSES = frozenset(known.value for known in HTTPStatus)
FIXED_BODIES = {
    FaultKind.HTML_200: (HTML.format(title="Scheduled maintenance"), "text/html"),
    FaultKind.EMPTY_200: ("", "application/json"),
    FaultKind.NULL: ("null", "application/json"),
    FaultKind.OBJECT: ("{}", "application/json"),
    FaultKind.ARRAY: ("[]", "application/json"),
    FaultKind.TEXT: ("service temporarily unavailable", "text/plain"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer before it is sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """Return it in aiohttp's form."""
        return web.Response(
            status=self.status,
            body=self.body,
            headers={**self.headers, "Content-Type": self.content_type},
        )


def error_answer(code: int, message: str, http_status: int) -> Answer:
    """Return one of Binance's JSON errors."""
    return Answer(status=http_status, body=json.dumps({"code": code, "msg": message}).encode())


async def carry_out(
    rule: FaultRule, *, request: web.Request, answer: Callable[[], Answer], stopping: asyncio.Event
) -> web.StreamResponse:
    """Return what `rule` makes of the request.

    `answer` computes the true answer, at the time when it is sent. A request that hangs waits for
    the rule to be cleared or for the server to stop.
    """
    fault = rule.fault
    if fault.kind is FaultKind.RESET:
        return _reset(request)
    if fault.kind is FaultKind.CUT_BODY:
        return _cut(request, answer(), content_length=fault.content_length)
    if fault.kind is FaultKind.HANG_AFTER:
        done = answer()  # the request has its effect; only nobody hears of it
        await _wait(rule.cleared, stopping, seconds=None)
        return done.response()
    if fault.kind in {FaultKind.HANG, FaultKind.SLOW}:
        seconds = fault.seconds if fault.kind is FaultKind.SLOW else None
        await _wait(rule.cleared, stopping, seconds=seconds)
        if stopping.is_set():
            return _reset(request)
    return _changed(fault, answer).response()


def _changed(fault: Fault, answer: Callable[[], Answer]) -> Answer:
    match fault.kind:
        case FaultKind.STATUS:
            return _status_answer(fault)
        case FaultKind.ERROR:
            return error_answer(fault.code, fault.message, fault.http_status)
        case FaultKind.TRUNCATED_JSON:
            true = answer()
            return replace(true, body=true.body[: len(true.body) // 2])
        case FaultKind.DROP_ROWS:
            return _without_rows(answer(), fault.rows)
        case FaultKind.HANG | FaultKind.SLOW:
            return answer()
        case _:
            body, content_type = FIXED_BODIES[fault.kind]
            return Answer(body=body.encode(), content_type=content_type)


def _status_answer(fault: Fault) -> Answer:
    status = fault.http_status
    headers: dict[str, str] = {}
    if fault.retry_after is not None or status in {418, 429}:
        headers["Retry-After"] = str(
            RETRY_AFTER_SECONDS if fault.retry_after is None else fault.retry_after
        )
    if fault.body is None and status in BINANCE_ERRORS:
        return replace(error_answer(*BINANCE_ERRORS[status], status), headers=headers)
    known = status in KNOWN_STATUSES
    title = f"{status} {HTTPStatus(status).phrase if known else 'Origin Error'}"
    body = HTML.format(title=title) if fault.body is None else fault.body
    return Answer(status=status, body=body.encode(), content_type="text/html", headers=headers)


def _without_rows(true: Answer, rows: int) -> Answer:
    listing = json.loads(true.body)
    if not isinstance(listing, list):
        return true
    return replace(true, body=json.dumps(listing[: max(len(listing) - rows, 0)]).encode())


async def _wait(cleared: asyncio.Event, stopping: asyncio.Event, *, seconds: float | None) -> None:
    waits = [asyncio.ensure_future(cleared.wait()), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _reset(request: web.Request) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        # Linger 0 makes the kernel send RST instead of FIN when the socket is closed.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()
    return web.Response()


def _cut(request: web.Request, true: Answer, *, content_length: bool) -> web.StreamResponse:
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        # Written raw: aiohttp would chunk a body without a length, and a cut chunk is noticed.
        length = f"Content-Length: {len(true.body)}\r\n" if content_length else ""
        head = (
            f"HTTP/1.1 {true.status} OK\r\nContent-Type: {true.content_type}\r\n"
            f"{length}Connection: close\r\n\r\n"
        )
        transport.write(head.encode() + true.body[: len(true.body) // 2])
        transport.close()
    return web.Response()
