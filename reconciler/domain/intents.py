"""A write to the book that is decided and recorded, and not yet known to be done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)
FEW_TRIES = 3
"""A bot that could not be asked so often is told of on the timeline."""


class IntentKind(StrEnum):
    """What is to be written."""

    DEACTIVATE = "deactivate"
    ACTIVATE = "activate"
    UPDATE_ORDERS = "update_orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentDraft:
    """What is to be recorded before the book is written."""

    kind: IntentKind
    target: str
    """The profile; empty for orders."""
    key: str
    """Of a deactivation: what the bot knows it by. The same over retries and restarts."""
    incident_id: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What is needed to finish the record, whoever does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """One that nobody can settle: the configuration has its account, its book or its driver no
    more.
    """

    id: int
    kind: IntentKind
    target: str
    incident_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One that is open."""

    id: int
    kind: IntentKind
    target: str
    key: str
    incident_id: int | None
    payload: Mapping[str, Any]
    attempts: int
    """How often it was begun, this process or another."""
    due_in: timedelta
    """Until the next attempt; not positive: now."""
    last_error: str | None
    is_wanted: bool
    """Of a deactivation: some containment that waits for it has an incident that is not over."""
    mark: "WriteMark | None" = None

    @property
    def abandoned(self) -> Abandoned:
        """As one that nobody can settle."""
        return Abandoned(
            id=self.id, kind=self.kind, target=self.target, incident_id=self.incident_id
        )

    @property
    def next_wait(self) -> timedelta:
        """How long to wait after one more failure."""
        wait: timedelta = FIRST_WAIT * 2 ** min(self.attempts, 10)
        return min(wait, LONGEST_WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteMark:
    """What tells afterwards whether a transaction in the book's database was committed."""

    transaction: str
    written_from: datetime
    written_to: datetime
    """Between these two, by the book's clock, lies every `updated_at` that it wrote."""
    ids: tuple[str, ...]
    """The rows that it wrote."""


class WriteState(StrEnum):
    """What became of such a transaction."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    IN_PROGRESS = "in progress"
    NOT_KNOWN = "not known"
    """So long ago, or so restored a server, that it does not know: only the rows tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A quarantined order whose row in the book is not ours to write."""

    order_id: str
    seen_status: str | None
    """The row's status word when it was quarantined: a row that moved since speaks for itself."""
    final_status: str | None
    """What a person said of it; None: it awaits review."""
