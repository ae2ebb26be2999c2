"""The program as it is wired, in a measured process; and the runner's hold on that process."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from benchmarks.measuring import MEASURED_WITHIN
from benchmarks.stage import settings_of
from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import OutcomeState
from reconciler.service.assembly import Assembly, assembled
from reconciler.telemetry.logs import configure_logs
from reconciler.telemetry.redaction import Redactor

READY = b'{"paused": true}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class InParity:
    """An assembly whose every cycle must end in parity: else something else is measured."""

    assembly: Assembly

    async def cycle(self, account: str) -> None:
        """One whole pass. Raises RuntimeError without parity."""
        outcome = await self.assembly.reconciliation.run_now(AccountName(account))
        if outcome.state is not OutcomeState.PARITY:
            raise RuntimeError(f"no parity: {outcome.sentence}")

    async def pause(self) -> None:
        """Let the runner look, until it says to go on."""
        sys.stdout.buffer.write(READY)
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)


@contextlib.asynccontextmanager
async def in_parity(config: str) -> AsyncIterator[InParity]:
    """The program by its configuration; log lines are the daemon's, from warning up."""
    settings = settings_of(config)
    redactor = Redactor(settings.secret_values())
    configure_logs(level="warning", format="json", redactor=redactor)
    async with assembled(settings, redactor) as assembly:
        yield InParity(assembly=assembly)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A measured process that pauses."""

    process: asyncio.subprocess.Process

    async def said(self) -> None:
        """Wait for its next pause. Raises RuntimeError where it ended instead."""
        assert self.process.stdout is not None
        async with asyncio.timeout(MEASURED_WITHIN):
            if await self.process.stdout.readline() != READY:
                raise RuntimeError("the measured process ended early")

    async def go_on(self) -> None:
        """End its pause."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        await self.process.stdin.drain()


@contextlib.asynccontextmanager
async def running(module: str, **facts: Any) -> AsyncIterator[Running]:
    """Run `python -m module` with these facts; it is over when this ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, json.dumps(facts)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(process=process)
        async with asyncio.timeout(MEASURED_WITHIN):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
