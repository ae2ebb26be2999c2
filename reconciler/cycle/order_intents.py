"""Orders of a book in another database: the intent, then the book, then the record.

The number of the book's transaction is kept with the intent before that transaction is committed.
So whoever comes after a kill asks the book's server what became of it, and never guesses from a row
that the bot may have moved since. Committed: the record is finished. Not committed: the intent is
dropped, and the orders are judged anew.
"""

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from reconciler.cycle.hands import Hands
from reconciler.cycle.looking import MIN_REACH, Look
from reconciler.cycle.order_drafts import Lookups
from reconciler.cycle.order_writes import (
    Leave,
    as_written,
    facts_of,
    noted_as_written,
    unmoved,
    update_of,
    use_leave,
    write_orders,
)
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import BookOrderId, Symbol
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.intents import Intent, IntentDraft, IntentKind, WriteMark, WriteState
from reconciler.domain.memory import Memory, OwnWrite, SeenSymbol
from reconciler.domain.orders import OrderUpdate
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind
from reconciler.incidents.order_facts import OrderFacts, keep_facts
from reconciler.ports import Record

REACH = max(timedelta(days=1), MIN_REACH)
"""How far back a row that was written is looked for, where its server has forgotten."""
ASK_AGAIN_AFTER = timedelta(seconds=5)
"""A transaction that is still under way is ended by its server soon."""


async def write_elsewhere(
    look: Look, lookups: Lookups, verdicts: Sequence[OrderVerdict], leave: Leave
) -> None:
    """As `write_orders`, in three transactions.

    Raises BookUnreadableError or DatabaseRefusedError where the book refuses one of them.
    """
    by_id = {v.subject: v for v in verdicts}
    updates = await _still(look, [update_of(v) for v in by_id.values()])
    for subject in by_id.keys() - {u.order.id for u in updates}:
        look.find(by_id[subject].kind, subject, "the row moved meanwhile", "left alone")
    if not updates:
        return
    facts = [facts_of(look, lookups, by_id[u.order.id], u, leave) for u in updates]
    noted = noted_as_written(look, as_written(look, updates), updates)
    async with look.acting() as record:
        intent = None
        if look.judging.enforces:
            intent = await record.intents.add(
                IntentDraft(
                    kind=IntentKind.UPDATE_ORDERS,
                    target="",
                    key=secrets.token_hex(16),
                    payload={
                        "orders": [each.to_payload() for each in facts],
                        "noted": {symbol: [s.digest, s.changed_at] for symbol, s in noted.items()},
                    },
                )
            )
    if intent is None:  # paused since the look began
        await write_orders(look, lookups, verdicts, leave)
        return
    hands = Hands.of(look)
    try:
        await _write_book(look, intent, updates)
    except ReconcilerError:
        with contextlib.suppress(ReconcilerError):  # the next pass settles what this one cannot
            await settle_orders(hands, await _as_kept(hands, intent))
        hands.tell(look)
        raise
    await _finish_here(look, intent, updates, facts=facts, leave=leave)


async def _still(look: Look, updates: Sequence[OrderUpdate]) -> list[OrderUpdate]:
    """Before anything is recorded; the transaction that writes looks once more."""
    reading = await look.tools.book.read(
        look.tools.account,
        reach=look.judging.orders.grace,
        symbol_of=look.tools.venue.symbol_of,
    )
    return unmoved(reading, updates)


async def _write_book(look: Look, intent: Intent, updates: Sequence[OrderUpdate]) -> None:
    """The book's own transaction; ours, which checks the lease, is committed within it."""
    book = look.tools.book
    async with book.writing() as connection:
        reading = await book.read_within(
            connection,
            look.tools.account,
            reach=look.judging.orders.grace,
            symbol_of=look.tools.venue.symbol_of,
        )
        written = await book.update_orders(connection, unmoved(reading, updates))
        mark = await book.mark(connection, sorted(written))
        async with look.writing() as record:
            await record.intents.mark(intent, mark)


async def _finish_here(
    look: Look,
    intent: Intent,
    updates: Sequence[OrderUpdate],
    *,
    facts: Sequence[OrderFacts],
    leave: Leave,
) -> None:
    """The record, and what only this pass knows of it."""
    done = Hands.of(look)
    kept = await _as_kept(done, intent)
    await settle_orders(done, kept)
    done.tell(look)
    if kept is None or kept.mark is None:
        return
    written = set(kept.mark.ids)
    absorbed = [u for u in updates if u.order.id in written]
    look.reading = as_written(look, absorbed)
    look.noted |= noted_as_written(look, look.reading, absorbed)
    look.own_writes |= _own_writes([f for f in facts if f.order_id in written], kept.mark)
    for each in facts:
        if each.order_id not in written:
            look.find(each.kind, each.order_id, "the row moved meanwhile", "left alone")
        elif each.incident is not None and each.kind != OrderVerdictKind.QUARANTINE:
            look.still_there.add((IncidentKind.UNAWARE_FILL, each.order_id))
    if leave.acceptance is not None:
        async with look.writing() as record:
            await use_leave(look, leave, record, quarantined=done.quarantined)


