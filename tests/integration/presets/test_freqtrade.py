"""freqtrade's real schema, in UTC and in Tokyo: read right, a ghost and a missing order found."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest

from reconciler.book.postgres import PostgresBook
from reconciler.book.preset import load_preset
from reconciler.domain.book import BookReading
from reconciler.domain.errors import BookUnreadableError
from reconciler.domain.identity import AccountName, BookName, Symbol
from reconciler.domain.orders import OrderState
from reconciler.store.connecting import open_pool
from tests.integration.presets.conftest import Freqtrade, least_role
from tests.integration.presets.trades import HELD, MISSING
from tests.scenarios.setting import Setting, ago

OLD = timedelta(hours=4)


@pytest.fixture
async def book(freqtrade: Freqtrade) -> AsyncIterator[PostgresBook]:
    """The bot's tables, as the daemon reads them."""
    pool = await open_pool(freqtrade.url, size=2)
    preset = load_preset("freqtrade", account="main")
    yield PostgresBook(pool, name=BookName("main"), preset=preset)
    pool.terminate()


async def _read(book: PostgresBook, reach: timedelta = timedelta(minutes=10)) -> BookReading:
    return await book.read(AccountName("main"), reach=reach, symbol_of=Symbol)


async def test_positions_are_what_the_bot_believes(book: PostgresBook) -> None:
    reading = await _read(book)
    held = {p.symbol: (p.side.value, p.qty) for p in reading.positions if p.open}
    assert held == {symbol: (side, Decimal(qty)) for symbol, (side, qty) in HELD.items()}
    assert not [p for p in reading.positions if not p.open]
    assert [(p.id, p.account, p.is_active) for p in reading.profiles] == [
        ("freqtrade", "main", True)
    ]


async def test_orders_have_their_side_role_and_state(book: PostgresBook) -> None:
    found = {
        o.venue_order_id: (o.side.value, o.role, o.state, o.qty, o.filled, o.type)
        for o in (await _read(book)).orders
    }
    open_, part = OrderState.OPEN, OrderState.PARTIALLY_FILLED
    zero = Decimal(0)
    assert found == {
        "8000000002": ("sell", "stop", open_, Decimal("0.5"), zero, "stop_market"),
        "8000000004": ("buy", "exit", part, Decimal(2), Decimal("0.75"), "limit"),
        "8000000005": ("buy", "entry", open_, Decimal("1.5"), zero, "limit"),
        "8000000006": ("buy", "entry", part, Decimal(100), Decimal(30), "limit"),
        MISSING: ("sell", "exit", open_, Decimal(10), zero, "limit"),
        "9000000002": ("sell", "exit", part, Decimal("0.25"), Decimal("0.1"), "limit"),
    }


async def test_times_are_of_the_zone_that_freqtrade_writes_in(book: PostgresBook) -> None:
    ages = {
        str(o.venue_order_id): round((datetime.now(UTC) - o.created_at) / timedelta(hours=1))
        for o in (await _read(book)).orders
    }
    assert (ages["8000000002"], ages[MISSING]) == (4, 30)
    [btc] = [p for p in (await _read(book)).positions if p.symbol == "BTC/USDT:USDT"]
    age = datetime.now(UTC) - btc.updated_at
    assert timedelta(hours=4, minutes=59) < age < timedelta(hours=5, minutes=10)


async def test_what_ended_is_read_while_it_is_within_reach(book: PostgresBook) -> None:
    reading = await _read(book, reach=timedelta(hours=8, minutes=30))
    ended = {o.venue_order_id: o.state for o in reading.orders if o.state.is_terminal}
    filled = ("8000000001", "8000000003", "8000000008", "9000000001")
    assert ended == dict.fromkeys(filled, OrderState.FILLED)
    [closed] = [p for p in reading.positions if not p.open]
    assert (closed.symbol, closed.side.value) == ("DOGE/USDT:USDT", "short")


async def test_a_partly_filled_order_that_was_canceled_is_canceled(book: PostgresBook) -> None:
    found, _ = await book.find_orders(
        venue_order_ids=["8000000009"], client_order_ids=["8000000001"], symbol_of=Symbol
    )
    [order] = found
    assert (order.state, order.filled) == (OrderState.CANCELED, Decimal(4))


def _agree(setting: Setting) -> None:
    """The venue as the bot believes it to be, all but the order that is missing there."""
    at = ago(OLD)
    ledger = setting.ledger
    ledger.place_trigger_order(
        "BTCUSDT", "sell", Decimal("0.5"), Decimal(50_000), algo_id=8000000002, created_at=at
    )
    for symbol, side, qty, price, order_id in (
        ("ETHUSDT", "buy", "2", "2900", 8000000004),
        ("BNBUSDT", "buy", "1.5", "500", 8000000005),
        ("XRPUSDT", "buy", "100", "0.5", 8000000006),
    ):
        ledger.place_order(
            symbol, side, Decimal(qty), Decimal(price), order_id=order_id, created_at=at
        )
    ledger.fill_order(8000000004, Decimal("0.75"), filled_at=at)
    ledger.fill_order(8000000006, Decimal(30), filled_at=at)
    for symbol, (side, qty) in HELD.items():
        if Decimal(qty) and symbol != "BTC/USDT":
            ledger.set_position(_id(symbol), side, Decimal(qty))


