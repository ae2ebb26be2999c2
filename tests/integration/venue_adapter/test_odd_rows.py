"""Rows that no simulated venue sends: unreadable, doubled, or about something else."""

from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import (
    VenueOrderId,
)
from reconciler.domain.orders import OrderState
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    ScopeName,
    Unanswered,
)
from reconciler.simulation.venue import (
    SimulatedVenue,
)
from tests.integration.venue_adapter.accounts import (
    BTC,
    account_at,
    look,
    now,
    order_row,
    position_row,
)


async def test_position_rows_that_ccxt_would_drop_are_seen() -> None:
    rows = [
        position_row(entryPrice="0.0", notional="0"),
        position_row(symbol="ETHUSDT", positionAmt="0.000"),
        position_row(symbol="SOLUSDT", positionSide="SHORT", positionAmt="-2", notional="300"),
    ]
    async with account_at({"/fapi/v3/positionRisk": rows}) as reading:
        seen = await reading.snapshot(now=now())
    assert seen.positions_are_complete()
    assert [(p.symbol, p.side, p.qty, p.hedged) for p in seen.positions] == [
        (BTC, PositionSide.SHORT, Decimal("0.5"), False),
        ("SOL/USDT:USDT", PositionSide.SHORT, Decimal(2), True),
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"code": -1000},
        "BTCUSDT",
        position_row(positionAmt=None),
        position_row(positionAmt="much"),
        position_row(positionAmt="NaN"),
        position_row(positionSide="SIDEWAYS"),
    ],
)
async def test_a_position_row_that_cannot_be_read_makes_the_scope_partial(row: Any) -> None:
    async with account_at({"/fapi/v3/positionRisk": [position_row(), row]}) as reading:
        seen = await reading.snapshot(now=now())
    scope = seen.scopes[ScopeName.POSITIONS]
    assert scope.completeness is Completeness.PARTIAL
    assert scope.failure is not None
    assert "1 of 2 rows cannot be read" in scope.failure.detail
    assert len(seen.positions) == 1


@pytest.mark.parametrize(
    "row", [7, [], order_row(side="HOLD"), order_row(orderId=None), order_row(symbol=None)]
)
async def test_an_order_row_that_cannot_be_read_makes_the_scope_partial(row: Any) -> None:
    async with account_at({"/fapi/v1/openOrders": [order_row(), row]}) as reading:
        seen = await reading.snapshot(now=now())
    assert seen.scopes[ScopeName.OPEN_ORDERS].completeness is Completeness.PARTIAL
    assert [order.venue_order_id for order in seen.orders] == ["1"]


async def test_rows_shown_twice_are_one_order_and_ids_of_nothing_are_none() -> None:
    rows = [order_row(), order_row(), order_row(orderId=2, status="PENDING_NEW")]
    async with account_at({"/fapi/v1/openOrders": rows}) as reading:
        seen = await reading.snapshot(now=now())
    assert [order.state for order in seen.orders] == [OrderState.OPEN, OrderState.IN_FLIGHT]
    assert {order.client_order_id for order in seen.orders} == {None}


@pytest.mark.parametrize(
    "row", [order_row(orderId=2), order_row(symbol="ETHUSDT"), [order_row()], order_row(side="")]
)
async def test_an_answer_about_another_order_is_no_answer(row: Any) -> None:
    async with account_at({"/fapi/v1/order": row}) as reading:
        said = await look(reading, venue_order_id=VenueOrderId("1"))
    assert isinstance(said, Unanswered)
    assert said.failure.kind is AnswerKind.NO_ANSWER


async def test_redirects_are_not_followed_with_the_key(venue: SimulatedVenue) -> None:
    elsewhere = f"{venue.base_url}/fapi/v3/positionRisk?signature=secret"
    async with account_at({"/fapi/v3/positionRisk": elsewhere}) as reading:
        seen = await reading.snapshot(now=now())
    failure = seen.scopes[ScopeName.POSITIONS].failure
    assert failure is not None
    assert "redirected" in failure.detail
    assert "secret" not in failure.detail
    assert venue.requests.count() == 0
