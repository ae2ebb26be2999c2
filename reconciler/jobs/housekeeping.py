"""Retention: what is old is deleted, oldest first; never what belongs to an open incident."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol

import structlog

from reconciler.domain.errors import DatabaseUnavailableError

log = structlog.get_logger("reconciler.jobs")

DEADLINE = timedelta(minutes=2)
"""What is not done by then is done the next time."""
REQUESTS_FOR = timedelta(hours=1)
UNTRIED_FOR = timedelta(days=1)
"""A dispatcher tries each delivery at least every ten minutes: this channel has none."""


class Batch(Protocol):
    """What one batch deleted."""

    @property
    def rows(self) -> int:
        """How many."""

    @property
    def bytes(self) -> int:
        """About how large they were."""


class Records(Protocol):
    """Our own tables, as far as they are deleted from. Raises DatabaseUnavailableError."""

    batch: int

    async def prune(self, table: str, *, older_than: timedelta) -> Batch | None:
        """Delete one batch of what is older; None where another process is at it."""

    async def abandon(self, *, untried_for: timedelta) -> int:
        """Give up deliveries to channels that are no more; how many."""

    async def excess(self, *, most_bytes: int) -> int:
        """How many bytes the large records hold too much; 0 where none."""

    async def free(self, *, most_bytes: int) -> Mapping[str, Batch] | None:
        """Delete the oldest of the large records, by table, and no more than it takes to free so
        many bytes; empty where none may go, None where another process is at it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept."""

    evidence: timedelta
    runs: timedelta
    audit: timedelta
    """Commands of people, timelines and incidents that are over too."""
    max_bytes: int
    """Of evidence, runs and audit together."""

    @property
    def ages(self) -> Mapping[str, timedelta]:
        """By table, in the order in which they are deleted from."""
        return {
            "evidence": self.evidence,
            "runs": self.runs,
            "notices": self.runs,
            "audit": self.audit,
            "operations": self.audit,
            "events": self.audit,
            "intents": self.audit,
            "incidents": self.audit,
            "requests": REQUESTS_FOR,
        }


class Housekeeping:
    """One run deletes what is too old, then what is too much."""

    name: ClassVar[str] = "housekeeping"

    def __init__(self, records: Records, retention: Retention) -> None:
        self._records = records
        self._retention = retention

    async def run(self) -> dict[str, int]:
        """Rows deleted by table. Trouble with the database is logged, and left for the next run."""
        deleted: dict[str, int] = {}
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                await self._by_age(deleted)
                await self._by_size(deleted)
                deleted["abandoned"] = await self._records.abandon(untried_for=UNTRIED_FOR)
        except (DatabaseUnavailableError, TimeoutError) as error:
            log.warning("[Housekeeping] not finished", why=str(error) or "out of time")
        deleted = {table: rows for table, rows in deleted.items() if rows}
        if deleted:
            log.info("[Housekeeping] deleted what is old", **deleted)
        return deleted

    async def _by_age(self, deleted: dict[str, int]) -> None:
        for table, age in self._retention.ages.items():
            while batch := await self._records.prune(table, older_than=age):
                deleted[table] = deleted.get(table, 0) + batch.rows
                if batch.rows < self._records.batch:
                    break

    async def _by_size(self, deleted: dict[str, int]) -> None:
        """The oldest of all three first, whichever record it is in."""
        excess = await self._records.excess(most_bytes=self._retention.max_bytes)
        while excess > 0:
            freed = await self._records.free(most_bytes=excess)
            if freed is None:
                return
            if not freed:
                why = "what is left belongs to open incidents"
                log.warning("[Housekeeping] more is kept than max_megabytes", why=why)
                return
            for table, batch in freed.items():
                deleted[table] = deleted.get(table, 0) + batch.rows
                excess -= batch.bytes
