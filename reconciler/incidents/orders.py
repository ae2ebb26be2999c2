"""Orders: the backlog of the book, and one order as book and venue see it now."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, assert_never

from reconciler.domain.book import BookReading
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.orders import BookOrder, OrderState
from reconciler.domain.snapshot import Found, Lookup, NotFound, Unanswered
from reconciler.incidents.answers import (
    IncidentRow,
    OrderReport,
    OrderRow,
    QuarantineRow,
    VenueAnswer,
)
from reconciler.incidents.desk import Desk
from reconciler.incidents.operating import SQL
from reconciler.incidents.reading import answer_of, answers_of
from reconciler.incidents.rows_of_books import OrderPlace, Unread, find_order, readings
from reconciler.rules.order_status import is_stale
from reconciler.store.connecting import Connection, borrowed

ASK_WITHIN = timedelta(seconds=60)
"""A person waits for this answer; the ladder has four rungs of at most 10 s, and its throttle."""
NOT_SHOWN = frozenset({"missing_order", "quarantine", "unchecked", "inconclusive"})
"""Suspicions that say: the latest complete listing did not show it."""
NOTHING_SAID = "the venue said nothing that could be used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What our tables say about the orders of one account."""

    now: datetime
    suspicions: Mapping[str, Any]
    """By the order's id."""
    quarantined: Collection[str]


async def list_orders(
    desk: Desk,
    *,
    stale: bool = False,
    account: str | None = None,
    profile: str | None = None,
    unread: Unread | None = None,
) -> tuple[OrderRow, ...]:
    """Orders that are not terminal in the book, the oldest first; books that cannot be read are
    named in `unread`. Asks no venue.

    Raises NotFoundError, BookUnreadableError, DatabaseUnavailableError.
    """
    rows: list[OrderRow] = []
    async for reading in readings(desk, account=account, unread=unread):
        known = await known_of(desk, reading)
        rows += [
            row_of(desk, order, reading, known)
            for order in reading.orders
            if not order.state.is_terminal and profile in (None, order.profile_id)
        ]
    return tuple(
        sorted((r for r in rows if r.stale or not stale), key=lambda r: (r.created_at, r.id))
    )


async def show_order(desk: Desk, order_id: str, *, book: str | None = None) -> OrderReport:
    """One order of the book, and what the venue says of it now.

    Raises NotFoundError, UsageError, BookUnreadableError.
    """
    place = await find_order(desk, order_id, book=book)
    row = await order_row(desk, place)
    async with borrowed(desk.pool) as connection:
        quarantined = await connection.fetch(SQL["quarantined"], order_id, place.book.name)
        incidents = await _incidents_about(connection, place)
    return OrderReport(
        order=row,
        venue=await ask_venue(desk, place),
        quarantine=answer_of(QuarantineRow, quarantined[0]) if quarantined else None,
        incidents=incidents,
    )


async def order_row(desk: Desk, place: OrderPlace) -> OrderRow:
    """One order with what we know of it."""
    reading = BookReading(
        book=place.book.name, account=place.account, read_at=place.order.updated_at
    )
    return row_of(desk, place.order, reading, await known_of(desk, reading))


async def ask_venue(desk: Desk, place: OrderPlace) -> VenueAnswer:
    """Climb the ladder of rule 2 once, for a person; no answer is an answer here."""
    venue, order = desk.venues[place.account], place.order
    async with borrowed(desk.pool) as connection:
        now: datetime = await connection.fetchval(SQL["clock"])
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            await venue.prepare()
            # It was read without the venue: its market gets its one key only now.
            order = replace(order, symbol=venue.symbol_of(order.raw_symbol))
            lookup = await venue.look_up(order, now=now)
    except TimeoutError:
        why = f"no answer within {ASK_WITHIN.total_seconds():.0f} s"
        return VenueAnswer(answer="no_answer", asked_at=now, says=why)
    except ReconcilerError as error:
        why = str(desk.redact(str(error))) or NOTHING_SAID
        return VenueAnswer(answer="no_answer", asked_at=now, says=why)
    return _answer(lookup, now)


def _answer(lookup: Lookup, now: datetime) -> VenueAnswer:
    match lookup:
        case Found(order=found, by=by):
            return VenueAnswer(
                answer="found",
                asked_at=now,
                says=f"the venue shows it {found.state}, {found.filled:f} filled",
                by=by,
                state=found.state,
                qty=found.qty,
                filled=found.filled,
                avg_price=found.avg_price,
                venue_order_id=found.venue_order_id,
                client_order_id=found.client_order_id,
            )
        case NotFound(rungs=rungs, fills=fills):
            filled = sum((fill.qty for fill in fills), start=Decimal(0))
            said = f"no endpoint knows it ({', '.join(rungs)})"
            if fills:
                said += f"; its {len(fills)} executions come to {filled:f}"
            return VenueAnswer(
                answer="not_found", asked_at=now, says=said, rungs=rungs, fills=len(fills)
            )
        case Unanswered(failure=failure):
            return VenueAnswer(
                answer="no_answer", asked_at=now, says=f"{failure.call}: {failure.detail}"
            )
        case _:
            assert_never(lookup)


async def known_of(desk: Desk, reading: BookReading) -> Known:
    """What our tables say about the orders of one account."""
    async with borrowed(desk.pool) as connection:
        now = await connection.fetchval(SQL["clock"])
        waiting = await connection.fetch(SQL["suspicions"], reading.book, reading.account)
        ids = await connection.fetch(SQL["quarantined_ids"], reading.book, reading.account)
    return Known(
        now=now,
        suspicions={row["subject"]: row for row in waiting},
        quarantined={row["order_id"] for row in ids},
    )


def row_of(desk: Desk, order: BookOrder, reading: BookReading, known: Known) -> OrderRow:
    """One order of the backlog."""
    waiting = known.suspicions.get(order.id)
    kind = waiting["kind"] if waiting is not None else None
    seen = f"{kind}, seen {waiting['count']} times" if waiting is not None else None
    return OrderRow(
        id=order.id,
        book=reading.book,
        account=reading.account,
        profile_id=order.profile_id,
        symbol=order.raw_symbol,
        side=order.side,
        qty=order.qty,
        filled=order.filled,
        status=order.raw_status,
        state=order.state,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        created_at=order.created_at,
        updated_at=order.updated_at,
        age_seconds=(known.now - order.created_at).total_seconds(),
        stale=is_stale(
            order,
            shown_live=kind not in NOT_SHOWN,
            now=known.now,
            stale_after=desk.stale_after,
            first_seen_at=waiting["first_seen_at"] if waiting is not None else None,
        ),
        suspicion=seen,
        quarantined=order.state is OrderState.UNKNOWN or order.id in known.quarantined,
    )


async def _incidents_about(connection: Connection, place: OrderPlace) -> tuple[IncidentRow, ...]:
    rows = await connection.fetch(SQL["incidents_of"], place.book.name, place.account)
    return answers_of(IncidentRow, [row for row in rows if row["order_id"] == place.order.id])
