"""Orders of one look: who is missing, what lookups say, which verdicts are confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.cycle.backlog_stage import note_backlog
from reconciler.cycle.looking import Look
from reconciler.cycle.order_lookups import look_up
from reconciler.cycle.suspicion_book import ORDER_FAMILY
from reconciler.domain.decisions import Acceptance
from reconciler.domain.identity import BookOrderId
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.snapshot import Lookup
from reconciler.domain.suspicions import Suspicion
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind
from reconciler.rules.blast_radius import why_not_infer_absence, why_not_quarantine
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.matching import match_orders
from reconciler.rules.order_status import (
    OrderLimits,
    find_absent,
    is_in_grace,
    judge_order,
    judge_orphans,
)

Kind = OrderVerdictKind
MASS_CHANGE = "mass_change"


@dataclass(slots=True, kw_only=True)
class OrderPlan:
    """What the order stage decided: confirmed verdicts, by what is to be done about them."""

    to_write: list[OrderVerdict] = field(default_factory=list)
    to_learn: list[OrderVerdict] = field(default_factory=list)
    """As `to_write`, of a book whose orders are not ours to write."""
    to_quarantine: list[OrderVerdict] = field(default_factory=list)
    to_report: list[OrderVerdict] = field(default_factory=list)
    """Stuck orders and orphans: an incident, no write."""
    reappeared: list[OrderVerdict] = field(default_factory=list)
    mass_change: str | None = None
    """Why nothing is quarantined now, confirmed."""
    lookups: dict[BookOrderId, Lookup] = field(default_factory=dict)
    leave: Acceptance | None = None
    """By which `to_quarantine` is let through, though a guard would hold it."""
    uses_up_leave: bool = False
    """No missing order waits for its lookup or its confirmation any more."""


async def plan_orders(look: Look) -> OrderPlan:
    """Judge every order of the account and decide what is confirmed. Writes nothing."""
    plan = OrderPlan()
    _keep_learnt(look)
    limits = _limits(look)
    rows = tuple(o for o in look.reading.orders if look.ownership.covers(o.symbol))
    listed = [o for o in look.snapshot.orders if look.ownership.covers(o.symbol)]
    matching = match_orders(rows=(*rows, *look.reading.stray_orders), listed=listed)
    why_incomplete = _why_incomplete(look)
    first_seen = _first_seen(look, rows)
    absent: tuple[BookOrder, ...] = ()
    if why_incomplete is None:
        absent = find_absent(
            rows=rows, listed=matching.by_order, now=look.now, limits=limits, first_seen=first_seen
        )
    else:
        look.unjudged.append(why_incomplete)
    held = _why_held(look, rows, absent, matching.by_order, limits, first_seen)
    for row in look.reading.unreadable:
        if row.table == "orders":
            look.unjudged.append(row.why)
            look.find("unreadable", row.id, row.why, "none")
    plan.lookups = await look_up(
        look,
        absent,
        rows=(*rows, *look.reading.stray_orders),
        # A person waits for a mass change to be let through: all of it, not some in each look.
        most=len(absent) if held and look.leave_for("orders") else look.judging.lookups_per_cycle,
    )
    verdicts = [
        judge_order(
            row=row,
            listed=matching.by_order.get(row.id),
            why_incomplete=why_incomplete,
            lookup=plan.lookups.get(row.id),
            first_seen_at=first_seen.get(row.id),
            now=look.now,
            limits=limits,
        )
        for row in rows
    ]
    orphans = await _judge_unmatched(look, matching.unmatched, limits)
    _weigh(look, plan, [*verdicts, *orphans], held, complete=why_incomplete is None)
    _settle(look, complete=why_incomplete is None)
    note_backlog(look, rows, matching.by_order, first_seen, complete=why_incomplete is None)
    return plan


def _keep_learnt(look: Look) -> None:
    """What their rows do not say stays known, and a fill that the bot has not seen stays told."""
    for order_id in look.learnt:
        look.suspicions.stand(ORDER_FAMILY, order_id)
        incident = look.incident_of(IncidentKind.UNAWARE_FILL, order_id)
        if incident is not None:
            look.still_there.add((IncidentKind.UNAWARE_FILL, order_id))


def _limits(look: Look) -> OrderLimits:
    """The operator's limits, with the reason why ages cannot be trusted now (rule 13)."""
    limits, most = look.judging.orders, look.judging.max_clock_skew
    skews = {
        "database and host": look.memory.clock_skew,
        "venue and host": look.snapshot.venue_clock_skew or timedelta(0),
        "the book's database and host": look.reading.clock_skew or timedelta(0),
    }
    for which, skew in skews.items():
        if abs(skew) > most:
            why = f"clocks of {which} differ by {abs(skew).total_seconds():.0f} s"
            look.facts.guard_trips["clock_skew"] += 1
            return replace(limits, why_not_age=why)
    return limits


