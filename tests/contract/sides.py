"""The same things on both sides: the adapters, and what a test may do behind their backs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from reconciler.book.postgres import PostgresBook
from reconciler.book.preset import load_preset
from reconciler.domain.book import Profile
from reconciler.domain.identity import (
    AccountName,
    BookName,
    BookOrderId,
    BookPositionId,
    ClientOrderId,
    ProfileId,
    Symbol,
    VenueOrderId,
)
from reconciler.domain.leases import Held, Lease
from reconciler.domain.orders import BookOrder, OrderSide
from reconciler.domain.positions import BookPosition, PositionSide
from reconciler.ports import Book, Store
from reconciler.rules.vocabulary import state_of
from reconciler.store.connecting import Pool, open_pool
from reconciler.store.leases import Leases
from reconciler.store.postgres import PostgresStore
from tests.simulation.book import MemoryBook
from tests.simulation.database import Database
from tests.simulation.leases import TABLE, MemoryLeases
from tests.simulation.store import MemoryStore

MAIN, BOOK = AccountName("main"), BookName("main")
SECOND = timedelta(seconds=1)


class AnyLeases(Protocol):
    """Both kinds of leases, with what a process does with them besides the port."""

    def mine(self, account: AccountName) -> Lease | None:
        """Believed to be ours."""

    async def acquire(self, account: AccountName) -> Lease | Held:
        """Take it if it is free."""

    async def renew(self) -> None:
        """Extend."""

    async def release(self) -> None:
        """Hand over."""


class Side(Protocol):
    """One kind of adapters over one database."""

    @property
    def store(self) -> Store:
        """Our own tables."""

    @property
    def book(self) -> Book:
        """The bot's tables."""

    def leases(self, holder: str) -> AnyLeases:
        """Those of another process."""

    async def lapse(self) -> None:
        """Every lease has run out."""

    async def count(self, table: str) -> int:
        """Rows of one of our own tables."""

    async def put_profile(self, profile: str, account: str, status: str) -> None:
        """A row of the bot's."""

    async def put_order(
        self, order: str, *, profile: str = "p1", status: str = "open", filled: str = "0"
    ) -> None:
        """A row of 1 to buy, with ids `v-<order>` and `c-<order>`, or the same row again."""

    async def put_position(self, position: str, *, profile: str, qty: str, open: bool) -> None:  # noqa: A002
        """A long row, changed a day ago where it is closed."""

    async def order(self, order: str) -> tuple[str, Decimal, Decimal | None]:
        """Its committed status, filled and average price."""

    async def status_of_profile(self, profile: str) -> str:
        """Committed."""


