"""The database as the daemon finds it at start: waited for, then migrated."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.store.migrations import migrate

log = structlog.get_logger("reconciler.store")
LONGEST_WAIT = timedelta(seconds=15)


async def migrate_when_it_answers(
    url: str, *, tell: Callable[[DatabaseUnavailableError], None]
) -> None:
    """Migrate; a server that is away is asked again, at growing intervals, for ever."""
    wait = timedelta(seconds=0.5)
    while True:
        try:
            await migrate(url)
        except DatabaseUnavailableError as error:
            tell(error)
            log.warning("[Reconcile] the database does not answer", why=str(error))
            await asyncio.sleep(wait.total_seconds())
            wait = min(wait * 2, LONGEST_WAIT)
        else:
            return
