"""`PostgresBook` on a real server: reading, refusing what does not fit, writing under guard."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

import asyncpg
import pytest

from reconciler.book.postgres import SHARE_FOR_SECONDS, PostgresBook
from reconciler.book.preset import load_preset
from reconciler.domain.book import BookReading
from reconciler.domain.errors import BookDatabaseUnavailableError, BookUnreadableError
from reconciler.domain.identity import AccountName, BookName, ProfileId, Symbol
from reconciler.domain.orders import BookOrder, OrderState, OrderUpdate
from reconciler.domain.positions import PositionSide
from reconciler.store.connecting import Pool, open_pool

MAIN = AccountName("main")
REACH = timedelta(minutes=10)
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on the test's database."""
    opened = await open_pool(database_url, size=3)
    yield opened
    opened.terminate()


@pytest.fixture
def book(pool: Pool) -> PostgresBook:
    """The native book."""
    return PostgresBook(pool, name=BookName("main"), preset=load_preset("native"))


@pytest.fixture(autouse=True)
async def rows(connection: Connection) -> None:
    """Two accounts with a profile each, an order and a position of the first."""
    await connection.execute(
        """
        insert into bot.profiles (id, account, status) values
          ('p1', 'main', 'active'), ('p2', 'main', 'paused'), ('q1', 'other', 'active');
        insert into bot.orders (id, profile_id, symbol, side, qty, filled, status, price,
                                client_order_id, venue_order_id, created_at, updated_at)
        values ('o1', 'p1', 'BTCUSDT', 'BUY', 0.30, 0.1, 'NEW', 1e3, ' ', '77',
                '2026-01-02 03:04:05+02', '2026-01-02 03:04:06+02'),
               ('o2', 'p1', 'BTCUSDT', 'sell', 1, 1, 'filled', null, 'c2', '78',
                now() - interval '1 day', now() - interval '1 day'),
               ('o3', 'q1', 'BTCUSDT', 'sell', 1, 0, 'open', null, 'c3', '79', now(), now());
        insert into bot.positions (id, profile_id, symbol, side, qty, status, updated_at)
        values ('x1', 'p1', 'BTCUSDT', 'short', -0.3, 'open', now()),
               ('x2', 'nobody', 'ETHUSDT', 'long', 2, 'open', now()),
               ('x3', 'p1', 'ETHUSDT', 'long', 2, 'closed', now() - interval '1 day');
        """
    )


def _symbol(raw: str) -> Symbol:
    return Symbol(raw.upper())


async def _read(book: PostgresBook, account: str = "main") -> BookReading:
    return await book.read(AccountName(account), reach=REACH, symbol_of=_symbol)


async def test_rows_become_frozen_values(book: PostgresBook) -> None:
    reading = await _read(book)
    [order] = reading.orders
    assert (order.id, order.qty, order.filled) == ("o1", Decimal("0.30"), Decimal("0.1"))
    assert (order.state, order.raw_status) == (OrderState.OPEN, "NEW")
    assert (order.client_order_id, order.venue_order_id) == (None, "77")
    assert order.created_at == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    [position] = reading.positions
    assert (position.side, position.qty, position.open) == (
        PositionSide.SHORT,
        Decimal("0.3"),
        True,
    )
    assert [(p.id, p.is_active) for p in reading.profiles] == [("p1", True), ("p2", False)]


async def test_each_account_has_its_own_rows_and_stray_ones_are_everybodys(
    book: PostgresBook,
) -> None:
    main, other = await _read(book), await _read(book, "other")
    assert [o.id for o in other.orders] == ["o3"]
    assert other.positions == ()
    assert [p.id for p in main.stray_positions] == [p.id for p in other.stray_positions] == ["x2"]


async def test_rows_that_ended_are_read_while_they_are_within_reach(book: PostgresBook) -> None:
    reading = await book.read(MAIN, reach=timedelta(days=2), symbol_of=_symbol)
    assert {o.id for o in reading.orders} == {"o1", "o2"}
    assert {p.id for p in reading.positions} == {"x1", "x3"}


async def test_orders_are_found_by_either_id_whatever_their_status(book: PostgresBook) -> None:
    found, unreadable = await book.find_orders(
        venue_order_ids=["78", "nothing"], client_order_ids=["c3"], symbol_of=_symbol
    )
    assert {o.id for o in found} == {"o2", "o3"}
    assert unreadable == ()


async def test_deactivation_says_who_was_active(book: PostgresBook, connection: Connection) -> None:
    asked = [ProfileId(p) for p in ("p1", "p2", "nobody")]
    assert await book.deactivate(connection, asked) == {"p1"}
    assert await book.deactivate(connection, asked) == set()
    rows = await connection.fetch("select id, status from bot.profiles order by id")
    assert [tuple(r) for r in rows] == [("p1", "inactive"), ("p2", "paused"), ("q1", "active")]


def _update(order: BookOrder, filled: str = "0.2", price: str | None = "5") -> OrderUpdate:
    return OrderUpdate(
        order=order,
        state=OrderState.CANCELED,
        filled=Decimal(filled),
        avg_price=Decimal(price) if price else None,
    )


async def test_an_update_is_written_once(book: PostgresBook, connection: Connection) -> None:
    [order] = (await _read(book)).orders
    assert await book.update_orders(connection, [_update(order)]) == {"o1"}
    row = await connection.fetchrow("select * from bot.orders where id = 'o1'")
    assert row is not None
    assert (row["status"], row["filled"], row["avg_price"]) == ("canceled", Decimal("0.2"), 5)
    assert await book.update_orders(connection, [_update(order)]) == set(), "it is not as seen"