def _why_incomplete(look: Look) -> str | None:
    if look.snapshot.orders_are_complete():
        return None
    failures = [f for f in look.snapshot.failures() if "orders" in f.call]
    said = "; ".join(f"{f.call}: {f.detail}" for f in failures) or "no listing of open orders"
    return f"the venue's open orders are not complete ({said})"


def _first_seen(look: Look, rows: tuple[BookOrder, ...]) -> dict[BookOrderId, datetime]:
    found = ((row.id, look.suspicions.first_seen_at(ORDER_FAMILY, row.id)) for row in rows)
    return {order_id: at for order_id, at in found if at is not None}


def _why_held(  # noqa: PLR0917 - the facts of one look, passed on once
    look: Look,
    rows: tuple[BookOrder, ...],
    absent: tuple[BookOrder, ...],
    listed: Mapping[BookOrderId, VenueOrder],
    limits: OrderLimits,
    first_seen: Mapping[BookOrderId, datetime],
) -> str | None:
    """Rule 9, before any lookup: rows in their grace are on neither side of the fraction.

    And once more with those that are only touched: a bot that touches most of its rows at every
    tick must not hide behind their grace that the listing lacks them all.
    """
    if not absent:
        return None
    live = [row for row in rows if row.state.is_live]
    settled = [
        row
        for row in live
        if not is_in_grace(row, now=look.now, limits=limits, first_seen_at=first_seen.get(row.id))
    ]
    old = [row for row in live if look.now - row.created_at >= limits.grace]
    for judged in (settled, old):
        lacks = sum(1 for row in judged if row.id not in listed)
        why = why_not_infer_absence(live=len(judged), absent=lacks, limits=look.judging.blast)
        if why is not None:
            return why
    return None


async def _judge_unmatched(
    look: Look, unmatched: tuple[VenueOrder, ...], limits: OrderLimits
) -> list[OrderVerdict]:
    """The book is asked by id, whatever the status, before anything is called an orphan."""
    for order in unmatched:  # perhaps live, perhaps not: neither an orphan nor nothing
        if order.state is OrderState.UNMAPPED and look.ownership.owns(order):
            word = order.raw_status or "none"
            look.unjudged.append(
                f"order {order.venue_order_id} of the venue has a status that is not known: {word}"
            )
    named = {i for row in look.reading.unreadable for i in row.order_ids}
    ours = [
        o
        for o in unmatched
        if o.state.is_live and look.ownership.owns(o) and not named & set(ids_of(o))
    ]
    if not ours:
        return []
    rows, unreadable = await look.tools.book.find_orders(
        venue_order_ids=[o.venue_order_id for o in ours],
        client_order_ids=[o.client_order_id for o in ours if o.client_order_id],
        symbol_of=look.tools.venue.symbol_of,
    )
    named = {i for row in unreadable for i in row.order_ids}
    found = [row for row in rows if row.profile_id not in look.reading.other_profiles]
    matching = match_orders(rows=found, listed=[o for o in ours if not named & set(ids_of(o))])
    mine = {profile.id for profile in look.reading.profiles}
    judged = [
        judge_order(
            row=row,
            listed=matching.by_order[row.id],
            why_incomplete=None,
            lookup=None,
            first_seen_at=look.suspicions.first_seen_at(ORDER_FAMILY, row.id),
            now=look.now,
            limits=limits,
        )
        for row in found
        if row.id in matching.by_order and row.profile_id in mine
    ]
    old_enough = [o for o in matching.unmatched if not _is_too_young(look, o, limits)]
    return [*judged, *judge_orphans(unmatched=old_enough)]


