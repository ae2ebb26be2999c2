"""`PostgresBook`: one bot's tables, read into frozen values, written under guard."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import asyncpg

from reconciler.book.elsewhere import SqlDriver, mark_of, state_of
from reconciler.book.preset import Preset
from reconciler.book.rows import Row, order_of, position_of, profile_of, unreadable_row
from reconciler.book.statements import check_statements
from reconciler.domain.book import BookReading, Profile, UnreadableRow
from reconciler.domain.errors import (
    BookDatabaseUnavailableError,
    BookUnreadableError,
    DatabaseRefusedError,
    DatabaseUnavailableError,
)
from reconciler.domain.identity import AccountName, BookName, ProfileId
from reconciler.domain.intents import WriteMark, WriteState
from reconciler.domain.orders import BookOrder, OrderUpdate
from reconciler.domain.positions import BookPosition
from reconciler.ports import DeactivationDriver, SymbolOf
from reconciler.store.connecting import Connection, Pool, borrowed, message_of
from reconciler.store.leases import limit_transaction

V = TypeVar("V")
CHECK_AGAIN_AFTER = timedelta(minutes=10)
"""A migration of the bot may change types, grants or row security under us."""
SHARE_FOR_SECONDS = 1.0
"""A reading this young serves the other accounts of the book too: a thousand accounts that wake
at once read the tables once. It is always older than the venue's answer it is compared with."""


@dataclass(slots=True, kw_only=True)
class _Tables:
    """The raw rows of one reading, by profile."""

    read_at: datetime
    clock_skew: timedelta
    profiles: tuple[Profile, ...]
    orders: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    positions: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    monotonic: float = field(default_factory=time.monotonic)


class _Reader:
    """Rows into values; those that cannot be read are set aside, each with its reason."""

    def __init__(self, *, preset: Preset, symbol_of: SymbolOf) -> None:
        self._preset = preset
        self._symbol_of = symbol_of
        self.unreadable: list[UnreadableRow] = []

    def orders(self, tables: _Tables, profiles: Sequence[str]) -> tuple[BookOrder, ...]:
        """The orders of these profiles."""
        rows = (row for profile in profiles for row in tables.orders.get(profile, ()))
        return self.read_orders(rows)

    def read_orders(self, rows: Iterable[Row]) -> tuple[BookOrder, ...]:
        """Any rows of orders."""
        return self._read("orders", order_of, rows)

    def positions(self, tables: _Tables, profiles: Sequence[str]) -> tuple[BookPosition, ...]:
        """The positions of these profiles."""
        rows = (row for profile in profiles for row in tables.positions.get(profile, ()))
        return self._read("positions", position_of, rows)

    def _read(self, table: str, read: Callable[..., V], rows: Iterable[Row]) -> tuple[V, ...]:
        values = []
        for row in rows:
            try:
                values.append(read(row, preset=self._preset, symbol_of=self._symbol_of))
            except BookUnreadableError as error:
                why = str(error)
                self.unreadable.append(unreadable_row(table, row, why, symbol_of=self._symbol_of))
        return tuple(values)


