"""LISTEN reconciler_request: what bots and people ask of us, through Postgres (DESIGN section 5).

Behind a transaction pooler nobody can LISTEN; there the rows of `reconciler.requests` are polled.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import asyncpg
import structlog

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.store.connecting import CONNECT_ERRORS, Connection, Pool, borrowed, connect
from reconciler.store.queries import queries

log = structlog.get_logger("reconciler.store")

SQL = queries("requests")
CHANNEL = "reconciler_request"
KEEP_ALIVE_EVERY = timedelta(seconds=15)
ANSWER_WITHIN = timedelta(seconds=5)
FIRST_WAIT = timedelta(seconds=0.5)
LONGEST_WAIT = timedelta(seconds=15)
POLL_EVERY = timedelta(seconds=5)
REACH = timedelta(minutes=10)
"""How old a request may be when its transaction commits."""
MOST_REPORTS = 10_000
"""Remembered between two readings of the rows; beyond that one may be counted twice."""

Hear = Callable[[str], None]
"""Told the text of each request."""
Tell = Callable[[str | None], None]
"""Told why nothing is heard now, or None."""


class RequestRows:
    """The rows of `reconciler.requests`, each heard once by this process."""

    def __init__(self, pool: Pool, hear: Hear) -> None:
        self._pool = pool
        self._hear = hear
        self._heard: frozenset[int] | None = None
        self._reported: Counter[int] = Counter()

    def notified(self, text: str) -> None:
        """A report came by NOTIFY: its row, if it has one, is not heard again after a connection
        that was lost. A second pass does no harm, a report that is counted twice does.
        """
        if text.startswith("{") and len(self._reported) < MOST_REPORTS:
            self._reported[hash(text)] += 1

    async def read(self) -> None:
        """Hear what is new; the first time nothing is: startup looks at every account anyway.

        Raises DatabaseUnavailableError.
        """
        async with borrowed(self._pool) as connection:
            rows = await connection.fetch(SQL["recent"], REACH)
        if self._heard is not None:
            for row in rows:
                if row["id"] not in self._heard and not self._was_notified(row["subject"]):
                    self._hear(row["subject"])
        self._heard = frozenset(row["id"] for row in rows)
        self._reported.clear()

    def _was_notified(self, text: str) -> bool:
        known = self._reported[hash(text)] > 0
        self._reported[hash(text)] -= known
        return known

    async def poll(self, *, tell: Tell) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.read()
            except DatabaseUnavailableError as error:
                tell(str(error))
            else:
                tell(None)
            await asyncio.sleep(POLL_EVERY.total_seconds())


async def keep_listening(url: str, rows: RequestRows | None, *, hear: Hear, tell: Tell) -> None:
    """Listen until cancelled, on a connection of its own; a server that is away is asked again.

    `rows` are read after each connecting: a NOTIFY while nobody listens is lost, a row is not.
    None: that database has no such table.
    """
    wait = FIRST_WAIT
    while True:
        try:
            connection = await connect(url)
            try:
                await _listen(connection, hear, rows)
                if rows is not None:
                    await rows.read()
                tell(None)
                wait = FIRST_WAIT
                await _until_it_breaks(connection)
                tell("the server closed the connection")
            finally:
                connection.terminate()  # a polite close could wait for a server that is gone
        except (*CONNECT_ERRORS, asyncpg.PostgresError, DatabaseUnavailableError) as error:
            why = str(error).strip() or type(error).__name__
            tell(why)
            log.warning("[Reconcile] not listening for requests", why=why)
        await asyncio.sleep(wait.total_seconds())
        wait = min(wait * 2, LONGEST_WAIT)


async def _listen(connection: Connection, hear: Hear, rows: RequestRows | None) -> None:
    def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        if rows is not None:
            rows.notified(str(payload))
        hear(str(payload))

    await connection.add_listener(CHANNEL, heard)


async def _until_it_breaks(connection: Connection) -> None:
    closed = asyncio.Event()
    connection.add_termination_listener(lambda _connection: closed.set())
    while not connection.is_closed():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEEP_ALIVE_EVERY.total_seconds()):
                await closed.wait()
        if not closed.is_set():
            await connection.execute(SQL["keep_alive"], timeout=ANSWER_WITHIN.total_seconds())
