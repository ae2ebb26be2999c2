"""`reconciler book init` as an operator runs it: it changes nothing and tells no secret."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from reconciler.book.preset import load_preset
from reconciler.book.statements import check_statements
from reconciler.cli.app import app
from reconciler.store.migrations import migrate
from tests.integration.book_init.shapes import SHAPES
from tests.postgres import run

PRISMA = next(shape for shape in SHAPES if shape.name == "prisma")
SERIAL = next(shape for shape in SHAPES if shape.name == "serial")
PRESETS = Path(__file__).parents[1] / "presets"
NO_POSITIONS = """
create table orders (id uuid primary key default gen_random_uuid(), ticker text, action text,
  shares integer, filled_shares integer, status text, broker_order_id uuid,
  submitted_at timestamptz default now());
insert into orders (ticker, action, shares, status) values ('AAPL', 'buy', 10, 'pending_new');
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No reconciler.toml of this checkout, no DATABASE_URL of this shell."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "RECONCILER_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def _execute(url: str, *statements: str) -> list[Any]:
    async def work() -> list[Any]:
        connection = await asyncpg.connect(url, timeout=30)
        try:
            return [
                await connection.fetch(s) if s.startswith("select") else await connection.execute(s)
                for s in statements
            ]
        finally:
            await connection.close(timeout=10)

    return run(work())


def _init(url: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["book", "init", "--url", url, *options])


def _report(url: str, *options: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_init(url, *options).stdout)
    return told


@pytest.fixture
def reader(empty_database: str) -> Iterator[str]:
    """The address of a role that may read the Prisma tables, but no secret of theirs."""
    role = f"reader_{uuid4().hex[:8]}"
    _execute(
        empty_database,
        PRISMA.sql,
        """update "Bot" set "apiKey" = 'KEY-8842', "apiSecret" = 'SECRET-1177'""",
        f"create role {role} login password 'pass-5531'",
        f"grant usage on schema public to {role}",
        f'grant select on "Order", "Position" to {role}',
        f'grant select (id, name, "isActive", "updatedAt") on "Bot" to {role}',
    )
    parts = urlsplit(empty_database)
    netloc = f"{role}:pass-5531@{parts.netloc.rpartition('@')[2]}"
    yield parts._replace(netloc=netloc).geturl()
    _execute(empty_database, f"drop owned by {role}", f"drop role {role}")


def test_a_reader_is_enough_and_is_told_what_writing_needs(reader: str) -> None:
    report = _report(reader)
    assert report["accepted"]
    assert [o["venue_order_id"] for o in report["orders"]] == ["77"]
    assert {p["side"] for p in report["positions"]} == {"short"}
    assert len(report["not_permitted"]) == 3, "the three UPDATEs"
    assert any(g.startswith('grant update ("isActive"') for g in report["grants"])
    assert any(g.startswith("grant update (status,") for g in report["grants"])


def test_no_secret_is_read_or_shown(reader: str, empty_database: str) -> None:
    for url in (reader, empty_database):
        shown = _init(url).output + _init(url, "--write", "-").output
        for secret in ("KEY-8842", "SECRET-1177", "pass-5531", "apiKey", "apiSecret"):
            assert secret not in shown


def test_nothing_is_changed(empty_database: str) -> None:
    """Neither a row nor the catalogue: no transaction of ours got as far as an id."""
    _execute(empty_database, SERIAL.sql)
    what = (
        "select xmin::text, * from app.strategies",
        "select xmin::text, * from app.orders",
        "select xmin::text, * from app.positions",
        "select oid, xmin::text, relname from pg_class order by oid",
        "select last_value from app.orders_id_seq",
        "select setdatabase, setconfig from pg_db_role_setting",
    )
    before = _execute(empty_database, *what)
    [[assigned]] = _execute(empty_database, "select pg_snapshot_xmax(pg_current_snapshot())::text")
    assert _init(empty_database).exit_code == 0
    [[after]] = _execute(empty_database, "select pg_snapshot_xmax(pg_current_snapshot())::text")
    assert _execute(empty_database, *what) == before
    assert assigned[0] == after[0]


def test_the_file_is_one_that_the_program_reads(empty_database: str, tmp_path: Path) -> None:
    _execute(empty_database, SERIAL.sql)
    file = tmp_path / "reconciler.toml"
    ran = _init(empty_database, "--account", "alpha", "--write", str(file))
    assert ran.exit_code == 0
    written = file.read_text(encoding="utf-8")
    assert tomllib.loads(written)["mode"] == "observe"
    assert "'alpha'" in tomllib.loads(written)["book"]["profiles"]["select"]
    # The program reads it, and finds the account's own book in it again.
    again = _init(empty_database, "--config", str(file), "--write", str(file))
    assert again.exit_code == 2
    assert "has a [book] already" in again.stderr
    assert file.read_text(encoding="utf-8") == written


def test_a_file_keeps_what_it_says(empty_database: str, tmp_path: Path) -> None:
    _execute(empty_database, SERIAL.sql)
    file = tmp_path / "reconciler.toml"
    file.write_text('mode = "enforce"  # mine\n\n[http]\nport = 9000\n', encoding="utf-8")
    assert _init(empty_database, "--book", "second", "--write", str(file)).exit_code == 0
    assert file.read_text(encoding="utf-8").startswith('mode = "enforce"  # mine\n\n[http]\n')
    assert set(tomllib.loads(file.read_text(encoding="utf-8"))["books"]) == {"second"}