def ids_of(order: VenueOrder) -> tuple[str, ...]:
    """Both of an order's ids, as far as it has them."""
    return tuple(i for i in (order.venue_order_id, order.client_order_id) if i)


def _is_too_young(look: Look, order: VenueOrder, limits: OrderLimits) -> bool:
    """The bot may not have written its row yet; a venue that gives no time is watched first."""
    since = order.created_at
    if since is None:
        subject = f"{order.symbol}|{order.venue_order_id}"
        kept = look.suspicions.see(Kind.IN_GRACE, subject, spacing=limits.grace, counts=False)
        since = kept.first_seen_at
    return look.now - since < limits.grace


def _weigh(
    look: Look,
    plan: OrderPlan,
    verdicts: list[OrderVerdict],
    held: str | None,
    *,
    complete: bool,
) -> None:
    """Confirm each verdict, and sort it by what is to be done."""
    due: list[OrderVerdict] = []
    leave = look.leave_for("orders")
    held_now = held if leave is None else None
    for verdict in verdicts:
        _weigh_one(look, plan, verdict, due, held_now)
    for order_id in plan.lookups:
        look.suspicions.note_tried(order_id)
    rolling = why_not_quarantine(
        live=sum(1 for v in verdicts if v.order is not None and v.order.state.is_live),
        quarantined_last_hour=look.memory.quarantined_last_hour,
        candidates=len(due),
        limits=look.judging.blast,
    )
    why = held or rolling
    if why is None or leave is not None:
        plan.to_quarantine = due
        _note_leave(look, plan, verdicts, is_idle=complete and why is None)
    if why is None:
        if complete:
            look.settled.add(MASS_CHANGE)
            look.judged_kinds.add(IncidentKind.MASS_CHANGE)
        return
    look.differs = True
    look.facts.guard_trips["mass_change"] += 1
    look.still_there.add((IncidentKind.MASS_CHANGE, "orders"))
    if leave is not None:
        look.find(MASS_CHANGE, "orders", why, f"let through by {leave.accepted_by}")
        return
    suspicion = look.suspicions.see(MASS_CHANGE, "orders", spacing=look.judging.order_confirm_after)
    if is_confirmed(suspicion, confirmations=look.judging.order_confirmations):
        plan.mass_change = why
    else:
        look.recheck.append(look.judging.order_confirm_after)
    look.find(MASS_CHANGE, "orders", why, "held back")


def _note_leave(
    look: Look, plan: OrderPlan, verdicts: list[OrderVerdict], *, is_idle: bool
) -> None:
    """A person's leave lasts until no missing order waits for its lookup or its confirmation, so
    that the rest of what was held is let through too. `is_idle`: no guard holds anything now.
    """
    plan.leave, due = look.leave_for("orders"), len(plan.to_quarantine)
    missing = sum(1 for v in verdicts if v.kind in {Kind.UNCHECKED, Kind.QUARANTINE})
    holds_ghosts = look.incident_of(IncidentKind.MASS_CHANGE, "positions") is not None
    plan.uses_up_leave = missing == due and (due > 0 or (is_idle and not holds_ghosts))


