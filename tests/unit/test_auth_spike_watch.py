"""The counters behind a spike: where their time begins, and what a standby does with them."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from reconciler.domain.auth_rejections import RejectionRow, RejectionRows
from reconciler.domain.errors import BookUnreadableError
from reconciler.domain.identity import BookName
from reconciler.domain.memory import Memory
from reconciler.jobs.auth_record import AuthRecord
from reconciler.jobs.auth_spikes import SpikeWatch

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Written:
    """What one run would write."""

    def __init__(self) -> None:
        self.memory = Memory(
            now=NOW,
            clock_skew=timedelta(0),
            suspicions={},
            incidents=(),
            seen=None,
            own_writes={},
            quarantined_last_hour=0,
        )
        self.whys: list[tuple[str | None, dict[str, int]]] = []
        self.remembered: list[Any] = []

    def standing(self, _subject: str) -> None:
        return None

    async def remember(self, note: Any) -> None:
        self.remembered.append(note)

    async def settle_spike(
        self, why: str | None, grown: dict[str, int], *_: Any, confirmations: int
    ) -> None:
        del confirmations
        self.whys.append((why, grown))


class Book:
    """A book with these rows, or one that cannot be read."""

    book = BookName("main")

    def __init__(self, *rows: RejectionRow, fails: bool = False) -> None:
        self.rows, self.fails = rows, fails

    async def read(self, **_: Any) -> RejectionRows:
        if self.fails:
            raise BookUnreadableError("no such table")
        return RejectionRows(rows=self.rows, counted_to=NOW)


class Watched:
    """A watch over counters that one can turn."""

    def __init__(self, *books: Book) -> None:
        self.totals: dict[str, int] = {}
        self.told: list[tuple[str, str | None]] = []
        self.at = 1000.0
        self.watch = SpikeWatch(
            limit=5,
            within=timedelta(minutes=5),
            totals=lambda: dict(self.totals),
            count=self._count,
            books=books,
            tell=lambda book, why: self.told.append((book, why)),
            clock=lambda: self.at,
        )

    def _count(self, surface: str, _code: str, more: int) -> None:
        self.totals[surface] = self.totals.get(surface, 0) + more

    async def run(self, *, is_probe_failing: bool = False) -> tuple[str | None, dict[str, int]]:
        self.at += 60
        self.watch.sample()
        written = Written()
        await self.watch.settle(
            cast("AuthRecord", written), confirmations=3, is_probe_failing=is_probe_failing
        )
        return written.whys[-1]


async def test_the_time_begins_with_the_process() -> None:
    """What was refused before the first run counts, too."""
    it = Watched()
    it.totals = {"api": 6}
    why, grown = await it.run()
    assert grown == {"api": 6}
    assert why is not None


async def test_it_ends_after_the_time() -> None:
    it = Watched()
    it.totals = {"api": 6}
    whys = [(await it.run())[0] is not None for _ in range(8)]
    assert whys[0]
    assert not whys[-1]


async def test_what_a_standby_saw_hours_ago_is_no_spike() -> None:
    it = Watched()
    for refused in (100, 100, 100):
        it.totals = {"api": refused}
        it.at += 3600
        it.watch.sample()
    assert (await it.run())[0] is None


async def test_what_the_probe_is_refused_is_told_by_the_probe() -> None:
    it = Watched()
    it.totals = {"supabase": 100, "bot": 9, "websocket": 9, "api": 1, "bot_api": 2}
    assert await it.run(is_probe_failing=True) == (None, {"api": 1, "bot_api": 2})


async def test_rows_count_for_the_rate_by_their_own_time_and_not_twice() -> None:
    row = RejectionRow(surface="ws", code="4401", fresh=100, recent=4)
    it = Watched(Book(row))
    assert await it.run() == (None, {"bot_websocket": 4})
    assert it.totals == {"bot_websocket": 100}
    assert (await it.run())[0] is None


async def test_rows_of_codes_that_refuse_nobody_are_left_out() -> None:
    row = RejectionRow(surface="api", code="200", fresh=100, recent=100)
    it = Watched(Book(row))
    assert await it.run() == (None, {})
    assert it.totals == {}


async def test_a_book_that_cannot_be_read_is_told_and_the_others_go_on() -> None:
    row = RejectionRow(surface="api", code="401", fresh=6, recent=6)
    it = Watched(Book(fails=True), Book(row))
    assert (await it.run())[1] == {"bot_api": 6}
    assert it.told == [("main", "no such table"), ("main", None)]