async def _as_kept(hands: Hands, intent: Intent) -> Intent | None:
    """The intent with its mark, as the table has it; None where it is over."""
    store, book = hands.tools.store, hands.tools.book.name
    found = await store.intents(book=book, account=hands.tools.account)
    return next((each for each in found if each.id == intent.id), None)


async def settle_orders(hands: Hands, intent: Intent | None) -> None:
    """Finish it or drop it; one whose transaction is under way waits.

    Raises LeaseLostError, DatabaseUnavailableError, BookDatabaseUnavailableError.
    """
    if intent is None:
        return
    if intent.mark is None:  # nothing is committed before it is marked
        await _drop(hands, intent)
        return
    match await _state_of(hands, intent.mark):
        case WriteState.COMMITTED:
            await _finish(hands, intent, intent.mark.ids)
        case WriteState.ABORTED:
            await _drop(hands, intent)
        case WriteState.IN_PROGRESS:
            hands.recheck.append(ASK_AGAIN_AFTER)
        case WriteState.NOT_KNOWN:
            written = await _written_by_rows(hands, intent, intent.mark)
            await (_finish(hands, intent, written) if written else _drop(hands, intent))


async def _state_of(hands: Hands, mark: WriteMark) -> WriteState:
    """A book that came home has another server's rows, and that one's transactions mean nothing."""
    book = hands.tools.book
    return await book.state_of(mark) if book.is_elsewhere else WriteState.NOT_KNOWN


async def _drop(hands: Hands, intent: Intent) -> None:
    async with hands.writing() as record:
        await record.intents.finish(intent, "dropped")


async def _written_by_rows(hands: Hands, intent: Intent, mark: WriteMark) -> tuple[str, ...]:
    """Rows that say what was to be written to them."""
    reading = await hands.tools.book.read(hands.tools.account, reach=REACH, symbol_of=Symbol)
    rows = {row.id: (row.raw_status, f"{row.filled:f}") for row in reading.orders}
    wanted = {o["order_id"]: (o["word"], o["filled"]) for o in intent.payload["orders"]}
    return tuple(i for i in mark.ids if i in wanted and rows.get(BookOrderId(i)) == wanted[i])


async def _finish(hands: Hands, intent: Intent, written: Sequence[str]) -> None:
    """The record of all that was written, once."""
    kept = [OrderFacts.from_payload(o) for o in intent.payload["orders"]]
    mine = [facts for facts in kept if facts.order_id in set(written)]
    book, account = hands.tools.book.name, hands.tools.account
    memory = await hands.tools.store.memory(book=book, account=account)
    async with hands.writing() as record:
        if not await record.intents.finish(intent, "done"):
            return
        for facts in mine:
            await keep_facts(record, facts, applied=True)
            if facts.review is not None:
                await _close_review(record, memory, facts)
        if mine and "noted" in intent.payload:  # what a person writes is as a change by the bot
            await record.keep_reading(
                seen={**(memory.seen or {}), **_noted(intent.payload["noted"])},
                own_writes={**memory.own_writes, **_own_writes(mine, intent.mark)},
                read_at=memory.now,
            )
    for facts in mine:
        quarantined = facts.kind == OrderVerdictKind.QUARANTINE
        hands.quarantined += quarantined
        hands.synced[facts.state] += not quarantined
        action = "quarantined" if quarantined else "written"
        hands.find(facts.kind, facts.order_id, facts.reason, action, status=facts.word)


async def _close_review(record: Record, memory: Memory, facts: OrderFacts) -> None:
    """As the person's command would have, had it not been cut short."""
    assert facts.review is not None
    incident_id = await record.intents.close_review(facts.order_id, facts.review)
    for incident in memory.incidents:
        if incident.id == incident_id:
            await record.resolve(incident, why=facts.reason)


def _noted(kept: Mapping[str, Any]) -> dict[Symbol, SeenSymbol]:
    return {
        Symbol(symbol): SeenSymbol(
            digest=digest, changed_at=datetime.fromisoformat(at) if at is not None else None
        )
        for symbol, (digest, at) in kept.items()
    }


def _own_writes(mine: Sequence[OrderFacts], mark: WriteMark | None) -> dict[BookOrderId, OwnWrite]:
    if mark is None:
        return {}
    return {
        BookOrderId(facts.order_id): OwnWrite(
            status=facts.word, written_from=mark.written_from, written_to=mark.written_to
        )
        for facts in mine
    }
