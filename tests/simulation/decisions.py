"""`store.decision_record.DecisionRecord` in memory: containments, backlogs, baselines, severity."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler.domain.backlogs import BacklogSample
from reconciler.domain.containments import Containment
from reconciler.domain.decisions import Acceptance, Pause
from reconciler.domain.identity import AccountName, BookName, ProfileId
from reconciler.domain.incidents import IncidentStatus, OpenIncident, Severity
from reconciler.domain.memory import Baseline
from reconciler.store.record import to_json
from tests.simulation.database import Transaction

DAY = timedelta(days=1)
STEP = 0.002
"""Seconds that one statement takes."""


class StatementRecord:
    """What every statement of a transaction has in common."""

    def __init__(self, transaction: Transaction, *, book: BookName, account: AccountName) -> None:
        self.connection = transaction
        self._book = book
        self._account = account

    async def _statement(self) -> None:
        await self.connection.client.step(STEP)
        self.connection.check()
        self.connection.database.answer()

    def _add(self, table: str, row: Any) -> int:
        number = self.connection.database.next_id()
        self.connection.put(table, number, row)
        return number

    def _notify(self, key: str, incident_id: int, event: str) -> None:
        if self.connection.get("outbox", key) is None:
            self.connection.put("outbox", key, (incident_id, f"incident_{event}"))

    async def add_event(
        self, incident_id: int, event: str, text: str, details: Mapping[str, Any] | None = None
    ) -> int:
        """One line of the timeline; its id. (`store.MemoryRecord` has it.)"""
        raise NotImplementedError


class DecisionRecord(StatementRecord):
    """Containments, backlogs, acceptances."""

    async def keep_baselines(self, baselines: Iterable[Baseline]) -> None:
        """Note that the balances were read in full, and what these baselines are."""
        await self._statement()
        key = (self._book, self._account)
        kept = {**(self.connection.get("baselines", key) or {}), **{b.asset: b for b in baselines}}
        self.connection.put("baselines", key, kept)

    async def change_severity(
        self, incident: OpenIncident, severity: Severity, *, why: str, details: Mapping[str, Any]
    ) -> None:
        """It means more, or less, than it did: an event; where it is worse, a notice."""
        await self._statement()
        found: OpenIncident | None = self.connection.get("incidents", incident.key)
        if found is None or found.status is IncidentStatus.RESOLVED:
            return
        learnt = {**found.details, **json.loads(to_json(details))}
        changed = replace(found, severity=severity, details=learnt)
        self.connection.put("incidents", incident.key, changed)
        text = f"severity {incident.severity} → {severity}: {why}"
        said = await self.add_event(incident.id, "severity_changed", text)
        if severity < incident.severity:
            self._notify(f"incident:{incident.id}:escalated:{said}", incident.id, "escalated")

    async def add_containment(
        self,
        *,
        profile_id: ProfileId,
        incident_id: int,
        reason: str,
        status_before: str,
        held: Iterable[str] = (),
        driver_key: str | None = None,
    ) -> bool:
        """One contained profile; True if it had been contained for this incident before."""
        del driver_key
        await self._statement()
        key = (self._book, self._account, profile_id, incident_id)
        before: Containment | None = self.connection.get("containments", key)
        if before is not None:
            again = replace(
                before,
                parity_streak=0,
                parity_seen_at=None,
                contained_at=self.connection.begun_at,
                held=frozenset(held),
            )
            self.connection.put("containments", key, again)
            return True
        incidents = self.connection.rows("incidents")
        row = Containment(
            id=self.connection.database.next_id(),
            profile_id=profile_id,
            incident_id=incident_id,
            reason=reason,
            contained_at=self.connection.begun_at,
            symbol=next((i.symbol for _, i in incidents if i.id == incident_id), None),
            status_before=status_before,
            held=frozenset(held),
        )
        self.connection.put("containments", key, row)
        return False

    async def keep_parity(self, containments: Iterable[Containment]) -> None:
        """How many complete looks in a row agreed, as these say."""
        await self._statement()
        kept = {c.id: c for c in containments}
        for key, row in list(self.connection.rows("containments")):
            new = kept.get(row.id)
            if new is not None:
                streak, at = new.parity_streak, new.parity_seen_at
                row = replace(row, parity_streak=streak, parity_seen_at=at)  # noqa: PLW2901
                self.connection.put("containments", key, row)

    async def release_containment(self, containment: Containment, *, by: str, why: str) -> None:
        """It trades again: the row, the timeline, an announcement."""
        del by
        await self._statement()
        for key, row in list(self.connection.rows("containments")):
            if row.id == containment.id:
                self.connection.delete("containments", key)
                if row.incident_id is not None:
                    await self.add_event(row.incident_id, "released", why)

    async def heed_pause(self) -> Pause | None:
        """Nobody pauses here."""
        await self._statement()
        return None

    async def use_acceptance(self, acceptance: Acceptance) -> None:
        """What a person let through is through."""
        await self._statement()
        self.connection.delete("acceptances", acceptance.id)

    async def keep_backlog(self, samples: Iterable[BacklogSample]) -> None:
        """Stale orders of this account's profiles; those of days ago go."""
        await self._statement()
        old = self.connection.database.clock() - DAY
        for key, row in list(self.connection.rows("backlogs")):
            if row.account == self._account and row.at <= old:
                self.connection.delete("backlogs", key)
        for sample in samples:
            key = (self._book, self._account, sample.profile_id, sample.at)
            self.connection.put("backlogs", key, sample)

    async def backlog_elsewhere(self, *, within: timedelta) -> tuple[BacklogSample, ...]:
        """Stale orders of the book's other accounts, over the time before now."""
        await self._statement()
        since = self.connection.database.clock() - within
        rows = [row for _, row in self.connection.rows("backlogs")]
        return tuple(r for r in rows if r.account != self._account and r.at > since)
