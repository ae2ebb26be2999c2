"""`reconciler_request`: heard by LISTEN, and by rows where nobody can LISTEN."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import TypeAlias

import asyncpg
import pytest

from reconciler.domain.identity import AccountName
from reconciler.service.bus import Bus
from reconciler.service.requests import Requests
from reconciler.store.connecting import Pool, open_pool
from reconciler.store.listening import RequestRows, keep_listening
from tests.scenarios.setting import eventually

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
MAIN, SPARE = AccountName("main"), AccountName("spare")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database_url, size=3)
    yield opened
    opened.terminate()


class Listener:
    """What was heard, and whether anything is."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.whys: list[str | None] = []

    @property
    def is_up(self) -> bool:
        return bool(self.whys) and self.whys[-1] is None


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_a_request_is_heard_by_notify_and_by_row(
    pool: Pool, connection: Connection, database_url: str
) -> None:
    it = Listener()
    rows = RequestRows(pool, it.heard.append)
    listening = asyncio.create_task(
        keep_listening(database_url, rows, hear=it.heard.append, tell=it.whys.append)
    )
    await eventually(lambda: it.is_up, within=10)
    await connection.execute("notify reconciler_request, 'main'")
    await connection.execute("insert into reconciler.requests (subject) values ('p1')")
    await eventually(lambda: it.heard == ["main", "p1"], within=5)
    await _ended(listening)


async def test_a_connection_that_was_cut_is_made_again_and_no_row_is_lost(
    pool: Pool, connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = Listener()
    rows = RequestRows(pool, it.heard.append)
    monkeypatch.setattr("reconciler.store.listening.KEEP_ALIVE_EVERY", _seconds(0.3))
    listening = asyncio.create_task(
        keep_listening(database_url, rows, hear=it.heard.append, tell=it.whys.append)
    )
    await eventually(lambda: it.is_up, within=10)
    async with connection.transaction():
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where query ilike 'listen%' or pid in (select pid from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid())"
        )
        await connection.execute("insert into reconciler.requests (subject) values ('missed')")
    await eventually(lambda: it.heard == ["missed"], within=10)
    await connection.execute("notify reconciler_request, 'again'")
    await eventually(lambda: it.heard == ["missed", "again"], within=5)
    assert any(why is not None for why in it.whys), "it was said meanwhile"
    await _ended(listening)


async def test_rows_are_polled_behind_a_pooler(
    pool: Pool, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.store.listening.POLL_EVERY", _seconds(0.2))
    await connection.execute("insert into reconciler.requests (subject) values ('before')")
    it = Listener()
    polling = asyncio.create_task(RequestRows(pool, it.heard.append).poll(tell=it.whys.append))
    await eventually(lambda: it.is_up, within=10)
    await connection.execute("notify reconciler_request, 'not heard'")
    await connection.execute("insert into reconciler.requests (subject) values ('main'), ('p1')")
    await eventually(lambda: it.heard == ["main", "p1"], within=5)
    await asyncio.sleep(0.6)
    assert it.heard == ["main", "p1"], "each once, and none of before the start"
    await _ended(polling)


class Heard:
    """Requests of a bus, and what the books say."""

    def __init__(self, *answers: Mapping[str, frozenset[AccountName]]) -> None:
        self.asked: list[AccountName] = []
        self.answers = list(answers)
        requests = Requests(lambda _after, account, _look: self.asked.append(account), self._look)
        self.bus = Bus(requests, (MAIN, SPARE), self._profiles)

    async def _look(self, account: AccountName) -> None:
        """Never run here."""

    async def _profiles(self) -> Mapping[str, frozenset[AccountName]]:
        return self.answers.pop(0)


async def test_names_of_accounts_and_profiles_are_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconciler.service.bus.ASK_THE_BOOK_EVERY", _seconds(0.05))
    in_two_books = frozenset({SPARE, AccountName("of another daemon")})
    it = Heard({}, {"p1": in_two_books, "p9": in_two_books - {SPARE}}, {"p1": in_two_books})
    looking_up = asyncio.create_task(it.bus.look_up())
    it.bus.hear(" main ")
    assert it.asked == [MAIN]
    it.bus.hear('{"profile": "p1"}')
    it.bus.hear("p1")
    await eventually(lambda: len(it.answers) == 2, within=5)
    assert it.asked == [MAIN], "the book did not answer"
    it.bus.hear("p1")
    it.bus.hear("p9")
    it.bus.hear("nobody")
    await eventually(lambda: it.asked == [MAIN, SPARE], within=5)
    await _ended(looking_up)


async def test_a_request_without_a_name_is_for_every_account() -> None:
    it = Heard()
    it.bus.hear("")
    assert sorted(it.asked) == [MAIN, SPARE]


async def test_a_flood_of_unknown_names_asks_the_book_once() -> None:
    it = Heard({})
    looking_up = asyncio.create_task(it.bus.look_up())
    for n in range(5000):
        it.bus.hear(f"x{n}")
    await asyncio.sleep(0.2)
    assert it.answers == []
    assert it.asked == []
    await _ended(looking_up)


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


async def test_a_report_is_heard_once_over_a_lost_connection(
    pool: Pool, connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second pass does no harm; refusals that are counted twice do."""
    it = Listener()
    rows = RequestRows(pool, it.heard.append)
    monkeypatch.setattr("reconciler.store.listening.KEEP_ALIVE_EVERY", _seconds(0.3))
    listening = asyncio.create_task(
        keep_listening(database_url, rows, hear=it.heard.append, tell=it.whys.append)
    )
    await eventually(lambda: it.is_up, within=10)
    insert = "insert into reconciler.requests (subject) values ($1)"
    report, other = '{"auth_rejections": []}', '{"auth_rejections": [1]}'
    await connection.execute(insert, report)
    await eventually(lambda: it.heard == [report], within=5)
    async with connection.transaction():
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        await connection.execute(insert, other)
    await eventually(lambda: other in it.heard, within=10)
    await asyncio.sleep(0.3)
    assert it.heard == [report, other]
    await _ended(listening)
