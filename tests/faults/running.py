"""`reconciler run` as an operator has it: a process of its own, seen from outside."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.scenarios.setting import PROGRAM, Setting, clean_environment, eventually

START_WITHIN = 20.0
STOP_WITHIN = 5.0
"""What the runbook promises after SIGTERM."""
CONTAINED_WITHIN = 25.0
"""For tests of other things, on a busy machine; the acceptance test has its own, shorter bound."""
QUICK: dict[str, dict[str, Any]] = {
    "schedule": {"reconciliation": "5s", "order_status_sync": "5s"},
    "orders": {"confirmations": 2, "confirm_after": "1s"},
    "positions": {"confirmations": 2, "confirm_after": "1s"},
}
"""The set-up of the acceptance test: a ghost is contained within about 8 s."""


@dataclass(slots=True, kw_only=True)
class Running:
    """One daemon."""

    process: asyncio.subprocess.Process
    port: int
    log: Path

    @property
    def said(self) -> str:
        """Everything it wrote so far."""
        return self.log.read_text(encoding="utf-8")

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body of a route; (0, "") while nobody answers."""
        patience = aiohttp.ClientTimeout(total=5)
        try:
            async with (
                aiohttp.ClientSession(timeout=patience) as session,
                session.get(f"http://127.0.0.1:{self.port}{path}") as answer,
            ):
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            return 0, ""

    async def is_ready(self) -> bool:
        """Whether `/health/ready` says 200."""
        return (await self.get("/health/ready"))[0] == 200

    async def until_ready(self, within: float = START_WITHIN) -> None:
        """Wait for the startup reconciliation."""
        await eventually(self.is_ready, within=within, what=f"ready\n{self.said[-3000:]}")

    async def until_live(self) -> None:
        """Wait until it listens."""

        async def is_live() -> bool:
            return (await self.get("/health/live"))[0] == 200

        await eventually(is_live, within=START_WITHIN, what=f"live\n{self.said[-3000:]}")

    async def terminate(self) -> float:
        """SIGTERM; the seconds until it ended with 0."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_WITHIN + 10):
            code = await self.process.wait()
        took = loop.time() - begun
        assert code == 0, self.said[-3000:]
        assert took < STOP_WITHIN, f"{took:.1f} s\n{self.said[-3000:]}"
        return took

    async def kill(self) -> None:
        """SIGKILL: nothing is cleaned up."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def running(setting: Setting, name: str = "first", **sections: Any) -> AsyncIterator[Running]:
    """Start `reconciler run`; it is killed at the end if it still runs."""
    port = free_port()
    setting.configure(**(QUICK | {"http": {"port": port}} | sections))
    config = setting.folder / f"{name}-{port}.toml"
    config.write_text((setting.folder / "reconciler.toml").read_text())
    log = setting.folder / f"{name}-{port}.log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            str(PROGRAM),
            "run",
            "--config",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=clean_environment(),
        )
    daemon = Running(process=process, port=port, log=log)
    try:
        yield daemon
    finally:
        await daemon.kill()


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