class PostgresBook:
    """The tables of one bot. Statements are checked before the first reading, and again after
    any reading that failed.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        name: BookName,
        preset: Preset,
        is_elsewhere: bool = False,
        driver: DeactivationDriver | None = None,
    ) -> None:
        """`is_elsewhere`: the pool's database is not that of our own tables. `driver`: how its bot
        is stopped, where not by its rows.
        """
        self._pool = pool
        self.name = name
        self.preset = preset
        self.is_elsewhere = is_elsewhere
        self.tells_status = driver is None
        by_rows = SqlDriver(self) if is_elsewhere and preset.profiles_deactivate else None
        self.driver: DeactivationDriver | None = driver or by_rows
        self._checked_at: float | None = None
        self._lock = asyncio.Lock()
        self._writers: set[Connection] = set()
        self._shared: tuple[timedelta, _Tables] | None = None
        self._failed: tuple[float, str] | None = None
        """When, by the monotonic clock, and why."""

    @property
    def pool(self) -> Pool:
        """The connections to the book's database."""
        return self._pool

    @property
    def writes_orders(self) -> bool:
        """Whether its orders are ours to write; else what we say of them is in our tables."""
        return self.preset.orders_update is not None

    @property
    def why_no_deactivation(self) -> str | None:
        """Why no profile of it can be set inactive, or None."""
        if self.driver is not None or self.preset.profiles_deactivate is not None:
            return None
        return (
            f"{self.preset.title} knows no way to deactivate a profile: set deactivation of book "
            f"{self.name}, or stop the bot yourself"
        )

    async def check(self) -> None:
        """Prepare every statement. Raises BookUnreadableError, DatabaseUnavailableError."""
        async with self._borrowed() as connection, self._translated():
            await check_statements(connection, self.preset)
        self._checked_at = time.monotonic()

    async def read(
        self, account: AccountName, *, reach: timedelta, symbol_of: SymbolOf
    ) -> BookReading:
        """The rows of one account: all that are open, and any that changed within `reach`.

        Consistent: one repeatable-read transaction. Raises BookUnreadableError where a table,
        column or row cannot be read, BookDatabaseUnavailableError where the server answers and
        refuses (a lock, a time limit), DatabaseUnavailableError.
        """
        checked = self._checked_at
        if checked is None or time.monotonic() - checked > CHECK_AGAIN_AFTER.total_seconds():
            await self.check()
        asked_at = time.monotonic()
        async with self._lock:
            tables = await self._tables_or_why(reach, asked_at)
        return self._reading(tables, account, symbol_of)

    async def _tables_or_why(self, reach: timedelta, asked_at: float) -> _Tables:
        """A reading that failed is the answer to all who waited for it: a server that hangs costs
        the accounts of its book one deadline, not one each in turn.
        """
        if self._failed is not None and self._failed[0] > asked_at:
            raise BookDatabaseUnavailableError(self._failed[1])
        try:
            return await self._tables_shared(reach)
        except DatabaseRefusedError as error:
            why = f"book {self.name}: {error}"
            self._failed = time.monotonic(), why
            raise BookDatabaseUnavailableError(why) from error
        except BookDatabaseUnavailableError as error:
            self._failed = time.monotonic(), str(error)
            raise

    def renew(self) -> None:
        """The next reading is no shared one: a person sees what was written just now."""
        self._shared = None

    async def read_within(
        self, connection: Connection, account: AccountName, *, reach: timedelta, symbol_of: SymbolOf
    ) -> BookReading:
        """The same, inside a write transaction: the second look of DESIGN section 2. A book that is
        elsewhere is read anew, by itself, unless the connection is one of `writing`.
        """
        if self.is_elsewhere and connection not in self._writers:
            async with self._lock:
                tables = await self._tables_now(reach)
        else:
            async with self._translated():
                tables = await self._tables(connection, reach)
        return self._reading(tables, account, symbol_of)

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """A write transaction in the book's own database, limited as ours are."""
        async with (
            self._borrowed() as connection,
            self._translated(),
            connection.transaction(),
        ):
            await limit_transaction(connection)
            self._writers.add(connection)
            try:
                yield connection
            finally:
                self._writers.discard(connection)

    async def mark(self, connection: Connection, ids: Iterable[str]) -> WriteMark:
        """What tells later whether this transaction was committed, with the rows it wrote."""
        return await mark_of(connection, ids)

    async def state_of(self, mark: WriteMark) -> WriteState:
        """What became of that transaction."""
        async with self._borrowed() as connection:
            return await state_of(connection, mark)

    async def write_status(self, profile_id: ProfileId, *, back_to: str | None) -> None:
        """Set it inactive, or back to this status, in a transaction of its own."""
        async with self.writing() as connection:
            if back_to is None:
                await self.deactivate(connection, [profile_id])
            else:
                await self.activate(connection, [(profile_id, back_to)])
        self.renew()

    async def status_is_active(self, profile_id: ProfileId) -> bool | None:
        """As the rows say now; None: there is no such profile."""
        async with self._borrowed() as connection, self._translated():
            rows = await connection.fetch(self.preset.profiles_select)
        found = (profile for profile in map(profile_of, rows) if profile.id == profile_id)
        return next((profile.is_active for profile in found), None)

    async def accounts_by_profile(self) -> Mapping[ProfileId, AccountName]:
        """The account of each profile. Raises BookUnreadableError, DatabaseUnavailableError."""
        async with self._borrowed() as connection, self._translated():
            rows = await connection.fetch(self.preset.profiles_select)
        return {profile.id: profile.account for profile in map(profile_of, rows)}

    async def find_orders(
        self,
        *,
        venue_order_ids: Sequence[str],
        client_order_ids: Sequence[str],
        symbol_of: SymbolOf,
    ) -> tuple[tuple[BookOrder, ...], tuple[UnreadableRow, ...]]:
        """Orders of those ids, whatever their status and profile, and those that cannot be read."""
        async with self._borrowed() as connection, self._translated():
            rows = await connection.fetch(
                self.preset.orders_find, list(venue_order_ids), list(client_order_ids)
            )
        read = _Reader(preset=self.preset, symbol_of=symbol_of)
        return read.read_orders(rows), tuple(read.unreadable)

    async def deactivate(
        self, connection: Connection, profile_ids: Sequence[ProfileId]
    ) -> frozenset[ProfileId]:
        """Set profiles inactive where still active; those that were."""
        if self.preset.profiles_deactivate is None:
            return frozenset()
        async with self._translated():
            rows = await connection.fetch(self.preset.profiles_deactivate, list(profile_ids))
        return frozenset(ProfileId(str(row[0])) for row in rows)

    async def activate(
        self, connection: Connection, profiles: Sequence[tuple[ProfileId, str]]
    ) -> frozenset[ProfileId]:
        """Set profiles back to these statuses where still inactive; those that were."""
        if self.preset.profiles_activate is None:
            return frozenset()
        async with self._translated():
            rows = await connection.fetch(
                self.preset.profiles_activate,
                [profile for profile, _ in profiles],
                [status for _, status in profiles],
            )
        return frozenset(ProfileId(str(row[0])) for row in rows)

    async def update_orders(
        self, connection: Connection, updates: Sequence[OrderUpdate]
    ) -> frozenset[str]:
        """Write orders whose status is still the one seen; the ids that were written."""
        if not updates or self.preset.orders_update is None:
            return frozenset()
        async with self._translated():
            rows = await connection.fetch(
                self.preset.orders_update,
                [u.order.id for u in updates],
                [u.order.raw_status for u in updates],
                [self.word_to_write(u) for u in updates],
                [u.filled for u in updates],
                [u.avg_price for u in updates],
            )
        return frozenset(str(row[0]) for row in rows)

    def word_to_write(self, update: OrderUpdate) -> str:
        """The status word: the book's own where the state does not change."""
        if update.state is update.order.state:
            return update.order.raw_status
        return self.preset.word_for(update.state)

    async def _tables_shared(self, reach: timedelta) -> _Tables:
        if self._shared is not None:
            shared_reach, tables = self._shared
            if shared_reach >= reach and time.monotonic() - tables.monotonic < SHARE_FOR_SECONDS:
                return tables
        tables = await self._tables_now(reach)
        self._shared = (reach, tables)
        return tables

    async def _tables_now(self, reach: timedelta) -> _Tables:
        """Plans of before a migration of the bot are thrown away, and the tables read once more."""
        try:
            return await self._tables_alone(reach)
        except BookUnreadableError as error:
            if not isinstance(error.__cause__, asyncpg.InvalidCachedStatementError):
                raise
        await self._pool.expire_connections()
        return await self._tables_alone(reach)

    async def _tables_alone(self, reach: timedelta) -> _Tables:
        async with (
            self._borrowed() as connection,
            self._translated(),
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await self._tables(connection, reach)

    async def _tables(self, connection: Connection, reach: timedelta) -> _Tables:
        before = datetime.now(UTC)
        read_at: datetime = await connection.fetchval("select clock_timestamp()")
        host = before + (datetime.now(UTC) - before) / 2
        since = read_at - reach
        profiles = await connection.fetch(self.preset.profiles_select)
        tables = _Tables(
            read_at=read_at,
            clock_skew=read_at - host,
            profiles=tuple(profile_of(r) for r in profiles),
        )
        for row in await connection.fetch(self.preset.orders_select, since):
            tables.orders[str(row["profile_id"])].append(row)
        for row in await connection.fetch(self.preset.positions_select, since):
            tables.positions[str(row["profile_id"])].append(row)
        return tables

    def _reading(self, tables: _Tables, account: AccountName, symbol_of: SymbolOf) -> BookReading:
        known = {profile.id for profile in tables.profiles}
        mine = tuple(p for p in tables.profiles if p.account == account)
        stray = sorted((set(tables.orders) | set(tables.positions)) - known)
        read = _Reader(preset=self.preset, symbol_of=symbol_of)
        return BookReading(
            book=self.name,
            account=account,
            read_at=tables.read_at,
            clock_skew=tables.clock_skew if self.is_elsewhere else None,
            profiles=mine,
            orders=read.orders(tables, [p.id for p in mine]),
            positions=read.positions(tables, [p.id for p in mine]),
            stray_orders=read.orders(tables, stray),
            stray_positions=read.positions(tables, stray),
            unreadable=tuple(read.unreadable),
            other_accounts=frozenset(p.account for p in tables.profiles) - {account},
            other_profiles=frozenset(known - {p.id for p in mine}),
        )

    @contextlib.asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[Connection]:
        """A connection; a server of its own that is away is the book's trouble alone."""
        try:
            async with borrowed(self._pool) as connection:
                yield connection
        except DatabaseRefusedError:
            raise
        except DatabaseUnavailableError as error:
            if not self.is_elsewhere or isinstance(error, BookDatabaseUnavailableError):
                raise
            raise BookDatabaseUnavailableError(f"book {self.name}: {error}") from error

    @contextlib.asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """What the server says about the statements becomes BookUnreadableError."""
        try:
            yield
        except (
            asyncpg.SyntaxOrAccessError,
            asyncpg.DataError,
            asyncpg.InvalidCachedStatementError,
        ) as error:
            self._checked_at = None
            said, preset = message_of(error), self.preset
            msg = f"the book does not fit {preset.title}: {said}. {preset.mend}"
            raise BookUnreadableError(msg) from error
