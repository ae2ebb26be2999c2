"""The incidents of one write transaction: opened, told, changed, ended."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.domain.identity import AccountName, BookName, RunId
from reconciler.domain.incidents import IncidentDraft, Opened, OpenIncident, Severity
from reconciler.store.connecting import Connection
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


class IncidentRecord:
    """What a write transaction says about incidents, with the notices that follow."""

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
        self.announced: list[str] = []
        """What was announced, for a bot whose book is in another database."""

    def _json(self, value: Any) -> str:
        """JSON for people's eyes: nothing secret, whatever a venue or a server echoed."""
        return json.dumps(self._redact(json.loads(to_json(value))), ensure_ascii=False)

    def _text(self, text: str) -> str:
        return str(self._redact(text))

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
            self.announced.append(text)

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

    async def change_severity(
        self, incident: OpenIncident, severity: Severity, *, why: str, details: Mapping[str, Any]
    ) -> None:
        """It means more, or less, than it did: an event; where it is worse, a notice."""
        row = await self.connection.fetchrow(
            INCIDENTS["change_severity"], incident.id, severity, self._json(details)
        )
        if row is None:  # resolved by a person meanwhile
            return
        text = f"severity {incident.severity} → {severity}: {why}"
        said = await self.add_event(incident.id, "severity_changed", text)
        if severity < incident.severity:  # 'SEV-1' < 'SEV-2': it got worse
            draft = IncidentDraft(
                key=incident.key,
                severity=severity,
                title=row["title"],
                symbol=row["symbol"],
                profile_id=row["profile_id"],
                order_id=row["order_id"],
            )
            await self._tell(incident.id, "escalated", draft, said)
