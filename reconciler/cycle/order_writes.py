"""The guarded writes to the bot's orders, each with its audit, incident and quarantine row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.cycle.looking import Look
from reconciler.cycle.order_drafts import Lookups, quarantined_draft, unaware_fill_draft
from reconciler.domain.book import BookReading
from reconciler.domain.decisions import Acceptance
from reconciler.domain.identity import BookOrderId, Symbol
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.memory import OwnWrite, SeenSymbol
from reconciler.domain.orders import BookOrder, OrderState, OrderUpdate
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind
from reconciler.incidents.order_facts import OrderFacts, keep_facts
from reconciler.ports import Record
from reconciler.rules.book_changes import digests_of

Kind = OrderVerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """A person's leave to let a held mass change through."""

    acceptance: Acceptance | None = None
    is_used_up: bool = False
    """By this transaction."""


@dataclass(slots=True, kw_only=True)
class _Written:
    """What a transaction did. It is told to the look only once the transaction is through."""

    findings: list[tuple[OrderVerdict, str, str, dict[str, object]]] = field(default_factory=list)
    synced: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    unaware: list[str] = field(default_factory=list)
    reading: BookReading | None = None
    noted: dict[Symbol, SeenSymbol] = field(default_factory=dict)
    own_writes: dict[BookOrderId, OwnWrite] = field(default_factory=dict)

    def find(self, verdict: OrderVerdict, text: str, action: str, **details: object) -> None:
        """One line of the outcome."""
        self.findings.append((verdict, text, action, details))

    def tell(self, look: Look) -> None:
        """The transaction is through."""
        for verdict, text, action, details in self.findings:
            look.find(verdict.kind, verdict.subject, text, action, **details)
        look.facts.synced += self.synced
        look.facts.quarantined += self.quarantined
        look.still_there |= {(IncidentKind.UNAWARE_FILL, subject) for subject in self.unaware}
        if self.reading is not None:
            look.reading = self.reading
            look.noted |= self.noted
            look.own_writes |= self.own_writes


async def write_orders(
    look: Look, lookups: Lookups, verdicts: Sequence[OrderVerdict], leave: Leave
) -> None:
    """All of them in one transaction, or none.

    Raises BookUnreadableError or DatabaseRefusedError where the book refuses one of them.
    """
    by_id = {v.subject: v for v in verdicts}
    updates = [update_of(v) for v in by_id.values()]
    done = _Written()
    async with look.acting() as record:
        written = await _update(look, updates, record, done)
        for update in updates:
            verdict = by_id[update.order.id]
            if update.order.id not in written:
                done.find(verdict, "the row moved meanwhile", "left alone")
            else:
                facts = facts_of(look, lookups, verdict, update, leave)
                await _keep(record, verdict, facts, look=look, done=done)
        await use_leave(look, leave, record, quarantined=done.quarantined)
    done.tell(look)


async def use_leave(look: Look, leave: Leave, record: Record, *, quarantined: int) -> None:
    """Who let how many through, on the timeline of what was held."""
    if leave.acceptance is None or not look.judging.enforces:
        return
    held = look.incident_of(IncidentKind.MASS_CHANGE, "orders")
    if held is not None and quarantined:
        text = f"{quarantined} orders let through by {leave.acceptance.accepted_by}"
        await record.add_event(held.id, "let_through", text)
    if leave.is_used_up:
        await record.use_acceptance(leave.acceptance)


def update_of(verdict: OrderVerdict) -> OrderUpdate:
    """What is written for this verdict."""
    assert verdict.order is not None
    return OrderUpdate(
        order=verdict.order,
        state=verdict.state or OrderState.UNKNOWN,
        filled=verdict.filled if verdict.filled is not None else verdict.order.filled,
        avg_price=verdict.avg_price,
    )


async def _update(
    look: Look, updates: Sequence[OrderUpdate], record: Record, done: _Written
) -> frozenset[str]:
    """The ids that were written, or would have been."""
    if not look.judging.enforces:
        return frozenset(u.order.id for u in updates)
    still = unmoved(await _read_again(look, record.connection), updates)
    if not look.tools.book.writes_orders:  # what we say of them is in our tables alone
        return frozenset(u.order.id for u in still)
    written = await look.tools.book.update_orders(record.connection, still)
    if written:
        await _absorb(look, [u for u in still if u.order.id in written], record, done)
    return written


async def _read_again(look: Look, connection: Any) -> BookReading:
    """The second look at the book, inside the transaction."""
    return await look.tools.book.read_within(
        connection,
        look.tools.account,
        reach=look.judging.orders.grace,
        symbol_of=look.tools.venue.symbol_of,
    )


def unmoved(reading: BookReading, updates: Sequence[OrderUpdate]) -> list[OrderUpdate]:
    """Those whose rows are as they were judged."""
    rows = {row.id: _identity(row) for row in reading.orders}
    return [u for u in updates if rows.get(u.order.id) == _identity(u.order)]


