"""A Supabase-like schema: uuid keys, row level security, a restricted role; and its variants."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import asyncpg
import pytest

from reconciler.book.postgres import PostgresBook
from reconciler.book.preset import load_preset
from reconciler.book.statements import check_statements
from reconciler.domain.identity import AccountName, BookName, ProfileId, Symbol
from reconciler.domain.orders import OrderState, OrderUpdate
from reconciler.store.connecting import open_pool
from tests.integration.presets.conftest import least_role, run_script
from tests.scenarios.setting import HOUR, Setting, ago

P1 = "aaaaaaaa-0000-4000-8000-000000000001"
O1 = "bbbbbbbb-0000-4000-8000-000000000001"
VARIANTS = {
    "uuid, text": ("uuid", "text", "numeric"),
    "uuid, varchar, float8": ("uuid", "varchar(30)", "float8"),
    "bigint, enum": ("bigint", "order_status", "numeric"),
    "text, enum, float8": ("text", "order_status", "float8"),
}
"""Type of keys, of orders.status, of quantities. (citext is a contrib module, not in the wheel.)"""


def _tables(key: str, status: str, number: str) -> str:
    return f"""
    create type order_status as enum ('pending_new', 'accepted', 'new', 'partially_filled',
      'filled', 'pending_cancel', 'canceled', 'expired', 'rejected', 'unknown');
    create type profile_status as enum ('active', 'inactive');
    create table public.profiles (id {key} primary key, user_id uuid, name text,
      account text not null, status profile_status not null default 'active');
    create table public.orders (id {key} primary key, profile_id {key} not null,
      symbol text not null, side text not null, type text, qty {number} not null,
      filled {number} not null default 0, price {number}, avg_price {number},
      status {status} not null, client_order_id text, venue_order_id text,
      created_at timestamptz not null default now(), updated_at timestamptz not null default now());
    create table public.positions (id {key} primary key, profile_id {key} not null,
      symbol text not null, side text not null, qty {number} not null,
      status text not null default 'open', updated_at timestamptz not null default now());
    """


async def _furnish(
    connection: "asyncpg.Connection[asyncpg.Record]", profile: str, order: str
) -> None:
    at = ago(26 * HOUR)
    await connection.execute(
        f"insert into public.profiles (id, account) values ('{profile}', 'main')"
    )
    await connection.execute(
        f"""insert into public.orders (id, profile_id, symbol, side, type, qty, filled, price,
              status, client_order_id, venue_order_id, created_at, updated_at)
            values ('{order}', '{profile}', 'SOLUSDT', 'buy', 'limit', 10, 0, 99.5, 'pending_new',
                    'bot-1', '4711', '{at}', '{at}')"""
    )
    await connection.execute(
        f"""insert into public.positions (id, profile_id, symbol, side, qty, updated_at)
            values ('{order}', '{profile}', 'BTCUSDT', 'long', 0.5, '{at}')"""
    )


@pytest.mark.parametrize("variant", VARIANTS)
async def test_every_variant_is_read_and_written(setting: Setting, variant: str) -> None:
    key, status, number = VARIANTS[variant]
    profile, order = ("7", "8") if key == "bigint" else (P1, O1)
    await setting.connection.execute(_tables(key, status, number))
    await _furnish(setting.connection, profile, order)
    setting.ledger.set_position("BTCUSDT", "long", Decimal("0.5"))
    setting.ledger.set_position("DOGEUSDT", "long", Decimal(900))
    for _ in range(2):
        ran = await setting.once(book={"preset": "supabase"})
    assert ran.code == 1, ran
    assert await setting.incidents() == [
        ("order_quarantined", "SEV-2", "open"),
        ("ghost_position", "SEV-1", "open"),
    ]
    told = await setting.connection.fetchrow(
        "select o.status::text, p.status::text from public.orders o, public.profiles p"
    )
    assert tuple(told or ()) == ("unknown", "inactive")


async def test_ids_of_another_form_match_nothing(setting: Setting) -> None:
    await setting.connection.execute(_tables("uuid", "text", "numeric"))
    await _furnish(setting.connection, P1, O1)
    pool = await open_pool(setting.url, size=2)
    try:
        book = PostgresBook(pool, name=BookName("main"), preset=load_preset("supabase"))
        ids = [ProfileId(i) for i in ("no uuid", "'; drop table orders; --", P1)]
        assert await book.deactivate(setting.connection, ids) == {P1}
        assert await book.activate(setting.connection, [(i, "active") for i in ids]) == {P1}
        reading = await book.read(
            AccountName("main"), reach=timedelta(minutes=10), symbol_of=Symbol
        )
        [order] = reading.orders
        update = OrderUpdate(
            order=order, state=OrderState.FILLED, filled=Decimal(10), avg_price=Decimal("99.25")
        )
        assert await book.update_orders(setting.connection, [update]) == {O1}
        assert await book.update_orders(setting.connection, [update]) == set()
    finally:
        pool.terminate()
    row = await setting.row("select status, filled, avg_price from public.orders")
    assert row == {"status": "filled", "filled": 10, "avg_price": Decimal("99.25")}


async def test_columns_of_other_names_are_told_by_parameters(setting: Setting) -> None:
    await setting.connection.execute(
        """
        create schema "Bot App";
        create table "Bot App"."Strategies" (id uuid primary key, "exchangeAccount" text,
          status text);
        create table "Bot App".trades (id uuid primary key, strategy_id uuid, symbol text,
          side text, qty float8, filled_qty float8, filled_avg_price float8, price float8,
          type text,
          status text, client_order_id text, alpaca_order_id uuid, created_at timestamptz,
          updated_at timestamptz);
        create table "Bot App".holdings (id uuid, strategy_id uuid, symbol text, side text,
          qty float8, status text, updated_at timestamptz);
        """
    )
    preset = load_preset(
        "supabase",
        parameters={
            "schema": "Bot App",
            "profiles": "Strategies",
            "orders": "trades",
            "positions": "holdings",
            "account_column": "exchangeAccount",
            "profile_id": "strategy_id",
            "filled": "filled_qty",
            "avg_price": "filled_avg_price",
            "venue_order_id": "alpaca_order_id",
            "active": "running",
            "inactive": "halted",
            "ended": "filled, canceled, expired, rejected, replaced",
        },
    )
    await check_statements(setting.connection, preset)


async def test_a_restricted_role_under_row_level_security(setting: Setting) -> None:
    """The shipped script gives what is needed: reading, containing and writing an order."""
    connection = setting.connection
    await connection.execute(_tables("uuid", "text", "numeric"))
    await _furnish(connection, P1, O1)
    for table in ("profiles", "orders", "positions"):
        await connection.execute(
            f"""alter table public.{table} enable row level security;
                create policy own_rows on public.{table} using (false)"""
        )
    async with least_role(setting, "own_tables.sql") as url:
        setting.ledger.set_position("BTCUSDT", "long", Decimal("0.5"))
        setting.ledger.set_position("DOGEUSDT", "long", Decimal(900))
        setting.configure(database={"url": url}, book={"preset": "supabase"})
        ran = await setting.once()
        assert ran.code == 3, "without the script nothing is readable, and nothing is judged"
        assert await setting.incidents() == [("book_unreadable", "SEV-2", "open")]
        await run_script(setting, urlsplit(url).username or "", "supabase.sql")
        for _ in range(2):
            ran = await setting.once()
        assert ran.code == 1, ran
        kinds = await setting.incidents()
        assert ("ghost_position", "SEV-1", "open") in kinds
        told = await connection.fetchrow(
            "select o.status, p.status::text from public.orders o, public.profiles p"
        )
        assert tuple(told or ()) == ("unknown", "inactive")
        may_not = await asyncpg.connect(url, timeout=10)
        try:
            for statement in (
                "delete from public.orders",
                "update public.orders set qty = 1",
                "insert into public.positions select * from public.positions",
                "update public.profiles set account = 'x'",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await may_not.execute(statement)
        finally:
            await may_not.close()
