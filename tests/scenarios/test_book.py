"""A book that cannot be read is an incident and never "all closed"; mended, it is judged again."""

from decimal import Decimal

import pytest

from tests.scenarios.setting import Setting

BREAKS = {
    "a table is missing": (
        "alter table bot.orders rename to orders_away",
        "alter table bot.orders_away rename to orders",
        'relation "bot.orders" does not exist',
    ),
    "a column is missing": (
        "alter table bot.positions rename column qty to size",
        "alter table bot.positions rename column size to qty",
        "qty",
    ),
    "a column has another type": (
        "alter table bot.positions alter column updated_at type text using updated_at::text",
        (
            "alter table bot.positions alter column updated_at type timestamptz"
            " using updated_at::timestamptz"
        ),
        "text >= timestamp with time zone",
    ),
    "a time has no zone": (
        "alter table bot.orders alter column created_at type timestamp",
        "alter table bot.orders alter column created_at type timestamptz",
        "set book.timezone",
    ),
}


@pytest.mark.parametrize("case", BREAKS)
async def test_a_book_that_does_not_fit_is_an_incident_and_recovers(
    setting: Setting, case: str
) -> None:
    breaks, mends, says = BREAKS[case]
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    await setting.position("x1", "SOL/USDT:USDT", "long", "1")
    await setting.connection.execute(breaks)
    for _ in range(2):
        found = await setting.once()
        assert found.code == 3, found
        assert says in found.outcome.sentence
    assert await setting.incidents() == [("book_unreadable", "SEV-2", "open")]
    assert says in (await setting.row("select * from reconciler.incidents"))["details"]["why"]
    assert await setting.status() == "active"
    await setting.connection.execute(mends)
    assert (await setting.once()).code == 0
    assert await setting.incidents() == [("book_unreadable", "SEV-2", "resolved")]


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (
            (
                "insert into bot.orders (id, profile_id, symbol, side, qty, status)"
                " values ('bad', 'p1', 'ETHUSDT', 'sideways', 1, 'open')"
            ),
            "sideways",
        ),
        (
            (
                "insert into bot.positions (id, profile_id, symbol, side, qty)"
                " values ('bad', 'p1', 'ETHUSDT', 'long', 'NaN')"
            ),
            "finite number",
        ),
    ],
)
async def test_a_row_that_cannot_be_read_blocks_its_symbol_and_no_other(
    setting: Setting, breaks: str, says: str
) -> None:
    if "positions" in breaks:
        setting.ledger.set_position("ETHUSDT", "long", Decimal(1))
    await setting.connection.execute(breaks)
    before = await setting.book()
    found = await setting.once()
    assert found.code == 3, found
    assert says in str(found.outcome.findings)
    assert await setting.book() == before
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    assert (await setting.once()).code == 3
    assert await setting.status() == "inactive"
    [incident] = await setting.rows("select * from reconciler.incidents")
    assert (incident["kind"], incident["symbol"]) == ("ghost_position", "SOL/USDT:USDT")


async def test_the_command_names_the_mend_and_exits_3(setting: Setting) -> None:
    await setting.connection.execute("drop schema bot cascade")
    ran = await setting.command("once")
    assert ran.code == 3, ran
    assert "reconciler migrate --with-native-book" in ran.report["accounts"]["main"]["sentence"]


async def test_naive_times_are_read_in_the_configured_zone(setting: Setting) -> None:
    for table, column in (("orders", "created_at"), ("orders", "updated_at")):
        await setting.connection.execute(
            f"alter table bot.{table} alter column {column} type timestamp"
        )
    # 25 h old in Tokyo's wall time; read as UTC it would be 16 h old, and stay.
    await setting.connection.execute(
        """
        insert into bot.orders (id, profile_id, symbol, side, qty, status, venue_order_id,
                                created_at, updated_at)
        select 'o1', 'p1', 'ETHUSDT', 'buy', 1, 'open', '999999', t, t
        from (select (now() at time zone 'Asia/Tokyo') - interval '25 hours' as t) wall
        """
    )
    statement = (
        "select id, profile_id, symbol, side, qty, filled, status, client_order_id,"
        " venue_order_id, created_at, updated_at from bot.orders"
        " where $1::timestamptz is not null"
    )
    await setting.once(book={"timezone": "Asia/Tokyo", "orders": {"select": statement}})
    assert (await setting.row("select status from bot.orders"))["status"] == "unknown"


async def test_a_stray_row_stands_against_absence_in_the_book(setting: Setting) -> None:
    """An open position whose profile is not there may be this account's: no ghost is called."""
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    await setting.position("x1", "SOL/USDT:USDT", "long", "1", profile_id="nobody")
    before = await setting.book()
    assert (await setting.once()).code == 3
    assert await setting.book() == before


async def test_a_locked_row_of_the_bot_is_waited_for_in_bounds(setting: Setting) -> None:
    """A bot that sits on its row for ever costs one pass, not the daemon."""
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    transaction = setting.connection.transaction()
    await transaction.start()
    await setting.connection.execute("select * from bot.profiles for update")
    found = await setting.once()
    assert found.code == 3, found
    await transaction.rollback()
    assert await setting.status() == "active"
    assert (await setting.once()).code == 1
    assert await setting.status() == "inactive"
