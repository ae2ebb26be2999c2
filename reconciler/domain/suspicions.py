"""Suspicions: verdicts that wait for confirmation. They live in Postgres (rule 10)."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.domain.identity import AccountName, BookName


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspicionKey:
    """Which verdict about which thing."""

    book: BookName
    account: AccountName
    kind: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """How often, and since when, one verdict was reached."""

    key: SuspicionKey
    first_seen_at: datetime
    last_seen_at: datetime
    count: int
    """Confirmations so far: 0 while grace explains the difference."""
    counted_at: datetime | None
    """When `count` last rose."""
    saying: str = ""
    """What exactly was said (how an order ended, say): another saying counts from the start."""
    tried_at: datetime | None = None
    """When a targeted lookup was last made: the least recently tried go first."""
