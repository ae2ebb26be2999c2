"""Quarantined orders: to look through, to add by hand, and to review with a final status."""

from decimal import Decimal
from typing import Any

from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.orders import BookOrder, OrderState, OrderUpdate
from reconciler.incidents.answers import (
    Done,
    IncidentRow,
    NextStep,
    QuarantineReport,
    QuarantineRow,
)
from reconciler.incidents.desk import Actor, Desk, DeskBook, check_text, checked_note
from reconciler.incidents.errors import NotFoundError, RefusedError, UsageError
from reconciler.incidents.listing import check_limit
from reconciler.incidents.operating import SQL, Operation, operating
from reconciler.incidents.order_facts import OrderFacts
from reconciler.incidents.orders import ask_venue, order_row
from reconciler.incidents.reading import answer_of, answers_of, evidence_of
from reconciler.incidents.rows_of_books import (
    LONG_AGO,
    RECENT,
    OrderPlace,
    as_written,
    find_order,
    order_in,
    symbols_of,
)
from reconciler.incidents.said_now import evidence_now
from reconciler.incidents.set_aside import record_set_aside
from reconciler.incidents.written_elsewhere import (
    facts_of_adding,
    facts_of_review,
    write_elsewhere,
)
from reconciler.rules.vocabulary import state_of
from reconciler.store.connecting import borrowed

REVIEWS = {"pending": ["pending"], "resolved": ["resolved"], "all": ["pending", "resolved"]}
FINAL = (
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.EXPIRED,
    OrderState.REJECTED,
    OrderState.OPEN,
    OrderState.PARTIALLY_FILLED,
)
"""What a review may say. A live one is judged again, and quarantined again while it is missing."""
EVIDENCE_SHOWN = 5


async def list_quarantine(
    desk: Desk, *, review: str = "pending", account: str | None = None, limit: int = 200
) -> tuple[QuarantineRow, ...]:
    """Quarantined orders, the youngest first. Raises UsageError."""
    if review not in REVIEWS:
        raise UsageError(f"review {review!r} is not known; known: {', '.join(REVIEWS)}")
    check_limit(limit)
    check_text(account)
    async with borrowed(desk.pool) as connection:
        rows = await connection.fetch(SQL["quarantine"], REVIEWS[review], account, limit)
    desk.check_known(account, rows)
    return answers_of(QuarantineRow, rows)


async def show_quarantined(
    desk: Desk, order_id: str, *, book: str | None = None, live: bool = False
) -> QuarantineReport:
    """One quarantined order: why, the evidence, the book's row now; `live`: the venue is asked.

    Raises NotFoundError, UsageError, BookUnreadableError.
    """
    row = await _quarantined(desk, order_id, book)
    async with borrowed(desk.pool) as connection:
        incident = evidence = None
        if row["incident_id"] is not None:
            incident = await connection.fetchrow(SQL["incident"], row["incident_id"])
            evidence = await connection.fetch(SQL["evidence"], row["incident_id"], EVIDENCE_SHOWN)
    place = await _place_of(desk, row)
    quarantined = answer_of(QuarantineRow, row)
    return QuarantineReport(
        quarantine=quarantined,
        order=await order_row(desk, place) if place is not None else None,
        incident=answer_of(IncidentRow, incident) if incident is not None else None,
        evidence=tuple(evidence_of(bundle) for bundle in evidence or ()),
        venue=await ask_venue(desk, place) if live and place is not None else None,
        next_steps=_next_steps(quarantined, asked=live),
    )


def _next_steps(row: QuarantineRow, *, asked: bool) -> tuple[NextStep, ...]:
    if row.review == "resolved":
        return ()
    ask = NextStep(
        text="ask the venue what it says now",
        command=f"reconciler quarantine show {row.order_id} --live",
    )
    resolve = NextStep(
        text="say how it ended: filled, canceled, expired, rejected; open or partially_filled if "
        "it lives",
        command=f"reconciler quarantine resolve {row.order_id} --status STATUS --by WHO --note T",
    )
    return (resolve,) if asked else (ask, resolve)


