"""Orders and profiles by their ids in the book, whichever account they are of."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from reconciler.domain.book import BookReading, Profile
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import AccountName, BookName, Symbol
from reconciler.domain.orders import BookOrder
from reconciler.incidents.desk import Desk, DeskBook
from reconciler.incidents.errors import NotFoundError, UsageError
from reconciler.ports import SymbolOf

RECENT = timedelta(minutes=10)
LONG_AGO = timedelta(days=30)
"""How far back an order that has ended is still found by its id."""
PREPARE_WITHIN = timedelta(seconds=10)
"""Markets of the venue: without them a symbol stays as the book spells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlace:
    """One order, and where it was found."""

    order: BookOrder
    account: AccountName
    book: DeskBook


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePlace:
    """One profile, and where it was found."""

    profile: Profile
    account: AccountName
    book: DeskBook


def as_written(raw: str) -> Symbol:
    """A symbol as the book spells it: writing a row back needs no venue."""
    return Symbol(raw)


async def symbols_of(desk: Desk, account: AccountName) -> SymbolOf:
    """The venue's own spelling where it answers in time, else the book's."""
    venue = desk.venues[account]
    with suppress(ReconcilerError, TimeoutError):
        async with asyncio.timeout(PREPARE_WITHIN.total_seconds()):
            await venue.prepare()
            return venue.symbol_of
    return as_written


async def readings(
    desk: Desk,
    *,
    account: str | None = None,
    book: str | None = None,
    reach: timedelta = RECENT,
    symbol_of: SymbolOf = as_written,
) -> AsyncIterator[BookReading]:
    """The rows of each configured account (or one of them, or those of one book)."""
    if account is not None:
        desk.account(account)
    if book is not None and book not in desk.books:
        known = ", ".join(sorted(desk.books))
        raise NotFoundError(f"book {book!r} is not configured; known: {known}")
    for each in desk.books.values():
        each.renew()
    for name, watched in desk.accounts.items():
        if account in (None, name) and book in (None, watched.book):
            yield await desk.books[watched.book].read(name, reach=reach, symbol_of=symbol_of)


async def find_order(
    desk: Desk, order_id: str, *, book: str | None, account: str | None = None
) -> OrderPlace:
    """The order of that id: live or lately ended ones first, then those of the last LONG_AGO.

    Raises NotFoundError; UsageError where several books have one.
    """
    for reach in (RECENT, LONG_AGO):
        found = [
            OrderPlace(order=order, account=reading.account, book=desk.books[reading.book])
            async for reading in readings(desk, account=account, book=book, reach=reach)
            for order in reading.orders
            if order.id == order_id
        ]
        if found:
            _refuse_several(order_id, sorted({place.book.name for place in found}))
            return found[0]
    raise NotFoundError(
        f"no order {order_id!r} in the book: it is told by the book's own id, and must be live, or "
        f"have changed within {LONG_AGO.days} days"
    )


async def find_profile(desk: Desk, profile_id: str, *, book: str | None) -> ProfilePlace:
    """The profile of that id. Raises NotFoundError; UsageError where several books have one."""
    found = [
        ProfilePlace(profile=profile, account=reading.account, book=desk.books[reading.book])
        async for reading in readings(desk, book=book)
        for profile in reading.profiles
        if profile.id == profile_id
    ]
    if not found:
        raise NotFoundError(f"no configured account's book has a profile {profile_id!r}")
    _refuse_several(profile_id, sorted({place.book.name for place in found}))
    return found[0]


def order_in(reading: BookReading, order_id: str) -> BookOrder | None:
    """The row of that id, where the reading has it."""
    return next((order for order in reading.orders if order.id == order_id), None)


def _refuse_several(name: str, books: Sequence[BookName]) -> None:
    if len(books) > 1:
        raise UsageError(f"{name!r} is in several books ({', '.join(books)}): say --book")
