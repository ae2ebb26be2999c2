"""The guarded writes to the bot's orders, each with its audit, incident and quarantine row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.cycle.looking import Look
from reconciler.cycle.order_drafts import Lookups, quarantined_draft, unaware_fill_draft
from reconciler.domain.book import BookReading
from reconciler.domain.decisions import Acceptance
from reconciler.domain.identity import BookOrderId, Symbol
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.memory import OwnWrite, SeenSymbol
from reconciler.domain.orders import BookOrder, OrderState, OrderUpdate
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind
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
    updates = [_update_of(v) for v in by_id.values()]
    done = _Written()
    async with look.writing() as record:
        written = await _update(look, updates, record, done)
        for update in updates:
            verdict = by_id[update.order.id]
            if update.order.id not in written:
                done.find(verdict, "the row moved meanwhile", "left alone")
            elif verdict.kind is Kind.QUARANTINE:
                await _quarantined(
                    look, lookups, verdict, update, record=record, done=done, leave=leave
                )
            else:
                await _synced(look, lookups, verdict, update, record=record, done=done)
        await _use(look, leave, record, quarantined=done.quarantined)
    done.tell(look)


async def _use(look: Look, leave: Leave, record: Record, *, quarantined: int) -> None:
    """Who let how many through, on the timeline of what was held."""
    if leave.acceptance is None:
        return
    held = look.incident_of(IncidentKind.MASS_CHANGE, "orders")
    if held is not None and quarantined:
        text = f"{quarantined} orders let through by {leave.acceptance.accepted_by}"
        await record.add_event(held.id, "let_through", text)
    if leave.is_used_up:
        await record.use_acceptance(leave.acceptance)


def _update_of(verdict: OrderVerdict) -> OrderUpdate:
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
    still = await _unmoved(look, updates, record)
    written = await look.tools.book.update_orders(record.connection, still)
    if written:
        await _absorb(look, [u for u in still if u.order.id in written], record, done)
    return written


async def _unmoved(look: Look, updates: Sequence[OrderUpdate], record: Record) -> list[OrderUpdate]:
    """The second look at the book, inside the transaction: rows that are as they were judged."""
    now = await look.tools.book.read_within(
        record.connection,
        look.tools.account,
        reach=look.judging.orders.grace,
        symbol_of=look.tools.venue.symbol_of,
    )
    rows = {row.id: _identity(row) for row in now.orders}
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
    by_id = {u.order.id: u for u in updates}
    span = await record.span()
    done.own_writes = {u.order.id: _own_write(look, u, span) for u in updates}
    orders = tuple(
        replace(
            row,
            raw_status=done.own_writes[row.id].status,
            state=by_id[row.id].state,
            filled=by_id[row.id].filled,
        )
        if row.id in by_id
        else row
        for row in look.reading.orders
    )
    done.reading = replace(look.reading, orders=orders)
    digests = digests_of(done.reading)
    for symbol in {u.order.symbol for u in updates}:
        before = look.noted.get(symbol)
        changed_at = before.changed_at if before is not None else None
        done.noted[symbol] = SeenSymbol(digest=digests.get(symbol, ""), changed_at=changed_at)
    await record.keep_reading(
        seen={**look.noted, **done.noted},
        own_writes={**look.own_writes, **done.own_writes},
        read_at=look.reading.read_at,
    )


def _own_write(look: Look, update: OrderUpdate, span: tuple[datetime, datetime]) -> OwnWrite:
    word = look.tools.book.word_to_write(update)
    return OwnWrite(status=word, written_from=span[0], written_to=span[1])


async def _synced(
    look: Look,
    lookups: Lookups,
    verdict: OrderVerdict,
    update: OrderUpdate,
    *,
    record: Record,
    done: _Written,
) -> None:
    word = look.tools.book.word_to_write(update)
    incident_id = None
    if verdict.kind is Kind.ENDED and update.filled > update.order.filled:
        draft = unaware_fill_draft(look, lookups, verdict, update)
        incident_id = (await record.open_incident(draft)).id
        done.unaware.append(verdict.subject)
    is_news = await _audit(look, record, update, rule="order_status_sync", incident_id=incident_id)
    if look.judging.enforces:
        done.synced[update.state.value] += 1
    action = "written" if look.judging.enforces else f"would have written {word}"
    done.find(verdict, verdict.reason, action, status=word)
    if not is_news:  # observe, which says the same at every look
        return
    await record.announce(
        {
            "event": "order_synced",
            "order_id": update.order.id,
            "profile_id": update.order.profile_id,
            "account": look.tools.account,
            "status": word,
            "filled": update.filled,
            "mode": look.judging.mode,
        }
    )


async def _quarantined(
    look: Look,
    lookups: Lookups,
    verdict: OrderVerdict,
    update: OrderUpdate,
    *,
    record: Record,
    done: _Written,
    leave: Leave,
) -> None:
    order = update.order
    draft = quarantined_draft(look, lookups, verdict)
    opened = await record.open_incident(draft)
    await _audit(look, record, update, rule="quarantine", incident_id=opened.id)
    if look.judging.enforces:
        done.quarantined += 1
        await record.add_quarantine(
            order_id=order.id,
            profile_id=order.profile_id,
            symbol=order.symbol,
            reason=verdict.quarantine_reason or "never_seen",
            status_before=order.raw_status,
            incident_id=opened.id,
            details={
                "verdict": verdict.reason,
                "exposure": draft.details["exposure"],
                **({"accepted": leave.acceptance.id} if leave.acceptance is not None else {}),
            },
        )
    action = "quarantined" if look.judging.enforces else "would have quarantined"
    done.find(verdict, verdict.reason, action, incident_id=opened.id)


async def _audit(
    look: Look, record: Record, update: OrderUpdate, *, rule: str, incident_id: int | None
) -> bool:
    order = update.order
    return await record.audit(
        applied=look.judging.enforces,
        rule=rule,
        target="order",
        target_id=order.id,
        before={
            "status": order.raw_status,
            "filled": order.filled,
            "avg_price": order.avg_price,
        },
        after={
            "status": look.tools.book.word_to_write(update),
            "filled": update.filled,
            "avg_price": update.avg_price if update.avg_price is not None else order.avg_price,
        },
        incident_id=incident_id,
    )
