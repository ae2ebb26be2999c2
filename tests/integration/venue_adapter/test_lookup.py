"""The ladder of rule 2."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import (
    ClientOrderId,
    Symbol,
    VenueOrderId,
)
from reconciler.domain.orders import OrderState
from reconciler.domain.snapshot import (
    AnswerKind,
    Found,
    NotFound,
    Unanswered,
)
from reconciler.simulation.venue import (
    Fault,
    SimulatedVenue,
)
from reconciler.venue.account import CcxtAccount
from tests.integration.venue_adapter.accounts import ONE, look, now


async def test_an_order_that_no_rung_knows_is_not_found(account: CcxtAccount) -> None:
    said = await look(
        account, venue_order_id=VenueOrderId("1"), client_order_id=ClientOrderId("c"), type=None
    )
    assert said == NotFound(
        rungs=(
            "venue_order_id",
            "client_order_id",
            "trigger venue_order_id",
            "trigger client_order_id",
            "fills",
        )
    )


async def test_a_row_without_ids_has_only_the_fills(account: CcxtAccount) -> None:
    assert await look(account) == NotFound(rungs=("fills",))


@pytest.mark.parametrize(
    ("ids", "rungs"),
    [
        (
            {"venue_order_id": VenueOrderId("0197-uuid")},
            ("venue_order_id: binanceusdm gives no such id", "client_order_id", "fills"),
        ),
        (
            {"client_order_id": ClientOrderId("x" * 37)},
            ("client_order_id: binanceusdm takes no such id", "fills"),
        ),
        (
            {"venue_order_id": VenueOrderId("a b"), "client_order_id": ClientOrderId("c")},
            ("venue_order_id: binanceusdm gives no such id", "client_order_id", "fills"),
        ),
    ],
)
async def test_ids_that_the_venue_cannot_have_are_not_asked_for(
    account: CcxtAccount, ids: dict[str, Any], rungs: tuple[str, ...]
) -> None:
    assert await look(account, **ids) == NotFound(rungs=rungs)


async def test_a_client_id_in_the_wrong_column_is_found(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    venue.ledger().place_order("BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="bot-1")
    said = await look(account, venue_order_id=VenueOrderId("bot-1"))
    assert isinstance(said, Found)
    assert said.by == "client_order_id"


async def test_an_order_known_only_by_its_client_id_is_found(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    order = venue.ledger().place_order(
        "BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="bot-1"
    )
    venue.ledger().fill_order(order.order_id, price=Decimal(49_000))
    said = await look(account, client_order_id=ClientOrderId("bot-1"))
    assert isinstance(said, Found)
    assert said.by == "client_order_id"
    assert said.order.state is OrderState.FILLED
    assert (said.order.filled, said.order.avg_price) == (ONE, Decimal(49_000))


async def test_a_partial_fill_then_cancel_is_canceled_with_its_fill(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    order = venue.ledger().place_order("BTCUSDT", "buy", ONE, Decimal(50_000))
    venue.ledger().fill_order(order.order_id, Decimal("0.25"))
    venue.ledger().cancel_order(order.order_id)
    said = await look(account, venue_order_id=VenueOrderId(str(order.order_id)))
    assert isinstance(said, Found)
    assert (said.order.state, said.order.filled) == (OrderState.CANCELED, Decimal("0.25"))


async def test_a_forgotten_order_leaves_its_fills(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    created_at = now() - timedelta(days=30)
    ledger = venue.ledger()
    order = ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), created_at=created_at)
    other = ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), created_at=created_at)
    for at, qty in ((created_at, "0.25"), (now() - timedelta(days=9), "0.75")):
        ledger.fill_order(order.order_id, Decimal(qty), filled_at=at)
    ledger.fill_order(other.order_id)
    ledger.forget_order(order.order_id)
    said = await look(
        account, venue_order_id=VenueOrderId(str(order.order_id)), created_at=created_at
    )
    assert isinstance(said, NotFound)
    assert [fill.qty for fill in said.fills] == [Decimal("0.25"), Decimal("0.75")]
    assert {fill.venue_order_id for fill in said.fills} == {str(order.order_id)}


async def test_more_fills_than_a_page_are_all_read(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    created_at = now() - timedelta(hours=2)
    order = ledger.place_order(
        "BTCUSDT", "buy", Decimal(1500), Decimal(50_000), created_at=created_at
    )
    for number in range(1200):
        ledger.fill_order(
            order.order_id, ONE, filled_at=created_at + timedelta(milliseconds=number)
        )
    ledger.forget_order(order.order_id)
    said = await look(
        account, venue_order_id=VenueOrderId(str(order.order_id)), created_at=created_at
    )
    assert isinstance(said, NotFound)
    assert len(said.fills) == 1200


async def test_a_full_page_within_one_moment_is_no_answer(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    created_at = now() - timedelta(minutes=1)
    order = ledger.place_order(
        "BTCUSDT", "buy", Decimal(1500), Decimal(50_000), created_at=created_at
    )
    for _ in range(1001):
        ledger.fill_order(order.order_id, ONE, filled_at=created_at)
    ledger.forget_order(order.order_id)
    order_id = VenueOrderId(str(order.order_id))
    said = await look(account, venue_order_id=order_id, created_at=created_at)
    assert isinstance(said, Unanswered)


async def test_a_replaced_order_is_followed_by_its_client_id(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    first = ledger.place_order("BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="c")
    ledger.cancel_order(first.order_id)
    ids = {
        "venue_order_id": VenueOrderId(str(first.order_id)),
        "client_order_id": ClientOrderId("c"),
    }
    said = await look(account, **ids)
    assert isinstance(said, Found)
    assert said.order.state is OrderState.CANCELED

    second = ledger.place_order("BTCUSDT", "buy", ONE, Decimal(51_000), client_order_id="c")
    said = await look(account, **ids)
    assert isinstance(said, Found)
    assert (said.by, said.order.venue_order_id, said.order.state) == (
        "client_order_id",
        str(second.order_id),
        OrderState.OPEN,
    )

    venue.faults.set(Fault.status(502), "order", after=1)
    assert isinstance(await look(account, **ids), Unanswered)


async def test_a_triggered_stop_is_followed_to_its_order(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    ledger.set_position("BTCUSDT", "long", ONE)
    stop = ledger.place_trigger_order("BTCUSDT", "sell", ONE, Decimal(40_000))
    ids = {"venue_order_id": VenueOrderId(str(stop.algo_id)), "type": "STOP_MARKET"}
    waiting = await look(account, **ids)
    assert isinstance(waiting, Found)
    assert (waiting.order.state, waiting.order.is_trigger) == (OrderState.OPEN, True)

    child = ledger.trigger(stop.algo_id)
    ledger.fill_order(child.order_id, price=Decimal(39_990))
    said = await look(account, **ids)
    assert isinstance(said, Found)
    assert said.order.venue_order_id == str(child.order_id)
    assert (said.order.state, said.order.filled) == (OrderState.FILLED, ONE)

    ledger.forget_order(child.order_id)
    said = await look(account, **ids)
    assert isinstance(said, Found)
    assert said.order.state is OrderState.UNMAPPED
    assert said.order.successor_ids == (str(child.order_id),)


@pytest.mark.parametrize("body", [None, '{"code": -5000, "msg": "Path is invalid"}'])
async def test_a_host_without_trigger_orders_is_skipped_unless_it_is_one(
    venue: SimulatedVenue, account: CcxtAccount, body: str | None
) -> None:
    venue.faults.set(Fault.status(404, body), "trigger_order")
    said = await look(account, venue_order_id=VenueOrderId("1"), type=None)
    assert isinstance(said, NotFound)
    assert said.rungs == ("venue_order_id", "trigger: not offered by this host", "fills")
    said = await look(account, venue_order_id=VenueOrderId("1"), type="stop_market")
    assert isinstance(said, Unanswered)


async def test_an_order_of_an_unknown_market_is_not_judged(account: CcxtAccount) -> None:
    said = await look(
        account,
        symbol=Symbol("FOOUSDT"),
        raw_symbol="FOOUSDT",
        venue_order_id=VenueOrderId("1"),
    )
    assert isinstance(said, Unanswered)
    assert said.failure.kind is AnswerKind.UNSUPPORTED
    assert "FOOUSDT is not a market of binanceusdm" in said.failure.detail