def _identity(row: BookOrder) -> tuple[object, ...]:
    """What a verdict rests on; a heartbeat that only touches `updated_at` changes none of it."""
    return (
        row.raw_status,
        row.filled,
        row.qty,
        row.symbol,
        row.side,
        row.venue_order_id,
        row.client_order_id,
        row.profile_id,
    )


async def _absorb(
    look: Look, updates: Sequence[OrderUpdate], record: Record, done: _Written
) -> None:
    """What we wrote is no change by the bot: it must not explain a position away (rule 5)."""
    span = await record.span()
    done.own_writes = {u.order.id: _own_write(look, u, span) for u in updates}
    done.reading = as_written(look, updates)
    done.noted = noted_as_written(look, done.reading, updates)
    await record.keep_reading(
        seen={**look.noted, **done.noted},
        own_writes={**look.own_writes, **done.own_writes},
        read_at=look.reading.read_at,
    )


def as_written(look: Look, updates: Sequence[OrderUpdate]) -> BookReading:
    """The reading, with what we write."""
    by_id = {u.order.id: u for u in updates}
    orders = tuple(
        replace(
            row,
            raw_status=look.tools.book.word_to_write(by_id[row.id]),
            state=by_id[row.id].state,
            filled=by_id[row.id].filled,
        )
        if row.id in by_id
        else row
        for row in look.reading.orders
    )
    return replace(look.reading, orders=orders)


def noted_as_written(
    look: Look, reading: BookReading, updates: Sequence[OrderUpdate]
) -> dict[Symbol, SeenSymbol]:
    """What is remembered of these markets, so that our own write is no change (rule 5)."""
    digests, noted = digests_of(reading), {}
    for symbol in {u.order.symbol for u in updates}:
        before = look.noted.get(symbol)
        changed_at = before.changed_at if before is not None else None
        noted[symbol] = SeenSymbol(digest=digests.get(symbol, ""), changed_at=changed_at)
    return noted


def _own_write(look: Look, update: OrderUpdate, span: tuple[datetime, datetime]) -> OwnWrite:
    word = look.tools.book.word_to_write(update)
    return OwnWrite(status=word, written_from=span[0], written_to=span[1])


async def _keep(
    record: Record, verdict: OrderVerdict, facts: OrderFacts, *, look: Look, done: _Written
) -> None:
    """The record of one order that was written, in the same transaction."""
    enforces = look.judging.enforces
    incident_id, _ = await keep_facts(record, facts, applied=enforces)
    if verdict.kind is Kind.QUARANTINE:
        done.quarantined += enforces
        action = "quarantined" if enforces else "would have quarantined"
        done.find(verdict, verdict.reason, action, incident_id=incident_id)
        return
    if facts.incident is not None:
        done.unaware.append(verdict.subject)
    done.synced[facts.state] += enforces
    action = "written" if enforces else f"would have written {facts.word}"
    done.find(verdict, verdict.reason, action, status=facts.word)


def facts_of(
    look: Look, lookups: Lookups, verdict: OrderVerdict, update: OrderUpdate, leave: Leave
) -> OrderFacts:
    """What is to be recorded with this write."""
    order, book = update.order, look.tools.book
    word = book.word_to_write(update)
    facts = OrderFacts(
        order_id=order.id,
        kind=verdict.kind,
        reason=verdict.reason,
        word=word,
        filled=f"{update.filled:f}",
        state=update.state.value,
        audit=_audit(update, word, verdict) if book.writes_orders else None,
    )
    if verdict.kind is Kind.QUARANTINE:
        draft = quarantined_draft(look, lookups, verdict)
        quarantine = {
            "profile_id": order.profile_id,
            "symbol": order.symbol,
            "reason": verdict.quarantine_reason or "never_seen",
            "status_before": order.raw_status,
            "details": {
                "verdict": verdict.reason,
                "exposure": draft.details["exposure"],
                **({"accepted": leave.acceptance.id} if leave.acceptance is not None else {}),
            },
        }
        return replace(facts, incident=draft, quarantine=quarantine)
    unaware = verdict.kind is Kind.ENDED and update.filled > order.filled
    return replace(
        facts,
        incident=unaware_fill_draft(look, lookups, verdict, update) if unaware else None,
        announcement={
            "event": "order_synced",
            "order_id": order.id,
            "profile_id": order.profile_id,
            "account": look.tools.account,
            "status": word,
            "filled": update.filled,
            "mode": look.judging.mode,
        },
    )


def _audit(update: OrderUpdate, word: str, verdict: OrderVerdict) -> dict[str, object]:
    order = update.order
    return {
        "rule": "quarantine" if verdict.kind is Kind.QUARANTINE else "order_status_sync",
        "before": {
            "status": order.raw_status,
            "filled": order.filled,
            "avg_price": order.avg_price,
        },
        "after": {
            "status": word,
            "filled": update.filled,
            "avg_price": update.avg_price if update.avg_price is not None else order.avg_price,
        },
    }
