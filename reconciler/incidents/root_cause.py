"""The root cause draft: timeline from events, evidence and audit, and a weighed category."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from reconciler.domain.auth_probes import AuthClass
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import Failure
from reconciler.incidents.answers import IncidentReport, Written
from reconciler.incidents.bundles import readable
from reconciler.incidents.desk import Desk
from reconciler.incidents.errors import RefusedError
from reconciler.incidents.listing import show_incident
from reconciler.incidents.operating import SQL
from reconciler.rules.root_cause import Cause, CauseFacts, weigh_causes
from reconciler.store.connecting import borrowed

SHORTLY = timedelta(hours=2)
"""Trouble of the venue this long before may be what began it."""


async def write_root_cause(desk: Desk, incident_id: int) -> Written:
    """A draft in Markdown, for a person to check and finish. Raises NotFoundError; RefusedError
    for a kind that only a newer program knows.
    """
    report = await show_incident(desk, incident_id)
    incident = report.incident
    if incident.kind not in set(IncidentKind):
        raise RefusedError(f"kind {incident.kind} is not known to this program")
    async with borrowed(desk.pool) as connection:
        bundles = await connection.fetch(SQL["evidence"], incident_id, 1)
        around = await connection.fetch(
            SQL["incidents_around"], incident.opened_at, SHORTLY, incident_id
        )
    bundle = json.loads(bundles[0]["bundle"]) if bundles else {}
    causes = weigh_causes(_facts(report, bundle, around))
    return Written(
        incident_id=incident_id,
        text="\n".join(_draft(report, causes)) + "\n",
        format="markdown",
        filename=f"incident-{incident_id}-root-cause.md",
    )


def _facts(report: IncidentReport, bundle: Mapping[str, Any], around: Iterable[Any]) -> CauseFacts:
    incident, details = report.incident, report.details
    book, venue = bundle.get("book") or {}, bundle.get("venue") or {}
    lookup = bundle.get("lookup") or {}
    shown = [*(venue.get("orders") or ()), *filter(None, [lookup.get("order")])]
    failed = [s["failure"] for s in venue.get("scopes") or () if s.get("failure")]
    failed += [lookup["failure"]] if lookup.get("failure") else []
    near = [row for row in around if row["account"] == incident.account]
    return CauseFacts(
        kind=IncidentKind(incident.kind),
        opened_at=incident.opened_at,
        reason=details.get("reason"),
        side=_side(details.get("side")),
        venue_qty=_number(details.get("venue_qty")),
        book_qty=_number(details.get("book_qty")),
        orders=readable(BookOrder, book.get("orders") or ()),
        venue_orders=readable(VenueOrder, shown),
        failures=readable(Failure, failed),
        fills=len(lookup.get("fills") or ()),
        outages=tuple(_named(row) for row in near if row["kind"] == "venue_unreachable"),
        logins=tuple(_named(row) for row in near if row["kind"] == "venue_auth"),
        sign_in=AuthClass(called) if (called := details.get("class")) in set(AuthClass) else None,
        sign_in_facts=tuple(map(str, details.get("facts") or ())),
        others_like_it=len(
            {
                row["account"]
                for row in around
                if row["kind"] == incident.kind and row["account"] != incident.account
            }
        ),
    )


def _named(row: Any) -> str:
    return f"incident {row['id']}, {row['title']}, from {_time(row['opened_at'])}"


def _side(text: object) -> PositionSide | None:
    return PositionSide(str(text)) if text in set(PositionSide) else None


def _number(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def _draft(report: IncidentReport, causes: Sequence[Cause]) -> Iterator[str]:
    incident, suspected = report.incident, causes[0]
    yield f"# Incident {incident.id}: {incident.title}"
    yield ""
    yield "> A draft made from evidence and audit. Check it, and finish it."
    yield ""
    yield f"- Kind: `{incident.kind}`, {incident.severity}, {incident.status}"
    yield f"- Account: `{incident.account}`, book `{incident.book}`"
    for name in ("profile_id", "symbol", "order_id"):
        if getattr(incident, name):
            yield f"- {name.removesuffix('_id').capitalize()}: `{getattr(incident, name)}`"
    yield f"- Opened: {_time(incident.opened_at)}"
    if incident.resolved_at:
        by = incident.resolved_by or "parity"
        yield f"- Resolved: {_time(incident.resolved_at)}, by {by}"
    yield f"- How sure: {report.how_sure}"
    yield ""
    yield f"## Suspected cause: {suspected.category}"
    yield ""
    for cause in causes:
        yield f"### {cause.category}"
        yield ""
        yield from (f"- for: {text}" for text in cause.supports)
        yield from (f"- against: {text}" for text in cause.contradicts)
        yield ""
    yield "## Timeline"
    yield ""
    yield "| at (UTC) | what | says |"
    yield "|---|---|---|"
    yield from (_line(*entry) for entry in sorted(_timeline(report), key=lambda e: e[0]))
    yield ""
    yield "## Evidence"
    yield ""
    yield from _evidence(report)
    yield ""
    yield "## To finish"
    yield ""
    yield "- [ ] the cause, in one sentence"
    yield "- [ ] what else it touched: positions, orders, money"
    yield f"- [ ] a regression test: `reconciler incidents export {incident.id} --as-test`"
    yield "- [ ] what prevents it next time"


def _timeline(report: IncidentReport) -> Iterator[tuple[datetime, str, str]]:
    for event in report.timeline:
        by = f" (by {event.by})" if event.by else ""
        yield event.at, event.event, event.text + by
    for write in report.audit:
        done = "written" if write.applied else "would have been written"
        changes = ", ".join(
            f"{key} {write.before.get(key)} → {value}"
            for key, value in write.after.items()
            if value != write.before.get(key)
        )
        yield write.at, f"book {done}", f"{write.target} {write.target_id}: {changes}"
    for row in report.evidence:
        yield row.at, "evidence", f"bundle {row.id}: {row.reason or row.verdict or 'kept'}"


def _line(at: datetime, what: str, says: str) -> str:
    told = says.replace("|", "\\|").replace("\n", " ")
    return f"| {_time(at)} | {what} | {told} |"


def _evidence(report: IncidentReport) -> Iterator[str]:
    if not report.evidence:
        yield "None was kept."
    for row in report.evidence:
        scopes = ", ".join(f"{name} {said}" for name, said in row.scopes.items()) or "none"
        yield f"- bundle {row.id}: book read at {row.book_read_at}, venue at {row.venue_taken_at}"
        yield f"  ({scopes})"
        yield from (f"  - {call}" for call in row.calls)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
