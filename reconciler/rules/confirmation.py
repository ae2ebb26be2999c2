"""Nothing is done on one look: the same verdict, from independent snapshots spaced in time."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.domain.suspicions import Suspicion, SuspicionKey

FORGET_AFTER = timedelta(hours=1)
"""A suspicion last seen longer ago than this starts over: a pause of the daemon must not turn two
looks of yesterday and one of today into three in a row."""


def see_again(
    *,
    key: SuspicionKey,
    previous: Suspicion | None,
    now: datetime,
    spacing: timedelta,
    counts: bool = True,
) -> Suspicion:
    """The suspicion after this look. It counts once per `spacing`, and not while it is explained.

    `now` is the database clock when the snapshot was begun (rule 13); a clock that went back counts
    nothing.
    """
    if previous is None or now - previous.last_seen_at > max(FORGET_AFTER, 20 * spacing):
        return Suspicion(
            key=key,
            first_seen_at=now,
            last_seen_at=now,
            count=1 if counts else 0,
            counted_at=now if counts else None,
        )
    due = previous.counted_at is None or now - previous.counted_at >= spacing
    if counts and due:
        return replace(
            previous,
            last_seen_at=max(now, previous.last_seen_at),
            count=previous.count + 1,
            counted_at=now,
        )
    return replace(previous, last_seen_at=max(now, previous.last_seen_at))


def is_confirmed(suspicion: Suspicion, *, confirmations: int) -> bool:
    """Enough independent looks agreed."""
    return suspicion.count >= confirmations
