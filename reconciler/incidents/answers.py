"""What the desk answers: the fields of the JSON, the same on the command line and over HTTP.

Quantities are in base units and exact (`Decimal`, text in JSON); times are aware; ages in seconds,
by the database clock.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A mutation that was made."""

    operation: str
    target: str
    said: str
    """One sentence for people; says also what is still to be done."""
    incident_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """One line of `incidents list`."""

    id: int
    kind: str
    severity: str
    status: str
    book: str
    account: str
    profile_id: str | None
    symbol: str | None
    order_id: str | None
    title: str
    opened_at: datetime
    age_seconds: float
    """Since it was opened (again)."""
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    """A person's name; None where parity ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One event of an incident. Never changed once written."""

    at: datetime
    event: str
    text: str
    by: str | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """What one stored bundle holds; `incidents export` gives it whole."""

    id: int
    at: datetime
    book_read_at: str | None
    venue_taken_at: str | None
    scopes: dict[str, str]
    """Scope → complete, partial or failed."""
    calls: tuple[str, ...]
    """The calls that gave no whole answer, and the rungs of a lookup."""
    verdict: str | None
    reason: str | None
    replayable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One write to the book, done (`applied`) or left out by observe or a pause."""

    at: datetime
    rule: str
    target: str
    target_id: str
    before: dict[str, Any]
    after: dict[str, Any]
    applied: bool
    mode: str
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainmentRow:
    """One profile set inactive."""

    profile_id: str
    account: str
    book: str
    incident_id: int | None
    reason: str
    status_before: str | None
    contained_at: datetime
    parity_streak: int
    """Complete snapshots in a row in parity since then."""
    released_at: datetime | None
    released_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRow:
    """One quarantined order."""

    order_id: str
    book: str
    account: str
    profile_id: str | None
    symbol: str | None
    reason: str
    """`forgotten`, `never_seen`, `unidentifiable`, or `by_hand`."""
    status_before: str | None
    quarantined_at: datetime
    age_seconds: float
    review: str
    """`pending` or `resolved`."""
    final_status: str | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    note: str | None
    incident_id: int | None
    seen_again_at: datetime | None
    """When the venue showed it again: it is not released by that."""
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What to do, and the exact command where there is one."""

    text: str
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """`incidents show`: everything a person needs at 3 a.m."""

    incident: IncidentRow
    details: dict[str, Any]
    how_sure: str
    timeline: tuple[TimelineEntry, ...]
    evidence: tuple[EvidenceRow, ...]
    audit: tuple[AuditRow, ...]
    containments: tuple[ContainmentRow, ...]
    quarantine: tuple[QuarantineRow, ...]
    next_steps: tuple[NextStep, ...]
    runbook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text to paste: `message`, `rca` (Markdown), `export` (JSON or Python)."""

    incident_id: int
    text: str
    format: Literal["text", "markdown", "json", "python"]
    filename: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order of the book, and what we know of it without asking the venue."""

    id: str
    book: str
    account: str
    profile_id: str
    symbol: str
    """As the book spells it."""
    side: str
    qty: Decimal
    filled: Decimal
    status: str
    """As the book says it."""
    state: str
    """What that means to us."""
    client_order_id: str | None
    venue_order_id: str | None
    created_at: datetime
    updated_at: datetime
    age_seconds: float
    stale: bool
    suspicion: str | None
    """What awaits confirmation about it, and how often it was seen; None: nothing."""
    quarantined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueAnswer:
    """What the venue said about one order just now."""

    answer: Literal["found", "not_found", "no_answer"]
    asked_at: datetime
    says: str
    """One sentence."""
    by: str | None = None
    """The rung that showed it: `venue_order_id` or `client_order_id`."""
    state: str | None = None
    qty: Decimal | None = None
    filled: Decimal | None = None
    avg_price: Decimal | None = None
    venue_order_id: str | None = None
    client_order_id: str | None = None
    rungs: tuple[str, ...] = ()
    fills: int = 0
    """Executions that carry one of its ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """`orders show`: one order as book and venue see it now."""

    order: OrderRow
    venue: VenueAnswer
    quarantine: QuarantineRow | None
    incidents: tuple[IncidentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineReport:
    """`quarantine show`."""

    quarantine: QuarantineRow
    order: OrderRow | None
    """The book's row now; None where it is not there any more."""
    incident: IncidentRow | None
    evidence: tuple[EvidenceRow, ...]
    venue: VenueAnswer | None
    """What the venue says now; None unless it was asked."""
    next_steps: tuple[NextStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRow:
    """One profile of the book, and whether we contain it."""

    id: str
    book: str
    account: str
    name: str | None
    status: str
    active: bool
    contained: bool
    contained_at: datetime | None
    status_before: str | None
    parity_streak: int
    parity_needed: int
    incidents: tuple[int, ...]
    """Unresolved incidents that name it."""
    pending: str | None = None
    """What its bot is asked and has not confirmed yet, and why; None: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReport:
    """`profiles show`."""

    profile: ProfileRow
    missing: tuple[str, ...]
    """Why it may not be re-enabled now; empty: it may, or there is nothing to re-enable."""
    containments: tuple[ContainmentRow, ...]
    incidents: tuple[IncidentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseFacts:
    """An account that is judged and not acted on."""

    until: datetime | None
    paused_by: str
    paused_at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One configured account."""

    name: str
    venue: str
    book: str
    mode: str
    """`enforce`, `observe`, or `paused`."""
    pause: PauseFacts | None
    judged_by: str | None
    """The daemon that holds the account's lease; None: nobody."""
    incidents_open: dict[str, int]
    """By severity."""
    quarantined: int
    contained_profiles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRow:
    """One held mass change, and who let it through."""

    guard: str
    account: str
    subject: str
    """`orders` or `positions`."""
    incident_id: int
    held_since: datetime
    why: str
    accepted_by: str | None
    accepted_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRow:
    """A known manual position or order, never judged."""

    account: str
    what: str
    """`symbol` or `venue_order_id`."""
    value: str
    source: Literal["configuration", "desk"]
    ignored_by: str | None
    ignored_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """One command of a person, done or refused."""

    at: datetime
    who: str
    surface: str
    operation: str
    account: str | None
    target: str
    outcome: str
    said: str
    incident_id: int | None
    details: dict[str, Any] = field(default_factory=dict)
