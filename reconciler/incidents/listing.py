"""Incidents to look through, and one of them with everything about it."""

import json
from typing import Any

from reconciler.domain.incidents import IncidentKind, IncidentStatus, Severity
from reconciler.incidents.answers import (
    AuditRow,
    ContainmentRow,
    IncidentReport,
    IncidentRow,
    OperationRow,
    QuarantineRow,
    TimelineEntry,
)
from reconciler.incidents.desk import Desk, check_text
from reconciler.incidents.errors import NotFoundError, UsageError
from reconciler.incidents.next_steps import how_sure, next_steps, runbook_of
from reconciler.incidents.operating import SQL
from reconciler.incidents.reading import answer_of, answers_of, evidence_of
from reconciler.store.connecting import Connection, borrowed

MOST_ROWS = 1000
LARGEST_ID = 2**63 - 1
EVIDENCE_SHOWN = 20
STATUSES = {
    "unresolved": [IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED],
    "all": list(IncidentStatus),
    **{status.value: [status] for status in IncidentStatus},
}


async def list_incidents(
    desk: Desk,
    *,
    status: str = "unresolved",
    severity: str | None = None,
    kind: str | None = None,
    account: str | None = None,
    limit: int = 200,
) -> tuple[IncidentRow, ...]:
    """Unresolved and grave ones first. Raises UsageError for a word that is none."""
    _check("status", status, STATUSES)
    _check("severity", severity, {s.value for s in Severity})
    _check("kind", kind, {k.value for k in IncidentKind})
    check_text(account)
    check_limit(limit)
    async with borrowed(desk.pool) as connection:
        rows = await connection.fetch(
            SQL["incidents"], STATUSES[status], severity, kind, account, limit
        )
    desk.check_known(account, rows)
    return answers_of(IncidentRow, rows)


async def show_incident(desk: Desk, incident_id: int) -> IncidentReport:
    """Facts, timeline, evidence, audit, and what to do next. Raises NotFoundError."""
    async with borrowed(desk.pool) as connection:
        row = await incident_row(connection, incident_id)
        evidence = await connection.fetch(SQL["evidence"], incident_id, EVIDENCE_SHOWN)
        timeline = await connection.fetch(SQL["timeline"], incident_id)
        audit = await connection.fetch(SQL["audit_of_incident"], incident_id)
        contained = await connection.fetch(SQL["containments_of_incident"], incident_id)
        quarantined = await connection.fetch(SQL["quarantine_of_incident"], incident_id)
    incident, details = answer_of(IncidentRow, row), json.loads(row["details"])
    containments = answers_of(ContainmentRow, contained)
    return IncidentReport(
        incident=incident,
        details=details,
        how_sure=how_sure(incident.kind, details),
        timeline=answers_of(TimelineEntry, timeline),
        evidence=tuple(evidence_of(bundle) for bundle in evidence),
        audit=answers_of(AuditRow, audit),
        containments=containments,
        quarantine=answers_of(QuarantineRow, quarantined),
        next_steps=next_steps(incident, details, containments),
        runbook=runbook_of(incident.kind),
    )


async def incident_row(connection: Connection, incident_id: int) -> Any:
    """The row of one incident. Raises NotFoundError."""
    row = None
    if 0 < incident_id <= LARGEST_ID:
        row = await connection.fetchrow(SQL["incident"], incident_id)
    if row is None:
        raise NotFoundError(f"there is no incident {incident_id}")
    return row


async def list_operations(
    desk: Desk, *, account: str | None = None, limit: int = 100
) -> tuple[OperationRow, ...]:
    """What people did, or were refused, the newest first."""
    check_limit(limit)
    check_text(account)
    async with borrowed(desk.pool) as connection:
        rows = await connection.fetch(SQL["operations"], account, limit)
    desk.check_known(account, rows)
    return answers_of(OperationRow, rows)


def check_limit(limit: int) -> None:
    """Raise UsageError for a number of rows that is none, or too many."""
    if not 1 <= limit <= MOST_ROWS:
        raise UsageError(f"limit must be from 1 to {MOST_ROWS}")


def _check(what: str, given: str | None, accepted: Any) -> None:
    if given is not None and given not in accepted:
        raise UsageError(f"{what} {given!r} is not known; known: {', '.join(sorted(accepted))}")
