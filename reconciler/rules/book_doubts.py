"""Rule 1 on the book's side: when the book may have what it seems to lack."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from reconciler.domain.book import BookReading
from reconciler.domain.identity import Symbol
from reconciler.domain.positions import BookPosition, PositionSide
from reconciler.domain.snapshot import Completeness, Snapshot
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind

Kind = PositionVerdictKind
ZERO = Decimal(0)
MANY_UNKNOWN = 20
"""More open rows than this under names that are no market: the book is not understood at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDoubts:
    """Rows of the book that could be what a verdict says is not there. Made once a look."""

    unreadable: dict[Symbol | None, str]
    """Why, by symbol; None: a row whose symbol cannot be read either."""
    strays: dict[Symbol, list[Decimal]]
    """Signed quantities of rows whose profile is not known."""
    unknown: tuple[BookPosition, ...]
    """Open rows of symbols that are no market of this venue."""
    coins: dict[str, list[Decimal]]
    """Signed quantities of open rows of spot markets, whose coins no position listing shows."""
    snapshot: Snapshot
    completeness: Completeness
    tolerance_notional: Decimal

    def why_not_judged(self, verdict: PositionVerdict) -> str | None:
        """Why this discrepancy is not proven, or None.

        A row that could make both sides agree stands against the verdict; one that could not (an
        old stray of another size) does not hide a ghost.
        """
        if not verdict.kind.is_discrepancy:
            return None
        lacks = verdict.kind is Kind.PHANTOM_POSITION or (
            verdict.kind is Kind.QUANTITY_MISMATCH and verdict.venue_qty < verdict.book_qty
        )
        if lacks and self.completeness is not Completeness.COMPLETE:
            return "the venue's position listing is not complete: absence is not proven"
        why = self.unreadable.get(verdict.symbol) or self.unreadable.get(None)
        if why is not None:
            return f"a row of the book cannot be read: {why}"
        return self._why_another_row(verdict)

    def _why_another_row(self, verdict: PositionVerdict) -> str | None:
        if self._closes(verdict, self.strays.get(verdict.symbol, ())):
            return "an open row of this symbol belongs to a profile that is not known"
        pair, contract, _ = verdict.symbol.partition(":")
        if contract and self._closes(verdict, self.coins.get(pair, ())):
            return f"the book's open row of {pair} (spot) may be this position under a shorter name"
        if len(self.unknown) > MANY_UNKNOWN:
            return f"{len(self.unknown)} open rows of the book name no market of this venue"
        for row in self.unknown:
            if row.symbol == verdict.symbol and verdict.kind is Kind.PHANTOM_POSITION:
                return f"the book names {row.raw_symbol}, which is no market of this venue"
            if row.symbol != verdict.symbol and self._closes(verdict, [_signed(row)]):
                return (
                    f"the book's open row of {row.raw_symbol}, which is no market of this venue, "
                    "may be this position under another name"
                )
        return None

    def _closes(self, verdict: PositionVerdict, added: Iterable[Decimal]) -> bool:
        """Whether these quantities, of its own side or netted, close the gap (rule 14)."""
        quantities = tuple(added)
        if not quantities:
            return False
        gap = _signed_venue(verdict) - _signed_book(verdict)
        same_side = sum((q for q in quantities if (q > ZERO) is (gap > ZERO)), ZERO)
        return any(
            self._is_nothing(verdict, gap, left)
            for left in (abs(gap - same_side), abs(gap - sum(quantities, ZERO)))
        )

    def _is_nothing(self, verdict: PositionVerdict, gap: Decimal, left: Decimal) -> bool:
        market = self.snapshot.markets.get(verdict.symbol)
        if left == ZERO or (market and market.qty_step and left < market.qty_step):
            return True
        if left < abs(gap) and left <= verdict.slack:
            return True
        if verdict.notional is None or gap == ZERO:
            return False
        return left * verdict.notional / abs(gap) <= self.tolerance_notional


def find_doubts(
    *,
    reading: BookReading,
    snapshot: Snapshot,
    completeness: Completeness,
    tolerance_notional: Decimal,
) -> BookDoubts:
    """Index the rows that speak against verdicts. Linear."""
    strays: dict[Symbol, list[Decimal]] = defaultdict(list)
    for row in reading.stray_positions:
        if row.open and row.qty > ZERO:
            strays[row.symbol].append(_signed(row))
    coins: dict[str, list[Decimal]] = defaultdict(list)
    shown = {held.symbol for held in snapshot.positions}
    for row in reading.positions:
        market = snapshot.markets.get(row.symbol)
        if row.open and row.symbol not in shown and market is not None and market.held_as_balance:
            coins[row.symbol].append(_signed(row))
    return BookDoubts(
        unreadable={r.symbol: r.why for r in reading.unreadable if r.table == "positions"},
        strays=strays,
        unknown=tuple(
            row
            for row in reading.positions
            if row.open and row.qty > ZERO and row.symbol not in snapshot.markets
        ),
        coins=coins,
        snapshot=snapshot,
        completeness=completeness,
        tolerance_notional=tolerance_notional,
    )


def _signed(row: BookPosition) -> Decimal:
    return row.qty if row.side is PositionSide.LONG else -row.qty


def _signed_venue(verdict: PositionVerdict) -> Decimal:
    return verdict.venue_qty if verdict.side is PositionSide.LONG else -verdict.venue_qty


def _signed_book(verdict: PositionVerdict) -> Decimal:
    sign = 1 if verdict.side is PositionSide.LONG else -1
    if verdict.kind is Kind.SIDE_MISMATCH:
        sign = -sign
    return sign * verdict.book_qty