async def add_to_quarantine(
    desk: Desk, actor: Actor, order_id: str, *, note: str, book: str | None = None
) -> Done:
    """The runbook's "if still mismatched, update order state to unknown", under the same guard.

    Raises NotFoundError, UsageError, BookUnreadableError; RefusedError where the order has ended,
    is quarantined already, or its row moved.
    """
    note = checked_note(note, needed=True)
    place = await find_order(desk, order_id, book=book, changes=True)
    symbol_of = await symbols_of(
        desk, place.account
    )  # before the transaction: it may ask the venue
    evidence = await evidence_now(desk, place, symbol_of=symbol_of)
    async with operating(
        desk, actor, "quarantine add", target=order_id, account=place.account
    ) as operation:
        order = await _order_now(operation, place.book, place.account, order_id)
        if order is None:
            raise RefusedError(f"order {order_id} is not in the book any more")
        if await _is_pending(operation, place.book.name, order_id):
            raise RefusedError(f"order {order_id} is quarantined already, and awaits review")
        if not order.state.is_live:
            raise RefusedError(_why_not_add(order, place.book))
        update = OrderUpdate(
            order=order, state=OrderState.UNKNOWN, filled=order.filled, avg_price=None
        )
        symbol = symbol_of(order.raw_symbol)
        facts = facts_of_adding(
            operation, place, update, symbol=symbol, note=note, evidence=evidence
        )
        if not place.book.writes_orders or await _write(operation, place.book, update, facts):
            await record_set_aside(
                operation, place, update, symbol=symbol, note=note, evidence=evidence
            )
        return operation.done(
            f"order {order_id} is quarantined: the daemon leaves it alone now"
            + ("" if place.book.writes_orders else f"; {_its_bots(order)}")
        )


def _its_bots(order: BookOrder) -> str:
    return f"its row in the book, {order.raw_status!r}, is the bot's alone to write, and stays"


async def _is_pending(operation: Operation, book: BookName, order_id: str) -> bool:
    """Whether it awaits review; the row is held until the end of the transaction."""
    row = await operation.connection.fetchrow(SQL["quarantined_for_change"], book, order_id)
    return row is not None and row["review"] == "pending"


def _why_not_add(order: BookOrder, book: DeskBook) -> str:
    if order.state is OrderState.UNKNOWN:
        late = "; a command that was cut short is recorded by the daemon's next look"
        said = f"order {order.id} is {order.raw_status!r} in the book already"
        return said + (late if book.is_elsewhere else "")
    if order.state is OrderState.UNMAPPED:
        return f"order {order.id} has the status {order.raw_status!r}, which is not known to us"
    return f"order {order.id} has ended: the book says {order.raw_status!r}"


async def resolve_quarantined(
    desk: Desk,
    actor: Actor,
    order_id: str,
    *,
    status: str,
    note: str,
    filled: Decimal | None = None,
    book: str | None = None,
) -> Done:
    """A person says how the order ended; the book is written under the same optimistic guard, the
    review is closed, and the order's incident with it. `filled` in base units, never lowered; a
    filled order without it is filled whole.

    Raises NotFoundError, UsageError, BookUnreadableError; RefusedError where the row moved.
    """
    note, state = checked_note(note, needed=True), _final_state(status)
    row = await _quarantined(desk, order_id, book)
    account, name = AccountName(row["account"]), BookName(row["book"])
    desk.account(account)
    async with operating(
        desk, actor, "quarantine resolve", target=order_id, account=account
    ) as operation:
        await _refuse_reviewed(operation, name, order_id)
        operation.incident_id = row["incident_id"]
        place = desk.books[name]
        order = await _order_now(operation, place, account, order_id)
        wrote = "the book has no such row any more, so nothing was written to it"
        if order is not None and not place.writes_orders:
            wrote = _its_bots(order)
        elif order is not None:
            wrote = await _write_final(operation, place, order, state, filled, note=note)
        await operation.connection.execute(
            SQL["review"], name, order_id, state.value, actor.who, operation.text(note)
        )
        ended = await _end_incident(operation, order_id, state, note)
        return operation.done(f"order {order_id} is reviewed as {state}; {wrote}{ended}")


def _final_state(status: str) -> OrderState:
    """Raises UsageError."""
    state = state_of(status)
    if state not in FINAL:
        raise UsageError(f"status {status!r} is no end of a review; say {', '.join(FINAL)}")
    return state


