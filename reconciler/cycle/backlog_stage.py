"""The stale backlog of one account: samples for escalation, and its incident."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from reconciler.cycle.facts import StaleOrders
from reconciler.cycle.looking import Look
from reconciler.cycle.order_drafts import named_orders
from reconciler.domain.backlogs import BacklogSample
from reconciler.domain.identity import BookOrderId, ProfileId
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, OpenIncident
from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.incidents.evidence import evidence_of_many
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.escalation import BacklogVerdict, judge_backlog, samples_to_keep
from reconciler.rules.order_status import is_stale

KIND = IncidentKind.STALE_BACKLOG


def note_backlog(
    look: Look,
    rows: tuple[BookOrder, ...],
    listed: Mapping[BookOrderId, VenueOrder],
    first_seen: Mapping[BookOrderId, datetime],
    *,
    complete: bool,
) -> None:
    """The stale backlog by profile, for metrics and /health; kept as it was without a listing."""
    if not complete:
        return
    look.facts.open_orders = sum(1 for o in look.snapshot.orders if o.state.is_live)
    stale: dict[str, list[BookOrder]] = defaultdict(list)
    quarantined: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.state is OrderState.UNKNOWN:
            quarantined[row.profile_id] += 1
        shown = row.id in listed and listed[row.id].state.is_live
        if is_stale(
            row,
            shown_live=shown,
            now=look.now,
            stale_after=look.judging.orders.stale_after,
            first_seen_at=first_seen.get(row.id),
        ):
            stale[row.profile_id].append(row)
    look.facts.stale_by_profile = {
        profile.id: StaleOrders(
            count=len(stale[profile.id]),
            oldest_age=max((look.now - row.created_at for row in stale[profile.id]), default=None),
            quarantined=quarantined[profile.id],
        )
        for profile in look.reading.profiles
    }
    every = (row for profile in look.reading.profiles for row in stale[profile.id])
    look.facts.stale_orders = tuple(sorted(every, key=lambda row: (row.created_at, row.id)))


async def settle_backlog(look: Look) -> None:
    """Judge the backlog of a look whose listing was complete; any other adds nothing to it."""
    if look.facts.stale_by_profile is None:
        return
    current = {ProfileId(p): stale.count for p, stale in look.facts.stale_by_profile.items()}
    incident = next((i for i in look.memory.incidents if i.key.kind is KIND), None)
    verdict = await _judge(look, current, incident)
    look.judged_kinds.add(KIND)
    look.settled.add(KIND)
    fresh = samples_to_keep(
        account=look.tools.account,
        current=current,
        samples=look.memory.backlog,
        keeps_time=verdict.is_over and not verdict.is_aged,
        now=look.now,
    )
    draft = _due(look, verdict, current, incident)
    if not fresh and draft is None:
        return
    async with look.writing() as record:
        if fresh:
            await record.keep_backlog(fresh)
        opened = await record.open_incident(draft) if draft is not None else None
    if draft is not None and opened is not None:
        is_news = incident is None or incident.severity is not draft.severity
        action = "incident" if is_news else "incident open"
        look.find(KIND, "", verdict.reason, action, incident_id=opened.id)


async def _judge(
    look: Look, current: dict[ProfileId, int], incident: OpenIncident | None
) -> BacklogVerdict:
    """The book's other accounts are asked only while a profile of this one keeps growing."""

    def judge(elsewhere: tuple[BacklogSample, ...]) -> BacklogVerdict:
        return judge_backlog(
            account=look.tools.account,
            current=current,
            samples=look.memory.backlog,
            elsewhere=elsewhere,
            was_aged=incident is not None and bool(incident.details.get("aged")),
            now=look.now,
            limits=limits,
        )

    limits = look.judging.escalation
    alone = judge(())
    if not alone.growing or alone.grows_widely:
        return alone
    async with look.writing() as record:
        elsewhere = await record.backlog_elsewhere(within=2 * limits.backlog_for)
    return judge(elsewhere)


def _due(
    look: Look,
    verdict: BacklogVerdict,
    current: dict[ProfileId, int],
    incident: OpenIncident | None,
) -> IncidentDraft | None:
    """The incident to open or to bring up to date, once it is confirmed."""
    if verdict.severity is None:
        return None
    look.still_there.add((KIND, ""))
    seen = look.suspicions.see(KIND, "", spacing=look.judging.order_confirm_after)
    if incident is None and not is_confirmed(seen, confirmations=look.judging.order_confirmations):
        look.recheck.append(look.judging.order_confirm_after)
        look.find(KIND, "", verdict.reason, "suspected")
        return None
    draft = _draft(look, verdict, current, is_new=incident is None)
    told = ("backlog", "aged", "growing")
    if (
        incident is not None
        and draft is not None
        and incident.severity is draft.severity
        and all(incident.details.get(key) == draft.details[key] for key in told)
    ):
        look.find(KIND, "", verdict.reason, "incident open")
        return None
    return draft


def _draft(
    look: Look, verdict: BacklogVerdict, current: dict[ProfileId, int], *, is_new: bool
) -> IncidentDraft | None:
    if verdict.severity is None:
        return None
    rows = look.facts.stale_orders
    stale = {str(profile): count for profile, count in sorted(current.items()) if count}
    limits = look.judging.escalation
    return IncidentDraft(
        key=IncidentKey(
            kind=KIND, book=look.tools.book.name, account=look.tools.account, subject=""
        ),
        severity=verdict.severity,
        title=f"account {look.tools.account}: {verdict.reason}",
        profile_id=next(iter(stale)) if len(stale) == 1 else None,
        details={
            "why": verdict.reason,
            "mode": look.judging.mode,
            "total": verdict.total,
            "backlog": stale,
            "profiles": list(stale),
            **named_orders(rows),
            "over_for_seconds": round(verdict.over_for.total_seconds()),
            "aged": verdict.is_aged,
            "growing": list(verdict.growing),
            "growing_elsewhere": verdict.growing_elsewhere,
            "limit": limits.backlog,
            "limit_for_seconds": round(limits.backlog_for.total_seconds()),
        },
        evidence=evidence_of_many(
            reading=look.reading,
            snapshot=look.snapshot,
            orders=rows,
            why=verdict.reason,
            limits={"escalation": limits, "orders": look.judging.orders},
        )
        if is_new
        else None,
    )
