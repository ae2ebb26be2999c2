"""A profile that the daemon set inactive, until someone lets it trade again."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.domain.identity import ProfileId


@dataclass(frozen=True, slots=True, kw_only=True)
class Containment:
    """One standing row of `containments`: one profile, one incident."""

    id: int
    profile_id: ProfileId
    incident_id: int | None
    """None: retention took the incident."""
    reason: str
    contained_at: datetime
    """Database clock."""
    symbol: str | None = None
    """The market of its incident."""
    status_before: str | None = None
    """What the profile's status goes back to."""
    parity_streak: int = 0
    """Complete snapshots in a row since, spaced by `confirm_after`, in which every position that
    concerns the profile was in parity."""
    parity_seen_at: datetime | None = None
    """When `parity_streak` last rose."""
    held: frozenset[str] | None = None
    """Markets in which venue or book had a position or an order when it was contained; None: not
    known."""
    reviewed_at: datetime | None = None
    """When a person last ended the profile's `entry_after_containment`; None: never."""
    pending: bool = False
    """Recorded, and its bot has not confirmed yet that the profile enters no trade."""
    driver_key: str | None = None
    """What its bot knows the deactivation by; None: its row in the book is all there is."""
