"""Orders that took another's place: chains, circles, ends that cannot be read, earlier halves."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import ClientOrderId, VenueOrderId
from reconciler.domain.orders import OrderState
from reconciler.domain.snapshot import Found, Lookup, NotFound, Unanswered
from reconciler.domain.verdicts import OrderVerdictKind
from reconciler.rules.order_status import OrderLimits, judge_order
from reconciler.simulation.venue import SimulatedVenue
from reconciler.venue.account import CcxtAccount
from tests.integration.venue_adapter.accounts import ONE, book_order, look, now
from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.alpaca import ALPACA, uuid
from tests.integration.venue_adapter.cases.alpaca import order as alpaca_order
from tests.integration.venue_adapter.cases.case import Ask
from tests.integration.venue_adapter.test_described_details import account_of
from tests.integration.venue_adapter.test_described_venues import look as ask_for

DAY = timedelta(days=1)


def _chain(numbers: Sequence[int], **end: Any) -> list[Canned]:
    """Each replaced by the next; the last one is as `end` says."""
    orders = [
        alpaca_order(one, status="replaced", replaced_by=uuid(other))
        for one, other in itertools.pairwise(numbers)
    ]
    orders.append(alpaca_order(numbers[-1], **end))
    return [Canned(path=f"/v2/orders/{order['id']}", body=order) for order in orders]


async def _at_alpaca(*instead: Canned) -> Lookup:
    async with account_of(ALPACA, *instead) as account:
        await account.prepare()
        return await ask_for(account, Ask(symbol="AAPL", order_id=uuid(50)))


@pytest.mark.parametrize("length", [2, 3, 4, 51])
async def test_a_chain_is_followed_to_its_end(length: int) -> None:
    numbers = range(50, 50 + length)
    end = {"status": "filled", "filled_qty": "10", "filled_avg_price": "150"}
    said = await _at_alpaca(*_chain(numbers, **end))
    assert isinstance(said, Found)
    assert said.order.venue_order_id == uuid(numbers[-1])
    assert (said.order.state, said.order.filled) == (OrderState.FILLED, Decimal(10))


async def test_a_chain_without_an_end_is_no_answer() -> None:
    said = await _at_alpaca(*_chain(range(50, 102), status="new"))
    assert isinstance(said, Unanswered)
    assert "more than 50 times" in said.failure.detail


@pytest.mark.parametrize("circle", [(50, 50), (50, 51, 50), (50, 51, 52, 51)])
async def test_a_circle_is_no_answer(circle: tuple[int, ...]) -> None:
    said = await _at_alpaca(*_chain(circle[:-1], status="replaced", replaced_by=uuid(circle[-1])))
    if circle == (50, 50):  # its own successor: it has none
        assert isinstance(said, Found)
    else:
        assert isinstance(said, Unanswered)
        assert "in a circle" in said.failure.detail


@pytest.mark.parametrize(
    "end",
    [
        Canned(path=f"/v2/orders/{uuid(52)}", body={"code": 50010000}, status=lambda _: 500),
        Canned(path=f"/v2/orders/{uuid(52)}", body="<html>We will be back soon</html>"),
        Canned(path=f"/v2/orders/{uuid(52)}", body=alpaca_order(52, filled_qty=None)),
        Canned(path=f"/v2/orders/{uuid(52)}", body=alpaca_order(52, symbol="TSLA")),
        Canned(path=f"/v2/orders/{uuid(52)}", body=alpaca_order(53)),
    ],
    ids=["500", "page", "no filled quantity", "another market", "another order"],
)
async def test_a_chain_whose_end_cannot_be_read_is_no_answer(end: Canned) -> None:
    assert isinstance(await _at_alpaca(end, *_chain((50, 51, 52))), Unanswered)


async def test_an_end_that_tells_less_than_was_filled_before_is_no_answer() -> None:
    """Whether the venue goes on counting or starts over is not known: nor is the sum."""
    first, *rest = _chain((50, 51), status="canceled", filled_qty="3")
    first = replace(first, body={**first.body, "filled_qty": "4"})
    said = await _at_alpaca(first, *rest)
    assert isinstance(said, Unanswered)
    assert "4 was filled before" in said.failure.detail


async def test_done_for_the_day_with_a_part_filled_is_no_end() -> None:
    """`calculated` is closed to ccxt; the rest of the order trades tomorrow."""
    row = alpaca_order(50, status="calculated", filled_qty="4")
    said = await _at_alpaca(Canned(path=f"/v2/orders/{uuid(50)}", body=row))
    assert isinstance(said, Found)
    verdict = judge_order(
        row=book_order(symbol=said.order.symbol, qty=Decimal(10)),
        listed=None,
        why_incomplete=None,
        lookup=said,
        first_seen_at=None,
        now=now(),
        limits=OrderLimits(
            stale_after=timedelta(minutes=15),
            quarantine_after=DAY,
            grace=timedelta(minutes=1),
            retention=None,
        ),
    )
    assert verdict.kind is OrderVerdictKind.INCONCLUSIVE


def _ids(venue_order_id: str) -> dict[str, Any]:
    return {
        "venue_order_id": VenueOrderId(venue_order_id),
        "client_order_id": ClientOrderId("c"),
        "created_at": now() - 2 * DAY,
    }


def _cancelled(venue: SimulatedVenue, *, created_at: datetime, filled: str = "0") -> str:
    order = venue.ledger().place_order(
        "BTCUSDT", "buy", ONE, Decimal(50_000), client_order_id="c", created_at=created_at
    )
    if Decimal(filled):
        venue.ledger().fill_order(order.order_id, Decimal(filled))
    venue.ledger().cancel_order(order.order_id)
    return str(order.order_id)


async def test_the_cancelled_half_under_the_client_id_is_not_the_rows_order(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    """The row's own venue id is younger, and the venue knows it no more: how it ended is open."""
    earlier = _cancelled(venue, created_at=now() - 2 * DAY)
    said = await look(account, **_ids("999999"), updated_at=now() - DAY)
    assert isinstance(said, NotFound)
    assert said.rungs[:2] == (
        "venue_order_id",
        f"client_order_id: only an earlier order, {earlier}",
    )


async def test_an_end_under_the_client_id_after_the_bots_last_word_is_the_rows(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    later = _cancelled(venue, created_at=now() - DAY, filled="0.25")
    said = await look(account, **_ids("999999"), updated_at=now() - 2 * DAY)
    assert isinstance(said, Found)
    assert (said.by, said.order.venue_order_id) == ("client_order_id", later)
    assert (said.order.state, said.order.filled) == (OrderState.CANCELED, Decimal("0.25"))


async def test_fills_of_the_cancelled_half_are_not_lost(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    first = _cancelled(venue, created_at=now() - 2 * DAY, filled="0.25")
    _cancelled(venue, created_at=now() - DAY)
    said = await look(account, **_ids(first))
    assert isinstance(said, Unanswered)
    assert "0.25 was filled before" in said.failure.detail


async def test_a_stop_whose_order_was_refused_is_not_filled(
    venue: SimulatedVenue, account: CcxtAccount
) -> None:
    ledger = venue.ledger()
    ledger.set_position("BTCUSDT", "long", ONE)
    stop = ledger.place_trigger_order("BTCUSDT", "sell", ONE, Decimal(40_000))
    child = ledger.trigger(stop.algo_id)
    ledger.reject_order(child.order_id)
    said = await look(account, venue_order_id=VenueOrderId(str(stop.algo_id)), type="STOP_MARKET")
    assert isinstance(said, Found)
    assert (said.order.state, said.order.filled) == (OrderState.REJECTED, Decimal(0))
