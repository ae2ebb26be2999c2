"""What a person writes to an order of a book in another database, safe to be cut short anywhere.

The number of the book's transaction is kept, with all that its record needs, before it is
committed. The record follows in the transaction of the command; where that one is cut short, the
daemon's next look makes it.
"""

import secrets
from typing import Any

from reconciler.domain.identity import AccountName, Symbol
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, Severity
from reconciler.domain.intents import IntentDraft, IntentKind
from reconciler.domain.orders import OrderUpdate
from reconciler.incidents.desk import DeskBook
from reconciler.incidents.operating import Operation
from reconciler.incidents.order_facts import OrderFacts
from reconciler.incidents.rows_of_books import OrderPlace
from reconciler.store.connecting import Connection, borrowed
from reconciler.store.intent_record import IntentRecord

BY_HAND = "by_hand"


async def write_elsewhere(
    operation: Operation, book: DeskBook, update: OrderUpdate, facts: OrderFacts
) -> bool | None:
    """The guarded UPDATE of rule 8. True: it is written, and the record is the command's to make;
    False: the daemon has made it already; None: the row moved, and nothing was written.
    """
    async with book.writing() as connection:
        written = await book.update_orders(connection, [update])
        if update.order.id not in written:
            return None
        mark = await book.mark(connection, written)
        async with borrowed(operation.desk.pool) as ours, ours.transaction():
            intents = _intents(operation, book, ours)
            intent = await intents.add(
                IntentDraft(
                    kind=IntentKind.UPDATE_ORDERS,
                    target="",
                    key=secrets.token_hex(16),
                    payload={"orders": [facts.to_payload()]},
                )
            )
            await intents.mark(intent, mark)
    return await _intents(operation, book, operation.connection).finish(intent, "done")


def _intents(operation: Operation, book: DeskBook, connection: Connection) -> IntentRecord:
    return IntentRecord(
        connection,
        book=book.name,
        account=AccountName(operation.account or ""),
        redact=operation.desk.redact,
    )


def facts_of_adding(
    operation: Operation,
    place: OrderPlace,
    update: OrderUpdate,
    *,
    symbol: Symbol,
    note: str,
    evidence: dict[str, Any],
) -> OrderFacts:
    """An order that was set aside by hand."""
    order, who, word = update.order, operation.actor.who, place.book.word_to_write(update)
    why = f"set aside by hand: {note}"
    incident = IncidentDraft(
        key=IncidentKey(
            kind=IncidentKind.ORDER_QUARANTINED,
            book=place.book.name,
            account=place.account,
            subject=order.id,
        ),
        severity=Severity.SEV_2,  # the look that records it knows the exposure, and follows
        title=f"order {order.id} ({order.raw_symbol} {order.side} {order.qty:f}) quarantined by "
        f"hand, by {who}",
        symbol=symbol,
        profile_id=order.profile_id,
        order_id=order.id,
        details={
            "why": why,
            "by": who,
            "reason": BY_HAND,
            "symbol": symbol,
            "side": order.side,
            "qty": order.qty,
            "venue_order_id": order.venue_order_id,
            "client_order_id": order.client_order_id,
            "mode": operation.desk.mode,
        },
        evidence=evidence,
    )
    return OrderFacts(
        order_id=order.id,
        kind="quarantine",
        reason=why,
        word=word,
        filled=f"{update.filled:f}",
        state=update.state.value,
        incident=incident,
        audit=audit_of(update, word, rule="quarantine add"),
        quarantine={
            "profile_id": order.profile_id,
            "symbol": symbol,
            "reason": BY_HAND,
            "status_before": order.raw_status,
            "details": {"verdict": why},
        },
    )


def facts_of_review(
    operation: Operation, update: OrderUpdate, *, word: str, note: str
) -> OrderFacts:
    """An order whose review says how it ended."""
    order, who, state = update.order, operation.actor.who, update.state
    return OrderFacts(
        order_id=order.id,
        kind="ended",
        reason=f"order {order.id} was reviewed as {state}, by {who}: {note}",
        word=word,
        filled=f"{update.filled:f}",
        state=state.value,
        audit=audit_of(update, word, rule="quarantine resolve"),
        review={"status": state.value, "by": who, "note": note},
    )


def audit_of(update: OrderUpdate, word: str, *, rule: str) -> dict[str, object]:
    """What the write changes."""
    order = update.order
    before = {"status": order.raw_status, "filled": order.filled, "avg_price": order.avg_price}
    after = {"status": word, "filled": update.filled, "avg_price": order.avg_price}
    return {"rule": rule, "before": before, "after": after}
