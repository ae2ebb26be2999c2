"""What a benchmark says, how large it is, and the fresh process that does the measuring."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

MEASURED_WITHIN = 600.0
"""Seconds for one measured process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured, and how often."""

    orders: tuple[int, ...]
    """Of verdicts and of cycles' open orders."""
    accounts: tuple[int, ...]
    rounds: int
    ended: tuple[int, int]
    """Ended orders of a small book and of a large one."""
    extra_markets: int
    """Beside the simulated venue's own six."""


FULL = Size(
    orders=(1_000, 10_000, 100_000),
    accounts=(1, 100, 1_000),
    rounds=9,
    ended=(5_000, 5_000_000),
    extra_markets=600,
)
TINY = Size(orders=(20, 40), accounts=(1, 3), rounds=2, ended=(20, 200), extra_markets=3)
"""Shows that the benchmarks run; its numbers mean nothing."""

CYCLE_ORDERS = 10_000
"""Most orders of a whole cycle: so many the issue names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One line of the table."""

    benchmark: str
    case: str
    what: str
    value: float
    unit: str
    floor: float | None = None
    """The same work done by the bare libraries, in the same run."""
    at_most: float | None = None
    """The limit; of the ratio where there is a floor, else of the value."""
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """Value over floor."""
        return self.value / self.floor if self.floor else None

    @property
    def is_over(self) -> bool:
        """The limit is not kept."""
        judged = self.value if self.ratio is None else self.ratio
        too_much = self.at_most is not None and judged > self.at_most
        return too_much or (self.at_least is not None and judged < self.at_least)


async def measured(module: str, **facts: Any) -> dict[str, Any]:
    """Run `python -m module` with these facts in a process of its own; what it found.

    Raises RuntimeError where it fails, TimeoutError after MEASURED_WITHIN.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, json.dumps(facts)), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(MEASURED_WITHIN):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"{module} ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out)
    return found


def measure(work: Callable[..., Coroutine[Any, Any, dict[str, Any]]]) -> None:
    """The other side of `measured`: do the work with the facts given, print what it found."""
    found = asyncio.run(work(**json.loads(sys.argv[1])))
    sys.stdout.write(json.dumps(found) + "\n")