async def test_a_row_that_moved_is_left_alone(book: PostgresBook, connection: Connection) -> None:
    [order] = (await _read(book)).orders
    await connection.execute("update bot.orders set status = 'canceling' where id = 'o1'")
    assert await book.update_orders(connection, [_update(order)]) == set()


async def test_a_filled_quantity_never_shrinks(book: PostgresBook, connection: Connection) -> None:
    [order] = (await _read(book)).orders
    assert await book.update_orders(connection, [_update(order, filled="0.05")]) == set()


async def test_no_price_leaves_the_price(book: PostgresBook, connection: Connection) -> None:
    await connection.execute("update bot.orders set avg_price = 7 where id = 'o1'")
    [order] = (await _read(book)).orders
    await book.update_orders(connection, [_update(order, price=None)])
    assert await connection.fetchval("select avg_price from bot.orders where id = 'o1'") == 7


async def test_a_writer_waits_for_the_bot_and_loses(
    book: PostgresBook, connection: Connection, database_url: str
) -> None:
    """The guarded UPDATE is the lock: the bot's open transaction is waited for, then wins."""
    [order] = (await _read(book)).orders
    bot = await asyncpg.connect(database_url, timeout=10)
    transaction = bot.transaction()
    await transaction.start()
    await bot.execute("update bot.orders set status = 'filled', filled = 0.3 where id = 'o1'")
    writing = asyncio.create_task(book.update_orders(connection, [_update(order)]))
    await asyncio.sleep(0.2)
    assert not writing.done()
    await transaction.commit()
    assert await asyncio.wait_for(writing, timeout=10) == set()
    await bot.close(timeout=5)


async def test_a_reading_is_of_one_moment(book: PostgresBook, connection: Connection) -> None:
    """A bot that closes one row and opens another at once is never seen with both or none."""
    stop = asyncio.Event()

    async def flip() -> None:
        while not stop.is_set():
            await connection.execute(
                """
                update bot.positions set status = case status when 'open' then 'closed' else 'open'
                end where id in ('x1', 'x3')
                """
            )

    flipping = asyncio.create_task(flip())
    try:
        for _ in range(50):
            book._shared = None
            reading = await _read(book)
            assert sum(p.open for p in reading.positions) == 1
    finally:
        stop.set()
        await flipping


async def test_a_user_may_bring_statements_and_words(pool: Pool) -> None:
    preset = load_preset(
        "native",
        statements={
            "profiles": {
                "select": "select id, account, status from bot.profiles where id like 'p%'"
            }
        },
        vocabulary={"NEW": "canceled", "wartet": "in_flight"},
        write={"unknown": "quarantined"},
    )
    reading = await _read(PostgresBook(pool, name=BookName("own"), preset=preset))
    assert reading.orders[0].state is OrderState.CANCELED
    assert preset.word_for(OrderState.UNKNOWN) == "quarantined"
    assert preset.word_for(OrderState.FILLED) == "filled"


@pytest.mark.parametrize(
    ("table", "statement", "says"),
    [
        ("profiles", "select id, account from bot.profiles", "lacks the column status"),
        ("profiles", "select 1 as id, account, now() as status from bot.profiles", "status is"),
        ("profiles", "selekt", "syntax error"),
        ("positions", "select * from bot.positions where $1::text is null", "it must take"),
        (
            "positions",
            (
                "select id, profile_id, symbol, side, qty, true as open, updated_at::timestamp"
                " from bot.positions where $1::timestamptz is not null"
            ),
            "set book.timezone",
        ),
    ],
)
async def test_a_statement_that_does_not_fit_is_refused_before_anything_is_read(
    pool: Pool, table: str, statement: str, says: str
) -> None:
    preset = load_preset("native", statements={table: {"select": statement}})
    with pytest.raises(BookUnreadableError, match=says):
        await _read(PostgresBook(pool, name=BookName("own"), preset=preset))


async def test_every_trouble_is_named_at_once(pool: Pool, connection: Connection) -> None:
    await connection.execute("drop table bot.positions; alter table bot.profiles drop status")
    book = PostgresBook(pool, name=BookName("main"), preset=load_preset("native"))
    with pytest.raises(BookUnreadableError) as caught:
        await book.check()
    assert "profiles.select" in str(caught.value)
    assert "positions.select" in str(caught.value)
    assert "migrate --with-native-book" in str(caught.value)


async def test_a_book_that_changes_under_a_running_daemon_is_noticed_and_recovers(
    book: PostgresBook, connection: Connection
) -> None:
    await _read(book)
    await connection.execute("alter table bot.orders rename to away")
    book._shared = None
    with pytest.raises(BookUnreadableError, match="does not exist"):
        await _read(book)
    await connection.execute("alter table bot.away rename to orders")
    assert [o.id for o in (await _read(book)).orders] == ["o1"]


async def test_a_reading_that_fails_is_the_answer_to_all_who_wait_for_it(
    connection: Connection, pool: Pool, book: PostgresBook
) -> None:
    await _read(book)
    await asyncio.sleep(SHARE_FOR_SECONDS)
    name = await connection.fetchval("select current_database()")
    await connection.execute(f'alter database "{name}" set statement_timeout = 1000')
    await pool.expire_connections()
    loop = asyncio.get_running_loop()
    async with connection.transaction():
        await connection.execute("lock table bot.orders in access exclusive mode")
        begun = loop.time()
        told = await asyncio.gather(*(_read(book) for _ in range(10)), return_exceptions=True)
        assert loop.time() - begun < 3
    assert {type(each) for each in told} == {BookDatabaseUnavailableError}
    assert (await _read(book)).orders, "asked anew, it is read"
