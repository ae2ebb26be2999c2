"""Our schema and the native book: made once however many make it, with the columns promised."""

import asyncio
import sys

import asyncpg
import pytest

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.store.migrations import migrate, newest_version

OWN = {
    "incidents": {
        "id": "bigint",
        "kind": "text",
        "severity": "text",
        "status": "text",
        "account": "text",
        "profile_id": "text",
        "symbol": "text",
        "order_id": "text",
        "opened_at": "timestamp with time zone",
        "resolved_at": "timestamp with time zone",
        "title": "text",
        "details": "jsonb",
        "book": "text",
    },
    "quarantine": {
        "order_id": "text",
        "profile_id": "text",
        "account": "text",
        "reason": "text",
        "quarantined_at": "timestamp with time zone",
        "review": "text",
        "final_status": "text",
        "reviewed_by": "text",
        "reviewed_at": "timestamp with time zone",
        "note": "text",
        "book": "text",
    },
    "containments": {
        "profile_id": "text",
        "account": "text",
        "incident_id": "bigint",
        "reason": "text",
        "contained_at": "timestamp with time zone",
        "parity_streak": "integer",
        "released_at": "timestamp with time zone",
        "released_by": "text",
        "book": "text",
    },
    "runs": {},
    "suspicions": {"book": "text"},
    "incident_events": {},
    "evidence": {},
    "leases": {"holder": "text", "epoch": "bigint"},
    "outbox": {"attempts": "integer"},
    "audit": {"before": "jsonb", "after": "jsonb", "rule": "text", "run_id": "text"},
}
"""DESIGN section 6."""

NATIVE = {
    "profiles": {
        "id": "text!",
        "name": "text",
        "account": "text!",
        "status": "text! 'active'",
        "risk_limit": "numeric",
        "updated_at": "timestamp with time zone! now()",
    },
    "orders": {
        "id": "text!",
        "profile_id": "text!",
        "symbol": "text!",
        "side": "text!",
        "type": "text",
        "qty": "numeric!",
        "filled": "numeric! 0",
        "price": "numeric",
        "avg_price": "numeric",
        "reduce_only": "boolean! false",
        "role": "text",
        "status": "text!",
        "client_order_id": "text",
        "venue_order_id": "text",
        "created_at": "timestamp with time zone! now()",
        "updated_at": "timestamp with time zone! now()",
    },
    "positions": {
        "id": "text!",
        "profile_id": "text!",
        "symbol": "text!",
        "side": "text!",
        "qty": "numeric!",
        "entry_price": "numeric",
        "status": "text! 'open'",
        "opened_at": "timestamp with time zone! now()",
        "closed_at": "timestamp with time zone",
        "updated_at": "timestamp with time zone! now()",
    },
}
"""DESIGN section 5: type, `!` for not null, default."""

COLUMNS = """
select table_name, column_name, data_type, is_nullable = 'NO' as needed, column_default
from information_schema.columns where table_schema = $1
"""


async def _columns(url: str, schema: str) -> dict[str, dict[str, asyncpg.Record]]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        rows = await connection.fetch(COLUMNS, schema)
    finally:
        await connection.close(timeout=5)
    tables: dict[str, dict[str, asyncpg.Record]] = {}
    for row in rows:
        tables.setdefault(row["table_name"], {})[row["column_name"]] = row
    return tables


async def test_own_tables_are_as_promised(database_url: str) -> None:
    tables = await _columns(database_url, "reconciler")
    for table, columns in OWN.items():
        assert table in tables
        found = {name: tables[table][name]["data_type"] for name in columns}
        assert found == columns, table


async def test_the_native_book_is_as_promised(database_url: str) -> None:
    tables = await _columns(database_url, "bot")
    assert {
        table: {name: _said(column) for name, column in columns.items()}
        for table, columns in tables.items()
    } == NATIVE


def _said(column: asyncpg.Record) -> str:
    default = (column["column_default"] or "").replace("::text", "")
    needed = "!" if column["needed"] else ""
    return f"{column['data_type']}{needed} {default}".strip()


async def test_migrating_twice_changes_nothing(empty_database: str) -> None:
    assert await migrate(empty_database) is True
    assert await migrate(empty_database) is False
    assert await _columns(empty_database, "bot") == {}, "the native book is made when asked for"
    assert await migrate(empty_database, with_native_book=True) is False
    assert set(await _columns(empty_database, "bot")) == set(NATIVE)


async def test_the_native_book_leaves_rows_that_are_there(database_url: str) -> None:
    connection = await asyncpg.connect(database_url, timeout=10)
    await connection.execute("insert into bot.profiles (id, account) values ('p1', 'main')")
    before = await connection.fetchval("select xmin::text from bot.profiles")
    await migrate(database_url, with_native_book=True)
    assert await connection.fetchval("select xmin::text from bot.profiles") == before
    await connection.close(timeout=5)


async def test_racing_migrations_take_turns(empty_database: str) -> None:
    """Processes that start together, as two daemons do."""
    program = "import asyncio, sys; from reconciler.store.migrations import migrate;"
    program += "asyncio.run(migrate(sys.argv[1], with_native_book=True))"
    racing = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, empty_database)
        for _ in range(3)
    ]
    async with asyncio.timeout(40):
        assert [await process.wait() for process in racing] == [0, 0, 0]
    connection = await asyncpg.connect(empty_database, timeout=10)
    versions = await connection.fetch("select version_num from reconciler.alembic_version")
    await connection.close(timeout=5)
    assert [row["version_num"] for row in versions] == [newest_version()]
    assert set(OWN) <= set(await _columns(empty_database, "reconciler"))


async def test_a_schema_of_a_newer_program_is_refused(database_url: str) -> None:
    """Going back to an older program: nothing is touched, and the reason is said."""
    connection = await asyncpg.connect(database_url, timeout=10)
    await connection.execute("update reconciler.alembic_version set version_num = '9999'")
    with pytest.raises(DatabaseUnavailableError, match="9999"):
        await migrate(database_url)
    version = await connection.fetchval("select version_num from reconciler.alembic_version")
    await connection.close(timeout=5)
    assert version == "9999"


async def test_no_server_is_told_as_such() -> None:
    with pytest.raises(DatabaseUnavailableError):
        await migrate("postgresql://postgres@127.0.0.1:1/postgres")
