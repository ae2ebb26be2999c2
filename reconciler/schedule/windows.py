"""Maintenance windows: cron expressions and durations, in UTC."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""cron counts from Sunday (0 and 7), APScheduler's numbers from Monday: names mean the same."""
LONGEST = timedelta(days=366)


class Windows:
    """The windows of every venue."""

    def __init__(self, windows: Mapping[str, Sequence[tuple[str, timedelta]]]) -> None:
        """By venue: five cron fields and how long it stays open. Raises ValueError."""
        self._windows = {
            venue: [(trigger, span) for cron, span in each for trigger in triggers_of(cron)]
            for venue, each in windows.items()
        }

    def open_until(self, venue: str, at: datetime) -> datetime | None:
        """When the window ends that is open at `at`; None where none is. `at` is aware."""
        until = None
        for trigger, span in self._windows.get(venue, ()):
            opened_at = _last_opening(trigger, min(span, LONGEST), at)
            if opened_at is not None and (until is None or opened_at + span > until):
                until = opened_at + span
        return until


def triggers_of(cron: str) -> list[CronTrigger]:
    """Five cron fields; two triggers where cron means "or". Raises ValueError."""
    minute, hour, day, month, weekday = cron.split()
    named = _by_name(weekday)
    # A day of the month and a weekday, both given: cron takes either, APScheduler wants both.
    days = [(day, "*"), ("*", named)] if "*" not in {day[0], weekday[0]} else [(day, named)]
    return [
        CronTrigger(minute=minute, hour=hour, day=d, month=month, day_of_week=w, timezone=UTC)
        for d, w in days
    ]


def _by_name(weekday: str) -> str:
    """Weekdays by name, ranges and steps spelled out; a range may go over the end of the week."""
    if weekday[0] == "*" and "/" not in weekday:
        return weekday
    named = []
    for part in weekday.lower().split(","):
        span, _, step = part.partition("/")
        first, to, last = ("0", "-", "6") if span == "*" else span.partition("-")
        begin = _number_of(first)
        end = _number_of(last) if to else (6 if step else begin)
        end += 7 if end < begin else 0
        named += [WEEKDAYS[n % 7] for n in range(begin, end + 1, int(step or 1))]
    return ",".join(dict.fromkeys(named))


def _number_of(weekday: str) -> int:
    """Raises ValueError."""
    number = int(weekday) if weekday.isdigit() else WEEKDAYS.index(weekday)
    if number >= len(WEEKDAYS):
        raise ValueError(f"{weekday!r} is no weekday")
    return number


def _last_opening(trigger: CronTrigger, span: timedelta, at: datetime) -> datetime | None:
    """The latest opening within `span` before `at`: windows that overlap are one.

    Looked for ever further back: one that opens each minute has a million openings in a long span.
    """
    back, opened_at = timedelta(0), None
    while opened_at is None and back < span:
        back = min(2 * back or timedelta(minutes=1), span)
        opened_at = _last_fire(trigger, at - back + timedelta(microseconds=1), at)
    return opened_at


def _last_fire(trigger: CronTrigger, since: datetime, until: datetime) -> datetime | None:
    last: datetime | None = None
    while True:
        fires_at: datetime | None = trigger.get_next_fire_time(None, since)
        if fires_at is None or fires_at > until:
            return last
        last, since = fires_at, fires_at + timedelta(seconds=1)
