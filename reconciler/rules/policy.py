"""What an operator may have done at the venue, and when a ghost is large enough to advise it.

Source: DESIGN rule 7 (never trade unasked) and section 4, `[policy]`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from reconciler.domain.book import BookReading
from reconciler.domain.identity import AccountName, Symbol
from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.positions import Conversion, Market, PositionSide, VenuePosition
from reconciler.domain.snapshot import Found, Lookup, NotFound, Snapshot, Unanswered
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind
from reconciler.rules.ghost_positions import PositionLimits, judge_positions
from reconciler.rules.ownership import Ownership

CLOSABLE = frozenset({PositionVerdictKind.GHOST_POSITION, PositionVerdictKind.SIDE_MISMATCH})
"""Kinds by which the venue holds what the book has no open row for."""


DEFAULT_LIMITS = PositionLimits(grace=timedelta(seconds=30), tolerance_notional=Decimal(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActingPolicy:
    """Section 4, `[policy]`. Notionals in quote currency; as it is here, everything is off."""

    cancel_stuck_orders: bool = False
    cancel_max_notional: Decimal | None = None
    close_ghosts: bool = False
    close_max_notional: Decimal | None = None
    ghost_threshold_notional: Decimal | None = None
    positions: PositionLimits = DEFAULT_LIMITS
    """By which a position is judged again before it is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A ghost of at least the operator's threshold."""

    notional: Decimal
    threshold: Decimal
    advice: str
    """The command that would show what closing it sends."""

    @property
    def text(self) -> str:
        """One line for the timeline; the same at every price, so that it is said once."""
        return (
            f"worth at least policy.ghost_threshold_notional ({self.threshold:f}): closing it is "
            f"advised: {self.advice}"
        )

    @property
    def details(self) -> dict[str, object]:
        """As the incident shows it."""
        return {
            "notional": self.notional,
            "threshold": self.threshold,
            "breached": True,
            "advice": self.advice,
        }


def find_breach(
    verdict: PositionVerdict, *, account: AccountName, threshold: Decimal | None
) -> Breach | None:
    """The threshold that a ghost has reached, None for any other verdict or a smaller one.

    Without a price its worth is not known, and nothing is said.
    """
    if verdict.kind is not PositionVerdictKind.GHOST_POSITION or threshold is None:
        return None
    if verdict.notional is None or verdict.notional < threshold:
        return None
    command = f"reconciler positions close {account} {verdict.symbol} {verdict.side}"
    return Breach(
        notional=verdict.notional, threshold=threshold, advice=f"{command} --by WHO --note T"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What may be closed of one position, in base units."""

    qty: Decimal
    held: VenuePosition
    notional: Decimal
    """Of what is closed, by the mark price."""
    capped: bool
    """The cap leaves some of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexplained:
    """A position that an open incident is about."""

    kind: PositionVerdictKind
    symbol: Symbol
    side: PositionSide
    opened_at: datetime


def plan_closing(
    position: Unexplained,
    *,
    reading: BookReading,
    snapshot: Snapshot,
    now: datetime,
    policy: ActingPolicy,
) -> Closing | str:
    """What to close of a position whose incident is open, or why nothing: judged again, from the
    venue and the book as they are now.
    """
    if not snapshot.positions_are_complete():
        said = "; ".join(f.detail for f in snapshot.failures()) or "no positions are listed"
        return f"the venue did not list its positions in full: {said}"
    symbol, side = position.symbol, position.side
    verdict = _verdict_now(position, reading, snapshot, now=now, limits=policy.positions)
    if verdict is None:
        return f"the venue holds no {side} {symbol} now"
    if verdict.kind is PositionVerdictKind.NOT_JUDGED:
        return f"it cannot be judged now: {verdict.reason}"
    if verdict.kind is not position.kind:
        return f"it is no {position.kind.value} any more: {verdict.reason}"
    if verdict.explained_by_change:
        return f"the book's rows of {symbol} changed just now; ask again when they rest"
    if any(row.open and (row.symbol, row.side) == (symbol, side) for row in reading.positions):
        return f"the book has {side} {symbol} open"
    held = [p for p in snapshot.positions if (p.symbol, p.side) == (symbol, side)]
    if len(held) != 1:
        return f"the venue lists {len(held)} {side} positions of {symbol}"
    return _capped(held[0], snapshot.markets.get(symbol), policy)


def _verdict_now(
    position: Unexplained,
    reading: BookReading,
    snapshot: Snapshot,
    *,
    now: datetime,
    limits: PositionLimits,
) -> PositionVerdict | None:
    symbol, side = position.symbol, position.side
    touched_at = [
        *(row.updated_at for row in reading.positions if row.symbol == symbol),
        *(row.updated_at for row in reading.orders if row.symbol == symbol),
    ]
    changed = {symbol: max(touched_at)} if touched_at else {}
    verdicts = judge_positions(
        reading=reading,
        snapshot=snapshot,
        ownership=Ownership(),
        changed_at=changed,
        first_seen={f"{symbol}|{side}": position.opened_at},
        now=now,
        limits=limits,
    )
    return next((v for v in verdicts if (v.symbol, v.side) == (symbol, side)), None)


def _capped(held: VenuePosition, market: Market | None, policy: ActingPolicy) -> Closing | str:
    cap, price = policy.close_max_notional, held.mark_price
    if cap is None:
        return "policy.close_max_notional is not set"
    if price is None:
        return "the venue does not say its mark price, so that the cap cannot be applied"
    step = market.qty_step if market is not None else None
    if step is None or held.conversion is not Conversion.NONE:
        return "the market's step is not known, or it is an inverse contract: close it at the venue"
    most = min(held.qty, cap / price)
    qty = (most / step).to_integral_value(rounding=ROUND_FLOOR) * step
    if qty <= 0:
        return (
            f"one step ({step:f}) is more than the position or than policy.close_max_notional "
            f"({cap:f}) allows"
        )
    return Closing(qty=qty, held=held, notional=qty * price, capped=cap / price < held.qty)


def plan_cancelling(*, order: BookOrder, lookup: Lookup, policy: ActingPolicy) -> VenueOrder | str:
    """The live order to cancel, or why none: the book must still want its end, the venue still
    show it live.

    Only a stuck order: its bot has asked for the end already. An orphan may be a person's.
    """
    if order.state is not OrderState.CANCELING:
        return f"the book does not have it as being cancelled any more: {order.raw_status}"
    match lookup:
        case Unanswered(failure=failure):
            return f"the venue did not answer: {failure.call}: {failure.detail}"
        case NotFound():
            return "the venue does not know it"
        case Found(order=found):
            if not found.state.is_live:
                return f"it is not live at the venue: {found.state}, {found.filled:f} filled"
            return _why_above_cap(found, order, policy) or found


def _why_above_cap(found: VenueOrder, order: BookOrder, policy: ActingPolicy) -> str | None:
    cap = policy.cancel_max_notional
    if cap is None:
        return None
    price = found.price or order.price
    if not price:
        return "its price is not known, so that policy.cancel_max_notional cannot be applied"
    worth = ((found.qty or order.qty) - found.filled) * price
    if worth > cap:
        return f"its rest is worth {worth:f}, more than policy.cancel_max_notional ({cap:f})"
    return None
