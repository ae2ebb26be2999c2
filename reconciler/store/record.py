"""One write transaction: the change, its audit, its incident and its notice, or nothing."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.domain.identity import (
    AccountName,
    BookName,
    BookOrderId,
    RunId,
    Symbol,
)
from reconciler.domain.leases import Lease
from reconciler.domain.memory import Baseline, OwnWrite, SeenSymbol
from reconciler.domain.outcome import Outcome
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.store.announcing import announce
from reconciler.store.connecting import Pool, borrowed
from reconciler.store.decision_record import DecisionRecord
from reconciler.store.incident_record import RECORDS, Redact, to_json
from reconciler.store.intent_record import IntentRecord
from reconciler.store.leases import hold, limit_transaction
from reconciler.store.memory import (
    accounts_turned,
    keep_baselines,
    keep_reading,
    keep_suspicions,
)

__all__ = ["PostgresRecord", "Redact", "to_json", "writing"]


class PostgresRecord(DecisionRecord):
    """The statements of one write transaction. Made by `writing`."""

    @property
    def intents(self) -> IntentRecord:
        """Writes to the book that no transaction of ours spans."""
        return IntentRecord(
            self.connection, book=self._book, account=self._account, redact=self._redact
        )

    async def span(self) -> tuple[datetime, datetime]:
        """When this transaction began and what the clock says now, a second on either side."""
        row = await self.connection.fetchrow(RECORDS["span"])
        assert row is not None
        return row["begun"], row["now"]

    async def keep_suspicions(
        self, *, keep: Iterable[Suspicion], drop: Iterable[SuspicionKey]
    ) -> None:
        """Suspicions as they stand after a look."""
        await keep_suspicions(
            self.connection, book=self._book, account=self._account, keep=keep, drop=drop
        )

    async def keep_reading(
        self,
        *,
        seen: Mapping[Symbol, SeenSymbol],
        own_writes: Mapping[BookOrderId, OwnWrite],
        read_at: datetime,
    ) -> None:
        """Remember the book's rows as they were read."""
        await keep_reading(
            self.connection,
            book=self._book,
            account=self._account,
            seen=seen,
            own_writes=own_writes,
            read_at=read_at,
        )

    async def keep_baselines(self, baselines: Iterable[Baseline]) -> None:
        """Note that the balances were read in full, and what these baselines are."""
        await keep_baselines(
            self.connection, book=self._book, account=self._account, baselines=baselines
        )

    async def accounts_turned(
        self,
        *,
        kinds: Iterable[str],
        accounts: Iterable[AccountName],
        around: datetime,
        window: timedelta,
    ) -> frozenset[AccountName]:
        """Accounts whose positions turned about the same time (rule 9)."""
        return await accounts_turned(
            self.connection, kinds=kinds, accounts=accounts, around=around, window=window
        )

    async def audit(
        self,
        *,
        applied: bool,
        rule: str,
        target: str,
        target_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        incident_id: int | None = None,
    ) -> bool:
        """Every write to the book, and (once) every one that observe left out: False if that
        was recorded before.
        """
        if not applied and await self.connection.fetchval(
            RECORDS["has_audit"],
            self._book,
            target,
            target_id,
            rule,
            to_json(before),
            to_json(after),
        ):
            return False
        await self.connection.execute(
            RECORDS["add_audit"],
            self._run,
            self._book,
            self._account,
            self._mode,
            applied,
            rule,
            target,
            target_id,
            to_json(before),
            to_json(after),
            incident_id,
        )
        return True

    async def add_quarantine(
        self,
        *,
        order_id: str,
        profile_id: str,
        symbol: str,
        reason: str,
        status_before: str,
        incident_id: int,
        details: Mapping[str, Any],
    ) -> None:
        """One order set aside for a person."""
        await self.connection.execute(
            RECORDS["add_quarantine"],
            self._book,
            order_id,
            self._account,
            profile_id,
            symbol,
            reason,
            status_before,
            incident_id,
            self._json(details),
        )

    async def close_review(self, order_id: str, review: Mapping[str, str]) -> None:
        """How a quarantined order ended: `status`, `by`, `note`."""
        await self.intents.close_review(order_id, review)

    async def note_seen_again(self, *, order_id: str, details: Mapping[str, Any]) -> int | None:
        """The review row says the order is seen again; its incident, the first time."""
        incident_id: int | None = await self.connection.fetchval(
            RECORDS["note_seen_again"], self._book, order_id, self._json(details), self._account
        )
        return incident_id

    async def add_run(self, *, job: str, outcome: Outcome, started_at: datetime) -> None:
        """A pass that found something."""
        findings = [
            {"kind": f.kind, "subject": f.subject, "text": f.text, "action": f.action}
            for f in outcome.findings
        ]
        await self.connection.execute(
            RECORDS["add_run"],
            self._run,
            self._book,
            self._account,
            job,
            self._mode,
            outcome.state,
            self._text(outcome.sentence),
            self._json(findings),
            started_at,
        )


@contextlib.asynccontextmanager
async def writing(
    pool: Pool,
    lease: Lease,
    *,
    book: BookName,
    run: RunId,
    mode: str,
    redact: Redact,
    announce_at: "Pool | None" = None,
) -> AsyncIterator[PostgresRecord]:
    """A write transaction that checks the lease first (rule 11). Raises LeaseLostError.

    `announce_at`: what it announced is said there too, once it is committed.
    """
    async with borrowed(pool) as connection, connection.transaction():
        await limit_transaction(connection)
        await hold(connection, lease)
        record = PostgresRecord(
            connection, book=book, account=lease.account, run=run, mode=mode, redact=redact
        )
        yield record
    if announce_at is not None and record.announced:
        await announce(announce_at, record.announced)