async def _without_spot(setting: Setting) -> None:
    await setting.connection.execute(
        "delete from orders where ft_trade_id = 7; delete from trades where id = 7"
    )


def _id(symbol: str) -> str:
    return symbol.partition(":")[0].replace("/", "")


async def test_a_book_that_agrees_is_in_parity(setting: Setting, freqtrade: Freqtrade) -> None:
    await _without_spot(setting)
    await setting.connection.execute(f"delete from orders where order_id = '{MISSING}'")
    _agree(setting)
    ran = await setting.once()
    assert ran.code == 0, ran


async def test_a_ghost_and_a_missing_order_are_found_and_the_bot_goes_on(
    setting: Setting, freqtrade: Freqtrade
) -> None:
    await _without_spot(setting)
    before = await _dump(setting)
    _agree(setting)
    setting.ledger.set_position("DOGEUSDT", "short", Decimal(900))
    codes = [(await setting.once()).code for _ in range(3)]
    assert codes[-1] == 1
    kinds = await setting.incidents()
    assert ("ghost_position", "SEV-1", "open") in kinds
    assert ("order_quarantined", "SEV-2", "open") in kinds
    assert len(kinds) == 2
    ghost = await setting.row(
        "select symbol, account from reconciler.incidents where kind = 'ghost_position'"
    )
    assert ghost == {"symbol": "DOGE/USDT:USDT", "account": "main"}
    assert await _dump(setting) == before, "trades and orders are freqtrade's own"
    locks = await setting.rows("select pair, side, active, reason from pairlocks")
    assert [(r["pair"], r["side"], r["active"]) for r in locks] == [("*", "*", True)]
    if freqtrade.python is not None:
        trades = await freqtrade.starts()
        assert sum(t["is_open"] for t in trades) == 5


async def test_a_migration_under_way_is_told_and_judges_nothing(
    setting: Setting, freqtrade: Freqtrade
) -> None:
    await _without_spot(setting)
    _agree(setting)
    await setting.connection.execute("alter table trades rename to trades_bak0")
    ran = await setting.once()
    assert ran.code == 3
    assert 'relation "public.trades" does not exist' in ran.outcome.sentence
    assert await setting.incidents() == [("book_unreadable", "SEV-2", "open")]
    await setting.connection.execute("alter table trades_bak0 rename to trades")
    await setting.once()
    assert ("book_unreadable", "SEV-2", "resolved") in await setting.incidents()


async def test_our_tables_hinder_no_migration(setting: Setting, freqtrade: Freqtrade) -> None:
    """What freqtrade's migrations do to its tables: nothing of ours depends on them."""
    await setting.once()
    await setting.connection.execute(
        """
        create table orders_bak0 as select * from orders; drop table orders;
        alter table trades rename to trades_bak0;
        """
    )


async def test_its_own_migration_runs_beside_us(setting: Setting, freqtrade: Freqtrade) -> None:
    """From the schema of an older version, with our statements prepared and our tables there."""
    if freqtrade.python is None:
        pytest.skip("only freqtrade itself migrates")
    await _without_spot(setting)
    _agree(setting)
    await setting.once()
    await setting.connection.execute(
        """alter table pairlocks drop column side;
           alter table "KeyValueStore" alter column key type varchar(25)"""
    )
    assert len(await freqtrade.starts()) == 6
    assert await setting.rows("select to_regclass('pairlocks_bak0') is not null as moved") == [
        {"moved": True}
    ]
    ran = await setting.once()
    assert "does not fit" not in ran.outcome.sentence
    assert "book_unreadable" not in {kind for kind, _, _ in await setting.incidents()}


async def test_two_accounts_of_one_book_have_to_be_told(
    setting: Setting, freqtrade: Freqtrade
) -> None:
    setting.add_account("second")
    with pytest.raises(BookUnreadableError, match=r"book.parameters.account is required"):
        await setting.once("main")
    await _without_spot(setting)
    _agree(setting)
    ran = await setting.once("main", book={"parameters": {"account": "main"}})
    assert "required" not in ran.outcome.sentence


async def test_the_least_role_reads_and_locks(setting: Setting, freqtrade: Freqtrade) -> None:
    await _without_spot(setting)
    _agree(setting)
    setting.ledger.set_position("DOGEUSDT", "short", Decimal(900))
    async with least_role(setting, "own_tables.sql", "freqtrade.sql") as url:
        for _ in range(3):
            await setting.once(database={"url": url})
        incidents = await setting.incidents()
        assert ("ghost_position", "SEV-1", "open") in incidents, freqtrade
        role = await asyncpg.connect(url, timeout=10)
        try:
            for statement in ("update trades set amount = 0", "delete from pairlocks"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await role.execute(statement)
        finally:
            await role.close(timeout=5)
    locks = await setting.rows("select pair, active from pairlocks")
    assert locks == [{"pair": "*", "active": True}]


async def _dump(setting: Setting) -> list[asyncpg.Record]:
    return [
        row
        for table in ("trades", "orders")
        for row in await setting.connection.fetch(
            f"select xmin::text, t::text from {table} t order by t.id"
        )
    ]