class NoClient:
    """A process that neither dies nor waits."""

    async def step(self, seconds: float) -> None:
        """Others get their turn."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class MemorySide:
    """The twins of the simulation."""

    database: Database
    store: MemoryStore
    book: MemoryBook

    @classmethod
    def made(cls) -> "MemorySide":
        """Over the real clock."""
        database = Database(lambda: datetime.now(UTC))
        client = NoClient()
        return cls(database, MemoryStore(database, client), MemoryBook(database, client, name=BOOK))

    def leases(self, holder: str) -> MemoryLeases:
        return MemoryLeases(self.database, NoClient(), holder=holder)

    async def lapse(self) -> None:
        past = datetime.now(UTC) - SECOND
        for account, row in list(self.database.tables[TABLE].items()):
            self.database.apply(TABLE, account, replace(row, expires_at=past))

    async def count(self, table: str) -> int:
        return len(self.database.tables[table])

    async def put_profile(self, profile: str, account: str, status: str) -> None:
        row = Profile(id=ProfileId(profile), account=AccountName(account), status=status)
        self.database.apply("profiles", profile, row)

    async def put_order(
        self, order: str, *, profile: str = "p1", status: str = "open", filled: str = "0"
    ) -> None:
        now = self.database.clock()
        row = BookOrder(
            id=BookOrderId(order),
            profile_id=ProfileId(profile),
            symbol=Symbol("BTCUSDT"),
            raw_symbol="BTCUSDT",
            side=OrderSide.BUY,
            qty=Decimal(1),
            filled=Decimal(filled),
            state=state_of(status),
            raw_status=status,
            client_order_id=ClientOrderId(f"c-{order}"),
            venue_order_id=VenueOrderId(f"v-{order}"),
            created_at=now,
            updated_at=now,
        )
        self.database.change("orders", order, lambda _: row)

    async def put_position(self, position: str, *, profile: str, qty: str, open: bool) -> None:  # noqa: A002
        row = BookPosition(
            id=BookPositionId(position),
            profile_id=ProfileId(profile),
            symbol=Symbol("BTCUSDT"),
            raw_symbol="BTCUSDT",
            side=PositionSide.LONG,
            qty=Decimal(qty),
            open=open,
            updated_at=self.database.clock() - timedelta(days=0 if open else 1),
        )
        self.database.apply("positions", position, row)

    async def order(self, order: str) -> tuple[str, Decimal, Decimal | None]:
        row = self.database.tables["orders"][order]
        return row.raw_status, row.filled, row.avg_price

    async def status_of_profile(self, profile: str) -> str:
        return str(self.database.tables["profiles"][profile].status)


@dataclass(slots=True)
class PostgresSide:
    """The real ones."""

    pool: Pool
    store: PostgresStore
    book: PostgresBook

    @classmethod
    @contextlib.asynccontextmanager
    async def made(cls, url: str) -> AsyncIterator["PostgresSide"]:
        """On a migrated database with the native book."""

        def unchanged(value: Any) -> Any:
            return value

        pool = await open_pool(url, size=5)
        book = PostgresBook(pool, name=BOOK, preset=load_preset("native"))
        try:
            yield cls(pool, PostgresStore(pool, redact=unchanged), book)
        finally:
            pool.terminate()

    def leases(self, holder: str) -> Leases:
        return Leases(self.pool, holder=holder)

    async def lapse(self) -> None:
        await self.pool.execute(
            "update reconciler.leases set expires_at = clock_timestamp() - interval '1 second'"
        )

    async def count(self, table: str) -> int:
        name = {"events": "incident_events"}.get(table, table)
        return int(await self.pool.fetchval(f"select count(*) from reconciler.{name}"))

    async def put_profile(self, profile: str, account: str, status: str) -> None:
        await self.pool.execute(
            "insert into bot.profiles (id, account, status) values ($1, $2, $3)",
            profile,
            account,
            status,
        )

    async def put_order(
        self, order: str, *, profile: str = "p1", status: str = "open", filled: str = "0"
    ) -> None:
        await self.pool.execute(
            """
            insert into bot.orders (id, profile_id, symbol, side, qty, filled, status,
                                    client_order_id, venue_order_id)
            values ($1, $2, 'BTCUSDT', 'buy', 1, $3, $4, 'c-' || $1, 'v-' || $1)
            on conflict (id) do update set status = excluded.status, filled = excluded.filled,
              updated_at = now()
            """,
            order,
            profile,
            Decimal(filled),
            status,
        )

    async def put_position(self, position: str, *, profile: str, qty: str, open: bool) -> None:  # noqa: A002
        await self.pool.execute(
            """
            insert into bot.positions (id, profile_id, symbol, side, qty, status, updated_at)
            values ($1, $2, 'BTCUSDT', 'long', $3, $4, now() - $5::interval)
            """,
            position,
            profile,
            Decimal(qty),
            "open" if open else "closed",
            timedelta(days=0 if open else 1),
        )

    async def order(self, order: str) -> tuple[str, Decimal, Decimal | None]:
        row = await self.pool.fetchrow(
            "select status, filled, avg_price from bot.orders where id = $1", order
        )
        assert row is not None
        return row["status"], row["filled"], row["avg_price"]

    async def status_of_profile(self, profile: str) -> str:
        return str(
            await self.pool.fetchval("select status from bot.profiles where id = $1", profile)
        )
