"""`reconciler_request`: what bots and people say to the daemon through Postgres (docs/bus.md)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta

import structlog

from reconciler.book.postgres import PostgresBook
from reconciler.domain.errors import BookUnreadableError, DatabaseUnavailableError
from reconciler.domain.identity import AccountName, ProfileId
from reconciler.service.assembly import Assembly
from reconciler.service.books import BookDatabase
from reconciler.service.requests import Requests
from reconciler.store.connecting import is_transaction_pooler
from reconciler.store.listening import POLL_EVERY, RequestRows, keep_listening

log = structlog.get_logger("reconciler.service")

ASK_THE_BOOK_EVERY = timedelta(seconds=2)
"""For the accounts of profiles that are new to us."""
LOOK_UP_WITHIN = timedelta(seconds=5)
LOGGED_ONCE = 1000
"""Names; beyond that they are logged again."""
UNKNOWN_AT_ONCE = 1000
"""More are dropped: who floods us so is no bot of ours."""

Profiles = Callable[[], Awaitable[Mapping[str, frozenset[AccountName]]]]
"""The accounts of each profile id, as the books say now: several bots may use the same ids."""


class Bus:
    """What is said on `reconciler_request`: an account, a profile of one, or a bot's report."""

    def __init__(
        self,
        requests: Requests,
        accounts: Iterable[AccountName],
        profiles: Profiles,
        report: Callable[[str], bool] = lambda _text: False,
    ) -> None:
        """`accounts` are those under watch; `report` takes what is said in JSON, and knows whether
        it is a report of its own.
        """
        self._report = report
        self._requests = requests
        self._accounts = frozenset(accounts)
        self._read_profiles = profiles
        self._profiles: Mapping[str, frozenset[AccountName]] = {}
        self._logged: set[str] = set()
        self._unknown: asyncio.Queue[str] = asyncio.Queue(UNKNOWN_AT_ONCE)

    def hear(self, text: str) -> None:
        """One request. Never waits, never raises: it is called from the connection."""
        subject = text.strip()
        if subject == "":
            for account in self._accounts:
                self._requests.ask(account)
        elif subject.startswith(("{", "[")):
            if not self._report(subject):  # what it says is not shown: it may be a token
                self._log_once("[Reconcile] request in JSON: not understood, ignored", "JSON")
        elif named := self._accounts_of(subject):
            for account in named:
                self._requests.ask(account)
        elif not self._unknown.full():
            self._unknown.put_nowait(subject)

    def _accounts_of(self, subject: str) -> frozenset[AccountName]:
        if subject in self._accounts:
            return frozenset({AccountName(subject)})
        return self._profiles.get(subject, frozenset()) & self._accounts

    async def look_up(self) -> None:
        """Ask the books whose profile a new name is, all that wait at once; until cancelled."""
        while True:
            waiting = [await self._unknown.get()]
            while not self._unknown.empty():
                waiting.append(self._unknown.get_nowait())
            self._profiles = await self._read_profiles()
            for subject in waiting:
                accounts = self._accounts_of(subject)
                for account in accounts:
                    self._requests.ask(account)
                if not accounts:
                    said = "[Reconcile] request names no account and no profile of one"
                    self._log_once(said, subject)
            await asyncio.sleep(ASK_THE_BOOK_EVERY.total_seconds())

    def _log_once(self, said: str, subject: str) -> None:
        if subject in self._logged:
            return
        if len(self._logged) >= LOGGED_ONCE:
            self._logged.clear()
        self._logged.add(subject)
        log.warning(said, subject=subject)


async def _profiles_of(book: PostgresBook) -> Mapping[ProfileId, AccountName]:
    """None of a book that cannot be read in time: the bots of the others wait for the answer."""
    try:
        async with asyncio.timeout(LOOK_UP_WITHIN.total_seconds()):
            return await book.accounts_by_profile()
    except (BookUnreadableError, DatabaseUnavailableError, TimeoutError) as error:
        log.warning("[Reconcile] profiles not read", book=book.name, why=repr(error))
        return {}


async def attend(parts: Assembly, requests: Requests, *, polls: bool | None = None) -> None:
    """Hear requests until cancelled. `polls`: by reading rows, since nobody can LISTEN there; None:
    decided by the address of the database.
    """
    if polls is None:
        polls = is_transaction_pooler(parts.url)

    async def profiles() -> Mapping[str, frozenset[AccountName]]:
        found: dict[str, frozenset[AccountName]] = {}
        for of_book in await asyncio.gather(*map(_profiles_of, parts.books.values())):
            for profile, account in of_book.items():
                found[profile] = found.get(profile, frozenset()) | {account}
        return found

    def tell(why: str | None) -> None:
        parts.health.set_requests("poll" if polls else "listen", why)

    bus = Bus(requests, parts.venues, profiles, parts.auth_probe.spikes.hear)
    rows = RequestRows(parts.pool, bus.hear)
    if polls:
        log.warning(
            "[Reconcile] behind a transaction pooler: requests are polled, NOTIFY is not heard",
            every=f"{POLL_EVERY.total_seconds():.0f}s",
        )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bus.look_up(), name="bus:profiles")
        if polls:
            tasks.create_task(rows.poll(tell=tell), name="bus:poll")
        else:
            listening = keep_listening(parts.url, rows, hear=bus.hear, tell=tell)
            tasks.create_task(listening, name="bus:listen")
        for database in parts.book_databases:
            tasks.create_task(_attend_book(parts, database, bus.hear), name="bus:book")


async def _attend_book(
    parts: Assembly, database: BookDatabase, hear: Callable[[str], None]
) -> None:
    """Bots say it in their own database. Nobody can LISTEN behind a transaction pooler: such a bot
    is looked at by the schedule alone, unless it is told to write to ours.
    """
    what = f"requests in the database of book {', '.join(database.books)}"
    if is_transaction_pooler(database.url):
        log.warning(f"[Reconcile] {what} are not heard: it is behind a transaction pooler")
        return

    def tell(why: str | None) -> None:
        if why is None:
            parts.health.recovered(what)
        else:
            parts.health.degraded(what, f"not heard: {why}")

    await keep_listening(database.url, None, hear=hear, tell=tell)
