"""Many accounts of one venue in one process: memory, cold start, and the cost of a cycle each."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measure, Size, measure, measured

QUESTION = "memory, cold start and processor time of many accounts"
MANY = 1_000
AT_MOST_MIB = 400
"""Of a process with MANY accounts (the issue)."""
MOSTLY_CCXT = 2.0
"""Processor time of a cycle over plain ccxt's for the same answers: below, ccxt is most of it."""
ORDERS = 10
"""Open orders of each account."""
UNDER_WAY = 32
"""As many as the program itself lets run at once at one venue."""


async def run(size: Size) -> AsyncIterator[Measure]:
    """Each number of accounts in a process of its own."""
    from benchmarks.stage import stage  # noqa: PLC0415 - it is imported where time is measured

    for number in size.accounts:
        names = [f"a{n}" for n in range(number)]
        async with stage(extra_markets=size.extra_markets) as place:
            await place.furnish(names, orders=ORDERS)
            found = await measured(
                __name__,
                config=str(place.config),
                base_url=place.base_url,
                names=names,
                rounds=max(2, size.rounds // 3),
            )
        case = f"{number} accounts, {ORDERS} open orders each"
        yield _line(
            case, "memory", found["mib"], "MiB", at_most=AT_MOST_MIB if number == MANY else None
        )
        yield _line(case, "memory before the first account", found["mib_before"], "MiB")
        for what in ("imports", "settings and wiring", "markets and sessions", "first cycles"):
            yield _line(case, f"cold start: {what}", found[what] * 1000, "ms")
        yield Measure(
            benchmark="accounts",
            case=case,
            what="processor time of a cycle over plain ccxt's",
            value=found["cpu"] * 1000,
            floor=found["cpu_floor"] * 1000,
            unit="ms",
            at_most=MOSTLY_CCXT if number == MANY else None,
        )
        yield _line(case, "cycles a second", 1 / found["wall"], "/s")


def _line(
    case: str, what: str, value: float, unit: str, *, at_most: float | None = None
) -> Measure:
    return Measure(
        benchmark="accounts", case=case, what=what, value=value, unit=unit, at_most=at_most
    )


async def start(*, config: str, base_url: str, names: list[str], rounds: int) -> dict[str, Any]:
    """In the measured process: from nothing to every account judged, then whole rounds."""
    found: dict[str, Any] = {}
    begun = time.perf_counter()
    from benchmarks.running import in_parity  # noqa: PLC0415 - what is measured

    found["imports"], begun = time.perf_counter() - begun, time.perf_counter()
    async with in_parity(config) as program:
        found["settings and wiring"], begun = time.perf_counter() - begun, time.perf_counter()
        found["mib_before"] = _resident_mib()
        for venue in program.assembly.venues.values():
            await venue.prepare()
        found["markets and sessions"], begun = time.perf_counter() - begun, time.perf_counter()
        await _all(program.cycle(name) for name in names)
        found["first cycles"] = time.perf_counter() - begun
        walls, cpus = [], []
        for _ in range(rounds):
            begun, cpu = time.perf_counter(), time.process_time()
            await _all(program.cycle(name) for name in names)
            walls.append(time.perf_counter() - begun)
            cpus.append(time.process_time() - cpu)
        found["wall"], found["cpu"] = min(walls) / len(names), min(cpus) / len(names)
        found["mib"] = _resident_mib()
    found["cpu_floor"] = await _floor(names, base_url, rounds)
    return found


async def _floor(names: list[str], base_url: str, rounds: int) -> float:
    """Processor seconds of plain ccxt for one account, its session and markets shared too."""
    from benchmarks.plain import fetch_account, plain_exchange  # noqa: PLC0415 - after measuring

    first = plain_exchange(names[0], base_url)
    exchanges = [first]
    spent = []
    try:
        await first.load_markets()
        exchanges += [plain_exchange(name, base_url, like=first) for name in names[1:]]
        for _ in range(rounds):
            cpu = time.process_time()
            await _all(fetch_account(exchange) for exchange in exchanges)
            spent.append(time.process_time() - cpu)
    finally:
        for other in exchanges[1:]:
            other.session = None  # it is the first one's, which closes it
        await first.close()
    return min(spent) / len(names)


async def _all(work: Iterable[Awaitable[Any]]) -> None:
    """Everything, a few at once."""
    turns = asyncio.Semaphore(UNDER_WAY)

    async def one(awaitable: Awaitable[Any]) -> None:
        async with turns:
            await awaitable

    async with asyncio.TaskGroup() as group:
        for awaitable in work:
            group.create_task(one(awaitable))


def _resident_mib() -> float:
    """What the process holds in memory now, as Linux tells it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    measure(start)
