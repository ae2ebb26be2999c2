"""Orders and profiles by their ids in the book, whichever account they are of."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from reconciler.domain.book import BookReading, Profile
from reconciler.domain.errors import (
    BookDatabaseUnavailableError,
    BookUnreadableError,
    ReconcilerError,
)
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
READ_WITHIN = timedelta(seconds=10)
"""A book in another database: who asks for all of them does not wait for one that hangs."""
Unread: TypeAlias = dict[str, str]
"""Books that could not be read, and why."""


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
    unread: Unread | None = None,
) -> AsyncIterator[BookReading]:
    """The rows of each configured account (or one of them, or those of one book).

    Books that cannot be read are named in `unread`, and the others are read all the same. Raises
    NotFoundError; where nothing could be read, or no `unread` is given, the book's own error.
    """
    wanted = _wanted(desk, account, book)
    found: dict[AccountName, BookReading] = {}
    failed: dict[BookName, ReconcilerError] = {}
    read = (_read(desk.books[each], names, reach, symbol_of) for each, names in wanted.items())
    for each, told in zip(wanted, await asyncio.gather(*read), strict=True):
        if isinstance(told, ReconcilerError):
            failed[each] = told
        else:
            found.update(told)
    if failed and (unread is None or not found):
        raise next(iter(failed.values()))
    if unread is not None:
        for each, why in failed.items():
            unread[each] = str(desk.redact(str(why))).removeprefix(f"book {each}: ")
    for name in desk.accounts:
        if name in found:
            yield found[name]


def _wanted(desk: Desk, account: str | None, book: str | None) -> dict[BookName, list[AccountName]]:
    """The accounts by their books. Raises NotFoundError for a name that is none."""
    if account is not None:
        desk.account(account)
    if book is not None and book not in desk.books:
        known = ", ".join(sorted(desk.books))
        raise NotFoundError(f"book {book!r} is not configured; known: {known}")
    wanted: dict[BookName, list[AccountName]] = {}
    for name, watched in desk.accounts.items():
        if account in (None, name) and book in (None, watched.book):
            wanted.setdefault(watched.book, []).append(name)
    return wanted


async def _read(
    book: DeskBook, names: Iterable[AccountName], reach: timedelta, symbol_of: SymbolOf
) -> dict[AccountName, BookReading] | ReconcilerError:
    """One book's accounts, in turn; or why it cannot be read."""
    book.renew()
    within = READ_WITHIN.total_seconds()
    try:
        async with asyncio.timeout(within if book.is_elsewhere else None):
            return {name: await book.read(name, reach=reach, symbol_of=symbol_of) for name in names}
    except TimeoutError:
        return BookDatabaseUnavailableError(f"book {book.name}: no answer within {within:.0f} s")
    except (BookUnreadableError, BookDatabaseUnavailableError) as error:
        return error


async def find_order(
    desk: Desk,
    order_id: str,
    *,
    book: str | None,
    account: str | None = None,
    changes: bool = False,
) -> OrderPlace:
    """The order of that id: live or lately ended ones first, then those of the last LONG_AGO.

    Raises NotFoundError; UsageError where several books have one, or (`changes`) might: a book that
    cannot be read is none that lacks it.
    """
    unread: Unread = {}
    for reach in (RECENT, LONG_AGO):
        found = [
            OrderPlace(order=order, account=reading.account, book=desk.books[reading.book])
            async for reading in readings(
                desk, account=account, book=book, reach=reach, unread=unread
            )
            for order in reading.orders
            if order.id == order_id
        ]
        if found:
            _refuse_several(order_id, sorted({place.book.name for place in found}))
            _refuse_doubtful(order_id, found[0].book.name, unread, changes=changes)
            return found[0]
    _refuse_unknown(order_id, unread)
    raise NotFoundError(
        f"no order {order_id!r} in the book: it is told by the book's own id, and must be live, or "
        f"have changed within {LONG_AGO.days} days"
    )


async def find_profile(
    desk: Desk, profile_id: str, *, book: str | None, changes: bool = False
) -> ProfilePlace:
    """The profile of that id. Raises NotFoundError; UsageError as `find_order`."""
    unread: Unread = {}
    found = [
        ProfilePlace(profile=profile, account=reading.account, book=desk.books[reading.book])
        async for reading in readings(desk, book=book, unread=unread)
        for profile in reading.profiles
        if profile.id == profile_id
    ]
    if not found:
        _refuse_unknown(profile_id, unread)
        raise NotFoundError(f"no configured account's book has a profile {profile_id!r}")
    _refuse_several(profile_id, sorted({place.book.name for place in found}))
    _refuse_doubtful(profile_id, found[0].book.name, unread, changes=changes)
    return found[0]


def order_in(reading: BookReading, order_id: str) -> BookOrder | None:
    """The row of that id, where the reading has it."""
    return next((order for order in reading.orders if order.id == order_id), None)


def _refuse_several(name: str, books: Sequence[BookName]) -> None:
    if len(books) > 1:
        raise UsageError(f"{name!r} is in several books ({', '.join(books)}): say --book")


def _refuse_doubtful(name: str, book: BookName, unread: Unread, *, changes: bool) -> None:
    """A change is for one row: not while a book that is away may have one of that id too."""
    if changes and unread:
        raise UsageError(
            f"{name!r} is in book {book}, and may be in one that cannot be read "
            f"({_named(unread)}): say --book {book}"
        )


def _refuse_unknown(name: str, unread: Unread) -> None:
    """What is not found where some book was not read may be there."""
    if unread:
        raise BookDatabaseUnavailableError(
            f"{name!r} was not found, and not all was read: {_named(unread)}"
        )


def _named(unread: Unread) -> str:
    return "; ".join(f"book {book}: {why}" for book, why in unread.items())
