"""What the venue's answer means for an order: learnt, missing, quarantined, or not known.

Sources: DESIGN section 3 rules 1 to 4, 6, 8; the decision tables of NautilusTrader's live
reconciliation, with our difference: no order is ended without proof.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_never

from reconciler.domain.identity import BookOrderId
from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.snapshot import Found, Lookup, NotFound, Unanswered
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind
from reconciler.rules.fills import sum_fills
from reconciler.rules.grace import explains
from reconciler.rules.inverse_contracts import as_the_row_counts
from reconciler.rules.retention import reason_missing
from reconciler.rules.venue_answers import may_trade_on, why_not_the_same

Kind = OrderVerdictKind
ZERO = Decimal(0)
RESTING = frozenset({OrderState.OPEN, OrderState.PARTIALLY_FILLED})
STANDING = RESTING | {OrderState.IN_FLIGHT}
CLIENT_ORDER_ID = "client_order_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLimits:
    """The operator's numbers for orders (section 4, `[orders]`)."""

    stale_after: timedelta
    quarantine_after: timedelta
    grace: timedelta
    retention: timedelta | None
    """How long the venue keeps a cancelled order without a fill; None: no purge published."""
    why_not_age: str | None = None
    """Why ages cannot be trusted now (clock skew, rule 13); None: they can."""


def is_in_grace(
    row: BookOrder, *, now: datetime, limits: OrderLimits, first_seen_at: datetime | None
) -> bool:
    """The row is too young or was just touched, and has not been so for five windows."""
    times = [at for at in (row.created_at, row.updated_at) if at <= now + limits.grace]
    return explains(
        changed_at=max(times, default=None),
        first_seen_at=first_seen_at,
        now=now,
        grace=limits.grace,
    )


def find_absent(
    *,
    rows: Iterable[BookOrder],
    listed: Mapping[BookOrderId, VenueOrder],
    now: datetime,
    limits: OrderLimits,
    first_seen: Mapping[BookOrderId, datetime],
) -> tuple[BookOrder, ...]:
    """Live rows, past their grace, that a complete listing lacks: those to look up."""
    return tuple(
        row
        for row in rows
        if row.state.is_live
        and row.id not in listed
        and not is_in_grace(row, now=now, limits=limits, first_seen_at=first_seen.get(row.id))
    )


def judge_order(
    *,
    row: BookOrder,
    listed: VenueOrder | None,
    why_incomplete: str | None,
    lookup: Lookup | None,
    first_seen_at: datetime | None,
    now: datetime,
    limits: OrderLimits,
) -> OrderVerdict:
    """The verdict about one row of the book.

    `why_incomplete`: why the listing cannot show that something is missing, None if it can.
    `lookup`: the targeted lookup of this cycle, None if it had no turn.
    """
    if row.state is OrderState.UNMAPPED:
        return _verdict(Kind.UNMAPPED, row, now, f"status word {row.raw_status!r} is not known")
    if row.state is OrderState.UNKNOWN:
        return _judge_quarantined(row, listed, now)
    if row.state.is_terminal:
        return _judge_terminal(row, listed, now=now, limits=limits, first_seen_at=first_seen_at)
    if listed is not None:
        listed = as_the_row_counts(row, listed)
        return _judge_listed(row, listed, now=now, limits=limits, first_seen_at=first_seen_at)
    if why_incomplete is not None:
        return _verdict(Kind.INCONCLUSIVE, row, now, why_incomplete)
    if is_in_grace(row, now=now, limits=limits, first_seen_at=first_seen_at):
        return _verdict(Kind.IN_GRACE, row, now, "too young or just touched to be judged")
    return _judge_looked_up(row, lookup, now=now, limits=limits)


def _judge_looked_up(
    row: BookOrder, lookup: Lookup | None, *, now: datetime, limits: OrderLimits
) -> OrderVerdict:
    """The listing lacks it: what the targeted lookup says."""
    match lookup:
        case None:
            return _verdict(Kind.UNCHECKED, row, now, "absent from the listing, not looked up yet")
        case Unanswered(failure=failure):
            return _verdict(Kind.INCONCLUSIVE, row, now, f"{failure.call}: {failure.detail}")
        case Found(order=found, by=by):
            found = as_the_row_counts(row, found)
            why_other = why_not_the_same(row, found) if by == CLIENT_ORDER_ID else None
            if why_other is not None:
                return _verdict(Kind.INCONCLUSIVE, row, now, why_other, venue_order=found)
            return _judge_found(row, found, now)
        case NotFound():
            return _judge_not_found(row, lookup, now=now, limits=limits)
        case _:
            assert_never(lookup)


def _judge_quarantined(row: BookOrder, listed: VenueOrder | None, now: datetime) -> OrderVerdict:
    """Rule 4: a quarantined order that is shown again is never silently released."""
    if listed is not None:
        reason = f"quarantined, and the venue shows it {listed.state} again"
        return _verdict(Kind.REAPPEARED, row, now, reason, venue_order=listed)
    return _verdict(Kind.QUARANTINED, row, now, "quarantined, waits for a person")


