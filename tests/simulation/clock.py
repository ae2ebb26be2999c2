"""Virtual time: an event loop whose clock jumps to the next timer when nothing is ready."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the simulated database's clock begins."""

T = TypeVar("T")


class _NothingToWaitForError(RuntimeError):
    """No timer, nothing ready: real time would stand still for ever."""


class _Jump:
    """Stands where a selector would block on sockets."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Let `timeout` seconds pass at once."""
        if timeout is None:
            raise _NothingToWaitForError("every task waits, and no timer is set")
        self._loop.now += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """No sockets, no threads, no waiting: timers fire in their order, at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._selector = _Jump(self)
        self._clock_resolution = 1e-6  # floats of a year of seconds are finer

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self.now

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def clock(self) -> datetime:
        """What the simulated database says."""
        return EPOCH + timedelta(seconds=self.now)


def run_virtual(loop: VirtualLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run to the end. Tasks that are left over are dropped with the loop."""
    try:
        return loop.run_until_complete(work)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
