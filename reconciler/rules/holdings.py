"""What a spot account holds, against what the book says it should: `unattributed`.

A spot account has balances, not positions: coins carry no name of who bought them. What is there
beyond a baseline (what was there before the bot) and the book's open rows cannot be attributed,
and so contains nobody, and is never "position missing".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from reconciler.domain.book import BookReading
from reconciler.domain.identity import Asset, Symbol
from reconciler.domain.memory import Baseline
from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.domain.positions import BookPosition, PositionSide
from reconciler.domain.snapshot import Completeness, ScopeName, Snapshot
from reconciler.domain.verdicts import HoldingVerdict, HoldingVerdictKind
from reconciler.rules.ghost_positions import PositionLimits
from reconciler.rules.grace import explains
from reconciler.rules.ownership import Ownership

Kind = HoldingVerdictKind
ZERO = Decimal(0)
FEE_SHARE = Decimal("0.0025")
"""Fees that are taken in the coin that was bought: derived in docs/design.md."""


@dataclass(slots=True, kw_only=True)
class _Traded:
    """What book and venue say of one currency that the bot trades, while it is gathered."""

    symbols: set[Symbol] = field(default_factory=set)
    expected: Decimal = ZERO
    price: Decimal | None = None
    step: Decimal | None = None
    changed_at: datetime | None = None
    why_not: str | None = None


def balances_are_complete(snapshot: Snapshot) -> bool:
    """Only then does anything follow from them."""
    scope = snapshot.scope(ScopeName.BALANCES)
    return scope is not None and scope.completeness is Completeness.COMPLETE


def coin_symbols(symbols: Iterable[Symbol], snapshot: Snapshot) -> set[Symbol]:
    """Those of the symbols whose rows are coins: spot markets, where the venue shows no position
    (a margin position is one).
    """
    shown = {held.symbol for held in snapshot.positions}
    return {
        symbol
        for symbol in symbols
        if symbol not in shown
        and symbol in snapshot.markets
        and snapshot.markets[symbol].held_as_balance
    }


def settled_in(snapshot: Snapshot) -> frozenset[Asset]:
    """Currencies in which contracts of this account pay: profits move their balance too."""
    return frozenset(m.settle for m in snapshot.markets.values() if m.settle is not None)


def judge_holdings(
    *,
    reading: BookReading,
    snapshot: Snapshot,
    ownership: Ownership,
    baselines: Mapping[Asset, Baseline],
    changed_at: Mapping[Symbol, datetime],
    first_seen: Mapping[Asset, datetime],
    now: datetime,
    limits: PositionLimits,
) -> tuple[HoldingVerdict, ...]:
    """One verdict for each currency that the bot trades. Linear.

    Nothing follows from balances that are not complete. A currency that contracts settle in is
    left out: their profits cannot be told from a deposit.
    """
    if not balances_are_complete(snapshot):
        return ()
    totals = {balance.asset: balance.total for balance in snapshot.balances}
    traded = _gather(reading, snapshot, ownership, baselines, changed_at)
    return tuple(
        _judge(
            asset,
            traded[asset],
            total=totals.get(asset, ZERO),
            baseline=baselines[asset].qty if asset in baselines else ZERO,
            explained=explains(
                changed_at=traded[asset].changed_at,
                first_seen_at=first_seen.get(asset),
                now=now,
                grace=limits.grace,
            ),
            tolerance_notional=limits.tolerance_notional,
        )
        for asset in sorted(traded.keys() - settled_in(snapshot))
    )


def first_baselines(
    *, reading: BookReading, snapshot: Snapshot, ownership: Ownership
) -> tuple[Baseline, ...]:
    """What the account holds beyond the book, at the first complete reading of its balances."""
    totals = {balance.asset: balance.total for balance in snapshot.balances}
    traded = _gather(reading, snapshot, ownership, {}, {})
    return tuple(
        Baseline(
            asset=asset,
            qty=max(
                ZERO,
                totals.get(asset, ZERO) - (traded[asset].expected if asset in traded else ZERO),
            ),
            symbol=min(traded[asset].symbols) if asset in traded else None,
        )
        for asset in sorted(totals.keys() | traded.keys())
    )


def newly_traded(
    *,
    reading: BookReading,
    snapshot: Snapshot,
    ownership: Ownership,
    baselines: Mapping[Asset, Baseline],
) -> tuple[Baseline, ...]:
    """Baselines that must learn that the bot trades their currency now."""
    traded = _gather(reading, snapshot, ownership, {}, {})
    return tuple(
        Baseline(
            asset=asset,
            qty=baselines[asset].qty if asset in baselines else ZERO,
            symbol=min(traded[asset].symbols),
        )
        for asset in sorted(traded)
        if asset not in baselines or baselines[asset].symbol is None
    )


def _gather(
    reading: BookReading,
    snapshot: Snapshot,
    ownership: Ownership,
    baselines: Mapping[Asset, Baseline],
    changed_at: Mapping[Symbol, datetime],
) -> dict[Asset, _Traded]:
    """Every currency that a covered spot market of the book, now or once, is the base of."""
    known = {b.symbol for b in baselines.values() if b.symbol is not None}
    rows = {p.symbol for p in reading.positions} | {o.symbol for o in reading.orders}
    coins = coin_symbols(rows | known, snapshot)
    traded: dict[Asset, _Traded] = defaultdict(_Traded)
    for symbol in coins:
        base = snapshot.markets[symbol].base
        if base is not None and ownership.covers(symbol):
            traded[base].symbols.add(symbol)
    for symbol in coins:
        found = traded.get(snapshot.markets[symbol].base or Asset(""))
        if found is not None:
            _note_market(found, symbol, snapshot, changed_at)
    for row in reading.positions:
        if row.open and row.symbol in coins:
            found = traded.get(snapshot.markets[row.symbol].base or Asset(""))
            if found is not None:
                _add_row(found, row)
    _note_prices(traded, reading, snapshot, coins)
    _note_doubts(traded, reading, snapshot)
    return traded


def _note_market(
    found: _Traded, symbol: Symbol, snapshot: Snapshot, changed_at: Mapping[Symbol, datetime]
) -> None:
    step = snapshot.markets[symbol].qty_step
    if step is not None:
        # What is below a market's step cannot be sold there: the coarsest leaves the most behind.
        found.step = step if found.step is None else max(found.step, step)
    at = changed_at.get(symbol)
    if at is not None:
        found.changed_at = at if found.changed_at is None else max(found.changed_at, at)


def _add_row(found: _Traded, row: BookPosition) -> None:
    if row.side is PositionSide.LONG:
        found.expected += row.qty
    elif row.qty:
        found.why_not = f"the book is short {row.raw_symbol}, which no balance shows"


def _note_prices(
    traded: Mapping[Asset, _Traded],
    reading: BookReading,
    snapshot: Snapshot,
    coins: set[Symbol],
) -> None:
    """The highest price that an order names: what is least forgiven."""
    orders: tuple[BookOrder | VenueOrder, ...] = (*reading.orders, *snapshot.orders)
    for order in orders:
        if order.symbol not in coins:
            continue
        found = traded.get(snapshot.markets[order.symbol].base or Asset(""))
        price = max(order.price or ZERO, order.avg_price or ZERO)
        if found is not None and price > (found.price or ZERO):
            found.price = price


def _note_doubts(traded: Mapping[Asset, _Traded], reading: BookReading, snapshot: Snapshot) -> None:
    """Rule 1 on the book's side: rows that may be of a currency, and are not counted for it."""
    doubted: list[tuple[Symbol | None, str]] = [
        (row.symbol, f"a row of the book cannot be read: {row.why}")
        for row in reading.unreadable
        if row.table == "positions"
    ]
    doubted += [
        (row.symbol, f"an open row of {row.raw_symbol} belongs to a profile that is not known")
        for row in reading.stray_positions
        if row.open and row.qty
    ]
    doubted += [
        (row.symbol, f"the book names {row.raw_symbol}, which is no market of this venue")
        for row in reading.positions
        if row.open and row.qty and row.symbol not in snapshot.markets
    ]
    for symbol, why in doubted:
        for asset, found in traded.items():
            if symbol is None or _may_be_of(symbol, asset, snapshot):
                found.why_not = why


