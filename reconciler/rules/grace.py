"""Rule 5's grace: what the bot has just touched explains a difference, for a while."""

from datetime import datetime, timedelta

MAX_WINDOWS = 5
"""Some bots touch a row at every tick: after this many windows, grace explains nothing more."""


def explains(
    *,
    changed_at: datetime | None,
    first_seen_at: datetime | None,
    now: datetime,
    grace: timedelta,
) -> bool:
    """Whether a change of the book's rows still explains a difference.

    `changed_at`: the latest of the rows' own `updated_at` and of when we saw them differ from our
    last reading (database clock); a time in the future is an anomaly and explains nothing.
    `first_seen_at`: when the difference was first seen, None at first sight.
    """
    if changed_at is None or changed_at > now + grace or now - changed_at >= grace:
        return False
    return first_seen_at is None or now - first_seen_at < MAX_WINDOWS * grace


def explained_until(
    *, changed_at: datetime, first_seen_at: datetime | None, grace: timedelta
) -> datetime:
    """When a change that explains a difference stops to, if no other follows."""
    if first_seen_at is None:
        return changed_at + grace
    return min(changed_at + grace, first_seen_at + MAX_WINDOWS * grace)
