"""Numbers of one pass, for metrics and health. Filled by the stages, read once at the end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.domain.orders import BookOrder
from reconciler.domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleOrders:
    """The backlog of one profile."""

    count: int
    oldest_age: timedelta | None
    quarantined: int


@dataclass(slots=True, kw_only=True)
class PassFacts:
    """What happened. None: not known in this pass, the last value stands."""

    snapshot: Snapshot | None = None
    not_covered: tuple[str, ...] = ()
    """What this pass could not look at, in words for people."""
    open_orders: int | None = None
    stale_by_profile: Mapping[str, StaleOrders] | None = None
    stale_orders: tuple[BookOrder, ...] = ()
    """Those of `stale_by_profile`, the oldest first."""
    discrepancies: Mapping[str, int] | None = None
    """Position verdict kind → how many."""
    unattributed: int | None = None
    """How many currencies hold what neither book nor baseline explains."""
    synced: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    deactivated: int = 0
    pending: Mapping[str, str] | None = None
    """Profiles that are to be set inactive, and why their bots have not confirmed it."""
    guard_trips: Counter[str] = field(default_factory=Counter)
    paused: str | None = None
    """By whom and until when; empty: the account is not paused."""
    skew_of_database: timedelta | None = None
    skew_of_venue: timedelta | None = None
