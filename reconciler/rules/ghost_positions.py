"""Position verdicts: what the venue holds against what the book has open.

Source: the runbook's ghost position section; DESIGN rules 1, 5 and 14.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.domain.book import BookReading, Profile
from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.positions import PositionSide, VenuePosition
from reconciler.domain.snapshot import Completeness, ScopeName, Snapshot
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind
from reconciler.rules.book_doubts import find_doubts
from reconciler.rules.grace import MAX_WINDOWS, explains
from reconciler.rules.inverse_contracts import slack_of
from reconciler.rules.ownership import Ownership

Kind = PositionVerdictKind
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLimits:
    """The operator's numbers for positions (section 4, `[positions]`)."""

    grace: timedelta
    tolerance_notional: Decimal


@dataclass(slots=True, kw_only=True)
class _Sides:
    """Both sides' quantities for one symbol while they are gathered."""

    venue: dict[PositionSide, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    book: dict[PositionSide, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    profiles: set[ProfileId] = field(default_factory=set)
    legs: set[tuple[ProfileId, PositionSide]] = field(default_factory=set)
    open_sides: set[PositionSide] = field(default_factory=set)
    """Sides with an open row, whatever its quantity: a ghost needs that there is none."""
    price: Decimal | None = None
    said_hedged: set[bool] = field(default_factory=set)
    slack: dict[PositionSide, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """How far the venue's quantities may be off, where a price made base units of them."""

    @property
    def hedged(self) -> bool | None:
        """What the venue's rows of this symbol say; None where they do not."""
        return True in self.said_hedged if self.said_hedged else None

    @property
    def one_profile_holds_both(self) -> bool:
        """Two legs of one profile are hedge mode; of two profiles they net."""
        return len(self.legs) > len({profile for profile, _ in self.legs})


def judge_positions(
    *,
    reading: BookReading,
    snapshot: Snapshot,
    ownership: Ownership,
    changed_at: Mapping[Symbol, datetime],
    first_seen: Mapping[str, datetime],
    now: datetime,
    limits: PositionLimits,
) -> tuple[PositionVerdict, ...]:
    """One verdict for each (symbol, side) that either side has. Linear.

    A partial listing still shows what it shows: it can prove a ghost, never that the venue holds
    less than the book. A failed one gives no verdict at all.
    """
    scope = snapshot.scope(ScopeName.POSITIONS)
    if scope is None or scope.completeness is Completeness.FAILED:
        return ()
    symbols = _gather(reading, snapshot, ownership)
    doubts = find_doubts(
        reading=reading,
        snapshot=snapshot,
        completeness=scope.completeness,
        tolerance_notional=limits.tolerance_notional,
    )
    account_hedged = _account_mode(snapshot.positions)
    verdicts: list[PositionVerdict] = []
    for symbol, sides in sorted(symbols.items()):
        for verdict in _compare(symbol, sides, snapshot, account_hedged, limits):
            why = doubts.why_not_judged(verdict)
            if why is not None:
                verdicts.append(replace(verdict, kind=Kind.NOT_JUDGED, reason=why))
            else:
                verdicts.append(_explain(verdict, changed_at, first_seen, now, limits))
    return tuple(verdicts)


def _gather(reading: BookReading, snapshot: Snapshot, ownership: Ownership) -> dict[Symbol, _Sides]:
    symbols: dict[Symbol, _Sides] = defaultdict(_Sides)
    for held in snapshot.positions:
        if held.qty > ZERO and ownership.covers(held.symbol):
            sides = symbols[held.symbol]
            sides.venue[held.side] += held.qty
            sides.slack[held.side] += slack_of(held, snapshot.markets.get(held.symbol))
            price = held.mark_price or held.entry_price or ZERO
            if price > (sides.price or ZERO):
                sides.price = price  # the highest: what is least forgiven, in any order of rows
            if held.hedged is not None:
                sides.said_hedged.add(held.hedged)
    for row in reading.positions:
        if row.open and ownership.covers(row.symbol):
            if row.symbol not in symbols and _is_coins(row.symbol, snapshot):
                continue
            sides = symbols[row.symbol]
            sides.book[row.side] += row.qty
            sides.profiles.add(row.profile_id)
            sides.open_sides.add(row.side)
            if row.qty > ZERO:
                sides.legs.add((row.profile_id, row.side))
    return symbols


def _is_coins(symbol: Symbol, snapshot: Snapshot) -> bool:
    """What a spot market's row says is held is in the balances (see `rules/holdings.py`)."""
    market = snapshot.markets.get(symbol)
    return market is not None and market.held_as_balance


def _account_mode(positions: Iterable[VenuePosition]) -> bool | None:
    """Hedge mode is a setting of the account at most venues: any row that says so speaks."""
    said = {held.hedged for held in positions if held.hedged is not None}
    return True in said if said else None


def _compare(
    symbol: Symbol,
    sides: _Sides,
    snapshot: Snapshot,
    account_hedged: bool | None,  # noqa: FBT001 - three-valued, named at the only call
    limits: PositionLimits,
) -> Iterable[PositionVerdict]:
    hedged = next(
        (said for said in (sides.hedged, account_hedged) if said is not None),
        sides.one_profile_holds_both,
    )
    market = snapshot.markets.get(symbol)
    step = market.qty_step if market is not None else None

    def agree(a: Decimal, b: Decimal, slack: Decimal = ZERO) -> bool:
        """Rule 14: within a step size, or within the notional tolerance, or (two quantities of
        one side) within what the conversion of inverse contracts may be off by.
        """
        gap = abs(a - b)
        if gap == ZERO or (step is not None and gap < step):
            return True
        if a * b > ZERO and gap <= slack:
            return True
        return sides.price is not None and gap * sides.price <= limits.tolerance_notional

    def verdict(venue: Decimal, book: Decimal, *sides_open: PositionSide) -> PositionVerdict:
        """Signed quantities, positive is long. A row open at quantity 0 (an entry under way) is
        still a row: the venue then holds more than the book, which is no ghost.
        """
        slack = sum((sides.slack[side] for side in sides_open), ZERO)
        held = ZERO if agree(venue, ZERO) else venue
        expected = ZERO if agree(book, ZERO) and held == ZERO else book
        weight = held or expected or venue or book
        side = PositionSide.LONG if weight >= ZERO else PositionSide.SHORT
        kind, reason = _kind_of(held, expected, same=agree(venue, book, slack))
        if kind is Kind.GHOST_POSITION and sides.open_sides & set(sides_open):
            kind = Kind.QUANTITY_MISMATCH
            reason = f"the venue holds {_signed(held)}, the book's open rows come to 0"
        if slack.is_infinite() and venue * book > ZERO:
            kind = Kind.NOT_JUDGED
            reason = "inverse contracts without a price: their size in base units is not known"
        gap = abs(venue - book)
        return PositionVerdict(
            kind=kind,
            symbol=symbol,
            side=side,
            venue_qty=abs(venue),
            book_qty=abs(book),
            notional=gap * sides.price if sides.price is not None else None,
            profile_ids=tuple(sorted(sides.profiles)),
            reason=reason,
            slack=slack,
        )

    long, short = PositionSide.LONG, PositionSide.SHORT
    if hedged:
        for side in PositionSide:
            if sides.venue[side] or sides.book[side]:
                sign = 1 if side is long else -1
                yield verdict(sign * sides.venue[side], sign * sides.book[side], side)
        return
    yield verdict(
        sides.venue[long] - sides.venue[short],
        sides.book[long] - sides.book[short],
        long,
        short,
    )


def _kind_of(held: Decimal, expected: Decimal, *, same: bool) -> tuple[Kind, str]:
    """Signed quantities after dust was taken out."""
    if same or held == expected == ZERO:
        return Kind.IN_PARITY, "book and venue agree"
    if expected == ZERO:
        return Kind.GHOST_POSITION, f"the venue holds {_signed(held)}, the book has none open"
    if held == ZERO:
        return Kind.PHANTOM_POSITION, f"the book has {_signed(expected)} open, the venue holds none"
    if (held > ZERO) is not (expected > ZERO):
        return (
            Kind.SIDE_MISMATCH,
            f"the venue holds {_signed(held)}, the book has {_signed(expected)}",
        )
    return (
        Kind.QUANTITY_MISMATCH,
        f"the venue holds {_signed(held)}, the book has {_signed(expected)}",
    )


def _signed(qty: Decimal) -> str:
    return f"{PositionSide.LONG if qty > ZERO else PositionSide.SHORT} {abs(qty):f}"


def _explain(
    verdict: PositionVerdict,
    changed_at: Mapping[Symbol, datetime],
    first_seen: Mapping[str, datetime],
    now: datetime,
    limits: PositionLimits,
) -> PositionVerdict:
    """Rule 5: what the bot has just changed explains a difference until the window ends."""
    if not verdict.kind.is_discrepancy:
        return verdict
    explained = explains(
        changed_at=changed_at.get(verdict.symbol),
        first_seen_at=first_seen.get(verdict.subject),
        now=now,
        grace=limits.grace,
    )
    return replace(verdict, explained_by_change=explained)


def mark_moved(
    *,
    first: Iterable[PositionVerdict],
    again: Iterable[PositionVerdict],
    failed: str | None,
    first_seen: Mapping[str, datetime],
    now: datetime,
    grace: timedelta,
) -> tuple[PositionVerdict, ...]:
    """Positions, orders, positions: a discrepancy counts only if the second reading of the venue
    repeats it. `failed`: why there is no second reading; then nothing follows from the first, but
    for five windows of grace at most: what is shown for longer is no torn look, and a venue that
    always refuses the second request must not hide a ghost for good.
    """
    repeated = {(v.kind, v.subject) for v in again}

    def mark(verdict: PositionVerdict) -> PositionVerdict:
        if not verdict.kind.is_discrepancy or (verdict.kind, verdict.subject) in repeated:
            return verdict
        if failed is None:
            reason = f"{verdict.reason}; it moved while it was read"
            return replace(verdict, moved=True, reason=reason)
        seen_at = first_seen.get(verdict.subject)
        if seen_at is not None and now - seen_at >= MAX_WINDOWS * grace:
            return verdict
        reason = f"{verdict.reason}; asked again, the venue gave no answer ({failed})"
        return replace(verdict, moved=True, reason=reason)

    return tuple(mark(verdict) for verdict in first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinning:
    """Which profiles a position belongs to, and how sure that is."""

    profiles: tuple[Profile, ...]
    certainty: str


def pin_on_profiles(*, symbol: Symbol, reading: BookReading) -> Pinning:
    """The profiles that trade this symbol, or all active ones of the account when none does.

    `reading` should reach far enough back to hold the rows of a recently closed position.
    """
    traders = {row.profile_id for row in reading.positions if row.symbol == symbol}
    traders |= {row.profile_id for row in reading.orders if row.symbol == symbol}
    found = tuple(p for p in reading.profiles if p.id in traders)
    if len(found) == 1:
        return Pinning(profiles=found, certainty="the only profile with rows of this symbol")
    if found:
        return Pinning(
            profiles=found, certainty=f"{len(found)} profiles have rows of this symbol: all of them"
        )
    active = tuple(p for p in reading.profiles if p.is_active)
    if not active:
        return Pinning(profiles=(), certainty="the account has no active profile")
    return Pinning(
        profiles=active,
        certainty="no profile has rows of this symbol: every active profile of the account",
    )
