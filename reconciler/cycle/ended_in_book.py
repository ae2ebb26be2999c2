"""Quarantined orders that the bot, or a person, has ended in the book itself."""

from collections.abc import Iterable, Sequence

from reconciler.cycle.looking import Look
from reconciler.domain.incidents import IncidentKind, OpenIncident
from reconciler.domain.orders import BookOrder
from reconciler.rules.confirmation import is_confirmed

ENDED = "ended_in_book"
"""The suspicion that nobody needs to review an order any more."""
BY = "the book"
"""Who reviewed it: the book does not say whose hand it was."""


async def close_ended(look: Look) -> None:
    """Review and incident end once as many looks as an order needs have read the same end."""
    look.settled.add(ENDED)
    waiting = {
        incident.key.subject: incident
        for incident in look.memory.incidents
        if incident.key.kind is IncidentKind.ORDER_QUARANTINED
    }
    if not waiting:
        return
    rows = [row for row in await _rows_of(look, waiting.values()) if row.id in waiting]
    ended = [row for row in rows if row.state.is_terminal and _is_confirmed(look, row)]
    if not ended:
        return
    async with look.writing() as record:
        for row in ended:
            review = {"status": row.state.value, "by": BY, "note": _why(row)}
            await record.close_review(row.id, review)
            await record.resolve(waiting[row.id], why=_why(row))
    for row in ended:
        incident = waiting[row.id]
        look.find(incident.key.kind, row.id, _why(row), "resolved", incident_id=incident.id)


async def _rows_of(look: Look, waiting: Iterable[OpenIncident]) -> Sequence[BookOrder]:
    """The reading has the live ones; one that ended while nobody looked is asked for by its ids."""
    read = [row for row in look.reading.orders if row.id not in look.learnt]
    known = {row.id for row in (*read, *look.reading.stray_orders)} | set(look.learnt)
    absent = [i for i in waiting if i.key.subject not in known]
    venue_ids = [
        str(i.details["venue_order_id"]) for i in absent if i.details.get("venue_order_id")
    ]
    ours = [str(i.details["client_order_id"]) for i in absent if i.details.get("client_order_id")]
    if not venue_ids and not ours:
        return read
    found, _ = await look.tools.book.find_orders(
        venue_order_ids=venue_ids, client_order_ids=ours, symbol_of=look.tools.venue.symbol_of
    )
    return [*read, *(row for row in found if row.id not in known)]


def _is_confirmed(look: Look, row: BookOrder) -> bool:
    judging = look.judging
    seen = look.suspicions.see(
        ENDED, row.id, spacing=judging.order_confirm_after, saying=row.state.value
    )
    if is_confirmed(seen, confirmations=judging.order_confirmations):
        return True
    look.recheck.append(judging.order_confirm_after)
    return False


def _why(row: BookOrder) -> str:
    return f"order {row.id} was ended in the book itself: its row says {row.raw_status!r}"