def _judge_terminal(
    row: BookOrder,
    listed: VenueOrder | None,
    *,
    now: datetime,
    limits: OrderLimits,
    first_seen_at: datetime | None,
) -> OrderVerdict:
    """An order that the book ended and the venue still lists live is an orphan."""
    if listed is None or not listed.state.is_live:
        return _verdict(Kind.IN_SYNC, row, now, "ended")
    if is_in_grace(row, now=now, limits=limits, first_seen_at=first_seen_at):
        return _verdict(Kind.IN_GRACE, row, now, "just ended in the book", venue_order=listed)
    reason = f"the book says {row.raw_status}, the venue still shows it {listed.state}"
    return _verdict(Kind.ORPHAN, row, now, reason, venue_order=listed)


def _judge_listed(
    row: BookOrder,
    listed: VenueOrder,
    *,
    now: datetime,
    limits: OrderLimits,
    first_seen_at: datetime | None,
) -> OrderVerdict:
    """The listing shows it: resting is normal at any age; what has grown is learnt."""
    if row.state in RESTING and listed.state in STANDING and listed.filled == row.filled:
        # The one answer of almost every order, so it is given without looking at any clock.
        return OrderVerdict(
            kind=Kind.IN_SYNC,
            reason="resting at the venue",
            order=row,
            venue_order=listed,
            age=now - row.created_at,
        )
    touched = is_in_grace(row, now=now, limits=limits, first_seen_at=first_seen_at)
    if not listed.state.is_live and not touched:
        why_other = why_not_the_same(row, listed)
        if why_other is not None:
            return _verdict(Kind.INCONCLUSIVE, row, now, why_other, venue_order=listed)
        return _judge_found(row, listed, now)
    if listed.filled < row.filled and not touched:
        reason = f"venue shows {listed.filled} filled, the book {row.filled}; nothing is lowered"
        return _verdict(Kind.INCONCLUSIVE, row, now, reason, venue_order=listed)
    overdue = now - row.created_at > limits.stale_after
    learnt = _what_to_learn(row, listed, overdue=overdue)
    canceling = OrderState.CANCELING in {row.state, listed.state}
    differs = learnt is not None or canceling or not listed.state.is_live
    if not differs and listed.filled >= row.filled:
        return _verdict(Kind.IN_SYNC, row, now, "resting at the venue", venue_order=listed)
    if touched:
        return _verdict(Kind.IN_GRACE, row, now, "just touched", venue_order=listed)
    if learnt is not None:
        return _verdict(
            Kind.ADVANCED,
            row,
            now,
            f"venue shows it {listed.state} with {listed.filled} filled",
            venue_order=listed,
            state=learnt,
            filled=listed.filled,
            avg_price=listed.avg_price,
        )
    return _judge_canceling(row, listed, first_seen_at=first_seen_at, now=now, limits=limits)


def _judge_canceling(
    row: BookOrder,
    listed: VenueOrder,
    *,
    first_seen_at: datetime | None,
    now: datetime,
    limits: OrderLimits,
) -> OrderVerdict:
    """Its SLA runs, under suspicion: a bot that touches the row at every tick stops no clock."""
    since = _canceling_since(row, first_seen_at=first_seen_at, now=now)
    if now - since <= limits.stale_after:
        return _verdict(Kind.IN_GRACE, row, now, "being cancelled", venue_order=listed)
    if limits.why_not_age is not None:
        reason = f"being cancelled; for how long is not judged: {limits.why_not_age}"
        return _verdict(Kind.INCONCLUSIVE, row, now, reason, venue_order=listed)
    reason = f"being cancelled for {_span(now - since)}, still live at the venue"
    return _verdict(Kind.STUCK, row, now, reason, venue_order=listed)


def _canceling_since(row: BookOrder, *, first_seen_at: datetime | None, now: datetime) -> datetime:
    """Where only the venue says so: since we saw it, as the row's time is of another event."""
    since = row.updated_at if row.state is OrderState.CANCELING else now
    return since if first_seen_at is None else min(since, first_seen_at)


def _what_to_learn(row: BookOrder, listed: VenueOrder, *, overdue: bool) -> OrderState | None:
    """The state the book should hold for a live order, None where it is fine as it is."""
    grown = listed.filled > row.filled
    if row.state is OrderState.CANCELING:
        return OrderState.CANCELING if grown else None
    if listed.state is OrderState.CANCELING:
        return OrderState.PARTIALLY_FILLED if grown else None
    if grown:
        return OrderState.PARTIALLY_FILLED
    if row.state is OrderState.IN_FLIGHT and overdue and listed.state is not OrderState.IN_FLIGHT:
        return listed.state
    return None


