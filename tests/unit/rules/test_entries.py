"""Which trades of a contained profile are entries: rule 5's last sentence."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.domain.book import BookReading
from reconciler.domain.containments import Containment
from reconciler.domain.identity import ProfileId
from reconciler.domain.orders import BookOrder, OrderSide, OrderState, VenueOrder
from reconciler.domain.positions import VenuePosition
from reconciler.rules.entries import find_entries
from tests.unit.builders import (
    BTC,
    BUY,
    ETH,
    LONG,
    NOW,
    SELL,
    SHORT,
    book_order,
    book_position,
    profile,
    reading,
    snapshot,
    venue_order,
    venue_position,
)

MINUTE = timedelta(minutes=1)
CONTAINED = Containment(
    id=1,
    profile_id=ProfileId("p1"),
    incident_id=7,
    reason="a ghost",
    contained_at=NOW - 10 * MINUTE,
    symbol=BTC,
    held=frozenset({BTC}),
)


def _found(
    book: BookReading,
    *held: VenuePosition,
    live: Iterable[VenueOrder] = (),
    containment: Containment = CONTAINED,
) -> list[str]:
    if not book.profiles:
        book = replace(book, profiles=(profile(status="inactive"),))
    seen = replace(snapshot(positions=held), orders=tuple(live))
    entries = find_entries(containments=[containment], reading=book, snapshot=seen)
    return [f"{e.what} {e.id}" for e in entries]


def _order(
    side: OrderSide = BUY,
    qty: str = "1",
    *,
    filled: str = "0",
    age: timedelta = MINUTE,
    order_id: str = "o1",
) -> BookOrder:
    return book_order(order_id, side=side, qty=qty, filled=filled, age=age)


@pytest.mark.parametrize(
    ("age", "is_entry"),
    [
        (timedelta(minutes=11), False),
        (timedelta(minutes=10) - timedelta(seconds=2), False),
        (timedelta(minutes=10) - timedelta(seconds=3), True),
        (timedelta(0), True),
    ],
)
def test_an_order_created_after_the_containment(*, age: timedelta, is_entry: bool) -> None:
    assert bool(_found(reading(orders=[_order(age=age)]))) is is_entry


@pytest.mark.parametrize(
    ("row_ids", "sent", "is_entry"),
    [
        ({"venue_order_id": "v1"}, timedelta(minutes=10), False),
        ({"client_order_id": "c1"}, timedelta(minutes=11), False),
        ({"venue_order_id": "v1"}, timedelta(minutes=10) - timedelta(seconds=1), True),
        ({"venue_order_id": "v2", "client_order_id": "c1"}, timedelta(minutes=11), True),
        ({}, timedelta(minutes=11), True),
    ],
)
def test_a_row_written_late_of_an_order_of_before(
    *, row_ids: dict[str, str], sent: timedelta, is_entry: bool
) -> None:
    ids = {"venue_order_id": None, "client_order_id": None} | row_ids
    late = replace(_order(), **ids)  # type: ignore[arg-type]
    live = replace(venue_order("v1"), client_order_id="c1", created_at=NOW - sent)  # type: ignore[arg-type]
    assert bool(_found(reading(orders=[late]), live=[live])) is is_entry


@pytest.mark.parametrize(
    "changes",
    [{"reduce_only": True}, {"role": "exit"}, {"role": "Stop"}],
)
def test_an_order_that_says_it_is_an_exit_is_none(changes: dict[str, object]) -> None:
    assert not _found(reading(orders=[replace(_order(), **changes)]))  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ["entry", None, "scale_in"])
def test_any_other_role_is_an_entry(role: str | None) -> None:
    assert _found(reading(orders=[replace(_order(), role=role)])) == ["order o1"]


@pytest.mark.parametrize(
    ("side", "qty", "held", "is_entry"),
    [
        (SELL, "1", venue_position(LONG, "1"), False),
        (SELL, "0.4", venue_position(LONG, "1"), False),
        (SELL, "1.1", venue_position(LONG, "1"), True),
        (BUY, "1", venue_position(LONG, "1"), True),
        (BUY, "1", venue_position(SHORT, "1"), False),
    ],
)
def test_an_order_that_closes_what_is_held(
    *, side: OrderSide, qty: str, held: VenuePosition, is_entry: bool
) -> None:
    assert bool(_found(reading(orders=[_order(side, qty)]), held)) is is_entry


def test_an_exit_that_has_filled_was_one() -> None:
    """Nothing is held any more: it was closed by this very order."""
    closed = replace(_order(SELL, "1", filled="1"), state=OrderState.FILLED)
    assert not _found(reading(orders=[closed]))


def test_an_exit_and_then_an_entry() -> None:
    closed = _order(SELL, "1", filled="1", age=3 * MINUTE)
    opened = _order(SELL, "1", filled="1", age=2 * MINUTE, order_id="o2")
    assert _found(reading(orders=[opened, closed]), venue_position(SHORT, "1")) == ["order o2"]


def test_legs_of_hedge_mode_are_closed_each_by_its_own_side() -> None:
    legs = (venue_position(LONG, "1", hedged=True), venue_position(SHORT, "3", hedged=True))
    assert not _found(reading(orders=[_order(SELL, "1")]), *legs)
    assert not _found(reading(orders=[_order(BUY, "3")]), *legs)
    assert _found(reading(orders=[_order(SELL, "2")]), *legs)
    assert not _found(reading(orders=[_order(SELL, "2", filled="1")]), *legs), "half of it closed"


def test_a_row_of_the_book_that_is_open_may_be_closed() -> None:
    book = reading(orders=[_order(SELL, "1")], positions=[book_position(LONG, "1")])
    assert not _found(book)


def test_an_active_profile_does_what_its_status_says() -> None:
    assert not _found(reading(profiles=[profile()], orders=[_order()]))


def test_orders_of_another_profile_are_its_own_matter() -> None:
    assert not _found(reading(orders=[book_order(profile="p2", age=MINUTE)]))


def test_an_open_row_of_a_market_in_which_nothing_was_held() -> None:
    book = reading(positions=[book_position(symbol=ETH)])
    assert _found(book) == ["position b1"]
    assert not _found(reading(positions=[book_position(symbol=ETH, is_open=False)]))
    assert not _found(reading(positions=[book_position(LONG, Decimal(0), symbol=ETH)]))
    assert not _found(book, containment=replace(CONTAINED, held=None))
    assert not _found(book, containment=replace(CONTAINED, held=frozenset({ETH})))


def test_a_row_that_mends_the_ghost_is_no_entry() -> None:
    for held in (frozenset({BTC}), frozenset[str]()):
        contained = replace(CONTAINED, held=held)
        book = reading(positions=[book_position(symbol=BTC)])
        assert not _found(book, venue_position(), containment=contained)


def test_what_a_person_has_ended_counts_no_more() -> None:
    reviewed = replace(CONTAINED, reviewed_at=NOW - 2 * MINUTE)
    assert not _found(reading(orders=[_order(age=3 * MINUTE)]), containment=reviewed)
    assert _found(reading(orders=[_order(age=MINUTE)]), containment=reviewed)
    assert not _found(reading(positions=[book_position(symbol=ETH)]), containment=reviewed)


def test_an_old_row_whose_order_reaches_the_venue_now() -> None:
    old = book_order(age=timedelta(hours=1), client_id="c1")
    late = venue_order(created_at=NOW - 5 * MINUTE)
    early = venue_order(created_at=NOW - timedelta(hours=1))
    under_way = venue_order(created_at=NOW - timedelta(minutes=9, seconds=30))
    assert _found(reading(orders=[old]), live=[late]) == ["venue order v1"]
    assert not _found(reading(orders=[old]), live=[early])
    assert not _found(reading(orders=[old]), live=[under_way])
    assert not _found(reading(orders=[old]), live=[replace(late, created_at=None)])
    assert not _found(reading(orders=[old]), venue_position(SHORT, "1"), live=[late])
    assert not _found(reading(orders=[replace(old, role="exit")]), live=[late])
