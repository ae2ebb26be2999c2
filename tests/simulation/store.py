"""`store.postgres.PostgresStore` and `store.record.PostgresRecord` in memory."""

import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.domain.identity import AccountName, BookName, BookOrderId, RunId, Symbol
from reconciler.domain.incidents import IncidentDraft, IncidentStatus, Opened, OpenIncident
from reconciler.domain.intents import Intent, SetAside
from reconciler.domain.leases import Lease
from reconciler.domain.memory import Memory, OwnWrite, SeenSymbol
from reconciler.domain.outcome import Outcome
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.ports import Intents, Record
from reconciler.rules.book_changes import FORGET_AFTER
from reconciler.store.record import to_json
from tests.simulation.database import Client, Database
from tests.simulation.decisions import DAY, STEP, DecisionRecord
from tests.simulation.leases import Settle, hold, settle_nothing

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a timeline."""

    incident_id: int
    event: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One write to the book."""

    applied: bool
    rule: str
    target: str
    target_id: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One order set aside."""

    account: AccountName
    reason: str
    quarantined_at: datetime
    incident_id: int
    seen_again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was remembered of the book's rows."""

    seen: Mapping[Symbol, SeenSymbol]
    own_writes: Mapping[BookOrderId, OwnWrite]


class MemoryStore:
    """Memory to start from, and transactions to write in."""

    def __init__(
        self, database: Database, client: Client, *, settle: Settle = settle_nothing
    ) -> None:
        self._database = database
        self._client = client
        self._settle = settle
        self.clock_skew = timedelta(0)
        self._kept: tuple[tuple[int, int], dict[tuple[str, str], Suspicion], Any] | None = None

    async def memory(self, *, book: BookName, account: AccountName) -> Memory:
        """What was remembered. Raises DatabaseUnavailableError."""
        await self._client.step(STEP)
        self._database.answer()
        now = self._database.clock()
        suspicions, incidents = self._standing(book, account)
        reading: Reading | None = self._database.tables["readings"].get((book, account))
        own = {} if reading is None else reading.own_writes
        return Memory(
            now=now,
            clock_skew=self.clock_skew,
            suspicions=suspicions,
            incidents=incidents,
            seen=None if reading is None else reading.seen,
            own_writes={i: w for i, w in own.items() if now - w.written_to < FORGET_AFTER},
            baselines=self._database.tables["baselines"].get((book, account)),
            containments=tuple(
                row
                for key, row in self._database.tables["containments"].items()
                if key[:2] == (book, account)  # type: ignore[index]
            ),
            backlog=tuple(
                row
                for row in self._database.tables["backlogs"].values()
                if row.account == account and row.at > now - DAY
            ),
            quarantined_last_hour=sum(
                1
                for row in self._database.tables["quarantine"].values()
                if row.account == account and row.quarantined_at > now - HOUR
            ),
        )

    def _standing(
        self, book: BookName, account: AccountName
    ) -> tuple[dict[tuple[str, str], Suspicion], tuple[OpenIncident, ...]]:
        """Made anew only when something was written: most passes write nothing."""
        versions = self._database.versions
        version = (versions["suspicions"], versions["incidents"])
        if self._kept is None or self._kept[0] != version:
            tables = self._database.tables
            suspicions = {
                (s.key.kind, s.key.subject): s
                for s in tables["suspicions"].values()
                if (s.key.book, s.key.account) == (book, account)
            }
            incidents = tuple(
                i
                for i in tables["incidents"].values()
                if (i.key.book, i.key.account) == (book, account)
                and i.status is not IncidentStatus.RESOLVED
            )
            self._kept = (version, suspicions, incidents)
        return self._kept[1], self._kept[2]

    async def intents(self, *, book: BookName, account: AccountName) -> tuple[Intent, ...]:
        """One transaction spans everything here."""
        del book, account
        return ()

    async def is_paused(self, account: AccountName) -> bool:
        """Nobody pauses anything here."""
        del account
        return False

    async def set_aside(self, *, book: BookName, order_ids: Sequence[str]) -> tuple[SetAside, ...]:
        """Orders are ours to write here."""
        del book, order_ids
        return ()

    @contextlib.asynccontextmanager
    async def writing(
        self, lease: Lease, *, book: BookName, run: RunId, mode: str
    ) -> AsyncIterator[Record]:
        """A write transaction that checks the lease first. Raises LeaseLostError."""
        del run, mode
        await self._client.step(STEP)
        self._settle()
        transaction = self._database.begin(self._client)
        try:
            hold(transaction, lease)
            if self._database.watcher is not None:
                self._database.watcher.begun(transaction)
            yield MemoryRecord(transaction, book=book, account=lease.account)
            await self._client.step(STEP)
            self._database.answer()
            transaction.commit()
        finally:
            transaction.roll_back()
        await self._client.step(STEP)
        if self._database.loses_replies:
            raise DatabaseUnavailableError("the connection broke while the commit was answered")


