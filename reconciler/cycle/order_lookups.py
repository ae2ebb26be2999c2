"""Targeted lookups of one look: who has a turn, and whose order an answer shows."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.cycle.looking import Look
from reconciler.domain.identity import BookOrderId
from reconciler.domain.orders import BookOrder
from reconciler.domain.snapshot import AnswerKind, Failure, Found, Lookup, Unanswered
from reconciler.rules.matching import why_another_rows

NEVER_TRIED = datetime.min.replace(tzinfo=UTC)
GIVE_UP_AFTER = 3
"""Lookups in a row without an answer: the venue is asked again in the next cycle."""
LOOKUPS_WITHIN = timedelta(seconds=60)
"""Positions are judged after orders: no lookup goes on for longer, and while a position differs
and that is not dealt with yet, none goes on for longer than its next look is away.
"""
SHORTEST_PATIENCE = timedelta(seconds=2)
"""A schedule of a second or less must not cut every lookup short."""


async def look_up(
    look: Look, absent: tuple[BookOrder, ...], *, rows: tuple[BookOrder, ...], most: int
) -> dict[BookOrderId, Lookup]:
    """Least recently tried first, at `most`: the bot needs the rest of the venue's budget.

    `rows`: all of the book's, one of which may have the order that a lookup shows for another.
    """
    turn = sorted(absent, key=lambda o: (look.suspicions.tried_at(o.id) or NEVER_TRIED, o.id))
    found: dict[BookOrderId, Lookup] = {}
    clock, within, unanswered = asyncio.get_running_loop().time, _patience(look), 0
    deadline = clock() + within.total_seconds()
    for row in turn[:most]:
        try:
            async with asyncio.timeout_at(deadline):
                found[row.id] = await _look_up_one(look, row, rows)
        except TimeoutError:
            found[row.id] = _cut_short(within)
        unanswered = unanswered + 1 if isinstance(found[row.id], Unanswered) else 0
        if unanswered >= GIVE_UP_AFTER or clock() >= deadline:
            break
    return found


def _patience(look: Look) -> timedelta:
    if not look.news_of(look.positions):
        return LOOKUPS_WITHIN
    return min(LOOKUPS_WITHIN, max(look.judging.position_confirm_after, SHORTEST_PATIENCE))


def _cut_short(within: timedelta) -> Unanswered:
    detail = f"lookups of a look end after {within.total_seconds():g} s"
    return Unanswered(failure=Failure(kind=AnswerKind.NO_ANSWER, call="order", detail=detail))


async def _look_up_one(look: Look, row: BookOrder, rows: tuple[BookOrder, ...]) -> Lookup:
    """What another row's order did must not be written twice: a client id may be used again.

    Then the row is asked for by its venue id alone, which tells how its own order ended.
    """
    lookup = await look.tools.venue.look_up(row, now=look.now)
    if await _why_another_rows(look, row, lookup, rows) is None:
        return lookup
    by_venue_id = replace(row, client_order_id=None)
    lookup = await look.tools.venue.look_up(by_venue_id, now=look.now)
    why = await _why_another_rows(look, row, lookup, rows)
    if why is None:
        return lookup
    return Unanswered(failure=Failure(kind=AnswerKind.REFUSED, call="order", detail=why))


async def _why_another_rows(
    look: Look, row: BookOrder, lookup: Lookup, rows: tuple[BookOrder, ...]
) -> str | None:
    """The book is asked by id as well: the other row may have ended long ago."""
    if not isinstance(lookup, Found) or lookup.order.venue_order_id == row.venue_order_id:
        return None
    others, _ = await look.tools.book.find_orders(
        venue_order_ids=[lookup.order.venue_order_id],
        client_order_ids=[],
        symbol_of=look.tools.venue.symbol_of,
    )
    ours = [o for o in others if o.profile_id not in look.reading.other_profiles]
    return why_another_rows(row=row, found=lookup.order, rows=(*rows, *ours))
