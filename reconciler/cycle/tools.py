"""The adapters of one account."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from reconciler.domain.identity import AccountName, RunId
from reconciler.domain.leases import Lease
from reconciler.ports import Book, Record, Store, Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The adapters of one account, from the composition root."""

    account: AccountName
    venue: Venue
    book: Book
    store: Store

    def writing(self, lease: Lease, run: RunId, mode: str) -> AbstractAsyncContextManager[Record]:
        """A write transaction that checks the lease first."""
        return self.store.writing(lease, book=self.book.name, run=run, mode=mode)
