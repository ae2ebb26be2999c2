"""Connections to Postgres: limits that keep a frozen process from wedging others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypeAlias
from urllib.parse import urlsplit

import asyncpg

from reconciler.domain.errors import DatabaseRefusedError, DatabaseUnavailableError

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_TIMEOUT = timedelta(seconds=10)
STATEMENT_TIMEOUT = timedelta(seconds=30)
"""Client side: no statement of ours may take longer; the book's statements are checked by plan."""

CONNECT_ERRORS = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # said where the server ends a session between two statements
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.TooManyConnectionsError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ClientConfigurationError,
)
"""What asyncpg raises when the server is away, not ready, or refuses us."""

TRANSACTION_POOLER_PORT = 6543
"""Supabase's transaction pooler: prepared statements and session state do not survive there."""


def is_transaction_pooler(url: str) -> bool:
    """Whether this address is Supabase's (or a like) transaction pooler."""
    with contextlib.suppress(ValueError):
        return urlsplit(url).port == TRANSACTION_POOLER_PORT
    return False


async def connect(url: str) -> Connection:
    """One connection outside any pool (migrations, LISTEN)."""
    return await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT.total_seconds(),
        command_timeout=STATEMENT_TIMEOUT.total_seconds(),
        statement_cache_size=0 if is_transaction_pooler(url) else 100,
    )


async def open_pool(url: str, *, size: int) -> Pool:
    """A pool that connects on first use: the daemon starts while Postgres is still away."""
    return await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        timeout=CONNECT_TIMEOUT.total_seconds(),
        command_timeout=STATEMENT_TIMEOUT.total_seconds(),
        statement_cache_size=0 if is_transaction_pooler(url) else 100,
        max_inactive_connection_lifetime=60,
        reset=_leave_nothing_behind,
    )


async def _leave_nothing_behind(_connection: Connection) -> None:
    """In place of asyncpg's RESET ALL, a round trip for each borrowing: whatever we set is local
    to a transaction, and asyncpg rolls an open one back before this.
    """


def message_of(error: asyncpg.PostgresError) -> str:
    """What the server says, without DETAIL: that may quote a whole row of the bot's (rule 12)."""
    return str(error.args[0]) if error.args else type(error).__name__


@contextlib.asynccontextmanager
async def borrowed(pool: Pool) -> AsyncIterator[Connection]:
    """A connection of the pool; a server that is away becomes DatabaseUnavailableError."""
    try:
        async with pool.acquire(timeout=CONNECT_TIMEOUT.total_seconds()) as connection:
            yield connection  # type: ignore[misc]  # the stubs call it a PoolConnectionProxy
    except CONNECT_ERRORS as error:
        detail = str(error).strip() or type(error).__name__
        msg = f"the database did not answer: {detail}"
        raise DatabaseUnavailableError(msg) from error
    except asyncpg.PostgresError as error:  # lock timeout, deadlock, cancelled statement, full disk
        msg = f"the database refused: {type(error).__name__}: {message_of(error)}"
        raise DatabaseRefusedError(msg) from error
