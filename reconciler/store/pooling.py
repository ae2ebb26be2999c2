"""Whether something between us and the server gives our statements to one session after another.

Behind a transaction pooler prepared statements, LISTEN and session settings do not last. One that
is not on Supabase's port is found by what it does: the server's process changes under a connection.
"""

from datetime import timedelta
from enum import StrEnum

import asyncpg

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.store.connecting import CONNECT_ERRORS, CONNECT_TIMEOUT, Connection

TRIES = 3
_ANSWER = timedelta(seconds=10)


class Pooling(StrEnum):
    """What stands before the server."""

    NONE = "none"
    SESSION = "session"
    """A pooler or proxy that keeps one server process for a connection."""
    TRANSACTION = "transaction"
    """One that changes it between transactions."""


async def pooling_at(url: str) -> Pooling:
    """Ask two connections which processes serve them; the second borrows what the first gave back.

    Raises DatabaseUnavailableError.
    """
    try:
        return await _pooling_at(url)
    except (*CONNECT_ERRORS, asyncpg.PostgresError) as error:
        msg = f"the database did not answer: {str(error).strip() or type(error).__name__}"
        raise DatabaseUnavailableError(msg) from error


async def _pooling_at(url: str) -> Pooling:
    first = await _connect(url)
    try:
        if first.get_server_pid() == await _serving(first):
            return Pooling.NONE
        for _ in range(TRIES):
            if await _changes(first, url):
                return Pooling.TRANSACTION
        return Pooling.SESSION
    finally:
        first.terminate()


async def _changes(first: Connection, url: str) -> bool:
    """Whether the first connection gets another process while a second one is in a transaction."""
    before = await _serving(first)
    second = await _connect(url)
    try:
        async with second.transaction():
            await second.fetchval("select pg_backend_pid()")
            return await _serving(first) != before
    finally:
        second.terminate()


async def _serving(connection: Connection) -> int:
    """In a transaction: a pooler must not change between our two messages."""
    async with connection.transaction(readonly=True):
        pid: int = await connection.fetchval("select pg_backend_pid()")
    return pid


async def _connect(url: str) -> Connection:
    connection: Connection = await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT.total_seconds(),
        command_timeout=_ANSWER.total_seconds(),
        statement_cache_size=0,
    )
    return connection
