"""What is done about confirmed order verdicts; in observe, only its record."""

from collections.abc import Sequence

from reconciler.cycle.looking import Look
from reconciler.cycle.order_drafts import (
    mass_change_draft,
    refused_draft,
    reported_draft,
    reported_severity,
    unaware_fill_draft,
)
from reconciler.cycle.order_intents import write_elsewhere
from reconciler.cycle.order_stage import OrderPlan
from reconciler.cycle.order_writes import Leave, update_of, write_orders
from reconciler.domain.errors import BookUnreadableError, DatabaseRefusedError
from reconciler.domain.incidents import IncidentDraft, IncidentKind
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind
from reconciler.ports import Record

AT_ONCE = 100
"""Orders of one transaction: the bot's rows are locked while their records are written."""


async def act_on_orders(look: Look, plan: OrderPlan) -> None:
    """Write what was confirmed. Each row that moved since it was read is left alone (rule 8)."""
    refused: dict[str, str] = {}
    if not look.tools.book.writes_orders:
        plan.to_learn, plan.to_write = plan.to_write, []
    due = [*plan.to_write, *plan.to_quarantine]
    for start in range(0, len(due), AT_ONCE):
        is_last = start + AT_ONCE >= len(due)
        await _write(look, plan, due[start : start + AT_ONCE], refused, is_last=is_last)
    if not due and plan.leave is not None and plan.uses_up_leave:
        async with look.writing() as record:
            await record.use_acceptance(plan.leave)
    await _report(look, plan, refused)


async def _write(
    look: Look,
    plan: OrderPlan,
    verdicts: Sequence[OrderVerdict],
    refused: dict[str, str],
    *,
    is_last: bool,
) -> None:
    """All in one transaction; where the book refuses one, each by itself. A leave is used up with
    the last of them: killed before, the next look goes on with it.
    """
    leave = Leave(
        acceptance=plan.leave,
        is_used_up=is_last and plan.uses_up_leave,
    )
    book = look.tools.book
    in_three_steps = look.judging.enforces and book.is_elsewhere and book.writes_orders
    try:
        await (write_elsewhere if in_three_steps else write_orders)(
            look, plan.lookups, verdicts, leave
        )
    except (BookUnreadableError, DatabaseRefusedError) as error:
        if len(verdicts) > 1:
            for verdict in verdicts:
                is_its_last = is_last and verdict is verdicts[-1]
                await _write(look, plan, [verdict], refused, is_last=is_its_last)
            return
        refused[verdicts[0].subject] = str(error)
        look.unjudged.append(f"order {verdicts[0].subject} could not be written: {error}")
        look.find(verdicts[0].kind, verdicts[0].subject, str(error), "refused by the book")


async def _report(look: Look, plan: OrderPlan, refused: dict[str, str]) -> None:
    """Incidents that write nothing to the book, in a transaction of their own."""
    standing = {(i.key.kind, i.key.subject): i for i in look.memory.incidents}
    news = []
    for verdict in plan.to_report:
        incident = standing.get((IncidentKind(verdict.kind.value), verdict.subject))
        if incident is not None and incident.severity is reported_severity(look, verdict):
            look.find(verdict.kind, verdict.subject, verdict.reason, "incident open")
        else:
            news.append(verdict)
    drafts = _learnt_alone(look, plan)
    if plan.mass_change is not None and (IncidentKind.MASS_CHANGE, "orders") not in standing:
        drafts.append(mass_change_draft(look, plan.mass_change))
    if refused:
        look.still_there.add((IncidentKind.BOOK_UNREADABLE, "writes"))
        if (IncidentKind.BOOK_UNREADABLE, "writes") not in standing:
            drafts.append(refused_draft(look, refused))
    if not (news or drafts or plan.reappeared):
        return
    async with look.writing() as record:
        opened = [(v, await record.open_incident(reported_draft(look, v))) for v in news]
        for draft in drafts:
            await record.open_incident(draft)
        for verdict in plan.reappeared:
            await _note_reappeared(verdict, record)
    for verdict, incident_opened in opened:
        look.find(
            verdict.kind,
            verdict.subject,
            verdict.reason,
            "incident",
            incident_id=incident_opened.id,
        )


def _learnt_alone(look: Look, plan: OrderPlan) -> list[IncidentDraft]:
    """What the venue shows of orders that are the bot's alone to write: a fill that it does not
    know of is an incident, said once.
    """
    drafts = []
    for verdict in plan.to_learn:
        update = update_of(verdict)
        text = f"{verdict.reason}; its row is the bot's to write"
        look.find(verdict.kind, verdict.subject, text, "none")
        if verdict.kind is not OrderVerdictKind.ENDED or update.filled <= update.order.filled:
            continue
        look.still_there.add((IncidentKind.UNAWARE_FILL, verdict.subject))
        if look.incident_of(IncidentKind.UNAWARE_FILL, verdict.subject) is None:
            drafts.append(unaware_fill_draft(look, plan.lookups, verdict, update))
    return drafts


async def _note_reappeared(verdict: OrderVerdict, record: Record) -> None:
    """Rule 4: the review row says so, a person decides."""
    assert verdict.venue_order is not None
    details = {
        "seen_again": {
            "state": verdict.venue_order.state.value,
            "filled": verdict.venue_order.filled,
            "venue_order_id": verdict.venue_order.venue_order_id,
        }
    }
    incident_id = await record.note_seen_again(order_id=verdict.subject, details=details)
    if incident_id is not None:
        await record.add_event(incident_id, "seen_again", verdict.reason)
