"""The books of one process: one pool for each database, one book for each `[books.<name>]`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from reconciler.book.postgres import PostgresBook
from reconciler.book.preset import Preset, load_preset
from reconciler.book.rejections import BookRejections
from reconciler.deactivation import driver_of
from reconciler.domain.identity import BookName
from reconciler.settings import Settings
from reconciler.settings.books import BookSettings
from reconciler.store.connecting import Pool, open_pool

POOL_SIZE = 4
"""Of a database that holds books alone: their readings take turns."""
CLOSE_WITHIN = 1.0
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDatabase:
    """A database that holds books, and not our own tables."""

    url: str
    pool: Pool
    books: tuple[BookName, ...]


@contextlib.asynccontextmanager
async def book_databases(settings: Settings, url: str) -> AsyncIterator[tuple[BookDatabase, ...]]:
    """One for each address that differs from `url`, and is of an account's book; closed at the end.
    Opens no connection by itself.
    """
    names: dict[str, list[BookName]] = {}
    for name, book in settings.all_books.items():
        address = url_of(book)
        if address is not None and address != url:
            names.setdefault(address, []).append(BookName(name))
    async with contextlib.AsyncExitStack() as stack:
        databases = []
        for address, books in names.items():
            pool = await open_pool(address, size=POOL_SIZE)
            stack.push_async_callback(close_pool, pool)
            databases.append(BookDatabase(url=address, pool=pool, books=tuple(books)))
        yield tuple(databases)


async def close_pool(pool: Pool) -> None:
    """Politely for a moment, then whatever the server does."""
    try:
        async with asyncio.timeout(CLOSE_WITHIN):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def url_of(book: BookSettings) -> str | None:
    """The address of its own database; None: the daemon's."""
    return book.url.get_secret_value() if book.url is not None else None


def books_of(
    settings: Settings, pool: Pool, databases: tuple[BookDatabase, ...]
) -> dict[BookName, PostgresBook]:
    """Every book by name. Raises BookUnreadableError: a preset that is not carried."""
    elsewhere = {name: database.pool for database in databases for name in database.books}
    books = {}
    for each, book in settings.all_books.items():
        name = BookName(each)
        its = elsewhere.get(name, pool)
        preset = preset_of(book, account=_only_account(settings, each))
        books[name] = PostgresBook(
            its,
            name=name,
            preset=preset,
            is_elsewhere=name in elsewhere,
            driver=driver_of(name, book, its, preset),
        )
    return books


def preset_of(book: BookSettings, *, account: str | None) -> Preset:
    """The preset with the settings' own statements over it; `account`: the only one of this book.

    Raises BookUnreadableError: a preset that is not carried, or parameters that do not fit.
    """
    return load_preset(
        book.preset,
        statements=_statements(book),
        vocabulary=book.vocabulary,
        write=book.write,
        auth_rejections=book.auth.rejections,
        timezone=str(book.timezone) if book.timezone else None,
        parameters=book.parameters,
        account=account,
    )


def _only_account(settings: Settings, book: str) -> str | None:
    """The account of this book, for presets without a column for it; None where it has several."""
    named = [name for name, account in settings.accounts.items() if account.book == book]
    return named[0] if len(named) == 1 else None


def rejections_of(books: Mapping[BookName, PostgresBook]) -> list[BookRejections]:
    """Of the books that keep a record of refused requests."""
    return [
        BookRejections(book.pool, book=name, statement=book.preset.auth_rejections)
        for name, book in books.items()
        if book.preset.auth_rejections is not None
    ]


def _statements(book: BookSettings) -> dict[str, dict[str, str | None]]:
    return {
        "profiles": book.profiles.model_dump(),
        "orders": book.orders.model_dump(),
        "positions": book.positions.model_dump(),
    }
