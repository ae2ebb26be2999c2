"""A server of canned answers for any venue: which answer to which question is data."""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

Params = Mapping[str, str]
PAGE = "<html><head><title>Down</title></head><body>We will be back soon</body></html>"
ACCOUNT = re.compile(r"key(\d{5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """One question and its answer."""

    path: str
    """A regular expression for the end of the path."""
    body: Any = None
    """The answer as JSON, or a function of the question's parameters and path."""
    scope: str = ""
    """The scope that the answer belongs to; empty for lookups and markets."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Parameters that the question must have."""
    status: Callable[[Any], int] = lambda _: 200

    def fits(self, path: str, params: Params) -> bool:
        return re.search(self.path + "$", path) is not None and all(
            params.get(name) == value for name, value in self.where.items()
        )

    def answer(self, path: str, params: Params) -> Any:
        return self.body({**params, "path": path}) if callable(self.body) else self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What comes instead of an answer."""

    status: int = 200
    body: str | None = None
    """None: the right answer's text."""
    cut: bool = False
    """Half of the text, well formed as HTTP."""
    breaks: str = ""
    """`hang`, `reset`, or `cut`: the connection ends within the body."""
    after: int = 0
    """That many right answers come first."""


FAULTS: dict[str, Fault] = {
    "html_200": Fault(body=PAGE),
    "empty": Fault(body=""),
    "null": Fault(body="null"),
    "object": Fault(body="{}"),
    "cut_json": Fault(cut=True),
    **{
        str(code): Fault(status=code, body=PAGE)
        for code in (401, 403, 418, 429, 500, 502, 520, 524, 530)
    },
    "hang": Fault(breaks="hang"),
    "reset": Fault(breaks="reset"),
    "cut": Fault(breaks="cut"),
}


@dataclass(slots=True)
class CannedServer:
    """Answers by table; each account (told by its key) has its own table, faults and log."""

    base_url: str = ""
    tables: dict[str, list[Canned]] = field(default_factory=lambda: defaultdict(list))
    faults: dict[str, tuple[Canned, Fault]] = field(default_factory=dict)
    asked: dict[str, list[tuple[Canned, Params]]] = field(default_factory=lambda: defaultdict(list))
    unknown: list[str] = field(default_factory=list)
    public: list[Canned] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        account = _account_of(request, text)
        params = _params_of(request, text)
        table = self.tables[account] if account else self.public
        found = next((c for c in [*table, *self.public] if c.fits(request.path, params)), None)
        if found is None:
            self.unknown.append(f"{request.method} {request.path} {params}")
            return web.json_response({"unknown": request.path}, status=599)
        self.asked[account].append((found, params))
        answer = found.answer(request.path, params)
        broken, fault = self.faults.get(account, (None, Fault()))
        if broken is found:
            seen = sum(1 for one, _ in self.asked[account] if one is found)
            if seen > fault.after:
                return await _broken(request, fault, json.dumps(answer), self.closing)
        return web.json_response(answer, status=found.status(answer))

    def visited(self, account: str) -> list[Canned]:
        """Return the table's entries that the account asked for, each once."""
        seen: list[Canned] = []
        for entry, _ in self.asked[account]:
            if not any(entry is known for known in seen):
                seen.append(entry)
        return seen


def _account_of(request: web.Request, text: str) -> str:
    found = ACCOUNT.search(" ".join([*request.headers.values(), request.query_string, text]))
    return found.group(1) if found else ""


def _params_of(request: web.Request, text: str) -> dict[str, str]:
    params = dict(request.query)
    if text.startswith("{"):
        params |= {name: str(value) for name, value in json.loads(text).items()}
    elif text:
        params |= dict(parse_qsl(text))
    return params


async def _broken(
    request: web.Request, fault: Fault, right: str, closing: asyncio.Event
) -> web.StreamResponse:
    text = right if fault.body is None else fault.body
    transport = request.transport
    assert transport is not None
    match fault.breaks:
        case "hang":
            await closing.wait()
        case "reset":
            transport.abort()
        case "cut":
            response = web.StreamResponse(headers={"Content-Length": str(len(right) + 100)})
            await response.prepare(request)
            await response.write(right.encode())
            transport.close()
            return response
    if fault.cut:
        text = text[: max(len(text) // 2, 1)]
    return web.Response(text=text, status=fault.status, content_type="text/html")


@asynccontextmanager
async def serving() -> AsyncIterator[CannedServer]:
    server = CannedServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    server.base_url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        server.closing.set()
        await asyncio.sleep(0)
        await runner.cleanup()
        # Transports close their sockets a turn of the loop after they were told to.
        await asyncio.sleep(0.01)
