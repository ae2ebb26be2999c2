"""What the comparison concludes about one order or one (account, symbol, side)."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from reconciler.domain.identity import Asset, ProfileId, Symbol
from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.positions import PositionSide


class PositionVerdictKind(StrEnum):
    """Position verdicts. All but the first two are incident kinds of the same name."""

    IN_PARITY = "in_parity"
    NOT_JUDGED = "not_judged"
    GHOST_POSITION = "ghost_position"
    PHANTOM_POSITION = "phantom_position"
    QUANTITY_MISMATCH = "quantity_mismatch"
    SIDE_MISMATCH = "side_mismatch"

    @property
    def is_discrepancy(self) -> bool:
        """Book and venue differ."""
        return self not in {PositionVerdictKind.IN_PARITY, PositionVerdictKind.NOT_JUDGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionVerdict:
    """One (symbol, side) of one account. Quantities in base units."""

    kind: PositionVerdictKind
    symbol: Symbol
    side: PositionSide
    """The venue's side where it holds something, else the book's."""
    venue_qty: Decimal
    book_qty: Decimal
    notional: Decimal | None
    """Size of the difference in quote currency; None where no price is known."""
    profile_ids: tuple[ProfileId, ...]
    """Profiles with an open row for it."""
    reason: str
    explained_by_change: bool = False
    """The book's rows of this symbol changed within the grace window (rule 5)."""
    slack: Decimal = Decimal(0)
    """How far `venue_qty` may be off, where a price made base units of inverse contracts."""
    moved: bool = False
    """A second reading of the venue's positions, after its orders, said something else."""

    @property
    def subject(self) -> str:
        """The part of the suspicion and incident key that names this position."""
        return f"{self.symbol}|{self.side}"


class HoldingVerdictKind(StrEnum):
    """Verdicts about balances. None is an incident kind, and none can contain a profile."""

    IN_PARITY = "in_parity"
    NOT_JUDGED = "not_judged"
    UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingVerdict:
    """One currency of one account."""

    kind: HoldingVerdictKind
    asset: Asset
    total: Decimal
    baseline: Decimal
    """What of it is a person's."""
    expected: Decimal
    """What the book has open."""
    reason: str
    explained_by_change: bool = False

    @property
    def difference(self) -> Decimal:
        """Positive: there is more than book and baseline say."""
        return self.total - self.baseline - self.expected


class OrderVerdictKind(StrEnum):
    """Order verdicts."""

    IN_SYNC = "in_sync"
    """Terminal in the book and not live at the venue; or resting, and nothing to learn."""
    IN_GRACE = "in_grace"
    """Too young or just touched, and not shown by the venue."""
    ENDED = "ended"
    """The venue shows (or its fills prove) how it ended; the book does not know yet."""
    ADVANCED = "advanced"
    """Live at the venue with more filled than the book, or acknowledged where it is in flight."""
    MISSING = "missing_order"
    """Proven missing, younger than `quarantine_after`: a suspicion."""
    QUARANTINE = "quarantine"
    """Proven missing and older: becomes `unknown`."""
    UNCHECKED = "unchecked"
    """Absent from the listing, not looked up yet (or the lookup has no turn in this cycle)."""
    INCONCLUSIVE = "inconclusive"
    """Something did not answer, or answers contradict each other: nothing ages or counts."""
    STUCK = "stuck_order"
    """Being cancelled for longer than its SLA, and still live at the venue."""
    ORPHAN = "orphan_order"
    """Open at the venue, not open in the book."""
    QUARANTINED = "quarantined"
    """Already `unknown`: left alone until a person reviews it."""
    REAPPEARED = "reappeared"
    """Quarantined, and the venue shows it again: the review row says so, a person decides."""
    UNMAPPED = "unmapped"
    """Its status word is outside the vocabulary: reported, never written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderVerdict:
    """One order of one account."""

    kind: OrderVerdictKind
    reason: str
    order: BookOrder | None = None
    """None for an orphan."""
    venue_order: VenueOrder | None = None
    state: OrderState | None = None
    """What the book should learn (ENDED, ADVANCED)."""
    filled: Decimal | None = None
    avg_price: Decimal | None = None
    age: timedelta | None = None
    quarantine_reason: str | None = None
    """`forgotten`, `never_seen` or `unidentifiable` (rules 2 and 3)."""

    @property
    def subject(self) -> str:
        """The part of the suspicion and incident key that names this order."""
        if self.order is not None:
            return self.order.id
        if self.venue_order is None:
            return ""
        # Ids are unique per symbol only (rule 14), and must not meet a book's own order ids.
        return f"{self.venue_order.symbol}|{self.venue_order.venue_order_id}"