async def _refuse_reviewed(operation: Operation, book: BookName, order_id: str) -> None:
    """The review row is held until the end of the transaction."""
    row = await operation.connection.fetchrow(SQL["quarantined_for_change"], book, order_id)
    if row is None:
        raise NotFoundError(f"order {order_id!r} is not quarantined")
    if row["review"] != "pending":
        raise RefusedError(
            f"order {order_id} was reviewed already, as {row['final_status']}, by "
            f"{row['reviewed_by']}"
        )


async def _write_final(
    operation: Operation,
    book: DeskBook,
    order: BookOrder,
    state: OrderState,
    filled: Decimal | None,
    *,
    note: str,
) -> str:
    """What was written, in words. Raises RefusedError where the row is no longer `unknown`."""
    if order.state is state and filled in (None, order.filled):
        return f"the book says {order.raw_status!r} already"
    if order.state is not OrderState.UNKNOWN:
        raise RefusedError(
            f"the row moved: its status is {order.raw_status!r} now, not unknown; if that is how "
            f"it ended, resolve it with --status {order.state}"
        )
    whole = order.qty if state is OrderState.FILLED else order.filled
    total = max(whole, order.filled) if filled is None else filled
    if total < order.filled:
        raise RefusedError(f"filled is {order.filled:f} in the book, and is never lowered")
    if total > max(order.qty, order.filled):
        raise UsageError(f"filled {total:f} is more than the order's {order.qty:f}")
    update = OrderUpdate(order=order, state=state, filled=total, avg_price=None)
    word = book.word_to_write(update)
    said = f"the book says {word!r} now, {total:f} filled"
    facts = facts_of_review(operation, update, word=word, note=note)
    if not await _write(operation, book, update, facts):
        return said
    await operation.add_audit(
        book=book.name,
        account=operation.account or "",
        rule="quarantine resolve",
        target="order",
        target_id=order.id,
        before={"status": order.raw_status, "filled": order.filled, "avg_price": order.avg_price},
        after={"status": word, "filled": total, "avg_price": order.avg_price},
        incident_id=operation.incident_id,
    )
    await operation.announce(
        {
            "event": "order_reviewed",
            "order_id": order.id,
            "profile_id": order.profile_id,
            "account": operation.account,
            "book": book.name,
            "status": word,
            "filled": total,
            "by": operation.actor.who,
        }
    )
    return said


async def _end_incident(operation: Operation, order_id: str, state: OrderState, note: str) -> str:
    if operation.incident_id is None:
        return ""
    why = f"order {order_id} was reviewed as {state}, by {operation.actor.who}: {note}"
    ended = await operation.resolve_incident(operation.incident_id, why=why)
    return f"; incident {operation.incident_id} is resolved" if ended else ""


async def _write(
    operation: Operation, book: DeskBook, update: OrderUpdate, facts: OrderFacts
) -> bool:
    """The guarded UPDATE of rule 8. Whether it is to be recorded still: a daemon may have been
    quicker. Raises RefusedError where the row moved meanwhile.
    """
    mine: bool | None
    if book.is_elsewhere:
        mine = await write_elsewhere(operation, book, update, facts)
    else:
        written = await book.update_orders(operation.connection, [update])
        mine = update.order.id in written or None
    if mine is None:
        raise RefusedError(f"the row of order {update.order.id} moved meanwhile: look again")
    return mine


async def _order_now(
    operation: Operation, book: DeskBook, account: AccountName, order_id: str
) -> BookOrder | None:
    """The row as it is inside the write transaction."""
    for reach in (RECENT, LONG_AGO):
        reading = await book.read_within(
            operation.connection, account, reach=reach, symbol_of=as_written
        )
        found = order_in(reading, order_id)
        if found is not None:
            return found
    return None


async def _quarantined(desk: Desk, order_id: str, book: str | None) -> Any:
    check_text(order_id, book)
    async with borrowed(desk.pool) as connection:
        rows = await connection.fetch(SQL["quarantined"], order_id, book)
    if not rows:
        raise NotFoundError(f"order {order_id!r} is not quarantined")
    if len(rows) > 1:
        books = ", ".join(row["book"] for row in rows)
        raise UsageError(f"order {order_id!r} is in several books ({books}): say --book")
    return rows[0]


async def _place_of(desk: Desk, row: Any) -> OrderPlace | None:
    """Where the order is in the book now; None where it is not, or its account is not watched."""
    if row["account"] not in desk.accounts:
        return None
    try:
        return await find_order(desk, row["order_id"], book=row["book"], account=row["account"])
    except NotFoundError:
        return None
