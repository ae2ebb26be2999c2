"""One order of the venue is written onto one row of the book, whatever ids rows share."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.scenarios.setting import HOUR, Setting, ago

ETH = "ETH/USDT:USDT"


async def _rows(setting: Setting) -> dict[str, tuple[str, Decimal]]:
    rows = await setting.rows("select * from bot.orders")
    return {row["id"]: (row["status"], row["filled"]) for row in rows}


@pytest.mark.parametrize("ago_minutes", [5, 300])
@pytest.mark.parametrize("state", ["open", "filled"])
async def test_a_client_id_used_again_after_a_missed_cancel(
    setting: Setting, state: str, ago_minutes: int
) -> None:
    """The bot missed that its stop was cancelled, and placed the next under the same client id."""
    ledger = setting.ledger
    first = ledger.place_order(
        "ETHUSDT",
        "buy",
        Decimal(1),
        Decimal(2000),
        client_order_id="stop",
        created_at=ago(9 * HOUR),
    )
    ledger.cancel_order(first.order_id)
    second = ledger.place_order(
        "ETHUSDT",
        "buy",
        Decimal(1),
        Decimal(1990),
        client_order_id="stop",
        created_at=ago(8 * HOUR),
    )
    if state == "filled":
        ledger.fill_order(second.order_id)
        await setting.position("x1", ETH, "long", "1")
    for name, order, status, age in (
        ("lost", first, "open", 9 * HOUR),
        ("new", second, state, 8 * HOUR),
    ):
        await setting.order(
            name,
            ETH,
            "buy",
            "1",
            client_order_id="stop",
            venue_order_id=str(order.order_id),
            status=status,
            age=age,
            filled=Decimal(status == "filled"),
        )
    await setting.connection.execute(
        "update bot.orders set updated_at = $1 where id = 'new'",
        ago(timedelta(minutes=ago_minutes)),
    )
    await setting.once()
    assert (await _rows(setting))["lost"] == ("canceled", Decimal(0))
    assert (await setting.once()).code == 0
    assert await setting.incidents() == []


async def test_a_row_that_never_arrived_learns_nothing_of_the_one_that_did(
    setting: Setting,
) -> None:
    """Sent twice under one client id: the venue took it once, and the second row knows its id."""
    ledger = setting.ledger
    placed = ledger.place_order(
        "ETHUSDT", "buy", Decimal(1), Decimal(2000), client_order_id="c", created_at=ago(HOUR)
    )
    ledger.fill_order(placed.order_id)
    await setting.position("x1", ETH, "long", "1")
    await setting.order("tried", ETH, "buy", "1", client_order_id="c", status="new", age=HOUR)
    await setting.order(
        "taken",
        ETH,
        "buy",
        "1",
        client_order_id="c",
        venue_order_id=str(placed.order_id),
        age=HOUR,
        filled=Decimal(1),
        status="filled",
        updated_at=ago(timedelta(minutes=5)),
    )
    assert (await setting.once()).code == 1
    assert (await _rows(setting))["tried"] == ("new", Decimal(0))
    assert await setting.incidents() == []