def test_without_positions_nothing_could_be_judged(empty_database: str) -> None:
    _execute(empty_database, NO_POSITIONS)
    ran = _init(empty_database)
    report = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert report["refused"] == "not written yet: positions.select"
    assert any("no table of positions" in note for note in report["could_not_be_told"])
    section = tomllib.loads(report["section"])["book"]
    assert "write this statement" in section["positions"]["select"], "no empty answer"


def test_words_that_no_list_knows_are_left_to_a_person(empty_database: str) -> None:
    spanish = next(shape for shape in SHAPES if shape.name == "spanish")
    _execute(empty_database, spanish.sql)
    report = _report(empty_database)
    assert report["unmapped_status_words"] == ["pendiente"]
    assert any("pendiente (1 rows)" in note for note in report["could_not_be_told"])
    assert '# "pendiente" = ""' in report["section"]
    assert "pendiente" not in report["section"].partition("[book.orders]")[2], "never as ended"


def test_a_database_without_a_bot(empty_database: str) -> None:
    ran = _init(empty_database)
    assert ran.exit_code == 2
    assert "has no table of a bot" in ran.stderr


def test_a_database_that_is_away() -> None:
    ran = _init("postgresql://nobody:pass-5531@127.0.0.1:1/none")
    assert ran.exit_code == 3
    assert "pass-5531" not in ran.output


def test_bad_usage(empty_database: str) -> None:
    assert _init("mysql://x").exit_code == 2
    assert _init(empty_database, "--timezone", "Mars/Olympus").exit_code == 2
    assert _init(empty_database, "--preset", "nonesuch").exit_code == 2
    assert CliRunner().invoke(app, ["book", "init"]).exit_code == 2


def test_the_native_book_is_recognised(database_url: str) -> None:
    report = _report(database_url)
    assert (report["preset"], report["accepted"]) == ("native", True)


def test_freqtrade_is_recognised_in_any_schema(empty_database: str) -> None:
    schema = (PRESETS / "freqtrade_schema.sql").read_text(encoding="utf-8")
    _execute(empty_database, schema, "alter schema public rename to alpha", "create schema public")
    report = _report(empty_database, "--account", "spot")
    assert (report["preset"], report["accepted"]) == ("freqtrade", True)
    book = tomllib.loads(report["section"])["book"]
    assert book["parameters"] == {"schema": "alpha", "account": "spot"}


def test_hummingbot_api_is_told_its_connector(empty_database: str) -> None:
    schema = (PRESETS / "hummingbot_api_schema.sql").read_text(encoding="utf-8")
    _execute(empty_database, schema)
    ran = _init(empty_database)
    report = json.loads(ran.stdout)
    assert (report["preset"], ran.exit_code) == ("hummingbot_api", 1)
    assert report["refused"] == "not filled in yet: parameters.connector"
    _execute(
        empty_database,
        """insert into orders (client_order_id, account_name, connector_name, trading_pair,
             trade_type, order_type, amount, price, status, filled_amount, fee_paid)
           values ('c1', 'master_account', 'okx_perpetual', 'BTC-USDT', 'BUY', 'LIMIT', 1, 1,
                   'OPEN', 0, 0)""",
    )
    report = _report(empty_database)
    assert (report["preset"], report["accepted"]) == ("hummingbot_api", True)
    assert [o["venue_order_id"] for o in report["orders"]] == [None]
    assert "okx_perpetual" in report["section"]


def test_a_preset_that_mistakes_the_words_is_not_taken(empty_database: str) -> None:
    """Its tables and columns are those of `supabase`; its closed positions are not."""
    _execute(
        empty_database,
        """
        create table profiles (id uuid primary key, account text, status text, name text,
          risk_limit numeric, updated_at timestamptz default now());
        create table orders (id uuid primary key, profile_id uuid, symbol text, side text,
          type text, qty numeric, filled numeric, price numeric, avg_price numeric, status text,
          client_order_id text, venue_order_id text, reduce_only boolean, role text,
          created_at timestamptz default now(), updated_at timestamptz default now());
        create table positions (id uuid primary key, profile_id uuid, symbol text, side text,
          qty numeric, status text, updated_at timestamptz default now());
        insert into profiles values (gen_random_uuid(), 'main', 'active');
        insert into positions select gen_random_uuid(), id, 'BTCUSDT', 'long', 1, 'EXITED'
          from profiles;
        """,
    )
    report = _report(empty_database)
    assert (report["preset"], report["also_fit"]) == (None, ["supabase"])
    assert [p["open"] for p in report["positions"]] == [False]
    assert _report(empty_database, "--preset", "supabase")["preset"] == "supabase"


def test_no_statement_that_was_prepared_is_left_in_a_transaction(empty_database: str) -> None:
    """As at a transaction pooler, from the second preset on."""
    run(migrate(empty_database, with_native_book=True))

    async def work() -> None:
        connection = await asyncpg.connect(empty_database, timeout=30, statement_cache_size=0)
        try:
            for _ in range(2):
                await check_statements(connection, load_preset("native"))
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    await connection.fetchval("select 1")
        finally:
            await connection.close(timeout=10)

    run(work())


def test_rows_that_are_hidden_are_not_called_none(reader: str, empty_database: str) -> None:
    _execute(empty_database, 'alter table "Order" enable row level security')
    told = _report(reader, "--account", "main")
    assert not told["accepted"]
    assert "row-level security hides rows" in told["refused"]
    said = 'public."Order" shows this role no row (row-level security)'
    assert any(said in note for note in told["could_not_be_told"]), told["could_not_be_told"]
