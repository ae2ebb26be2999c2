"""Incidents: one discrepancy as people work on it (DESIGN section 6)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.domain.identity import AccountName, BookName


class IncidentKind(StrEnum):
    """Every kind that can be opened. Names are the contract of DESIGN section 6."""

    GHOST_POSITION = "ghost_position"
    SIDE_MISMATCH = "side_mismatch"
    MASS_CHANGE = "mass_change"
    ENTRY_AFTER_CONTAINMENT = "entry_after_containment"
    QUANTITY_MISMATCH = "quantity_mismatch"
    UNAWARE_FILL = "unaware_fill"
    PHANTOM_POSITION = "phantom_position"
    ORPHAN_ORDER = "orphan_order"
    VENUE_UNREACHABLE = "venue_unreachable"
    VENUE_AUTH = "venue_auth"
    BOOK_UNREADABLE = "book_unreadable"
    ORDER_QUARANTINED = "order_quarantined"
    STUCK_ORDER = "stuck_order"
    STALE_BACKLOG = "stale_backlog"
    AUTH_FAILURE = "auth_failure"
    CLOCK_SKEW = "clock_skew"
    COVERAGE_GAP = "coverage_gap"


class Severity(StrEnum):
    """SEV-1 wakes people."""

    SEV_1 = "SEV-1"
    SEV_2 = "SEV-2"
    SEV_3 = "SEV-3"


class IncidentStatus(StrEnum):
    """Where people are with it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentKey:
    """What makes two findings the same incident: reopened rather than doubled."""

    kind: IncidentKind
    book: BookName
    account: AccountName
    subject: str
    """`SYMBOL|side` for positions, the order id for orders, empty for the whole account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDraft:
    """An incident that should be open, with all that a reader needs at 3 a.m."""

    key: IncidentKey
    severity: Severity
    title: str
    symbol: str | None = None
    profile_id: str | None = None
    order_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """An incident that has not been resolved, as the store tells it."""

    id: int
    key: IncidentKey
    severity: Severity
    status: IncidentStatus
    title: str
    opened_at: datetime
    parity_streak: int = 0
    """Complete snapshots in a row, spaced by `confirm_after`, that did not show it any more."""
    parity_seen_at: datetime | None = None
    details: dict[str, Any] = field(default_factory=dict)
    profile_id: str | None = None
    """Set where it concerns exactly one."""
    symbol: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What became of an incident draft."""

    id: int
    is_new: bool
    """Opened or reopened now: people are to be told."""
