"""Which rows may be trigger orders, which some venues keep at another endpoint."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reconciler.domain.identity import BookOrderId, ProfileId, Symbol
from reconciler.domain.orders import BookOrder, OrderSide, OrderState
from reconciler.venue.lookup import Triggering, triggering_of


@pytest.mark.parametrize(
    ("kind", "role", "triggering"),
    [
        ("STOP_MARKET", None, Triggering.YES),
        ("take-profit-limit", None, Triggering.YES),
        ("takeProfit", None, Triggering.YES),
        ("Trailing Stop", None, Triggering.YES),
        ("market", "stop", Triggering.YES),
        ("limit", "tp", Triggering.YES),
        ("market_if_touched", None, Triggering.YES),
        (None, "stoploss", Triggering.YES),
        ("limit", None, Triggering.NO),
        ("LIMIT", "entry", Triggering.NO),
        ("MARKET", "exit", Triggering.NO),
        ("LIMIT_MAKER", None, Triggering.NO),
        ("limit", "protocol", Triggering.NO),
        (None, None, Triggering.UNKNOWN),
        (None, "entry", Triggering.UNKNOWN),
        ("", None, Triggering.UNKNOWN),
        ("twap", None, Triggering.UNKNOWN),
    ],
)
def test_triggering(kind: str | None, role: str | None, triggering: Triggering) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    order = BookOrder(
        id=BookOrderId("1"),
        profile_id=ProfileId("p"),
        symbol=Symbol("BTC/USDT:USDT"),
        raw_symbol="BTCUSDT",
        side=OrderSide.BUY,
        qty=Decimal(1),
        filled=Decimal(0),
        state=OrderState.OPEN,
        raw_status="open",
        client_order_id=None,
        venue_order_id=None,
        created_at=at,
        updated_at=at,
        type=kind,
        role=role,
    )
    assert triggering_of(order) is triggering
