"""alembic's environment: one asyncpg connection, one transaction, one advisory lock."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

LOCK = 7_236_452_018
"""Key of the transaction-level advisory lock: two daemons that start together take turns."""


def _run(connection: Connection) -> None:
    connection.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
    connection.execute(text("create schema if not exists reconciler"))
    context.configure(connection=connection, version_table_schema="reconciler")
    context.run_migrations()


async def _run_online(connect: Callable[[], Awaitable[Any]]) -> None:
    """`connect` gives asyncpg's connection: it reads the whole URL (sslmode and the like)."""
    engine = create_async_engine(
        "postgresql+asyncpg://", poolclass=pool.NullPool, async_creator=connect
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", version_table_schema="reconciler")
    context.run_migrations()
else:
    asyncio.run(_run_online(context.config.attributes["connect"]))