def _judge_found(row: BookOrder, found: VenueOrder, now: datetime) -> OrderVerdict:
    """A lookup (or an odd listing) shows the order: only a proven end is learnt."""
    if (found.symbol, found.side) != (row.symbol, row.side):
        reason = f"the venue shows {found.side} of {found.symbol} under its id: another order"
        return _verdict(Kind.INCONCLUSIVE, row, now, reason, venue_order=found)
    if found.state.is_live:
        reason = f"the listing lacks it, a lookup shows it {found.state}"
        return _verdict(Kind.INCONCLUSIVE, row, now, reason, venue_order=found)
    if not found.state.is_terminal:
        reason = f"venue status {found.raw_status!r} does not say whether it ended"
        return _verdict(Kind.INCONCLUSIVE, row, now, reason, venue_order=found)
    if found.state is not OrderState.FILLED and may_trade_on(found.raw_status):
        reason = f"venue status {found.raw_status!r} is that of an order which may still trade"
        return _verdict(Kind.INCONCLUSIVE, row, now, reason, venue_order=found)
    if found.filled < row.filled:
        reason = (
            f"venue shows it {found.state} with {found.filled} filled, the book has "
            f"{row.filled}; nothing is lowered"
        )
        return _verdict(Kind.INCONCLUSIVE, row, now, reason, venue_order=found)
    return _verdict(
        Kind.ENDED,
        row,
        now,
        f"venue shows it {found.state} with {found.filled} filled",
        venue_order=found,
        state=found.state,
        filled=found.filled,
        avg_price=found.avg_price,
    )


def _judge_not_found(
    row: BookOrder, lookup: NotFound, *, now: datetime, limits: OrderLimits
) -> OrderVerdict:
    """Proven missing: fills may still prove the end; else age decides (rules 2 to 4)."""
    total = sum_fills(row, lookup.fills)
    filled, avg_price = total.filled, total.avg_price
    if filled < row.filled:
        avg_price = None  # of a part only: the book knows of more
    if total.is_whole:
        reason = f"no endpoint knows the order; its {len(lookup.fills)} fills make it whole"
        return _verdict(
            Kind.ENDED,
            row,
            now,
            reason,
            state=OrderState.FILLED,
            filled=max(filled, row.filled),
            avg_price=avg_price,
        )
    age = now - row.created_at
    has_id = row.venue_order_id is not None or row.client_order_id is not None
    why = reason_missing(age=age, has_id=has_id, retention=limits.retention)
    known = f"no endpoint knows it ({', '.join(lookup.rungs)})"
    if filled > ZERO:
        known += f", {filled} of {row.qty} filled"
    missing = {
        "filled": max(filled, row.filled),
        "avg_price": avg_price,
        "quarantine_reason": str(why),
    }
    if limits.why_not_age is not None:
        reason = f"{known}; its age is not judged: {limits.why_not_age}"
        return _verdict(Kind.MISSING, row, now, reason, **missing)
    if age <= limits.quarantine_after:
        reason = f"{known}; {_span(age)} old, quarantined after {_span(limits.quarantine_after)}"
        return _verdict(Kind.MISSING, row, now, reason, **missing)
    reason = f"{known}; {_span(age)} old: {why}"
    return _verdict(Kind.QUARANTINE, row, now, reason, state=OrderState.UNKNOWN, **missing)


def judge_orphans(*, unmatched: Iterable[VenueOrder]) -> tuple[OrderVerdict, ...]:
    """Live venue orders that neither reading nor `orders.find` knows."""
    return tuple(
        OrderVerdict(
            kind=Kind.ORPHAN,
            reason=f"open at the venue ({order.side} {order.qty}), not in the book",
            venue_order=order,
        )
        for order in unmatched
        if order.state.is_live
    )


def is_stale(
    row: BookOrder,
    *,
    shown_live: bool,
    now: datetime,
    stale_after: timedelta,
    first_seen_at: datetime | None = None,
) -> bool:
    """DESIGN section 1: in transit for longer than its SLA, or older than that and not shown live.

    `first_seen_at`: when something about it was first seen; None: nothing waits.
    """
    if not row.state.is_live or now - row.created_at <= stale_after:
        return False
    if not shown_live or row.state is OrderState.IN_FLIGHT:
        return True
    if row.state is not OrderState.CANCELING:
        return False
    return now - _canceling_since(row, first_seen_at=first_seen_at, now=now) > stale_after


def _verdict(
    kind: OrderVerdictKind,
    row: BookOrder,
    now: datetime,
    reason: str,
    **more: object,
) -> OrderVerdict:
    return OrderVerdict(kind=kind, reason=reason, order=row, age=now - row.created_at, **more)  # type: ignore[arg-type]


def _span(span: timedelta) -> str:
    """`26 h 5 min`, for sentences."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return f"{span.total_seconds():.0f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
