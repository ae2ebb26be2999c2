"""The judge's calls with a test's defaults."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.domain.identity import Symbol
from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.domain.positions import BookPosition, VenuePosition
from reconciler.domain.snapshot import Completeness, Lookup
from reconciler.domain.verdicts import OrderVerdict, PositionVerdict
from reconciler.rules.ghost_positions import PositionLimits, judge_positions
from reconciler.rules.order_status import OrderLimits, judge_order
from reconciler.rules.ownership import Ownership
from tests.unit.builders import NOW, reading, snapshot

GRACE = timedelta(seconds=30)


def judge(
    book: Iterable[BookPosition],
    venue: Iterable[VenuePosition],
    *,
    stray: Iterable[BookPosition] = (),
    scope: Completeness | None = Completeness.COMPLETE,
    step: str | None = None,
    tolerance: str = "1",
    ownership: Ownership | None = None,
    changed_at: Mapping[Symbol, datetime] | None = None,
    first_seen: Mapping[str, datetime] | None = None,
) -> tuple[PositionVerdict, ...]:
    """Position verdicts, with a tolerance of 1 in quote currency."""
    return judge_positions(
        reading=reading(positions=book, stray_positions=stray),
        snapshot=snapshot(positions=venue, positions_scope=scope, step=step),
        ownership=ownership or Ownership(),
        changed_at=changed_at or {},
        first_seen=first_seen or {},
        now=NOW,
        limits=PositionLimits(grace=GRACE, tolerance_notional=Decimal(tolerance)),
    )


ORDER_LIMITS = OrderLimits(
    stale_after=timedelta(minutes=15),
    quarantine_after=timedelta(hours=24),
    grace=timedelta(seconds=60),
    retention=timedelta(days=3),
)


def judge_row(
    row: BookOrder,
    *,
    listed: VenueOrder | None = None,
    incomplete: str | None = None,
    lookup: Lookup | None = None,
    first_seen: timedelta | None = None,
    limits: OrderLimits = ORDER_LIMITS,
) -> OrderVerdict:
    """The verdict about one row; `first_seen`: how long ago a difference was first seen."""
    return judge_order(
        row=row,
        listed=listed,
        why_incomplete=incomplete,
        lookup=lookup,
        first_seen_at=None if first_seen is None else NOW - first_seen,
        now=NOW,
        limits=limits,
    )
