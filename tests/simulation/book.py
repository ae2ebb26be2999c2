"""`book.postgres.PostgresBook` over the native schema, in memory."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from reconciler.domain.book import BookReading, Profile, UnreadableRow
from reconciler.domain.errors import DatabaseRefusedError
from reconciler.domain.identity import AccountName, BookName, ProfileId
from reconciler.domain.intents import WriteMark, WriteState
from reconciler.domain.orders import BookOrder, OrderUpdate
from reconciler.domain.positions import BookPosition
from reconciler.ports import DeactivationDriver, SymbolOf
from reconciler.rules.vocabulary import state_of
from tests.simulation.database import Client, Database, Transaction
from tests.simulation.leases import LOCK_LIMIT
from tests.simulation.rows import RECENT, has_ended

R = TypeVar("R", BookOrder, BookPosition)
STEP = 0.01
PROFILES, ORDERS, POSITIONS = "profiles", "orders", "positions"


class MemoryBook:
    """The tables of one bot. Rows are kept as the values that they are read into."""

    is_elsewhere = False
    writes_orders = True
    tells_status = True
    why_no_deactivation: str | None = None
    driver: DeactivationDriver | None = None

    def __init__(self, database: Database, client: Client, *, name: BookName) -> None:
        self._database = database
        self._client = client
        self.name = name

    async def read(
        self, account: AccountName, *, reach: timedelta, symbol_of: SymbolOf
    ) -> BookReading:
        """The rows of one account: all that are open, and any that changed within `reach`."""
        await self._client.step(STEP)
        self._database.answer()
        return self._read(None, account, reach=reach, symbol_of=symbol_of)

    def writing(self) -> AbstractAsyncContextManager[Any]:
        """One transaction spans everything here."""
        raise NotImplementedError

    async def mark(self, connection: Any, ids: Iterable[str]) -> WriteMark:
        """One transaction spans everything here."""
        raise NotImplementedError

    async def state_of(self, mark: WriteMark) -> WriteState:
        """One transaction spans everything here."""
        raise NotImplementedError

    async def read_within(
        self,
        connection: Transaction,
        account: AccountName,
        *,
        reach: timedelta,
        symbol_of: SymbolOf,
    ) -> BookReading:
        """The same, inside a write transaction: the second look of DESIGN section 2."""
        await self._client.step(STEP)
        connection.check()
        self._database.answer()
        self._tell(connection)
        return self._read(connection, account, reach=reach, symbol_of=symbol_of)

    def _tell(self, connection: Transaction) -> None:
        if self._database.watcher is not None:
            self._database.watcher.looked(connection)

    def _read(
        self,
        transaction: Transaction | None,
        account: AccountName,
        *,
        reach: timedelta,
        symbol_of: SymbolOf,
    ) -> BookReading:
        now = self._database.clock()
        profiles: list[Profile] = [row for _, row in _rows(self._database, transaction, PROFILES)]
        orders = self._by_profile(transaction, ORDERS, now - reach)
        positions = self._by_profile(transaction, POSITIONS, now - reach)
        known = {p.id for p in profiles}
        mine = tuple(p for p in profiles if p.account == account)
        stray = sorted((set(orders) | set(positions)) - known)

        def of(rows: dict[ProfileId, list], ids: Iterable[ProfileId]) -> tuple:  # type: ignore[type-arg]
            found = (row for i in ids for row in rows.get(i, ()))
            return tuple(_named(row, symbol_of) for row in found)

        return BookReading(
            book=self.name,
            account=account,
            read_at=now,
            profiles=mine,
            orders=of(orders, [p.id for p in mine]),
            positions=of(positions, [p.id for p in mine]),
            stray_orders=of(orders, stray),
            stray_positions=of(positions, stray),
            other_accounts=frozenset(p.account for p in profiles) - {account},
            other_profiles=frozenset(known - {p.id for p in mine}),
        )

    def _by_profile(
        self, transaction: Transaction | None, table: str, since: datetime
    ) -> dict[ProfileId, list[BookOrder | BookPosition]]:
        """Live rows, and those that changed lately."""
        found: dict[ProfileId, list[BookOrder | BookPosition]] = defaultdict(list)
        for row in self._candidates(transaction, table, since):
            if not has_ended(row) or row.updated_at >= since:
                found[row.profile_id].append(row)
        return found

    def _candidates(
        self, transaction: Transaction | None, table: str, since: datetime
    ) -> Iterable[BookOrder | BookPosition]:
        """Every row that may be asked for."""
        if transaction is not None and transaction.writes[table]:
            return [row for _, row in transaction.rows(table)]
        if since < self._database.clock() - RECENT:
            return self._database.tables[table].values()
        return self._database.current(table)

    async def find_orders(
        self,
        *,
        venue_order_ids: Sequence[str],
        client_order_ids: Sequence[str],
        symbol_of: SymbolOf,
    ) -> tuple[tuple[BookOrder, ...], tuple[UnreadableRow, ...]]:
        """Orders of those ids, whatever their status and profile, and those that cannot be read."""
        await self._client.step(STEP)
        self._database.answer()
        by_venue, by_client = set(venue_order_ids), set(client_order_ids)
        rows: Iterable[BookOrder] = self._database.tables[ORDERS].values()
        found = tuple(
            _named(row, symbol_of)
            for row in rows
            if row.venue_order_id in by_venue or row.client_order_id in by_client
        )
        return found, ()

    async def deactivate(
        self, connection: Transaction, profile_ids: Sequence[ProfileId]
    ) -> frozenset[ProfileId]:
        """Set profiles inactive where still active; those that were."""
        await self._locked(connection, PROFILES, profile_ids)
        if connection.found is None:
            self._tell(connection)  # who has not read has no excuse
        done = set()
        for profile_id in profile_ids:
            row: Profile | None = connection.get(PROFILES, profile_id)
            if row is not None and row.status == "active":
                connection.put(PROFILES, profile_id, replace(row, status="inactive"))
                done.add(profile_id)
        return frozenset(done)

    async def update_orders(
        self, connection: Transaction, updates: Sequence[OrderUpdate]
    ) -> frozenset[str]:
        """Write orders whose status is still the one seen; the ids that were written."""
        if not updates:
            return frozenset()
        await self._locked(connection, ORDERS, [u.order.id for u in updates])
        return frozenset(u.order.id for u in updates if self._update(connection, u))

    def _update(self, connection: Transaction, update: OrderUpdate) -> bool:
        row: BookOrder | None = connection.get(ORDERS, update.order.id)
        if row is None or not self.is_as_seen(row, update):
            return False
        if not _is_as_seen(row, update):
            connection.unseen.append(row.id)
        word = self.word_to_write(update)
        price = update.avg_price if update.avg_price is not None else row.avg_price
        written = replace(
            row,
            raw_status=word,
            state=state_of(word),
            filled=update.filled,
            avg_price=price,
            updated_at=connection.begun_at,
        )
        connection.put(ORDERS, row.id, written)
        return True

    def is_as_seen(self, row: BookOrder, update: OrderUpdate) -> bool:
        """The guard of the UPDATE: a mutation replaces it."""
        return _is_as_seen(row, update)

    def word_to_write(self, update: OrderUpdate) -> str:
        """The status word: the book's own where the state does not change."""
        if update.state is update.order.state:
            return update.order.raw_status
        return update.state.value

    async def _locked(self, connection: Transaction, table: str, keys: Sequence[str]) -> None:
        """An UPDATE waits for whoever has locked one of its rows."""
        await self._client.step(STEP)
        waited = 0.0
        while any(self._database.locks.get((table, k), connection) is not connection for k in keys):
            if waited >= LOCK_LIMIT.total_seconds():
                raise DatabaseRefusedError("the database refused: lock timeout")
            await self._client.step(0.05)
            waited += 0.05
        connection.check()
        self._database.answer()


def _is_as_seen(row: BookOrder, update: OrderUpdate) -> bool:
    return row.raw_status == update.order.raw_status and row.filled <= update.filled


def _rows(
    database: Database, transaction: Transaction | None, table: str
) -> Iterable[tuple[object, Profile]]:
    return transaction.rows(table) if transaction is not None else database.tables[table].items()


def _named(row: R, symbol_of: SymbolOf) -> R:
    symbol = symbol_of(row.raw_symbol)
    return row if symbol == row.symbol else replace(row, symbol=symbol)
