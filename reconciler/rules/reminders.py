"""While a SEV-1 is open and nobody has acknowledged it, people are told again, ever less often."""

from datetime import datetime, timedelta

FIRST_GAPS = (
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
)
LAST_GAP = timedelta(hours=4)


def last_reminder_at(*, since: datetime, now: datetime) -> datetime | None:
    """When the latest reminder was due: 15 min after `since`, then after 30 min, 1 h, 2 h and every
    4 h. None: none was due yet.
    """
    due_at, latest = since, None
    for gap in FIRST_GAPS:
        due_at += gap
        if due_at > now:
            return latest
        latest = due_at
    return due_at + (now - due_at) // LAST_GAP * LAST_GAP


def is_due(*, since: datetime, told_at: datetime | None, now: datetime) -> bool:
    """Whether people are to be told again. `since`: when it was opened, or became SEV-1.

    Reminders that fell into a time when the daemon was down are made up for by one.
    """
    due_at = last_reminder_at(since=since, now=now)
    return due_at is not None and (told_at is None or told_at < due_at)