def _weigh_one(  # noqa: C901, PLR0912 - one flat ladder, one rung a verdict
    look: Look,
    plan: OrderPlan,
    verdict: OrderVerdict,
    due: list[OrderVerdict],
    held: str | None,
) -> None:
    match verdict.kind:
        case Kind.IN_SYNC | Kind.QUARANTINED:
            return
        case Kind.IN_GRACE:
            look.suspicions.see(
                Kind.IN_GRACE,
                verdict.subject,
                spacing=look.judging.order_confirm_after,
                counts=False,
            )
        case Kind.UNMAPPED:
            look.unjudged.append(f"order {verdict.subject}: {verdict.reason}")
            look.find(verdict.kind, verdict.subject, verdict.reason, "none")
        case Kind.INCONCLUSIVE:
            _leave(look, verdict, tried=verdict.subject in plan.lookups)
            for kind in (IncidentKind.STUCK_ORDER, IncidentKind.ORPHAN_ORDER):
                look.still_there.add((kind, verdict.subject))
            look.unjudged.append(f"order {verdict.subject}: {verdict.reason}")
            look.find(verdict.kind, verdict.subject, verdict.reason, "none")
        case Kind.UNCHECKED:
            look.differs = True
            if look.suspicions.first_seen_at(ORDER_FAMILY, verdict.subject) is not None:
                look.suspicions.stand(ORDER_FAMILY, verdict.subject)
            else:
                _see(look, verdict, Kind.MISSING, counts=False)
            if held is None:  # while nothing may be quarantined, there is no hurry to look up more
                look.recheck.append(look.judging.order_confirm_after)
            look.find(Kind.MISSING, verdict.subject, verdict.reason, "suspected")
        case Kind.MISSING:
            look.differs = True
            _see(look, verdict, Kind.MISSING)
            look.find(Kind.MISSING, verdict.subject, verdict.reason, "suspected")
        case Kind.QUARANTINE:
            look.differs = True
            confirmed = _confirmed(look, verdict, Kind.MISSING, again=held is None)
            if confirmed:
                due.append(verdict)
            if not confirmed or held is not None:
                action = "held back" if held is not None else "suspected"
                look.find(Kind.MISSING, verdict.subject, verdict.reason, action)
        case Kind.REAPPEARED:
            look.differs = True
            plan.reappeared.append(verdict)
            look.find(verdict.kind, verdict.subject, verdict.reason, "none")
        case Kind.ENDED | Kind.ADVANCED:
            look.differs = True
            if _confirmed(look, verdict, verdict.kind):
                plan.to_write.append(verdict)
            else:
                look.find(verdict.kind, verdict.subject, verdict.reason, "suspected")
        case Kind.STUCK | Kind.ORPHAN:
            look.differs = True
            look.still_there.add((IncidentKind(verdict.kind.value), verdict.subject))
            if _confirmed(look, verdict, verdict.kind):
                plan.to_report.append(verdict)
            else:
                look.find(verdict.kind, verdict.subject, verdict.reason, "suspected")


def _leave(look: Look, verdict: OrderVerdict, *, tried: bool) -> None:
    """Its suspicion neither ages nor counts; one that is looked up has its turn remembered."""
    if look.suspicions.first_seen_at(ORDER_FAMILY, verdict.subject) is not None:
        look.suspicions.leave(ORDER_FAMILY, verdict.subject)
    elif tried:
        _see(look, verdict, Kind.MISSING, counts=False)


def _see(look: Look, verdict: OrderVerdict, kind: Kind, *, counts: bool = True) -> Suspicion:
    return look.suspicions.see(
        kind,
        verdict.subject,
        spacing=look.judging.order_confirm_after,
        counts=counts,
        saying=_saying(verdict),
    )


def _saying(verdict: OrderVerdict) -> str:
    """Another ending counts from the start."""
    return f"{verdict.state} {verdict.filled}" if verdict.kind is Kind.ENDED else ""


def _confirmed(look: Look, verdict: OrderVerdict, kind: Kind, *, again: bool = True) -> bool:
    """Seen often enough; if not, look `again` soon."""
    confirmations = look.judging.order_confirmations
    if not look.tools.book.writes_orders and look.suspicions.stands_confirmed(
        kind, verdict.subject, saying=_saying(verdict), confirmations=confirmations
    ):
        return True  # and stays so: what stands in a row that is not ours is not counted on
    if is_confirmed(_see(look, verdict, kind), confirmations=confirmations):
        return True
    if again:
        look.recheck.append(look.judging.order_confirm_after)
    return False


def _settle(look: Look, *, complete: bool) -> None:
    """Which suspicions and incidents this stage may call over: only after a complete listing."""
    if not complete:
        return
    look.settled |= ORDER_FAMILY
    look.judged_kinds |= {IncidentKind.STUCK_ORDER, IncidentKind.ORPHAN_ORDER}
