"""One write transaction: the change, its audit, its incident and its notice, or nothing."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from reconciler.domain.identity import (
    AccountName,
    BookName,
    BookOrderId,
    ProfileId,
    RunId,
    Symbol,
)
from reconciler.domain.incidents import IncidentDraft, Opened, OpenIncident
from reconciler.domain.leases import Lease
from reconciler.domain.memory import OwnWrite, SeenSymbol
from reconciler.domain.outcome import Outcome
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.store.connecting import Connection, Pool, borrowed
from reconciler.store.leases import hold, limit_transaction
from reconciler.store.memory import accounts_turned, keep_reading, keep_suspicions
from reconciler.store.queries import queries

INCIDENTS = queries("incidents")
RECORDS = queries("records")


Redact = Callable[[Any], Any]
"""Masks secrets in JSON values and texts."""


def to_json(value: Any) -> str:
    """JSON for our columns: decimals and times as text, exactly."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


class PostgresRecord:
    """The statements of one write transaction. Made by `writing`."""

    def __init__(
        self,
        connection: Connection,
        *,
        book: BookName,
        account: AccountName,
        run: RunId,
        mode: str,
        redact: Redact,
    ) -> None:
        self.connection = connection
        self._redact = redact
        self._book = book
        self._account = account
        self._run = run
        self._mode = mode

    def _json(self, value: Any) -> str:
        """JSON for people's eyes: nothing secret, whatever a venue or a server echoed."""
        return json.dumps(self._redact(json.loads(to_json(value))), ensure_ascii=False)

    def _text(self, text: str) -> str:
        return str(self._redact(text))

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

    async def open_incident(self, draft: IncidentDraft) -> Opened:
        """Open or reopen; an incident that is open already learns what is new."""
        key = draft.key
        row = await self.connection.fetchrow(
            INCIDENTS["open"],
            key.book,
            key.kind,
            draft.severity,
            key.account,
            key.subject,
            draft.profile_id,
            draft.symbol,
            draft.order_id,
            self._text(draft.title),
            self._json(draft.details),
        )
        if row is None:
            return await self._update_incident(draft)
        event = "reopened" if row["reopened"] else "opened"
        said = await self.add_event(row["id"], event, draft.title)
        if draft.evidence is not None:
            await self.connection.execute(
                INCIDENTS["add_evidence"], row["id"], self._run, self._json(draft.evidence)
            )
        await self._tell(row["id"], event, draft, said)
        return Opened(id=row["id"], is_new=True)

    async def _update_incident(self, draft: IncidentDraft) -> Opened:
        key = draft.key
        row = await self.connection.fetchrow(
            INCIDENTS["unresolved_of_key"], key.kind, key.book, key.account, key.subject
        )
        if row is None:  # resolved by a person between the two statements
            return await self.open_incident(draft)
        details = {**json.loads(row["details"]), **json.loads(self._json(draft.details))}
        if row["severity"] != draft.severity:
            text = f"severity {row['severity']} → {draft.severity}: {draft.title}"
            said = await self.add_event(row["id"], "severity_changed", text)
            if draft.severity < row["severity"]:  # 'SEV-1' < 'SEV-2': it got worse
                await self._tell(row["id"], "escalated", draft, said)
        await self.connection.execute(
            INCIDENTS["update_facts"],
            row["id"],
            draft.severity,
            self._text(draft.title),
            json.dumps(details, ensure_ascii=False),
            draft.profile_id,
        )
        return Opened(id=row["id"], is_new=False)

    async def _tell(self, incident_id: int, event: str, draft: IncidentDraft, said: int) -> None:
        """A notice in the outbox and an event for whoever listens. `said`: its timeline line."""
        payload = {
            "event": f"incident_{event}",
            "incident_id": incident_id,
            "kind": draft.key.kind,
            "severity": draft.severity,
            "account": draft.key.account,
            "book": draft.key.book,
            "symbol": draft.symbol,
            "profile_id": draft.profile_id,
            "order_id": draft.order_id,
            "title": draft.title,
            "mode": self._mode,
        }
        await self.notify(f"incident:{incident_id}:{event}:{said}", incident_id, payload)

    async def notify(self, key: str, incident_id: int | None, payload: Mapping[str, Any]) -> None:
        """One outbox row for one event, however often it is said."""
        await self.connection.execute(
            RECORDS["add_outbox"], key, incident_id, self._json({**payload, "key": key})
        )
        await self.announce(payload)

    async def announce(self, payload: Mapping[str, Any]) -> None:
        """NOTIFY reconciler_event; Postgres allows 8000 bytes."""
        text = self._json(payload)
        if len(text.encode()) < 7900:  # noqa: PLR2004 - the server's limit, with room
            await self.connection.execute(RECORDS["announce"], text)

    async def add_event(
        self, incident_id: int, event: str, text: str, details: Mapping[str, Any] | None = None
    ) -> int:
        """One line of the timeline; its id."""
        said: int = await self.connection.fetchval(
            INCIDENTS["add_event"],
            incident_id,
            event,
            self._text(text),
            self._json(details or {}),
            self._run,
        )
        return said

    async def add_event_once(self, incident_id: int, event: str, text: str) -> None:
        """The same line once for each time the incident was opened."""
        said = self._text(text)
        if not await self.connection.fetchval(INCIDENTS["has_event"], incident_id, event, said):
            await self.add_event(incident_id, event, said)

    async def note_parity(
        self, incident: OpenIncident, *, streak: int, at: datetime | None
    ) -> None:
        """How many complete looks in a row did not show it."""
        await self.connection.execute(INCIDENTS["note_parity"], incident.id, streak, at)

    async def resolve(self, incident: OpenIncident, *, why: str) -> None:
        """End an incident: an event, a notice, an announcement."""
        row = await self.connection.fetchrow(INCIDENTS["resolve"], incident.id)
        if row is None:
            return
        said = await self.add_event(incident.id, "resolved", why)
        key = f"incident:{incident.id}:resolved:{said}"
        payload = {
            "event": "incident_resolved",
            "incident_id": incident.id,
            "kind": row["kind"],
            "severity": row["severity"],
            "account": row["account"],
            "book": self._book,
            "symbol": row["symbol"],
            "title": row["title"],
            "why": why,
            "mode": self._mode,
        }
        await self.notify(key, incident.id, payload)

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

    async def add_containment(
        self, *, profile_id: ProfileId, incident_id: int, reason: str, status_before: str
    ) -> bool:
        """One contained profile; True if it had been contained for this incident before."""
        row = await self.connection.fetchrow(
            RECORDS["add_containment"],
            self._book,
            profile_id,
            self._account,
            incident_id,
            reason,
            status_before,
        )
        assert row is not None
        return bool(row["again"])

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
    pool: Pool, lease: Lease, *, book: BookName, run: RunId, mode: str, redact: Redact
) -> AsyncIterator[PostgresRecord]:
    """A write transaction that checks the lease first (rule 11). Raises LeaseLostError."""
    async with borrowed(pool) as connection, connection.transaction():
        await limit_transaction(connection)
        await hold(connection, lease)
        yield PostgresRecord(
            connection, book=book, account=lease.account, run=run, mode=mode, redact=redact
        )
