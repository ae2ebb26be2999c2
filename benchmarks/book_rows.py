"""Books of any size: what each kind of bot keeps of orders that have ended, by generate_series.

Open rows are three hours old, ended ones between a day and three years.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
SCHEMAS: Final = Path(__file__).parents[1] / "tests" / "integration" / "presets"
WITHIN: Final = timedelta(minutes=10)
"""For one statement: millions of rows take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What furnishes one kind of book."""

    preset: str
    tables: str
    inserts: tuple[str, ...]
    """Each takes the first and the last number of a row, and whether it is open."""
    parameters: Mapping[str, str]

    async def furnish(self, connection: Connection, *, open_rows: int, ended: int) -> None:
        """Make the tables and fill them."""
        await connection.execute(self.tables)
        await connection.execute("set search_path = public")  # the dump of a schema empties it
        within = WITHIN.total_seconds()
        for insert in self.inserts:
            for first, last, is_open in (
                (1, open_rows, True),
                (open_rows + 1, open_rows + ended, False),
            ):
                await connection.execute(insert, first, last, is_open, timeout=within)
        await connection.execute("vacuum analyze", timeout=within)


_NATIVE: Final = """
insert into bot.orders (id, profile_id, symbol, side, type, qty, filled, price, status,
  client_order_id, venue_order_id, created_at, updated_at)
select 'n-' || i, 'p-main', 'BTCUSDT', 'buy', 'limit', 1, 0, 100,
  case when $3 then 'open' else (array['filled', 'canceled', 'expired'])[1 + i % 3] end, 'n-' || i,
  (9000000000000 + i)::text, at, at
from generate_series($1::int, $2::int) i, lateral (
  select now() - case when $3 then interval '3 hours'
    else interval '1 day' + (i % 95000000) * interval '1 second' end as at) age
"""
_SUPABASE_TABLES: Final = """
create table public.profiles (id uuid primary key, account text, status text);
create table public.orders (id uuid primary key, profile_id uuid, symbol text, side text, type text,
  qty numeric, filled numeric, price numeric, avg_price numeric, status text, client_order_id text,
  venue_order_id text, created_at timestamptz, updated_at timestamptz);
create table public.positions (id uuid primary key, profile_id uuid, symbol text, side text,
  qty numeric, status text, updated_at timestamptz);
insert into public.profiles values ('00000000-0000-4000-8000-000000000001', 'main', 'active');
"""
_SUPABASE: Final = """
insert into public.orders (id, profile_id, symbol, side, type, qty, filled, price, status,
  client_order_id, venue_order_id, created_at, updated_at)
select gen_random_uuid(), '00000000-0000-4000-8000-000000000001', 'BTCUSDT', 'buy', 'limit', 1, 0,
  100, case when $3 then 'pending_new' else (array['filled', 'canceled', 'expired'])[1 + i % 3] end,
  's-' || i, (9000000000000 + i)::text, at, at
from generate_series($1::int, $2::int) i, lateral (
  select now() - case when $3 then interval '3 hours'
    else interval '1 day' + (i % 95000000) * interval '1 second' end as at) age
"""
_FREQTRADE: Final = (
    """
insert into trades (id, exchange, pair, is_open, fee_open, fee_close, open_rate, stake_amount,
  amount, open_date, close_date, is_stop_loss_trailing, is_short, interest_rate, record_version)
select i, 'binance', 'COIN' || i % 200 || '/USDT:USDT', $3, 0, 0, 1, 1, 1, at,
  case when not $3 then at end, false, false, 0, 2
from generate_series($1::int, $2::int) i, lateral (
  select localtimestamp - case when $3 then interval '3 hours'
    else interval '1 day' + (i % 95000000) * interval '1 second' end as at) age
""",
    """
insert into orders (id, ft_trade_id, ft_order_side, ft_pair, ft_is_open, ft_amount, ft_price,
  order_id, status, filled, order_date, order_update_date)
select i, i, 'buy', 'COIN' || i % 200 || '/USDT:USDT', $3, 1, 1, (9000000000000 + i)::text,
  case when $3 then 'open' else 'closed' end, case when $3 then 0 else 1 end, at, at
from generate_series($1::int, $2::int) i, lateral (
  select localtimestamp - case when $3 then interval '3 hours'
    else interval '1 day' + (i % 95000000) * interval '1 second' end as at) age
""",
)
_HUMMINGBOT: Final = """
insert into orders (client_order_id, exchange_order_id, created_at, updated_at, account_name,
  connector_name, trading_pair, trade_type, order_type, amount, price, status, filled_amount)
select 'hb-' || i, (9000000000000 + i)::text, at, at, 'master_account', 'binance_perpetual',
  'COIN' || i % 200 || '-USDT', case when i % 40 < 20 then 'BUY' else 'SELL' end, 'LIMIT', 1, 100,
  case when $3 then 'OPEN' when i % 20 = 0 then 'FILLED' else 'CANCELLED' end,
  case when not $3 and i % 20 = 0 then 1 else 0 end
from generate_series($1::int, $2::int) i, lateral (
  select now() - case when $3 then interval '3 hours'
    else interval '1 day' + (i % 95000000) * interval '1 second' end as at) age
"""
"""A market maker: one order in twenty fills."""

BOOKS: Final = (
    Rows(
        preset="native",
        tables="insert into bot.profiles (id, account) values ('p-main', 'main')",
        inserts=(_NATIVE,),
        parameters={},
    ),
    Rows(preset="supabase", tables=_SUPABASE_TABLES, inserts=(_SUPABASE,), parameters={}),
    Rows(
        preset="freqtrade",
        tables=(SCHEMAS / "freqtrade_schema.sql").read_text(encoding="utf-8"),
        inserts=_FREQTRADE,
        parameters={"account": "main"},
    ),
    Rows(
        preset="hummingbot_api",
        tables=(SCHEMAS / "hummingbot_api_schema.sql").read_text(encoding="utf-8"),
        inserts=(_HUMMINGBOT,),
        parameters={
            "account": "main",
            "connector": "binance_perpetual",
            # Its positions are a sum: over all fills ever, unless it is told when it was flat.
            "since": str(datetime.now(UTC) - timedelta(days=2)),
        },
    ),
)
