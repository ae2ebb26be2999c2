"""What is done about confirmed order verdicts: one transaction, or (observe) only its record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.book.postgres import OrderUpdate
from reconciler.cycle.looking import Look
from reconciler.cycle.order_stage import OrderPlan
from reconciler.domain.identity import BookOrderId
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, Severity
from reconciler.domain.orders import BookOrder, OrderState
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind
from reconciler.incidents.evidence import evidence_bundle
from reconciler.rules.book_changes import OwnWrite, SeenSymbol, digests_of
from reconciler.rules.severity import FIXED, severity_of_order, why_exposure_uncertain
from reconciler.store.memory import keep_reading
from reconciler.store.record import Record, writing

Kind = OrderVerdictKind


async def act_on_orders(look: Look, plan: OrderPlan) -> None:
    """Write what was confirmed. Each row that moved since it was read is left alone (rule 8)."""
    if not _has_work(look, plan):
        for verdict in plan.to_report:
            look.find(verdict.kind, verdict.subject, verdict.reason, "incident open")
        return
    async with writing(
        look.tools.pool,
        look.lease,
        book=look.tools.book.name,
        run=look.run,
        mode=look.judging.mode,
    ) as record:
        await _write(look, plan, record)
        for verdict in plan.to_report:
            await _report(look, verdict, record)
        for verdict in plan.reappeared:
            await _note_reappeared(verdict, record)
        if plan.mass_change is not None:
            await record.open_incident(_mass_change(look, plan.mass_change))


def _has_work(look: Look, plan: OrderPlan) -> bool:
    """Whether anything is new: an incident that stands already is no work."""
    standing = {(i.key.kind, i.key.subject): i for i in look.memory.incidents}
    if plan.mass_change is not None and (IncidentKind.MASS_CHANGE, "orders") not in standing:
        return True
    reported = all(
        (i := standing.get((IncidentKind(v.kind.value), v.subject))) is not None
        and i.severity is _severity(look, v)
        for v in plan.to_report
    )
    return bool(plan.to_write or plan.to_quarantine or plan.reappeared) or not reported


async def _write(look: Look, plan: OrderPlan, record: Record) -> None:
    verdicts = {v.subject: v for v in (*plan.to_write, *plan.to_quarantine)}
    updates = [_update_of(v) for v in verdicts.values()]
    if not updates:
        return
    written: frozenset[str]
    if look.judging.enforces:
        still = await _unmoved(look, updates, record)
        written = await look.tools.book.update_orders(record.connection, still)
        await _absorb(look, [u for u in still if u.order.id in written], record)
    else:
        written = frozenset(u.order.id for u in updates)
    for update in updates:
        verdict = verdicts[update.order.id]
        if update.order.id not in written:
            look.find(verdict.kind, verdict.subject, "the row moved meanwhile", "left alone")
            continue
        if verdict.kind is Kind.QUARANTINE:
            await _quarantined(look, plan, verdict, update, record)
        else:
            await _synced(look, plan, verdict, update, record)


def _update_of(verdict: OrderVerdict) -> OrderUpdate:
    assert verdict.order is not None
    return OrderUpdate(
        order=verdict.order,
        state=verdict.state or OrderState.UNKNOWN,
        filled=verdict.filled if verdict.filled is not None else verdict.order.filled,
        avg_price=verdict.avg_price,
    )


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


async def _absorb(look: Look, done: Sequence[OrderUpdate], record: Record) -> None:
    """What we wrote is no change by the bot: it must not explain a position away (rule 5)."""
    if not done:
        return
    words = {u.order.id: (u, look.tools.book.word_to_write(u)) for u in done}
    begun, ended = await record.span()
    for order_id, (_, word) in words.items():
        look.own_writes[order_id] = OwnWrite(status=word, written_from=begun, written_to=ended)
    orders = tuple(
        replace(
            row,
            raw_status=words[row.id][1],
            state=words[row.id][0].state,
            filled=words[row.id][0].filled,
        )
        if row.id in words
        else row
        for row in look.reading.orders
    )
    look.reading = replace(look.reading, orders=orders)
    digests = digests_of(look.reading)
    for symbol in {u.order.symbol for u in done}:
        before = look.noted.get(symbol)
        changed_at = before.changed_at if before is not None else None
        look.noted[symbol] = SeenSymbol(digest=digests.get(symbol, ""), changed_at=changed_at)
    await keep_reading(
        record.connection,
        book=look.tools.book.name,
        account=look.tools.account,
        seen=look.noted,
        own_writes=look.own_writes,
        read_at=look.reading.read_at,
    )


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


async def _synced(
    look: Look, plan: OrderPlan, verdict: OrderVerdict, update: OrderUpdate, record: Record
) -> None:
    word = look.tools.book.word_to_write(update)
    action = "written" if look.judging.enforces else f"would have written {word}"
    incident_id = None
    if verdict.kind is Kind.ENDED and update.filled > update.order.filled:
        opened = await record.open_incident(_unaware_fill(look, plan, verdict, update))
        look.still_there.add((IncidentKind.UNAWARE_FILL, verdict.subject))
        incident_id = opened.id
    is_news = await _audit(look, record, update, rule="order_status_sync", incident_id=incident_id)
    look.facts.synced[update.state.value] += 1 if look.judging.enforces else 0
    look.find(verdict.kind, verdict.subject, verdict.reason, action, status=word)
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
    look: Look, plan: OrderPlan, verdict: OrderVerdict, update: OrderUpdate, record: Record
) -> None:
    order = update.order
    reason = verdict.quarantine_reason or "never_seen"
    uncertain = why_exposure_uncertain(
        symbol=order.symbol, snapshot=look.snapshot, positions=look.positions
    )
    draft = _order_draft(
        look,
        plan.lookups,
        verdict,
        kind=IncidentKind.ORDER_QUARANTINED,
        severity=severity_of_order(exposure_uncertain=uncertain),
        title=f"order {order.id} ({order.raw_symbol} {order.side} {order.qty:f}) quarantined: "
        f"{reason}",
        more={"reason": reason, "exposure": uncertain or "agrees"},
    )
    opened = await record.open_incident(draft)
    await _audit(look, record, update, rule="quarantine", incident_id=opened.id)
    if look.judging.enforces:
        look.facts.quarantined += 1
        await record.add_quarantine(
            order_id=order.id,
            profile_id=order.profile_id,
            symbol=order.symbol,
            reason=reason,
            status_before=order.raw_status,
            incident_id=opened.id,
            details={"verdict": verdict.reason, "exposure": uncertain or "agrees"},
        )
    action = "quarantined" if look.judging.enforces else "would have quarantined"
    look.find(verdict.kind, verdict.subject, verdict.reason, action, incident_id=opened.id)


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


async def _report(look: Look, verdict: OrderVerdict, record: Record) -> None:
    """A stuck order or an orphan: an incident, nothing is written to the book."""
    kind = IncidentKind(verdict.kind.value)
    severity = _severity(look, verdict)
    draft = _order_draft(
        look, {}, verdict, kind=kind, severity=severity, title=_title(verdict), more={}
    )
    opened = await record.open_incident(draft)
    look.find(kind, verdict.subject, verdict.reason, "incident", incident_id=opened.id)


def _severity(look: Look, verdict: OrderVerdict) -> Severity:
    if verdict.kind is Kind.ORPHAN or verdict.order is None:
        return FIXED[IncidentKind.ORPHAN_ORDER]
    uncertain = why_exposure_uncertain(
        symbol=verdict.order.symbol, snapshot=look.snapshot, positions=look.positions
    )
    return severity_of_order(exposure_uncertain=uncertain)


def _title(verdict: OrderVerdict) -> str:
    order, venue = verdict.order, verdict.venue_order
    name = order.raw_symbol if order is not None else (venue.symbol if venue is not None else "")
    return f"order {verdict.subject} ({name}): {verdict.reason}"


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


def _unaware_fill(
    look: Look, plan: OrderPlan, verdict: OrderVerdict, update: OrderUpdate
) -> IncidentDraft:
    order = update.order
    gained: Decimal = update.filled - order.filled
    uncertain = why_exposure_uncertain(
        symbol=order.symbol, snapshot=look.snapshot, positions=look.positions
    )
    return _order_draft(
        look,
        plan.lookups,
        verdict,
        kind=IncidentKind.UNAWARE_FILL,
        severity=severity_of_order(exposure_uncertain=uncertain),
        title=f"order {order.id} ({order.raw_symbol} {order.side}) filled {gained:f} unseen "
        "by the bot",
        more={"position_effect": f"{order.side} {gained:f}", "exposure": uncertain or "agrees"},
    )


def _order_draft(
    look: Look,
    lookups: Mapping[BookOrderId, Any],
    verdict: OrderVerdict,
    *,
    kind: IncidentKind,
    severity: Severity,
    title: str,
    more: Mapping[str, object],
) -> IncidentDraft:
    order, venue = verdict.order, verdict.venue_order
    shown = venue if venue is not None else order
    named = order if order is not None else venue
    assert shown is not None
    assert named is not None
    return IncidentDraft(
        key=IncidentKey(
            kind=kind,
            book=look.tools.book.name,
            account=look.tools.account,
            subject=verdict.subject,
        ),
        severity=severity,
        title=title,
        symbol=named.symbol,
        profile_id=order.profile_id if order is not None else None,
        order_id=verdict.subject,
        details={
            "why": verdict.reason,
            "mode": look.judging.mode,
            "symbol": named.symbol,
            "side": named.side,
            "qty": named.qty,
            "venue_order_id": shown.venue_order_id,
            "client_order_id": shown.client_order_id,
            **more,
        },
        evidence=evidence_bundle(
            reading=look.reading,
            snapshot=look.snapshot,
            symbol=named.symbol,
            verdict=verdict,
            limits={"orders": look.judging.orders},
            lookup=lookups.get(order.id) if order is not None else None,
            changed_at=look.changed_at.get(named.symbol),
        ),
    )


def _mass_change(look: Look, why: str) -> IncidentDraft:
    return IncidentDraft(
        key=IncidentKey(
            kind=IncidentKind.MASS_CHANGE,
            book=look.tools.book.name,
            account=look.tools.account,
            subject="orders",
        ),
        severity=FIXED[IncidentKind.MASS_CHANGE],
        title=f"account {look.tools.account}: mass change, nothing is quarantined",
        details={
            "why": why,
            "mend": "check the key, the sub-account and the database; nothing is quarantined "
            "until the listing has the orders again or a person lets it through "
            "(docs/runbooks/mass-change.md)",
        },
        evidence=evidence_bundle(
            reading=look.reading,
            snapshot=look.snapshot,
            symbol=None,
            verdict={"why": why},
            limits={"blast": look.judging.blast, "orders": look.judging.orders},
        ),
    )
