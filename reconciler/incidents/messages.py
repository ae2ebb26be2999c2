"""The runbook's communication template, filled in, ready to paste."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from reconciler.incidents.answers import IncidentReport, Written
from reconciler.incidents.desk import Desk
from reconciler.incidents.listing import show_incident
from reconciler.incidents.operating import SQL
from reconciler.store.connecting import borrowed

NEXT_UPDATE = {
    "SEV-1": timedelta(minutes=30),
    "SEV-2": timedelta(hours=2),
    "SEV-3": timedelta(hours=24),
}
"""When people should hear again; the sender may change it."""
NAMED = 20
"""Orders and profiles named one by one."""
DONE = frozenset({"contained", "quarantined", "held_back", "would_contain", "not_contained"})


async def write_message(desk: Desk, incident_id: int) -> Written:
    """Incident, Severity, Impact, Mitigation, Next Update (UTC). Raises NotFoundError."""
    report = await show_incident(desk, incident_id)
    async with borrowed(desk.pool) as connection:
        now: datetime = await connection.fetchval(SQL["clock"])
    return Written(
        incident_id=incident_id,
        text="\n".join(_lines(report, now)) + "\n",
        format="text",
        filename=f"incident-{incident_id}-message.txt",
    )


def _lines(report: IncidentReport, now: datetime) -> Iterator[str]:
    incident = report.incident
    yield f"Incident: #{incident.id} {incident.title}"
    yield f"Severity: {incident.severity}"
    yield f"Status: {incident.status}" + (
        f" by {incident.acknowledged_by}" if incident.status == "acknowledged" else ""
    )
    yield "Impact:"
    yield f"  Account: {incident.account}"
    yield f"  Profiles: {_listed(_profiles(report))}"
    yield f"  Symbols: {_listed(_symbols(report))}"
    unnamed = int(report.details.get("orders_more") or 0)
    yield f"  Orders: {_listed(_orders(report), unnamed=unnamed)}"
    yield f"Mitigation: {'; '.join(_mitigation(report))}"
    if incident.resolved_at is not None:
        yield f"Next Update (UTC): none, resolved at {incident.resolved_at:%Y-%m-%d %H:%M}"
    else:
        yield f"Next Update (UTC): {now + NEXT_UPDATE[incident.severity]:%Y-%m-%d %H:%M}"


def _profiles(report: IncidentReport) -> Iterator[str]:
    if report.incident.profile_id:
        yield report.incident.profile_id
    for row in report.containments:
        yield row.profile_id
    for key in ("contained", "pinned", "profiles"):
        yield from map(str, report.details.get(key) or ())


def _symbols(report: IncidentReport) -> Iterator[str]:
    if report.incident.symbol:
        yield report.incident.symbol
    yield from map(str, report.details.get("symbols") or ())


def _orders(report: IncidentReport) -> Iterator[str]:
    if report.incident.order_id:
        yield report.incident.order_id
    for row in report.quarantine:
        yield row.order_id
    for order in report.details.get("orders") or ():
        yield str(order["id"] if isinstance(order, dict) else order)


def _listed(names: Iterable[str], *, unnamed: int = 0) -> str:
    unique = list(dict.fromkeys(names))
    left = max(len(unique) - NAMED, 0) + unnamed
    return (", ".join(unique[:NAMED]) or "none") + (f" and {left} more" if left else "")


def _mitigation(report: IncidentReport) -> list[str]:
    done = [event.text for event in report.timeline if event.event in DONE]
    done += [
        f"order {row.order_id} set aside for review ({row.reason})" for row in report.quarantine
    ]
    done += [
        f"order {row.order_id} reviewed as {row.final_status}"
        for row in report.quarantine
        if row.final_status
    ]
    if report.incident.status == "resolved":
        done += [e.text for e in report.timeline if e.event == "resolved"][-1:]
    return done or ["nothing was written; people are told"]
