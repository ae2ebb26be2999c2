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


class Schedule:
    """Interval jobs (coalesced, one instance each) and looks that are due sooner."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            executors={"default": AsyncIOExecutor()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin to fire. Needs a running loop."""
        self._scheduler.start()

    def every(self, interval: timedelta, name: str, subject: str, job: Job) -> None:
        """Run `job(subject)` every `interval`. Subjects are spread over the interval by their
        name, and the jobs of one subject fall together, so that they share one look.
        """
        phase = zlib.crc32(subject.encode()) % 1000 / 1000
        first = datetime.now(UTC) + interval * (0.5 + phase / 2)
        self._scheduler.add_job(
            job,
            IntervalTrigger(seconds=interval.total_seconds(), timezone=UTC),
            args=[subject],
            id=f"{name}:{subject}",
            next_run_time=first,
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
