"""What a book of millions of orders costs over one of thousands: reading it, and the native cycle.

Long: it makes the rows first. `python -m benchmarks --only book`.
"""

import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from statistics import median

import asyncpg

from benchmarks.book_rows import BOOKS, Rows
from benchmarks.measuring import Measure, Size, measure, measured
from benchmarks.running import in_parity
from benchmarks.stage import stage
from reconciler.book.plans import plan_of
from reconciler.book.postgres import PostgresBook
from reconciler.book.preset import Preset, load_preset
from reconciler.domain.identity import AccountName, BookName, Symbol
from reconciler.simulation.postgres import EmbeddedPostgres
from reconciler.store.connecting import open_pool
from reconciler.store.migrations import migrate

QUESTION = "a book of many ended orders, over one of few"
AT_MOST = 2.0
"""A cycle over that of the small book (the issue)."""
ACCOUNT = "main"
OPEN = 1_000
REACH = timedelta(minutes=10)


async def run(size: Size) -> AsyncIterator[Measure]:
    """Each preset's reading and the native cycle, with many ended orders over few."""
    few, many = size.ended
    case = f"{OPEN} open orders, {many} ended over {few}"
    async with stage(extra_markets=size.extra_markets) as place:
        await place.furnish([ACCOUNT], orders=OPEN)
        took = []
        for first, last, is_open in ((1, few, False), (few + 1, many, False)):
            await place.connection.execute(BOOKS[0].inserts[0], first, last, is_open, timeout=600)
            await place.connection.execute("vacuum analyze", timeout=600)
            await place.connection.execute("delete from reconciler.leases")  # of the process before
            found = await measured(__name__, config=str(place.config), rounds=size.rounds)
            took.append(found["seconds"] * 1000)
    yield _measure(case, "native: whole cycle", *took)
    async with EmbeddedPostgres(settings={"autovacuum": "off"}) as server:
        for book in BOOKS:
            async with (
                _furnished(server.url, book, few) as a,
                _furnished(server.url, book, many) as b,
            ):
                took = await _by_turns(a, b, rounds=size.rounds)
            yield _measure(case, f"{book.preset}: reading the book", *took)


def _measure(case: str, what: str, few: float, many: float) -> Measure:
    return Measure(
        benchmark="book",
        case=case,
        what=what,
        value=many,
        floor=few,
        unit="ms",
        at_most=AT_MOST,
    )


@contextlib.asynccontextmanager
async def _furnished(server: str, book: Rows, ended: int) -> AsyncIterator[PostgresBook]:
    """A book in a database of its own, with the indexes that `check` would advise."""
    name = f"{book.preset}_{ended}"
    url = f"{server.rpartition('/')[0]}/{name}"
    administering = await asyncpg.connect(server)
    await administering.execute(f"create database {name}")
    try:
        preset = load_preset(book.preset, parameters=book.parameters)
        if book.preset == "native":
            await migrate(url, with_native_book=True)
        await _fill(url, book, preset, ended)
        pool = await open_pool(url, size=2)
        try:
            yield PostgresBook(pool, name=BookName(name), preset=preset)
        finally:
            pool.terminate()
    finally:
        await administering.execute(f"drop database {name} with (force)")
        await administering.close()


async def _fill(url: str, book: Rows, preset: Preset, ended: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        await book.furnish(connection, open_rows=OPEN, ended=ended)
        for index, definition in preset.indexes.items():
            await connection.execute(f"create index {index} {definition}", timeout=600)
        await connection.execute("analyze", timeout=600)
        if whole := await plan_of(connection, preset):
            raise RuntimeError(f"{book.preset} reads whole tables: {whole}")
    finally:
        await connection.close()


async def _by_turns(*books: PostgresBook, rounds: int) -> list[float]:
    """Milliseconds for all that a cycle reads of each; what disturbs one disturbs both."""
    times: dict[BookName, list[float]] = {book.name: [] for book in books}
    for _ in range(rounds + 1):
        for book in books:
            book.renew()
            begun = time.perf_counter()
            reading = await book.read(AccountName(ACCOUNT), reach=REACH, symbol_of=Symbol)
            times[book.name].append(time.perf_counter() - begun)
            if len(reading.orders) != OPEN:
                raise RuntimeError(f"{book.name}: {len(reading.orders)} orders were read")
    return [median(taken[1:]) * 1000 for taken in times.values()]


async def cycles(*, config: str, rounds: int) -> dict[str, float]:
    """In the measured process: the median of a native book's whole cycle, in seconds."""
    async with in_parity(config) as program:
        times = []
        for _ in range(rounds + 1):
            begun = time.perf_counter()
            await program.cycle(ACCOUNT)
            times.append(time.perf_counter() - begun)
    return {"seconds": median(times[1:])}


if __name__ == "__main__":
    measure(cycles)
