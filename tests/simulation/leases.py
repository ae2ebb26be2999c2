"""`store.leases.Leases` in memory."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from reconciler.domain.errors import LeaseLostError
from reconciler.domain.identity import AccountName
from reconciler.domain.leases import Held, Lease
from tests.simulation.database import Client, Database, Transaction

LEASE = timedelta(seconds=10)
RENEW_EVERY = timedelta(seconds=3)
LOCK_LIMIT = timedelta(seconds=5)
NEVER = datetime.max.replace(tzinfo=UTC)
TABLE = "leases"
STEP = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow:
    """One account's judge."""

    holder: str
    epoch: int
    expires_at: datetime


Settle = Callable[[], None]
"""Catches up with renewals that are due: they are reckoned when somebody looks, not ticked."""


def settle_nothing() -> None:
    """Renewals are made by whoever calls `renew`."""


class MemoryLeases:
    """The leases of one process."""

    def __init__(
        self, database: Database, client: Client, *, holder: str, settle: Settle = settle_nothing
    ) -> None:
        self._database = database
        self._client = client
        self._settle = settle
        self.holder = holder
        self._mine: dict[AccountName, Lease] = {}

    def mine(self, account: AccountName) -> Lease | None:
        """The lease this process believes it has; each write checks it again."""
        return self._mine.get(account)

    async def acquire(self, account: AccountName) -> Lease | Held:
        """Take the account if it is free, lapsed, or already ours. Does not wait for a lapse."""
        await self._client.step(STEP)
        self._settle()
        self._database.answer()
        row: LeaseRow | None = self._database.tables[TABLE].get(account)
        if row is None:
            return self._take(account, epoch=1)
        mine = self._mine.get(account)
        if mine is not None and (row.holder, row.epoch) == (self.holder, mine.epoch):
            return mine
        if row.expires_at > self._database.clock() and row.holder != self.holder:
            self._mine.pop(account, None)
            return Held(holder=row.holder, expires_at=row.expires_at)
        return await self._take_over(account, row)

    async def _take_over(self, account: AccountName, row: LeaseRow) -> Lease | Held:
        """A writer holds the row by key share: it is waited for, up to the lock limit."""
        waited = 0.0
        while self._is_written_under(account):
            if waited >= LOCK_LIMIT.total_seconds():
                return Held(holder=row.holder, expires_at=NEVER)
            await self._client.step(0.05)
            waited += 0.05
        self._settle()
        now: LeaseRow = self._database.tables[TABLE][account]
        if now.expires_at > self._database.clock() and now.holder != self.holder:
            return Held(holder=now.holder, expires_at=NEVER)
        return self._take(account, epoch=now.epoch + 1)

    def _is_written_under(self, account: AccountName) -> bool:
        return any(
            t.lease is not None and t.lease.account == account
            for t in self._database.open_transactions
        )

    def _take(self, account: AccountName, *, epoch: int) -> Lease:
        expires_at = self._database.clock() + LEASE
        row = LeaseRow(holder=self.holder, epoch=epoch, expires_at=expires_at)
        self._database.apply(TABLE, account, row)
        lease = Lease(account=account, holder=self.holder, epoch=epoch)
        self._mine[account] = lease
        return lease

    async def renew(self) -> None:
        """Extend every lease of this process; forget those that were taken."""
        await self._client.step(STEP)
        self._database.answer()
        self.renew_at(self._database.clock())

    def renew_at(self, now: datetime) -> None:
        """What a renewal at that moment does to the table."""
        kept = {}
        for account, row in list(self._database.tables[TABLE].items()):
            if row.holder == self.holder:
                kept[account] = row.epoch
                self._database.apply(TABLE, account, replace(row, expires_at=now + LEASE))
        for account, lease in list(self._mine.items()):
            if kept.get(account) != lease.epoch:
                del self._mine[account]

    async def release(self) -> None:
        """Hand every account over at once (a clean end)."""
        self._mine.clear()
        await self._client.step(STEP)
        now = self._database.clock()
        for account, row in list(self._database.tables[TABLE].items()):
            if row.holder == self.holder:
                self._database.apply(TABLE, account, replace(row, expires_at=now))


def hold(transaction: Transaction, lease: Lease) -> None:
    """The first thing in a write transaction. Raises LeaseLostError."""
    row: LeaseRow | None = transaction.database.tables[TABLE].get(lease.account)
    good = row is not None and (row.holder, row.epoch) == (lease.holder, lease.epoch)
    if not good or row is None or row.expires_at <= transaction.database.clock():
        msg = f"the lease of account {lease.account} is no longer ours: nothing was written"
        raise LeaseLostError(msg)
    transaction.lease = lease