def _may_be_of(symbol: Symbol, asset: Asset, snapshot: Snapshot) -> bool:
    market = snapshot.markets.get(symbol)
    return symbol.startswith(asset) if market is None else market.base == asset


def _judge(
    asset: Asset,
    found: _Traded,
    *,
    total: Decimal,
    baseline: Decimal,
    explained: bool,
    tolerance_notional: Decimal,
) -> HoldingVerdict:
    difference = total - baseline - found.expected
    kind, reason = Kind.IN_PARITY, "balance, baseline and book agree"
    if not _agrees(difference, found, tolerance_notional):
        kind = Kind.UNATTRIBUTED
        reason = (
            f"the account has {total:f} {asset}, {baseline:f} of it from before the bot, and the "
            f"book has {found.expected:f} open: {abs(difference):f} too "
            f"{'much' if difference > ZERO else 'little'}"
        )
        if found.why_not is not None:
            kind, reason = Kind.NOT_JUDGED, found.why_not
    return HoldingVerdict(
        kind=kind,
        asset=asset,
        total=total,
        baseline=baseline,
        expected=found.expected,
        reason=reason,
        explained_by_change=explained and kind is Kind.UNATTRIBUTED,
    )


def _agrees(difference: Decimal, found: _Traded, tolerance_notional: Decimal) -> bool:
    """Rule 14: a step, a notional where a price is known, or what fees may have taken."""
    gap = abs(difference)
    if gap == ZERO or (found.step is not None and gap < found.step):
        return True
    if difference < ZERO and gap <= found.expected * FEE_SHARE:
        return True
    return found.price is not None and gap * found.price <= tolerance_notional
