"""`ports.Book` over the native schema on both sides."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.book import BookReading
from reconciler.domain.identity import AccountName, ProfileId, RunId, Symbol
from reconciler.domain.leases import Lease
from reconciler.domain.orders import BookOrder, OrderState, OrderUpdate
from tests.contract.sides import BOOK, MAIN, Side

REACH = timedelta(minutes=10)


@pytest.fixture(autouse=True)
async def rows(side: Side) -> None:
    """Two accounts; a position of nobody's, and one that was closed yesterday."""
    await side.put_profile("p1", "main", "active")
    await side.put_profile("p2", "main", "paused")
    await side.put_profile("q1", "other", "active")
    await side.put_order("o1", filled="0.1")
    await side.put_order("o2", status="filled", filled="1")
    await side.put_order("o3", profile="q1")
    await side.put_position("x1", profile="p1", qty="2", open=True)
    await side.put_position("x2", profile="nobody", qty="3", open=True)
    await side.put_position("x3", profile="p1", qty="4", open=False)


def _symbol(raw: str) -> Symbol:
    return Symbol(f"{raw}!")


def _writing(side: Side, lease: Lease) -> Any:
    return side.store.writing(lease, book=BOOK, run=RunId("r"), mode="enforce")


async def _read(side: Side, *, reach: timedelta = REACH) -> BookReading:
    return await side.book.read(MAIN, reach=reach, symbol_of=_symbol)


async def _order(side: Side) -> BookOrder:
    return next(o for o in (await _read(side)).orders if o.id == "o1")


def _update(order: BookOrder, *, filled: str = "0.2", price: str | None = "5") -> OrderUpdate:
    return OrderUpdate(
        order=order,
        state=OrderState.CANCELED,
        filled=Decimal(filled),
        avg_price=Decimal(price) if price else None,
    )


async def test_an_account_has_its_own_rows_and_stray_ones(side: Side) -> None:
    reading = await _read(side)
    assert {p.id for p in reading.profiles} == {"p1", "p2"}
    assert {o.id for o in reading.orders} == {"o1", "o2"}, "one that ended lately is read"
    assert [(p.id, p.qty, p.open) for p in reading.positions] == [("x1", Decimal(2), True)]
    assert [p.id for p in reading.stray_positions] == ["x2"]
    assert set(reading.other_accounts) == {AccountName("other")}
    assert set(reading.other_profiles) == {ProfileId("q1")}
    assert abs(reading.read_at - datetime.now(UTC)) < timedelta(seconds=5)


async def test_symbols_are_brought_to_one_form(side: Side) -> None:
    order = await _order(side)
    assert (order.symbol, order.raw_symbol) == ("BTCUSDT!", "BTCUSDT")
    assert (order.state, order.raw_status) == (OrderState.OPEN, "open")


async def test_what_ended_is_read_within_reach(side: Side) -> None:
    reading = await _read(side, reach=timedelta(days=2))
    assert {p.id for p in reading.positions} == {"x1", "x3"}


async def test_orders_are_found_by_either_id_whatever_their_status(side: Side) -> None:
    found, unreadable = await side.book.find_orders(
        venue_order_ids=["v-o2", "nothing"], client_order_ids=["c-o3"], symbol_of=_symbol
    )
    assert {o.id for o in found} == {"o2", "o3"}
    assert unreadable == ()


async def test_deactivation_says_who_was_active(side: Side, lease: Lease) -> None:
    asked = [ProfileId(p) for p in ("p1", "p2", "nobody")]
    async with _writing(side, lease) as record:
        assert await side.book.deactivate(record.connection, asked) == {"p1"}
        assert await side.book.deactivate(record.connection, asked) == set()
        assert await side.status_of_profile("p1") == "active", "not committed yet"
    assert await side.status_of_profile("p1") == "inactive"
    assert await side.status_of_profile("p2") == "paused"


