"""`reconciler_request`: what bots and people say to the daemon through Postgres (docs/bus.md)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta

import structlog

from reconciler.domain.errors import BookUnreadableError, DatabaseUnavailableError
from reconciler.domain.identity import AccountName
from reconciler.service.assembly import Assembly
from reconciler.service.requests import Requests
from reconciler.store.connecting import is_transaction_pooler
from reconciler.store.listening import POLL_EVERY, RequestRows, keep_listening

log = structlog.get_logger("reconciler.service")

ASK_THE_BOOK_EVERY = timedelta(seconds=2)
"""For the accounts of profiles that are new to us."""
LOGGED_ONCE = 1000
"""Names; beyond that they are logged again."""
UNKNOWN_AT_ONCE = 1000
"""More are dropped: who floods us so is no bot of ours."""

Profiles = Callable[[], Awaitable[Mapping[str, AccountName]]]
"""The account of each profile, as the books say now."""


class Bus:
    """What is said on `reconciler_request`: the name of an account, or of a profile."""

    def __init__(
        self, requests: Requests, accounts: Iterable[AccountName], profiles: Profiles
    ) -> None:
        """`accounts` are those under watch."""
        self._requests = requests
        self._accounts = frozenset(accounts)
        self._read_profiles = profiles
        self._profiles: Mapping[str, AccountName] = {}
        self._logged: set[str] = set()
        self._unknown: asyncio.Queue[str] = asyncio.Queue(UNKNOWN_AT_ONCE)

    def hear(self, text: str) -> None:
        """One request. Never waits, never raises: it is called from the connection."""
        subject = text.strip()
        if subject == "":
            for account in self._accounts:
                self._requests.ask(account)
        elif subject.startswith("{"):
            self._log_once("[Reconcile] request in JSON: not understood, ignored", subject[:200])
        elif (named := self._account_of(subject)) is not None:
            self._requests.ask(named)
        elif not self._unknown.full():
            self._unknown.put_nowait(subject)

    def _account_of(self, subject: str) -> AccountName | None:
        if subject in self._accounts:
            return AccountName(subject)
        of_profile = self._profiles.get(subject)
        return of_profile if of_profile in self._accounts else None

    async def look_up(self) -> None:
        """Ask the books whose profile a new name is, all that wait at once; until cancelled."""
        while True:
            waiting = [await self._unknown.get()]
            while not self._unknown.empty():
                waiting.append(self._unknown.get_nowait())
            try:
                self._profiles = await self._read_profiles()
            except (BookUnreadableError, DatabaseUnavailableError) as error:
                log.warning("[Reconcile] profiles not read", why=str(error))
            for subject in waiting:
                account = self._account_of(subject)
                if account is not None:
                    self._requests.ask(account)
                else:
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


async def attend(parts: Assembly, requests: Requests, *, polls: bool | None = None) -> None:
    """Hear requests until cancelled. `polls`: by reading rows, since nobody can LISTEN there; None:
    decided by the address of the database.
    """
    if polls is None:
        polls = is_transaction_pooler(parts.url)

    async def profiles() -> Mapping[str, AccountName]:
        found: dict[str, AccountName] = {}
        for book in parts.books.values():
            of_book = await book.accounts_by_profile()
            found |= {str(profile): account for profile, account in of_book.items()}
        return found

    def tell(why: str | None) -> None:
        parts.health.set_requests("poll" if polls else "listen", why)

    bus = Bus(requests, parts.venues, profiles)
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
