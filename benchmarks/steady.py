"""What a steady cycle asks of the venue and leaves in Postgres, whatever the number of orders."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from benchmarks.measuring import CYCLE_ORDERS, Measure, Size, measure
from benchmarks.running import in_parity, running
from benchmarks.stage import Stage, stage
from reconciler.simulation.venue.binanceusdm import ENDPOINTS

QUESTION = "what a steady cycle asks and writes"
ACCOUNT = "main"
CALLS = 3
"""Open orders, conditional orders, positions: each of Binance's endpoints shows one of them."""
TABLES = """
select format('%I.%I', schemaname, tablename) as name from pg_tables
where schemaname in ('bot', 'reconciler')
"""


async def run(size: Size) -> AsyncIterator[Measure]:
    """Calls, their weight, and transactions and rows written, for each number of open orders."""
    for orders in (0, *(n for n in (100, CYCLE_ORDERS) if n <= max(size.orders))):
        async with stage(extra_markets=size.extra_markets) as place:
            await place.furnish([ACCOUNT], orders=orders)
            async for line in _lines(place, orders, cycles=size.rounds):
                yield line


async def _lines(place: Stage, orders: int, *, cycles: int) -> AsyncIterator[Measure]:
    async with running(__name__, config=str(place.config), cycles=cycles) as process:
        await process.said()  # the first cycles are over: leases, markets, first sight
        await place.tell("clear_requests")
        before = await _transactions(place)
        await process.go_on()
        await process.said()
        after = await _transactions(place)
        rows = await _rows_written(place, since=before)
        asked = Counter({r["endpoint"]: r["count"] for r in await place.requests()})
        await process.go_on()
    case = f"{orders} open orders"
    for endpoint, times in sorted(asked.items()):
        yield _line(case, f"calls of {endpoint} a cycle", times / cycles)
    yield _line(case, "calls a cycle", asked.total() / cycles, at_most=CALLS)
    yield _line(case, "weight a cycle", _weight(asked) / cycles)
    yield _line(case, f"write transactions in {cycles} cycles", after - before, at_most=0)
    yield _line(case, f"rows written in {cycles} cycles", rows, at_most=0)


def _line(case: str, what: str, value: float, *, at_most: float | None = None) -> Measure:
    return Measure(benchmark="steady", case=case, what=what, value=value, unit="", at_most=at_most)


def _weight(asked: Counter[str]) -> int:
    """What the simulated venue counts for these endpoints without a symbol, as Binance does."""
    weights = {e.name: e.weight_without_symbol or e.weight for e in ENDPOINTS.values()}
    return sum(weights[endpoint] * times for endpoint, times in asked.items())


async def _transactions(place: Stage) -> int:
    """How many transaction ids were given away: none is where nothing is written, or locked."""
    told: int = await place.connection.fetchval(
        "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    )
    return told


async def _rows_written(place: Stage, *, since: int) -> int:
    """Rows of the bot's and our tables that were made by a transaction since."""
    names = [row["name"] for row in await place.connection.fetch(TABLES)]
    counts = [
        await place.connection.fetchval(
            f"select count(*) from {name} where xmin::text::bigint >= $1",  # noqa: S608 - catalogue
            since,
        )
        for name in names
    ]
    return sum(counts)


async def work(*, config: str, cycles: int) -> dict[str, Any]:
    """In the measured process: some cycles to settle, a pause to look, the cycles counted."""
    async with in_parity(config) as assembled:
        for count in (2, cycles):
            for _ in range(count):
                await assembled.cycle(ACCOUNT)
            await assembled.pause()
    return {}


if __name__ == "__main__":
    measure(work)
