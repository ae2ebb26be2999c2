"""`reconciler_event` in the database of a book that is not that of our own tables.

It is said after our transaction was committed, and cannot be said with it: a server that is away
just then misses it. Whoever must not miss one reads `reconciler.outbox`.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.store.connecting import Pool, borrowed
from reconciler.store.queries import queries

log = structlog.get_logger("reconciler.store")
WITHIN = timedelta(seconds=2)
"""A bot's database that hangs holds no pass up."""


async def announce(pool: Pool, texts: Sequence[str]) -> None:
    """Say these there. Never raises but CancelledError."""
    try:
        async with asyncio.timeout(WITHIN.total_seconds()), borrowed(pool) as connection:
            for text in texts:
                await connection.execute(queries("records")["announce"], text)
    except (DatabaseUnavailableError, TimeoutError) as error:
        log.warning("[Reconcile] not announced in the database of the book", why=repr(error))