class MemoryRecord(DecisionRecord):
    """The statements of one write transaction."""

    @property
    def intents(self) -> Intents:
        """One transaction spans everything here."""
        raise NotImplementedError

    async def span(self) -> tuple[datetime, datetime]:
        """When this transaction began and what the clock says now, a second on either side."""
        await self._statement()
        return self.connection.begun_at - SECOND, self.connection.database.clock() + SECOND

    async def keep_suspicions(
        self, *, keep: Iterable[Suspicion], drop: Iterable[SuspicionKey]
    ) -> None:
        """Suspicions as they stand after a look."""
        await self._statement()
        for key in drop:
            self.connection.delete("suspicions", key)
        for suspicion in keep:
            self.connection.put("suspicions", suspicion.key, suspicion)

    async def keep_reading(
        self,
        *,
        seen: Mapping[Symbol, SeenSymbol],
        own_writes: Mapping[BookOrderId, OwnWrite],
        read_at: datetime,
    ) -> None:
        """Remember the book's rows as they were read."""
        del read_at
        await self._statement()
        reading = Reading(seen=dict(seen), own_writes=dict(own_writes))
        self.connection.put("readings", (self._book, self._account), reading)

    async def accounts_turned(
        self,
        *,
        kinds: Iterable[str],
        accounts: Iterable[AccountName],
        around: datetime,
        window: timedelta,
    ) -> frozenset[AccountName]:
        """Accounts whose positions turned about the same time (rule 9)."""
        await self._statement()
        kinds, accounts = set(kinds), set(accounts)
        return frozenset(
            s.key.account
            for _, s in self.connection.rows("suspicions")
            if s.key.kind in kinds
            and s.key.account in accounts
            and s.count > 0
            and abs(s.first_seen_at - around) <= window
        )

    async def open_incident(self, draft: IncidentDraft) -> Opened:
        """Open or reopen; an incident that is open already learns what is new."""
        await self._statement()
        details = json.loads(to_json(draft.details))
        standing: OpenIncident | None = self.connection.get("incidents", draft.key)
        if standing is not None and standing.status is not IncidentStatus.RESOLVED:
            return await self._update(standing, draft, details)
        incident = OpenIncident(
            id=standing.id if standing is not None else self.connection.database.next_id(),
            key=draft.key,
            severity=draft.severity,
            status=IncidentStatus.OPEN,
            title=draft.title,
            opened_at=self.connection.begun_at,
            details=details,
            profile_id=draft.profile_id,
            symbol=draft.symbol,
        )
        self.connection.put("incidents", draft.key, incident)
        event = "opened" if standing is None else "reopened"
        said = await self.add_event(incident.id, event, draft.title)
        if draft.evidence is not None:
            self._add("evidence", (incident.id, draft.evidence))
        self._notify(f"incident:{incident.id}:{event}:{said}", incident.id, event)
        return Opened(id=incident.id, is_new=True)

    async def _update(
        self, standing: OpenIncident, draft: IncidentDraft, details: dict[str, Any]
    ) -> Opened:
        if standing.severity != draft.severity:
            text = f"severity {standing.severity} → {draft.severity}: {draft.title}"
            said = await self.add_event(standing.id, "severity_changed", text)
            if draft.severity < standing.severity:
                self._notify(f"incident:{standing.id}:escalated:{said}", standing.id, "escalated")
        learnt = replace(
            standing,
            severity=draft.severity,
            title=draft.title,
            details={**standing.details, **details},
            profile_id=draft.profile_id or standing.profile_id,
        )
        self.connection.put("incidents", draft.key, learnt)
        return Opened(id=standing.id, is_new=False)

    async def add_event(
        self, incident_id: int, event: str, text: str, details: Mapping[str, Any] | None = None
    ) -> int:
        """One line of the timeline; its id."""
        del details
        await self._statement()
        at = self.connection.begun_at
        return self._add("events", Event(incident_id=incident_id, event=event, text=text, at=at))

    async def add_event_once(self, incident_id: int, event: str, text: str) -> None:
        """The same line once for each time the incident was opened."""
        opened_at = next(
            i.opened_at for _, i in self.connection.rows("incidents") if i.id == incident_id
        )
        said = any(
            (e.incident_id, e.event, e.text) == (incident_id, event, text) and e.at >= opened_at
            for _, e in self.connection.rows("events")
        )
        if not said:
            await self.add_event(incident_id, event, text)

    def _incident(self, incident: OpenIncident) -> OpenIncident | None:
        found: OpenIncident | None = self.connection.get("incidents", incident.key)
        return found

    async def note_parity(
        self, incident: OpenIncident, *, streak: int, at: datetime | None
    ) -> None:
        """How many complete looks in a row did not show it."""
        await self._statement()
        found = self._incident(incident)
        if found is not None:
            found = replace(found, parity_streak=streak, parity_seen_at=at)
            self.connection.put("incidents", incident.key, found)

    async def resolve(self, incident: OpenIncident, *, why: str) -> None:
        """End an incident: an event, a notice, an announcement."""
        await self._statement()
        found = self._incident(incident)
        if found is None or found.status is IncidentStatus.RESOLVED:
            return
        ended = replace(found, status=IncidentStatus.RESOLVED, parity_streak=0, parity_seen_at=None)
        self.connection.put("incidents", incident.key, ended)
        said = await self.add_event(incident.id, "resolved", why)
        self._notify(f"incident:{incident.id}:resolved:{said}", incident.id, "resolved")

    async def notify(self, key: str, incident_id: int | None, payload: Mapping[str, Any]) -> None:
        """Only notices of incidents are judged."""
        del key, incident_id
        await self.announce(payload)

    async def announce(self, payload: Mapping[str, Any]) -> None:
        """Nobody listens here."""
        del payload
        await self._statement()

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
        del incident_id
        await self._statement()
        row = Audit(
            applied=applied,
            rule=rule,
            target=target,
            target_id=target_id,
            before=json.loads(to_json(before)),
            after=json.loads(to_json(after)),
        )
        if not applied and any(row == other for _, other in self.connection.rows("audit")):
            return False
        self._add("audit", row)
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
        del profile_id, symbol, status_before, details
        await self._statement()
        row = Quarantined(
            account=self._account,
            reason=reason,
            quarantined_at=self.connection.begun_at,
            incident_id=incident_id,
        )
        self.connection.put("quarantine", (self._book, order_id), row)

    async def close_review(self, order_id: str, review: Mapping[str, str]) -> None:
        """Nobody reviews here."""
        del order_id, review
        await self._statement()

    async def note_seen_again(self, *, order_id: str, details: Mapping[str, Any]) -> int | None:
        """The review row says the order is seen again; its incident, the first time."""
        del details
        await self._statement()
        row: Quarantined | None = self.connection.get("quarantine", (self._book, order_id))
        if row is None or row.account != self._account or row.seen_again_at is not None:
            return None
        seen = replace(row, seen_again_at=self.connection.begun_at)
        self.connection.put("quarantine", (self._book, order_id), seen)
        return row.incident_id

    async def add_run(self, *, job: str, outcome: Outcome, started_at: datetime) -> None:
        """A pass that found something."""
        del started_at
        await self._statement()
        self._add("runs", (job, outcome.state))
