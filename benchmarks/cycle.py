"""A whole cycle beside its floor, and where its processor time goes.

Steady: the venue shows the rows of the cycle before, which are known and not parsed again. New:
every row is parsed, as in a first cycle.

One process does both in turns, so that whatever disturbs the machine disturbs both. What serves
them, Postgres and the simulated venue, runs in other processes, and is waited for by both.
"""

import asyncio
import cProfile
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks.measuring import CYCLE_ORDERS, Measure, Size, measure, measured
from benchmarks.plain import fetch_account, fetch_rows, plain
from benchmarks.running import in_parity
from benchmarks.spending import shares_of
from benchmarks.stage import settings_of, stage
from reconciler.domain.orders import VenueOrder
from reconciler.venue.known_rows import KnownRows

QUESTION = "a cycle's time over its floor"
AT_MOST = 1.3
"""Wall time of a cycle over its floor at CYCLE_ORDERS (the issue)."""
JUDGED = (CYCLE_ORDERS, "steady", "wall time")
ACCOUNT = "main"
ORDER_OF = KnownRows.order_of


async def run(size: Size) -> AsyncIterator[Measure]:
    """Wall and processor time over the floor, and the shares of the latter."""
    for orders in (n for n in size.orders if n <= CYCLE_ORDERS):
        async with stage(extra_markets=size.extra_markets) as place:
            await place.furnish([ACCOUNT], orders=orders)
            found = await measured(
                __name__,
                config=str(place.config),
                base_url=place.base_url,
                orders=orders,
                rounds=size.rounds,
            )
        for name, kind in (("steady", "steady"), ("new", "every row new")):
            for what, seconds in found[name].items():
                yield Measure(
                    benchmark="cycle",
                    case=f"{orders} open orders, {kind}",
                    what=f"{what}, median of {size.rounds}",
                    value=seconds * 1000,
                    floor=found["floor"][what] * 1000,
                    unit="ms",
                    at_most=AT_MOST if (orders, name, what) == JUDGED else None,
                )
        for part, share in found["shares"].items():
            yield Measure(
                benchmark="cycle",
                case=f"{orders} open orders, every row new",
                what=f"profile: {part}",
                value=share,
                unit="%",
            )


async def compare(*, config: str, base_url: str, orders: int, rounds: int) -> dict[str, Any]:
    """In the measured process: the cycle and its floor by turns, then one cycle profiled."""
    url = settings_of(config).database.url
    assert url is not None
    async with (
        in_parity(config) as program,
        plain(ACCOUNT, base_url, url.get_secret_value()) as (exchange, pool),
    ):

        async def cycle() -> None:
            await program.cycle(ACCOUNT)

        async def cycle_of_new_rows() -> None:
            with patch.object(KnownRows, "order_of", _parsed_anew):
                await program.cycle(ACCOUNT)

        async def floor() -> None:
            if (await fetch_account(exchange), await fetch_rows(pool)) != (orders, orders):
                raise RuntimeError("the floor did not fetch the same")

        timed: dict[str, list[tuple[float, float]]] = {"steady": [], "new": [], "floor": []}
        for _ in range(rounds + 1):
            timed["floor"].append(await _timed(floor))
            timed["new"].append(await _timed(cycle_of_new_rows))
            timed["steady"].append(await _timed(cycle))
        found: dict[str, Any] = {}
        for name, times in timed.items():  # the first of each connects, and fills caches
            found[name] = {
                "wall time": median(wall for wall, _ in times[1:]),
                "processor time": median(cpu for _, cpu in times[1:]),
            }
        profile = cProfile.Profile()
        profile.enable()
        await cycle_of_new_rows()
        profile.disable()
    return {**found, "shares": shares_of(profile)}


def _parsed_anew(known: KnownRows, row: Any, parse: Callable[[], VenueOrder]) -> VenueOrder:
    """As in the first cycle, when no row was ever seen; the next one finds it known."""
    known._before.clear()  # noqa: SLF001 - a benchmark of what it spares
    return ORDER_OF(known, row, parse)


async def _timed(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Wall and processor seconds; collections of garbage included, but for what was before."""
    await asyncio.sleep(0)
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    measure(compare)
