"""The schedule of one process: a thin trigger over APScheduler's AsyncIOScheduler."""

import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

Job = Callable[[Any], Awaitable[object]]


EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
PHASES_WITHIN = timedelta(days=1)
"""A subject's place in time, taken modulo any interval: finely spread in the longest, too."""


def first_run(now: datetime, interval: timedelta, subject: str) -> datetime:
    """Return the first time from `now` at which a subject's jobs of that interval run. Two
    intervals of which one is a multiple of the other meet, at every run of the longer.
    """
    origin = EPOCH + PHASES_WITHIN * (zlib.crc32(subject.encode()) / 2**32)
    return now + (origin - now) % interval


class Schedule:
    """Interval jobs (coalesced, one instance each) and looks that are due sooner."""

    def __init__(self) -> None:
        self._ranks: dict[str, int] = {}
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            executors={"default": AsyncIOExecutor()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin to fire. Needs a running loop."""
        self._scheduler.start()

    def every(self, interval: timedelta, name: str, subject: str, job: Job) -> None:
        """Run `job(subject)` every `interval`, first within one.

        Subjects are spread over the interval by their name. The jobs of one subject fall together
        wherever an interval is a multiple of the other, so that they share one look, and begin in
        the order in which the jobs became known.
        """
        rank = self._ranks.setdefault(name, len(self._ranks))
        self._scheduler.add_job(
            job,
            IntervalTrigger(seconds=interval.total_seconds(), timezone=UTC),
            args=[subject],
            # The scheduler goes by the id where times are equal.
            id=f"{rank}:{name}:{subject}",
            next_run_time=first_run(datetime.now(UTC), interval, subject),
            replace_existing=True,
        )

    def soon(self, after: timedelta, name: str, subject: str, job: Job) -> None:
        """Run `job(subject)` once, after this long; the latest word about a subject stands."""
        self._scheduler.add_job(
            job,
            DateTrigger(run_date=datetime.now(UTC) + after, timezone=UTC),
            args=[subject],
            id=f"{name}:{subject}",
            replace_existing=True,
        )

    def pause(self) -> None:
        """Fire no more; what is under way goes on."""
        if self._scheduler.running:
            self._scheduler.pause()

    def stop(self) -> None:
        """Fire no more; jobs under way are cancelled."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
