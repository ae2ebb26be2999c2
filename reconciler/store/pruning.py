"""Deleting what is old from our own tables: in batches, each a short transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.store.connecting import Connection, Pool, borrowed
from reconciler.store.queries import queries

SQL = queries("housekeeping")
LOCK = 7_236_452_019
"""Beside the key of migrations."""
BATCH = 1000
"""Rows of one transaction: well below a second, so that nobody waits for it."""
TABLES = (
    *("evidence", "runs", "audit", "operations", "events", "notices"),
    *("intents", "incidents", "requests"),
)
LARGE = ("evidence", "runs", "audit")
"""What `[retention] max_megabytes` speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """One batch."""

    rows: int
    bytes: int
    """Of the rows themselves."""


class Pruning:
    """The oldest rows of each table. Raises DatabaseUnavailableError wherever it asks."""

    def __init__(self, pool: Pool, *, batch: int = BATCH) -> None:
        self._pool = pool
        self.batch = batch

    async def prune(self, table: str, *, older_than: timedelta) -> Pruned | None:
        """Delete one batch of what is older; None where another process is at it."""
        async with borrowed(self._pool) as connection, connection.transaction():
            if not await connection.fetchval(SQL["lock"], LOCK):
                return None
            now: datetime = await connection.fetchval(SQL["now"])
            return await _delete(connection, table, now - older_than, self.batch)

    async def abandon(self, *, untried_for: timedelta) -> int:
        """Give up deliveries to channels that are no more; how many."""
        async with borrowed(self._pool) as connection, connection.transaction():
            if not await connection.fetchval(SQL["lock"], LOCK):
                return 0
            now: datetime = await connection.fetchval(SQL["now"])
            rows = await connection.fetch(SQL["abandon"], now - untried_for)
            given_up = sorted({row["outbox_id"] for row in rows})
            outbox = queries("outbox")  # locked first: another channel may be marking them now
            await connection.execute(outbox["lock"], given_up)
            await connection.execute(outbox["finish"], given_up)
            return len(rows)

    async def excess(self, *, most_bytes: int) -> int:
        """How many bytes the large records hold too much; 0 where none."""
        async with borrowed(self._pool) as connection:
            if await connection.fetchval(SQL["size_at_most"]) <= most_bytes:
                return 0
            held: int = int(await connection.fetchval(SQL["size"]))
            return max(held - most_bytes, 0)

    async def free(self, *, most_bytes: int) -> Mapping[str, Pruned] | None:
        """Delete the oldest rows of the large records, whichever they are in, and no more than it
        takes to free so many bytes; empty where none may go, None where another process is at it.
        """
        async with borrowed(self._pool) as connection, connection.transaction():
            if not await connection.fetchval(SQL["lock"], LOCK):
                return None
            kept = await connection.fetchrow(SQL["kept"])
            assert kept is not None
            until: datetime | None = await connection.fetchval(
                SQL["cutoff"], kept["incidents"], kept["runs"], most_bytes, self.batch
            )
            if until is None:
                return {}
            before = until + timedelta(microseconds=1)
            batches = {t: await _delete(connection, t, before, self.batch) for t in LARGE}
        return {table: batch for table, batch in batches.items() if batch.rows}


async def _delete(connection: Connection, table: str, before: datetime, batch: int) -> Pruned:
    arguments: list[object] = [before, batch]
    if table != "requests":
        kept = await connection.fetchrow(SQL["kept"])
        assert kept is not None
        arguments.append(kept["runs"] if table == "runs" else kept["incidents"])
    rows = await connection.fetch(SQL[table], *arguments)
    return Pruned(rows=len(rows), bytes=sum(row["bytes"] for row in rows))
