"""A Postgres in memory: tables, transactions that are all or nothing, row locks, one clock.

What is mirrored: READ COMMITTED (a statement sees what is committed, and its own transaction's
writes), row locks from the first UPDATE to the end of the transaction, key share on the lease row,
and the server ending a session that froze inside a transaction.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterator
from datetime import datetime
from typing import Any, Final, Protocol

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.domain.leases import Lease
from tests.simulation.rows import BOOK_TABLES, RECENT, has_ended

Key = Hashable
DELETED: Final = object()


class Client(Protocol):
    """A process, as the server sees it: every statement takes time, and may be its last."""

    async def step(self, seconds: float) -> None:
        """Wait that long for an answer."""


class Watcher(Protocol):
    """Sees every transaction of the daemon (the judge)."""

    def begun(self, transaction: "Transaction") -> None:
        """The lease was checked, nothing was read yet."""

    def looked(self, transaction: "Transaction") -> None:
        """It read the book."""

    def committing(self, transaction: "Transaction") -> None:
        """All is written, nobody has seen it yet."""


class Transaction:
    """Writes of one client that nobody else sees before the commit."""

    def __init__(self, database: "Database", client: Client) -> None:
        self.database = database
        self.client = client
        self.lease: Lease | None = None
        self.begun_at = database.clock()
        self.writes: dict[str, dict[Key, Any]] = defaultdict(dict)
        self.is_open = True
        self.found: Any = None
        """What the book said when the transaction last read it (the watcher's)."""
        self.unseen: list[str] = []
        """Guarded writes that were not refused although the row had moved (the judge's)."""

    def get(self, table: str, key: Key) -> Any:
        """The row as this transaction sees it, or None."""
        own = self.writes[table].get(key)
        if own is not None:
            return None if own is DELETED else own
        return self.database.tables[table].get(key)

    def rows(self, table: str) -> Iterator[tuple[Key, Any]]:
        """Every row as this transaction sees it."""
        own = self.writes[table]
        for key, row in self.database.tables[table].items():
            if key not in own:
                yield key, row
        for key, row in own.items():
            if row is not DELETED:
                yield key, row

    def put(self, table: str, key: Key, row: Any) -> None:
        """Write a row; others wait for its lock."""
        self.check()
        self.database.locks[table, key] = self
        self.writes[table][key] = row

    def delete(self, table: str, key: Key) -> None:
        """Delete a row, if there is one."""
        if self.get(table, key) is not None:
            self.put(table, key, DELETED)

    def check(self) -> None:
        """The server may have ended it."""
        if not self.is_open:
            raise DatabaseUnavailableError("the database did not answer: the session was ended")

    def commit(self) -> None:
        """Everything becomes visible at once."""
        self.check()
        if self.database.watcher is not None:
            self.database.watcher.committing(self)
        for table, rows in self.writes.items():
            for key, row in rows.items():
                self.database.apply(table, key, row)
        self._end()

    def roll_back(self) -> None:
        """As if it had not been. Idempotent."""
        if self.is_open:
            self._end()

    def _end(self) -> None:
        self.is_open = False
        database = self.database
        database.open_transactions.remove(self)
        for place in [p for p, holder in database.locks.items() if holder is self]:
            del database.locks[place]
        waiting, database.waiting = database.waiting, []
        for table, key, change in waiting:
            database.change(table, key, change)


class Database:
    """Committed rows, by table and key."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.tables: dict[str, dict[Key, Any]] = defaultdict(dict)
        self.versions: dict[str, int] = defaultdict(int)
        self._current: dict[str, dict[Key, Any]] = {table: {} for table in BOOK_TABLES}
        self._ended: deque[tuple[datetime, str, Key]] = deque()
        """Book rows in the order in which they ended."""
        self.locks: dict[tuple[str, Key], Transaction] = {}
        self.open_transactions: list[Transaction] = []
        self.waiting: list[tuple[str, Key, Callable[[Any], Any]]] = []
        """Writes of the bot that wait for a row lock of ours."""
        self.watcher: Watcher | None = None
        self.written: Callable[[str, Key], None] | None = None
        """Told of every row that becomes visible."""
        self.why_down: str | None = None
        self.loses_replies = False
        """Commits are done, and the client is not told."""
        self._last_id = 0

    def next_id(self) -> int:
        """A sequence: numbers of transactions that failed are gone."""
        self._last_id += 1
        return self._last_id

    def begin(self, client: Client) -> Transaction:
        """A new transaction."""
        self.answer()
        transaction = Transaction(self, client)
        self.open_transactions.append(transaction)
        return transaction

    def answer(self) -> None:
        """Raises DatabaseUnavailableError while the server is away."""
        if self.why_down is not None:
            raise DatabaseUnavailableError(self.why_down)

    def end_sessions_of(self, client: Client) -> None:
        """The client died, or froze for too long inside a transaction."""
        for transaction in [t for t in self.open_transactions if t.client is client]:
            transaction.roll_back()

    def apply(self, table: str, key: Key, row: Any) -> None:
        """Make a row visible."""
        if row is DELETED:
            self.tables[table].pop(key, None)
        else:
            self.tables[table][key] = row
            if table in BOOK_TABLES:
                self._current[table][key] = row
                if has_ended(row):
                    self._ended.append((row.updated_at, table, key))
        self.versions[table] += 1
        if self.written is not None:
            self.written(table, key)

    def current(self, table: str) -> Collection[Any]:
        """Rows of the book that are live, or ended lately."""
        old = self.clock() - RECENT
        while self._ended and self._ended[0][0] < old:
            _, where, key = self._ended.popleft()
            row = self._current[where].get(key)
            if row is not None and has_ended(row) and row.updated_at < old:
                del self._current[where][key]
        return self._current[table].values()

    def change(self, table: str, key: Key, change: Callable[[Any], Any]) -> None:
        """One UPDATE of the bot's, committed at once; it waits for a row that we have locked.

        `change` gets the row as it then is (None: there is none), and returns the new one.
        """
        if (table, key) in self.locks:
            self.waiting.append((table, key, change))
            return
        self.apply(table, key, change(self.tables[table].get(key)))
