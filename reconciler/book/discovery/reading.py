"""Rows as the daemon would read them: the statements in their place, a few rows, our own reader."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import asyncpg

from reconciler.book.preset import Preset
from reconciler.book.rows import order_of, position_of, profile_of
from reconciler.domain.book import Profile
from reconciler.domain.errors import BookUnreadableError
from reconciler.domain.identity import Symbol
from reconciler.domain.orders import BookOrder
from reconciler.domain.positions import BookPosition
from reconciler.store.connecting import Connection, message_of

ROWS = 200
REACH = timedelta(days=1)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A few rows of each kind, and why others could not be read."""

    profiles: tuple[Profile, ...]
    orders: tuple[BookOrder, ...]
    positions: tuple[BookPosition, ...]
    unreadable: tuple[str, ...]


async def read_rows(connection: Connection, preset: Preset) -> Reading:
    """At most 200 rows of each statement, within the caller's transaction."""
    since = await connection.fetchval("select clock_timestamp()") - REACH
    unreadable: list[str] = []

    async def read(statement: str, row_of: Callable[..., V], *arguments: object) -> tuple[V, ...]:
        limited = f"select * from ({statement.strip().rstrip(';')}\n) s limit {ROWS}"  # noqa: S608 - the statement that is checked
        try:
            async with connection.transaction():
                rows = await connection.fetch(limited, *arguments)
        except asyncpg.PostgresError as error:
            unreadable.append(message_of(error))
            return ()
        found = []
        for row in rows:
            try:
                found.append(row_of(row))
            except BookUnreadableError as error:
                unreadable.append(str(error))
        return tuple(found)

    def order(row: asyncpg.Record) -> BookOrder:
        return order_of(row, preset=preset, symbol_of=Symbol)

    def position(row: asyncpg.Record) -> BookPosition:
        return position_of(row, preset=preset, symbol_of=Symbol)

    return Reading(
        profiles=await read(preset.profiles_select, profile_of),
        orders=await read(preset.orders_select, order, since),
        positions=await read(preset.positions_select, position, since),
        unreadable=tuple(unreadable),
    )
