"""`book init` on databases of many shapes: accepted by the check, and planted rows come out."""

import tomllib
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from reconciler.book.postgres import PostgresBook
from reconciler.domain.book import BookReading
from reconciler.domain.identity import AccountName, BookName, Symbol
from reconciler.domain.orders import BookOrder, OrderState, OrderUpdate
from reconciler.service.book_init import BookReport, Wanted, look_at
from reconciler.service.books import preset_of
from reconciler.settings.books import BookSettings
from reconciler.store.connecting import open_pool
from tests.integration.book_init.shapes import ANY, SHAPES, Shape

MAIN = AccountName("main")


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.name)
async def shape(request: pytest.FixtureRequest, empty_database: str) -> Shape:
    """A database of one shape, in `empty_database`."""
    connection = await asyncpg.connect(empty_database, timeout=30)
    try:
        await connection.execute(request.param.sql)
    finally:
        await connection.close(timeout=10)
    told: Shape = request.param
    return told


@pytest.fixture
async def report(shape: Shape, empty_database: str) -> BookReport:
    """What `book init` says of it."""
    return await look_at(Wanted(url=empty_database, schema=None, accounts=("main",)))


@pytest.fixture
async def book(report: BookReport, empty_database: str) -> AsyncIterator[PostgresBook]:
    """The book as the daemon would open it, from the text of the section."""
    settings = BookSettings.model_validate(tomllib.loads(report.section)["book"])
    pool = await open_pool(empty_database, size=2)
    yield PostgresBook(pool, name=BookName("main"), preset=preset_of(settings, account="main"))
    pool.terminate()


async def _read(book: PostgresBook) -> BookReading:
    return await book.read(MAIN, reach=timedelta(days=30), symbol_of=Symbol)


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _planted(order: BookOrder) -> tuple[str | None, ...]:
    return (
        order.profile_id,
        order.raw_symbol,
        order.side.value,
        _number(order.qty),
        _number(order.filled),
        order.state.value,
        order.client_order_id,
        order.venue_order_id,
    )


def _fits(found: tuple[str | None, ...], wanted: tuple[str | None, ...]) -> bool:
    return all(w in (ANY, f) for f, w in zip(found, wanted, strict=True))


async def test_the_check_accepts_it_and_planted_rows_come_out(
    shape: Shape, report: BookReport, book: PostgresBook
) -> None:
    assert report.refused is None
    assert report.section.count("u.status <> 'inactive'") <= 1, "said once"
    await book.check()
    reading = await _read(book)
    assert reading.unreadable == ()
    assert [p for p in map(_planted, reading.orders) if _fits(p, shape.order)], reading.orders
    held = [
        (p.profile_id, p.raw_symbol, p.side.value, _number(p.qty))
        for p in reading.positions
        if p.open
    ]
    assert [p for p in held if _fits(p, shape.position)] == held


async def test_orders_are_found_by_the_ids_of_the_venue(shape: Shape, book: PostgresBook) -> None:
    client, venue = shape.order[-2:]
    for ids in (([venue], ["no such"]), (["no such", "0", "'"], [client])):
        if None in ids[0] or None in ids[1]:
            continue
        found, _ = await book.find_orders(
            venue_order_ids=[str(i) for i in ids[0]],
            client_order_ids=[str(i) for i in ids[1]],
            symbol_of=Symbol,
        )
        assert [o for o in map(_planted, found) if _fits(o, shape.order)]
    assert await book.find_orders(
        venue_order_ids=["no such"], client_order_ids=["no such"], symbol_of=Symbol
    ) == ((), ())


async def test_orders_are_written_under_guard(
    shape: Shape, book: PostgresBook, empty_database: str
) -> None:
    [order] = [o for o in (await _read(book)).orders if _fits(_planted(o), shape.order)]
    connection: Any = await asyncpg.connect(empty_database, timeout=30)
    try:
        less, more = (
            OrderUpdate(order=order, state=OrderState.CANCELED, filled=f, avg_price=Decimal(7))
            for f in (order.filled - Decimal("0.01"), order.qty)
        )
        assert await book.update_orders(connection, [less]) == set(), "filled never shrinks"
        assert await book.update_orders(connection, [more]) == (
            {order.id} if shape.writes else set()
        )
        assert await book.update_orders(connection, [more]) == set(), "it is not as seen"
    finally:
        await connection.close(timeout=10)
    book.renew()
    if shape.writes:
        after = {o.id: o for o in (await _read(book)).orders}[order.id]
        assert (after.state, after.filled) == (OrderState.CANCELED, order.qty)


async def test_a_profile_is_stopped_and_started(
    shape: Shape, book: PostgresBook, empty_database: str
) -> None:
    active = [p for p in (await _read(book)).profiles if p.is_active]
    [profile] = active[:1]
    connection: Any = await asyncpg.connect(empty_database, timeout=30)
    try:
        stopped = await book.deactivate(connection, [profile.id])
        assert stopped == ({profile.id} if shape.stops else set())
        assert await book.deactivate(connection, [profile.id]) == set()
        book.renew()
        now = {p.id: p.is_active for p in (await _read(book)).profiles}
        assert now[profile.id] is not shape.stops
        if shape.stops:
            back = [(profile.id, profile.status)]
            assert await book.activate(connection, back) == {profile.id}
            assert await book.activate(connection, back) == set()
    finally:
        await connection.close(timeout=10)
    book.renew()
    assert [p for p in (await _read(book)).profiles if p.is_active] == active
