"""Every refusal that this process knows of, and whether there are more than is normal: from the
probe, our own API, the venues, and what bots report on the bus or in their tables.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from reconciler.domain.auth_probes import TokenFacts
from reconciler.domain.auth_rejections import RejectionRows
from reconciler.domain.errors import BookUnreadableError, DatabaseUnavailableError
from reconciler.domain.identity import BookName
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.jobs.auth_record import AuthRecord
from reconciler.rules.auth_incidents import AUTH, BOOK
from reconciler.rules.auth_reports import report_in, surface_and_code
from reconciler.rules.auth_spikes import (
    RejectionSample,
    rejections_over,
    samples_within,
    summed,
    why_a_spike,
)

log = structlog.get_logger("reconciler.auth")

READ_TO: Final = "auth_rejections_read"
"""Not suspected of anything: remembers up to where a book's rows were counted."""
MOST_TOKENS: Final = 5
_PROBED: Final = frozenset({"supabase", "bot", "websocket"})

Count = Callable[[str, str, int], None]
"""Told surface, code, and how many more."""


class RowsOfBook(Protocol):
    """A bot's own record of refused requests."""

    book: BookName

    async def read(self, *, since: datetime, now: datetime, within: timedelta) -> RejectionRows:
        """Raises BookUnreadableError, DatabaseUnavailableError."""


class SpikeWatch:
    """Counters are this process's own, and end with it; rows of books are read again after a
    start, each counted once.
    """

    def __init__(
        self,
        *,
        limit: int,
        within: timedelta,
        totals: Callable[[], Mapping[str, int]],
        count: Count,
        books: Sequence[RowsOfBook] = (),
        tell: Callable[[BookName, str | None], None] = lambda _book, _why: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`totals` are the refusals since this process began, by surface; `tell` hears why the
        rows of a book cannot be read, or None.
        """
        self._limit = limit
        self._within = within
        self._totals = totals
        self._count = count
        self._books = books
        self._tell = tell
        self._clock = clock
        self._samples: tuple[RejectionSample, ...] = (RejectionSample(at=self._now(), totals={}),)
        self._from_rows: Counter[str] = Counter()
        self._tokens: deque[TokenFacts] = deque(maxlen=MOST_TOKENS)

    @property
    def reads_rows(self) -> bool:
        """Whether any book keeps a record of refusals."""
        return bool(self._books)

    def hear(self, text: str) -> bool:
        """Count what a bot reports on the bus; False: it is no report. Never raises."""
        report = report_in(text)
        for each in report or ():
            self._count(each.surface, each.code, each.count)
            if each.token is not None:
                self._keep(each.token)
        return report is not None

    def sample(self) -> None:
        """Take the counters down. Also while another daemon holds the lease: what was refused
        hours ago is no spike on the day when this one takes over.
        """
        totals = {s: n - self._from_rows[s] for s, n in self._totals().items()}
        sample = RejectionSample(at=self._now(), totals=totals)
        self._samples = samples_within((*self._samples, sample), now=sample.at, within=self._within)

    async def settle(
        self, writing: AuthRecord, *, confirmations: int, is_probe_failing: bool
    ) -> None:
        """Read the books' rows, judge the rate, keep the incident. A probe that fails says itself
        what it is refused.
        """
        of_rows: Counter[str] = Counter()
        for book in self._books:
            of_rows.update(await self._read(book, writing))
        grown = summed(rejections_over(self._samples), of_rows)
        if is_probe_failing or writing.standing("") is not None:
            grown = {surface: n for surface, n in grown.items() if surface not in _PROBED}
        why = why_a_spike(grown, limit=self._limit, within=self._within)
        await writing.settle_spike(why, grown, tuple(self._tokens), confirmations=confirmations)

    async def _read(self, book: RowsOfBook, writing: AuthRecord) -> Mapping[str, int]:
        """Refusals of the last time by surface; those not counted yet are counted."""
        now = writing.memory.now
        try:
            read = await book.read(
                since=self._position(book, writing), now=now, within=self._within
            )
        except (BookUnreadableError, DatabaseUnavailableError) as error:
            self._tell(book.book, str(error))
            log.warning("[AUTH] rejections not read", book=book.book, why=str(error))
            return {}
        self._tell(book.book, None)
        labelled = [(surface_and_code(row.surface, row.code), row) for row in read.rows]
        known = [(labels, row) for labels, row in labelled if labels is not None]
        if any(row.fresh for _, row in known):
            await writing.remember(_read_to(book.book, now, saying=read.counted_to.isoformat()))
        recent: Counter[str] = Counter()
        for (surface, code), row in known:
            recent[surface] += row.recent
            self._from_rows[surface] += row.fresh
            self._count(surface, code, row.fresh)
        for token in read.tokens:
            self._keep(token)
        return recent

    def _position(self, book: RowsOfBook, writing: AuthRecord) -> datetime:
        known = writing.memory.suspicions.get((READ_TO, book.book))
        if known is not None:
            return datetime.fromisoformat(known.saying)
        return writing.memory.now - self._within

    def _keep(self, token: TokenFacts) -> None:
        if token not in self._tokens:
            self._tokens.append(token)

    def _now(self) -> timedelta:
        return timedelta(seconds=self._clock())


def _read_to(book: BookName, now: datetime, *, saying: str) -> Suspicion:
    key = SuspicionKey(book=BOOK, account=AUTH, kind=READ_TO, subject=book)
    return Suspicion(
        key=key, first_seen_at=now, last_seen_at=now, count=0, counted_at=None, saying=saying
    )
