"""`PostgresStore`: our own tables, as a cycle needs them."""

from contextlib import AbstractAsyncContextManager

from reconciler.domain.identity import AccountName, BookName, RunId
from reconciler.domain.leases import Lease
from reconciler.domain.memory import Memory
from reconciler.store.connecting import Pool, borrowed
from reconciler.store.memory import load_memory
from reconciler.store.record import PostgresRecord, Redact, writing


class PostgresStore:
    """Memory to start from, and transactions to write in."""

    def __init__(self, pool: Pool, *, redact: Redact) -> None:
        self._pool = pool
        self._redact = redact

    async def memory(self, *, book: BookName, account: AccountName) -> Memory:
        """What was remembered. Raises DatabaseUnavailableError."""
        async with borrowed(self._pool) as connection:
            return await load_memory(connection, book=book, account=account)

    def writing(
        self, lease: Lease, *, book: BookName, run: RunId, mode: str
    ) -> AbstractAsyncContextManager[PostgresRecord]:
        """A write transaction that checks the lease first. Raises LeaseLostError."""
        return writing(self._pool, lease, book=book, run=run, mode=mode, redact=self._redact)
