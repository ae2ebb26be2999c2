"""`reconciler replay`: a stored bundle, judged again with today's rules. No database, no venue."""

from dataclasses import dataclass
from typing import Any

from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind, PositionVerdict
from reconciler.incidents.bundles import Bundle, BundleUnreadableError, read_bundle
from reconciler.rules.ghost_positions import judge_positions
from reconciler.rules.matching import match_orders
from reconciler.rules.order_status import judge_order, judge_orphans

Verdict = PositionVerdict | OrderVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The verdict that was reached then, and the one of today's rules."""

    subject: str
    then: str
    now: str
    same: bool
    reason_then: str
    reason_now: str


def replay(data: Any) -> Replayed:
    """Judge a bundle (JSON, as `incidents export` writes it) again.

    Raises BundleUnreadableError where it holds no verdict that the rules can reach again.
    """
    bundle = read_bundle(data)
    before = bundle.verdict
    try:
        after = (
            _position_again(bundle, before)
            if isinstance(before, PositionVerdict)
            else _order_again(bundle, before)
        )
    except (ArithmeticError, ValueError) as error:  # infinite sizes, times out of range
        raise BundleUnreadableError(f"the bundle cannot be judged: {error}") from error
    then, now = _said(before), _said(after)
    return Replayed(
        subject=before.subject,
        then=then,
        now=now,
        same=then == now,
        reason_then=before.reason,
        reason_now=after.reason if after is not None else "no verdict about it at all",
    )


def _said(verdict: Verdict | None) -> str:
    """What a verdict concludes: kind and quantities, not its wording."""
    match verdict:
        case None:
            return "nothing"
        case PositionVerdict():
            said = f"{verdict.kind} {verdict.symbol} {verdict.side}: venue {verdict.venue_qty:f}, "
            said += f"book {verdict.book_qty:f}"
            return said + (", explained by a change" if verdict.explained_by_change else "")
        case OrderVerdict():
            said = f"{verdict.kind} {verdict.subject}"
            if verdict.state is not None:
                said += f": {verdict.state}"
            if verdict.filled is not None:
                said += f", {verdict.filled:f} filled"
            return said + (f" ({verdict.quarantine_reason})" if verdict.quarantine_reason else "")


def _position_again(bundle: Bundle, before: PositionVerdict) -> PositionVerdict | None:
    if bundle.positions is None:
        raise BundleUnreadableError("the bundle lacks the limits of positions")
    changed, first = bundle.changed_at, bundle.under.first_seen_at
    verdicts = judge_positions(
        reading=bundle.reading,
        snapshot=bundle.snapshot,
        ownership=bundle.under.ownership,
        changed_at={bundle.symbol: changed} if changed is not None else {},
        first_seen={before.subject: first} if first is not None else {},
        now=bundle.under.now,
        limits=bundle.positions,
    )
    return next((v for v in verdicts if v.subject == before.subject), None)


def _order_again(bundle: Bundle, before: OrderVerdict) -> OrderVerdict | None:
    if bundle.orders is None:
        raise BundleUnreadableError("the bundle lacks the limits of orders")
    row = before.order
    others = [o for o in bundle.reading.orders if row is None or o.id != row.id]
    matching = match_orders(
        rows=(*([row] if row is not None else []), *others, *bundle.reading.stray_orders),
        listed=[o for o in bundle.snapshot.orders if bundle.under.ownership.covers(o.symbol)],
    )
    if row is None:
        ours = [o for o in matching.unmatched if bundle.under.ownership.owns(o)]
        orphans = judge_orphans(unmatched=ours)
        return next((v for v in orphans if v.subject == before.subject), None)
    listed = matching.by_order.get(row.id)
    if before.kind is OrderVerdictKind.ORPHAN and listed is None:
        listed = before.venue_order  # found by asking the book for the order's ids
    complete = bundle.snapshot.orders_are_complete()
    return judge_order(
        row=row,
        listed=listed,
        why_incomplete=None if complete else "the venue's open orders are not complete",
        lookup=bundle.lookup,
        first_seen_at=bundle.under.first_seen_at,
        now=bundle.under.now,
        limits=bundle.orders,
    )
