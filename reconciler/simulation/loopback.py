"""What every simulated service is over HTTP: one application on a loopback port."""

from types import TracebackType
from typing import Any, Self

from aiohttp import web

LOOPBACK = "127.0.0.1"
SHUTDOWN_SECONDS = 0.2
"""What aiohttp waits for answers under way when it is stopped, before it cancels them."""


class LoopbackService:
    """A server on 127.0.0.1 only; use it with `async with`."""

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        """The port given; 0: a free one, known once the server runs and kept from then on."""
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address, known once the server runs."""
        return f"http://{LOOPBACK}:{self.port}"

    def application(self) -> web.Application:
        """What is served; asked for at each start."""
        raise NotImplementedError

    async def start(self, **runner: Any) -> None:
        """Listen, on the port of before if there was one. `runner`: of aiohttp's AppRunner."""
        self._runner = web.AppRunner(
            self.application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, **runner
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Accept nothing any more. Idempotent."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()
