"""What a reviewer found to contain or write falsely: each stays mended."""

import secrets
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.scenarios.setting import Setting, ago

OLD = ago(timedelta(hours=25))


async def test_a_client_id_used_before_writes_nothing_onto_the_new_row(setting: Setting) -> None:
    """Rule 6: what an earlier order under the id did is not this row's."""
    earlier = setting.ledger.place_order(
        "ETHUSDT", "buy", Decimal(1), Decimal(2000), client_order_id="bot-1"
    )
    setting.ledger.fill_order(earlier.order_id)
    setting.ledger.close_position("ETHUSDT")
    await setting.order(
        "second", "ETH/USDT:USDT", "buy", "5", client_order_id="bot-1", created_at=OLD
    )
    before = await setting.book()
    found = await setting.once()
    assert found.code == 3
    assert "used before" in found.outcome.sentence
    assert await setting.book() == before


@pytest.mark.parametrize(
    ("qty", "contained"), [("0.5", False), ("0.3", True)], ids=["could be it", "could not"]
)
async def test_a_market_under_another_name_stands_against_a_ghost_of_its_size(
    setting: Setting, qty: str, *, contained: bool
) -> None:
    """Rule 1: the book may have under another name what it seems to lack."""
    setting.ledger.set_position("BTCUSDT", "long", Decimal("0.5"))
    await setting.position("x1", "BTCUSDT.P", "long", qty)
    await setting.once()
    assert await setting.status() == ("inactive" if contained else "active")


async def test_rows_hidden_by_row_level_security_are_no_ghosts(setting: Setting) -> None:
    """A role without a policy reads zero rows, and no error."""
    setting.ledger.set_position("BTCUSDT", "long", Decimal("0.5"))
    await setting.position("x1", "BTC/USDT:USDT", "long", "0.5")
    role = f"reader_{secrets.token_hex(4)}"
    await setting.connection.execute(f"""
        create role {role};
        grant usage on schema bot, reconciler to {role};
        grant all on all tables in schema reconciler to {role};
        grant select, update on all tables in schema bot to {role};
        alter table bot.positions enable row level security;
    """)
    found = await setting.once(database={"url": f"{setting.url}?role={role}"})
    assert found.code == 3
    assert "row-level security" in found.outcome.sentence
    assert await setting.status() == "active"
    await setting.connection.execute(
        f"create policy all_rows on bot.positions for select to {role} using (true)"
    )
    assert (await setting.once()).code == 0
    await setting.connection.execute(f"drop owned by {role}; drop role {role}")


async def test_an_open_row_of_quantity_0_is_no_ghost(setting: Setting) -> None:
    """An entry under way: the venue holds more than the book, which pages and contains nobody."""
    setting.ledger.set_position("BTCUSDT", "long", Decimal("0.5"))
    await setting.position("x1", "BTC/USDT:USDT", "long", "0")
    await setting.once()
    assert await setting.incidents() == [("quantity_mismatch", "SEV-1", "open")]
    assert await setting.status() == "active"


async def test_one_odd_time_does_not_keep_a_ghost_from_being_contained(setting: Setting) -> None:
    """Some bots write Go's zero time."""
    zero = ago(timedelta(days=700_000))
    await setting.order("odd", "ETH/USDT:USDT", "buy", "1", venue_order_id="77", created_at=zero)
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    await setting.once()
    assert await setting.status() == "inactive"


async def test_a_row_that_the_book_refuses_keeps_no_other_from_being_written(
    setting: Setting,
) -> None:
    """A CHECK without `unknown`: the fill of another order is learnt all the same."""
    await setting.connection.execute(
        "alter table bot.orders add constraint words check (status <> 'unknown')"
    )
    await setting.order("old", "ETH/USDT:USDT", "buy", "1", venue_order_id="77", created_at=OLD)
    placed = setting.ledger.place_order("SOLUSDT", "buy", Decimal(1), Decimal(150))
    await setting.order(
        "gone", "SOL/USDT:USDT", "buy", "1", venue_order_id=str(placed.order_id), created_at=OLD
    )
    setting.ledger.cancel_order(placed.order_id)
    found = await setting.once()
    assert found.code == 3
    rows = await setting.rows("select id, status from bot.orders order by id")
    assert [(row["id"], row["status"]) for row in rows] == [("gone", "canceled"), ("old", "open")]
    assert await setting.incidents() == [("book_unreadable", "SEV-2", "open")]
    details = (await setting.row("select * from reconciler.incidents"))["details"]
    assert "Failing row contains" not in str(details)


async def test_a_profile_that_the_statement_leaves_active_is_told(setting: Setting) -> None:
    """A status of the bot's own that the native UPDATE does not know."""
    await setting.connection.execute("update bot.profiles set status = 'running'")
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    found = await setting.once()
    assert found.code == 3
    details = (await setting.row("select * from reconciler.incidents"))["details"]
    assert "p1" in details["not_contained"]
