"""`PostgresStore`: our own tables, as a cycle needs them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from reconciler.domain.identity import AccountName, BookName, RunId
from reconciler.domain.intents import Intent, SetAside
from reconciler.domain.leases import Lease
from reconciler.domain.memory import Memory
from reconciler.store.connecting import Pool, borrowed
from reconciler.store.intent_record import SQL, open_intents, set_aside
from reconciler.store.memory import load_memory
from reconciler.store.record import PostgresRecord, Redact, writing


class PostgresStore:
    """Memory to start from, and transactions to write in."""

    def __init__(
        self, pool: Pool, *, redact: Redact, announce_at: Mapping[BookName, Pool] | None = None
    ) -> None:
        """`announce_at`: databases of books that are not this one, where their bots LISTEN."""
        self._pool = pool
        self._redact = redact
        self._announce_at = announce_at or {}

    async def memory(self, *, book: BookName, account: AccountName) -> Memory:
        """What was remembered. Raises DatabaseUnavailableError."""
        async with borrowed(self._pool) as connection:
            return await load_memory(connection, book=book, account=account)

    async def intents(self, *, book: BookName, account: AccountName) -> tuple[Intent, ...]:
        """What is not known to be done. Raises DatabaseUnavailableError."""
        async with borrowed(self._pool) as connection:
            return await open_intents(connection, book=book, account=account)

    async def is_paused(self, account: AccountName) -> bool:
        """Whether a person wants it judged, and not acted on. Raises DatabaseUnavailableError."""
        async with borrowed(self._pool) as connection:
            return bool(await connection.fetchval(SQL["paused"], account))

    async def set_aside(self, *, book: BookName, order_ids: Sequence[str]) -> tuple[SetAside, ...]:
        """Those of these orders that were quarantined or reviewed.

        Raises DatabaseUnavailableError.
        """
        async with borrowed(self._pool) as connection:
            return await set_aside(connection, book=book, order_ids=order_ids)

    def writing(
        self, lease: Lease, *, book: BookName, run: RunId, mode: str
    ) -> AbstractAsyncContextManager[PostgresRecord]:
        """A write transaction that checks the lease first. Raises LeaseLostError."""
        return writing(
            self._pool,
            lease,
            book=book,
            run=run,
            mode=mode,
            redact=self._redact,
            announce_at=self._announce_at.get(book),
        )
