"""uvicorn in the daemon's own event loop: the daemon starts it, watches it and ends it.

uvicorn's own `serve()` takes the process's signals and ends it with `sys.exit` where an address is
taken. So its steps are called one by one here, on sockets that we bind.
"""

import asyncio
import contextlib
import errno
import os
import socket
from datetime import timedelta
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from reconciler.domain.errors import ReconcilerError

BACKLOG: Final = 128
RESOLVE_WITHIN: Final = timedelta(seconds=5)
DRAIN_WITHIN: Final = timedelta(milliseconds=600)
"""For answers under way at the end. With CANCEL_WITHIN below one second: SIGTERM to exit is 10 s,
and the cycles need them more."""
CANCEL_WITHIN: Final = timedelta(milliseconds=200)
NO_SUCH_ADDRESS: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""`localhost` is also ::1, which a container may not have: one of the two is enough there."""


class AddressUnavailableError(ReconcilerError):
    """The configured address cannot be listened on."""


class HttpServer:
    """Listens from `start` to `stop`; `serve` is the task to supervise in between."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Port 0 takes a free one: `port` and `url` tell which, once started."""
        self._host = host
        self._port = port
        self._stopping = False
        self._started = False
        self._closed = asyncio.Event()
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
            )
        )

    @property
    def port(self) -> int:
        """The port listened on; the configured one before `start`."""
        return self._port

    @property
    def url(self) -> str:
        """Where a program on this host reaches us."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self._host, self._host)  # noqa: S104 - read, not bound
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Listen, and answer as of now.

        Raises AddressUnavailableError, naming the address and the setting.
        """
        sockets = await self._bind()
        self._port = sockets[0].getsockname()[1]
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=sockets)
        self._started = True

    async def serve(self) -> None:
        """Run until `stop` is called or the task is cancelled; then nothing listens any more.

        Raises RuntimeError where the server ended by itself.
        """
        try:
            await self._server.main_loop()
            if not self._stopping:
                raise RuntimeError(f"the HTTP server at {self.url} ended by itself")
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Let answers under way end, then cut what is left. Within a second; idempotent."""
        if self._stopping:
            if self._started:
                await self._closed.wait()
            return
        self._stopping = True
        self._server.should_exit = True
        if not self._started:
            return
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_WITHIN.total_seconds()):
                    await self._server.shutdown()
        finally:  # also where stopping is cancelled
            unfinished = self._cut()
            self._closed.set()
        if unfinished:
            await asyncio.wait(unfinished, timeout=CANCEL_WITHIN.total_seconds())

    def _cut(self) -> set[asyncio.Task[None]]:
        """End the connections of clients that neither read nor write; their tasks are returned."""
        state = self._server.server_state
        for connection in state.connections.copy():
            connection.transport.abort()
        for task in state.tasks:
            task.cancel()
        return state.tasks.copy()

    async def _bind(self) -> list[socket.socket]:
        """One socket for each address that the host name stands for, all on one port."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_WITHIN.total_seconds()):
                found = await loop.getaddrinfo(
                    self._host or None,
                    self._port,
                    type=socket.SOCK_STREAM,
                    flags=socket.AI_PASSIVE,
                )
        except TimeoutError as error:
            raise self._unavailable("the host name was not resolved in time") from error
        except OSError as error:
            raise self._unavailable(error.strerror or str(error)) from error
        addresses = dict.fromkeys((one[0], str(one[4][0])) for one in found)
        # `::` alone is every address, the old ones included, as people expect of it
        both = socket.has_dualstack_ipv6() and [host for _, host in addresses] == ["::"]
        bound: list[socket.socket] = []
        refusal: OSError | None = None
        for family, host in addresses:
            at = (host, bound[0].getsockname()[1] if bound else self._port)
            try:
                bound.append(
                    socket.create_server(at, family=family, backlog=BACKLOG, dualstack_ipv6=both)
                )
            except OSError as error:
                refusal = error
                if error.errno not in NO_SUCH_ADDRESS:
                    break
        for one in bound:
            # Connections inherit it. asyncio sets it on sockets of its own making only; without it
            # each answer, which is two writes, waits 40 ms for the client's delayed ACK.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if refusal is not None and (not bound or refusal.errno not in NO_SUCH_ADDRESS):
            for one in bound:
                one.close()
            raise self._unavailable(os.strerror(refusal.errno or 0)) from refusal
        return bound

    def _unavailable(self, why: str) -> AddressUnavailableError:
        return AddressUnavailableError(
            f"cannot listen on {self._host}:{self._port}: {why}. "
            "Choose another address with host and port of [http] "
            "(RECONCILER_HTTP__HOST, RECONCILER_HTTP__PORT)."
        )
