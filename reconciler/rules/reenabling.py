"""The runbook: re-enable a profile only after position parity is confirmed.

Source: the runbook's ghost position section; DESIGN section 7, `profiles reenable`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum, auto

from reconciler.domain.book import BookReading
from reconciler.domain.containments import Containment
from reconciler.domain.identity import ProfileId
from reconciler.domain.incidents import IncidentKind, OpenIncident, Severity
from reconciler.domain.snapshot import Snapshot
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind

BLIND = frozenset(
    {IncidentKind.VENUE_UNREACHABLE, IncidentKind.VENUE_AUTH, IncidentKind.BOOK_UNREADABLE}
)
"""While one of these is open, what was last seen in parity may not be so any more."""


PARITY_GOOD_FOR = timedelta(minutes=15)
"""What was in parity this long ago, with nobody looking since, may not be so any more."""
PARITY_SEEN_AGAIN_AFTER = PARITY_GOOD_FOR / 3
"""A look that still agrees is noted this seldom once enough have agreed."""


def why_not_reenable(
    *,
    profile_id: ProfileId,
    containments: Iterable[Containment],
    incidents: Iterable[OpenIncident],
    confirmations: int,
    now: datetime,
) -> tuple[str, ...]:
    """Everything that is missing, in words; empty: the profile may trade again.

    `containments`: those that stand, of any profile. `incidents`: the unresolved ones of the
    profile's account. `confirmations`: `positions.confirmations`. `now`: the database's clock.
    """
    standing = [c for c in containments if c.profile_id == profile_id]
    if not standing:
        return (f"profile {profile_id} is not contained by the daemon",)
    why: list[str] = []
    least = min(standing, key=lambda c: c.parity_streak)
    if least.parity_streak < confirmations:
        why.append(
            f"parity was seen in {least.parity_streak} of {confirmations} complete snapshots in a "
            f"row since it was contained at {least.contained_at:%Y-%m-%d %H:%M:%S %Z}"
        )
    elif (seen_at := _seen_by_all(standing)) is None or now - seen_at > PARITY_GOOD_FOR:
        last = f"{seen_at:%Y-%m-%d %H:%M:%S %Z}" if seen_at is not None else "never"
        why.append(
            f"parity was last seen {last}, over {PARITY_GOOD_FOR.total_seconds() / 60:.0f} min "
            "ago: is the daemon running? `reconciler once` looks now"
        )
    for incident in incidents:
        if incident.key.kind in BLIND:
            why.append(
                f"incident {incident.id} ({incident.key.kind}) is open: the account is not read "
                "in full, and parity is not known"
            )
        elif incident.severity is Severity.SEV_1 and concerns(incident, profile_id):
            why.append(f"incident {incident.id} ({incident.key.kind}, SEV-1) is open")
    return tuple(why)


def _seen_by_all(standing: Iterable[Containment]) -> datetime | None:
    """When the one that was looked at longest ago last agreed."""
    seen = [c.parity_seen_at for c in standing]
    return min((at for at in seen if at is not None), default=None) if None not in seen else None


def concerns(incident: OpenIncident, profile_id: ProfileId) -> bool:
    """Whether it names this profile, or none at all: then it is about all of its account."""
    named = {p for key in NAMING for p in incident.details.get(key) or ()}
    if incident.profile_id is not None:
        named.add(incident.profile_id)
    return not named or profile_id in named


NAMING = ("profiles", "pinned", "contained", "would_contain")
"""Keys of an incident's details that list profiles."""


class Agreement(Enum):
    """What one look says of the positions that concern a contained profile."""

    AGREES = auto()
    DIFFERS = auto()
    NOT_KNOWN = auto()
    """Not all of them were judged: nothing counts, and nothing starts over."""


def judge_agreement(
    *,
    containment: Containment,
    reading: BookReading,
    snapshot: Snapshot,
    verdicts: Iterable[PositionVerdict],
) -> Agreement:
    """Whether the market of its incident, and every market that the profile trades, agree."""
    profile = containment.profile_id
    concerned: set[str] = {row.symbol for row in reading.positions if row.profile_id == profile}
    concerned |= {row.symbol for row in reading.orders if row.profile_id == profile}
    if containment.symbol is not None:
        concerned.add(containment.symbol)
    kinds = {v.kind for v in verdicts if v.symbol in concerned}
    if any(kind.is_discrepancy for kind in kinds):
        return Agreement.DIFFERS
    if PositionVerdictKind.NOT_JUDGED in kinds or not snapshot.positions_are_complete():
        return Agreement.NOT_KNOWN
    return Agreement.AGREES
