"""Nothing is done on one look: the same verdict, from independent snapshots spaced in time."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.domain.suspicions import Suspicion, SuspicionKey

FORGET_AFTER = timedelta(hours=1)
"""A suspicion last seen longer ago than this starts over: a pause of the daemon must not turn two
looks of yesterday and one of today into three in a row."""


AHEAD = timedelta(minutes=1)
"""A last look that far in the future was timed by a clock that was wrong."""


def see_again(
    *,
    key: SuspicionKey,
    previous: Suspicion | None,
    now: datetime,
    spacing: timedelta,
    counts: bool = True,
    saying: str = "",
) -> Suspicion:
    """The suspicion after this look. It counts once per `spacing`, and not while it is explained.

    `now` is the database clock when the snapshot was begun (rule 13). A clock that went back a
    little counts nothing until it has caught up; one that was far ahead makes it start over.
    """
    if previous is None or now - previous.last_seen_at > max(FORGET_AFTER, 20 * spacing):
        return _first(key, now, counts=counts, saying=saying)
    if previous.last_seen_at > now + AHEAD:
        return _first(key, now, counts=counts, saying=saying)
    kept = replace(previous, last_seen_at=max(now, previous.last_seen_at), saying=saying)
    if saying != previous.saying:
        kept = replace(kept, count=0, counted_at=None)
    since = kept.counted_at
    due = since is None or now - since >= spacing
    if counts and due:
        return replace(kept, count=kept.count + 1, counted_at=now)
    return kept


def _first(key: SuspicionKey, now: datetime, *, counts: bool, saying: str) -> Suspicion:
    return Suspicion(
        key=key,
        first_seen_at=now,
        last_seen_at=now,
        count=1 if counts else 0,
        counted_at=now if counts else None,
        saying=saying,
    )


def is_confirmed(suspicion: Suspicion, *, confirmations: int) -> bool:
    """Enough independent looks agreed."""
    return suspicion.count >= confirmations
