"""Rule 11: one judge per account. A lease with an epoch, that every write transaction checks.

The sum: a lease runs LEASE; it is renewed every RENEW_EVERY, so one of three renewals must get
through. A writer that freezes inside a transaction is ended by Postgres after IDLE_LIMIT, which is
below LEASE: a takeover (which waits for the writer's row lock) is never wedged for longer.
"""

import asyncio
import os
import secrets
import socket
from datetime import UTC, datetime, timedelta

import asyncpg

from reconciler.domain.errors import LeaseLostError
from reconciler.domain.identity import AccountName
from reconciler.domain.leases import Held, Lease
from reconciler.store.connecting import Connection, Pool, borrowed
from reconciler.store.queries import queries

SQL = queries("leases")
LEASE = timedelta(seconds=10)
RENEW_EVERY = timedelta(seconds=3)
LOCK_LIMIT = timedelta(seconds=5)
IDLE_LIMIT = timedelta(seconds=7)
NEVER = datetime.max.replace(tzinfo=UTC)
"""Stands for a lease whose end we did not see: someone else was quicker."""


def new_holder() -> str:
    """A name of this process that no other process has, and that tells people where it runs."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Leases:
    """The leases of one process."""

    def __init__(self, pool: Pool, *, holder: str) -> None:
        self._pool = pool
        self.holder = holder
        self._mine: dict[AccountName, Lease] = {}

    def mine(self, account: AccountName) -> Lease | None:
        """The lease this process believes it has; each write checks it again."""
        return self._mine.get(account)

    async def acquire(self, account: AccountName) -> Lease | Held:
        """Take the account if it is free, lapsed, or already ours. Does not wait for a lapse."""
        mine = self._mine.get(account)
        async with borrowed(self._pool) as connection:
            row = await connection.fetchrow(SQL["read"], account)
            if row is None:
                epoch = await connection.fetchval(SQL["found"], account, self.holder, LEASE)
                if epoch is not None:
                    return self._have(account, epoch)
                row = await connection.fetchrow(SQL["read"], account)
            if row is None:  # deleted by hand in between
                return Held(holder="nobody", expires_at=NEVER)
            if mine is not None and row["holder"] == self.holder and row["epoch"] == mine.epoch:
                return mine
            if row["running"] and row["holder"] != self.holder:
                self._mine.pop(account, None)
                return Held(holder=row["holder"], expires_at=row["expires_at"])
            try:
                return await self._take_over(connection, account)
            except asyncpg.LockNotAvailableError:  # a writer of the last holder is not done yet
                return Held(holder=row["holder"], expires_at=NEVER)

    async def _take_over(self, connection: Connection, account: AccountName) -> Lease | Held:
        async with connection.transaction():
            await limit_transaction(connection)
            row = await connection.fetchrow(SQL["lock"], account)
            if row is not None and row["running"] and row["holder"] != self.holder:
                return Held(holder=row["holder"], expires_at=NEVER)
            epoch = await connection.fetchval(SQL["take"], account, self.holder, LEASE)
        return self._have(account, epoch)

    def _have(self, account: AccountName, epoch: int) -> Lease:
        lease = Lease(account=account, holder=self.holder, epoch=epoch)
        self._mine[account] = lease
        return lease

    async def acquire_unless_alive(self, account: AccountName) -> Lease | Held:
        """Like `acquire`, but give a lapsing lease the time to lapse: a holder that died does not
        renew, one that lives does within RENEW_EVERY. Waits LEASE at most, and a little.
        """
        first = await self.acquire(account)
        if isinstance(first, Lease):
            return first
        deadline = asyncio.get_running_loop().time() + LEASE.total_seconds() + 1
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.5)
            again = await self.acquire(account)
            if isinstance(again, Lease) or again.expires_at > first.expires_at:
                return again
        return first

    async def renew(self) -> None:
        """Extend every lease of this process; forget those that were taken."""
        if not self._mine:
            return
        async with borrowed(self._pool) as connection:
            rows = await connection.fetch(SQL["renew"], self.holder, LEASE)
        kept = {row["account"]: row["epoch"] for row in rows}
        for account, lease in list(self._mine.items()):
            if kept.get(account) != lease.epoch:
                del self._mine[account]

    async def release(self) -> None:
        """Hand every account over at once (a clean end)."""
        self._mine.clear()
        async with borrowed(self._pool) as connection:
            await connection.execute(SQL["release"], self.holder)


async def limit_transaction(connection: Connection) -> None:
    """Local to the transaction: a pooler in between keeps no session settings."""
    await connection.execute(
        queries("records")["limit_transaction"], _ms(LOCK_LIMIT), _ms(IDLE_LIMIT)
    )


async def hold(connection: Connection, lease: Lease) -> None:
    """The first thing in a write transaction. Raises LeaseLostError."""
    held = await connection.fetchval(SQL["hold"], lease.account, lease.holder, lease.epoch)
    if held is None:
        msg = f"the lease of account {lease.account} is no longer ours: nothing was written"
        raise LeaseLostError(msg)


def _ms(span: timedelta) -> str:
    return f"{int(span.total_seconds() * 1000)}ms"
