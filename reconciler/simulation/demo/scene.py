"""What there is to see at one moment: venue beside book, and what the daemon made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from reconciler.simulation.demo.bot import ACCOUNT
from reconciler.simulation.venue.ledger import Ledger
from reconciler.store.connecting import Connection, Pool, borrowed

ORDERS_SHOWN = 8


def plain(number: Decimal) -> str:
    """Without the zeros that Postgres keeps."""
    return f"{number.normalize():f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """One symbol; signed base units, a short is negative."""

    symbol: str
    venue: Decimal
    book: Decimal

    @property
    def verdict(self) -> str:
        """What a person would say, in DESIGN's words."""
        if self.venue == self.book:
            return "agree"
        if self.book == 0:
            return "ghost"
        if self.venue == 0:
            return "phantom"
        return "mismatch" if self.venue * self.book > 0 else "side"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One order of the book, with the venue's own word for it."""

    id: str
    profile_id: str
    symbol: str
    side: str
    qty: Decimal
    filled: Decimal
    avg_price: Decimal | None
    status: str
    venue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLine:
    """One row of `reconciler.incidents`."""

    id: int
    kind: str
    severity: str
    status: str
    symbol: str | None
    order_id: str | None
    title: str
    cause: str | None = None
    """The class of an `auth_failure`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """What `GET /health` says about the account."""

    last_success_at: datetime | None
    trouble: str | None
    """Why the account is not judged now; None where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment."""

    positions: tuple[PositionLine, ...]
    orders: tuple[OrderLine, ...]
    profiles: Mapping[str, str]
    incidents: tuple[IncidentLine, ...]
    quarantine: Mapping[str, str]
    """Order id → reason."""
    suspicions: int
    health: AccountHealth

    def incident(self, kind: str, about: str) -> IncidentLine | None:
        """The incident of this kind about this symbol or order."""
        for line in self.incidents:
            if line.kind == kind and about in {line.symbol, line.order_id}:
                return line
        return None

    def order(self, order_id: str) -> OrderLine | None:
        """That order, if it is shown."""
        return next((line for line in self.orders if line.id == order_id), None)


async def read_scene(pool: Pool, ledger: Ledger, health: AccountHealth) -> Scene:
    """Look at both sides. Raises DatabaseUnavailableError."""
    async with borrowed(pool) as connection:
        book = await connection.fetch(
            "select symbol, sum(case side when 'short' then -qty else qty end) as qty"
            " from bot.positions where status = 'open' group by symbol"
        )
        orders = await connection.fetch(_ORDERS, ORDERS_SHOWN)
        profiles = await connection.fetch("select id, status from bot.profiles order by id")
        incidents = await connection.fetch(_INCIDENTS)
        quarantine = await connection.fetch("select order_id, reason from reconciler.quarantine")
        suspicions = await connection.fetchval(
            "select count(*) from reconciler.suspicions where account = $1", ACCOUNT
        )
    return Scene(
        positions=_positions({row["symbol"]: row["qty"] for row in book}, ledger),
        orders=tuple(_order(row, ledger) for row in orders),
        profiles={row["id"]: row["status"] for row in profiles},
        incidents=tuple(IncidentLine(**row) for row in incidents),
        quarantine={row["order_id"]: row["reason"] for row in quarantine},
        suspicions=suspicions,
        health=health,
    )


_ORDERS = """
select id, profile_id, symbol, side, qty, filled, avg_price, status, venue_order_id
from bot.orders
order by status in ('filled', 'canceled', 'expired', 'rejected') and type = 'market',
         updated_at desc
limit $1
"""
_INCIDENTS = """
select id, kind, severity, status, symbol, order_id, title,
       details ->> 'class' as cause
from reconciler.incidents order by id
"""


async def fingerprint_of_book(connection: Connection) -> str:
    """A digest of every byte of every row of the book."""
    digest: str = await connection.fetchval(
        "select md5(string_agg(line, '|' order by line)) from ("
        " select p::text from bot.profiles p union all select o::text from bot.orders o"
        " union all select s::text from bot.positions s) as rows (line)"
    )
    return digest


def _positions(book: Mapping[str, Decimal], ledger: Ledger) -> tuple[PositionLine, ...]:
    venue = {
        f"{held.symbol.removesuffix('USDT')}/USDT:USDT": held.qty
        for held in ledger.positions.values()
    }
    return tuple(
        PositionLine(
            symbol=symbol,
            venue=venue.get(symbol, Decimal(0)),
            book=book.get(symbol, Decimal(0)),
        )
        for symbol in sorted({*book, *venue})
    )


def _order(row: "asyncpg.Record", ledger: Ledger) -> OrderLine:
    values: dict[str, Any] = dict(row)
    known = ledger.orders.get(int(values.pop("venue_order_id")))
    venue = known.status.value.lower() if known else "not known"
    return OrderLine(**values, venue=venue)