async def test_an_update_is_written_once_and_seen_within(side: Side, lease: Lease) -> None:
    order = await _order(side)
    async with _writing(side, lease) as record:
        assert await side.book.update_orders(record.connection, [_update(order)]) == {"o1"}
        assert await side.book.update_orders(record.connection, [_update(order)]) == set()
        within = await side.book.read_within(
            record.connection, MAIN, reach=REACH, symbol_of=_symbol
        )
        assert [o.state for o in within.orders if o.id == "o1"] == [OrderState.CANCELED]
        assert (await side.order("o1"))[0] == "open"
    assert await side.order("o1") == ("canceled", Decimal("0.2"), Decimal(5))


async def test_our_update_stamps_the_row_with_the_transactions_time(
    side: Side, lease: Lease
) -> None:
    order = await _order(side)
    async with _writing(side, lease) as record:
        await side.book.update_orders(record.connection, [_update(order)])
        begun, now = await record.span()
    # A longer reach, since the real book shares a reading for a second.
    orders = (await _read(side, reach=2 * REACH)).orders
    assert [begun <= o.updated_at <= now for o in orders if o.id == "o1"] == [True]


async def test_a_row_that_moved_is_left_alone(side: Side, lease: Lease) -> None:
    order = await _order(side)
    await side.put_order("o1", status="canceling", filled="0.1")
    async with _writing(side, lease) as record:
        assert await side.book.update_orders(record.connection, [_update(order)]) == set()
    assert (await side.order("o1"))[0] == "canceling"


async def test_a_filled_quantity_never_shrinks(side: Side, lease: Lease) -> None:
    order = await _order(side)
    async with _writing(side, lease) as record:
        update = _update(order, filled="0.05")
        assert await side.book.update_orders(record.connection, [update]) == set()


async def test_no_price_leaves_the_price(side: Side, lease: Lease) -> None:
    first = await _order(side)
    async with _writing(side, lease) as record:
        await side.book.update_orders(record.connection, [_update(first)])
    async with _writing(side, lease) as record:
        ended = replace(first, raw_status="canceled", state=OrderState.CANCELED)
        update = _update(ended, filled="0.3", price=None)
        await side.book.update_orders(record.connection, [update])
    assert await side.order("o1") == ("canceled", Decimal("0.3"), Decimal(5))


async def test_a_rolled_back_update_has_not_been(side: Side, lease: Lease) -> None:
    order = await _order(side)

    async def fail_at_the_end() -> None:
        async with _writing(side, lease) as record:
            await side.book.update_orders(record.connection, [_update(order)])
            await side.book.deactivate(record.connection, [ProfileId("p1")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_at_the_end()
    assert (await side.order("o1"))[0] == "open"
    assert await side.status_of_profile("p1") == "active"


async def test_the_bot_waits_for_our_lock_and_then_wins(side: Side, lease: Lease) -> None:
    order = await _order(side)
    async with _writing(side, lease) as record:
        await side.book.update_orders(record.connection, [_update(order)])
        bot = asyncio.create_task(side.put_order("o1", status="filled", filled="1"))
        await asyncio.sleep(0.2)
        assert (await side.order("o1"))[0] == "open"
    await asyncio.wait_for(bot, timeout=10)
    assert (await side.order("o1"))[:2] == ("filled", Decimal(1))


async def test_what_the_bot_commits_meanwhile_is_seen_by_the_second_reading(
    side: Side, lease: Lease
) -> None:
    order = await _order(side)
    async with _writing(side, lease) as record:
        await side.book.read_within(record.connection, MAIN, reach=REACH, symbol_of=_symbol)
        await side.put_order("o1", status="canceling", filled="0.1")
        within = await side.book.read_within(
            record.connection, MAIN, reach=REACH, symbol_of=_symbol
        )
        assert [o.raw_status for o in within.orders if o.id == "o1"] == ["canceling"]
        assert await side.book.update_orders(record.connection, [_update(order)]) == set()


async def test_a_state_that_does_not_change_keeps_its_word(side: Side) -> None:
    await side.put_order("o4", status="new")
    order = next(o for o in (await _read(side)).orders if o.id == "o4")
    same = OrderUpdate(order=order, state=order.state, filled=Decimal("0.5"), avg_price=None)
    assert side.book.word_to_write(same) == "new"
    assert side.book.word_to_write(_update(order)) == "canceled"
