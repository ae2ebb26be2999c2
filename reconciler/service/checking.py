"""The doctor: every line of `reconciler check`. Each is a question that changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import TypeVar

from reconciler.domain.identity import AccountName, BookName
from reconciler.service.assembly import Assembly
from reconciler.service.checks.books import book_lines, rejection_lines
from reconciler.service.checks.books import topic_of as topic_of_book
from reconciler.service.checks.channels import channel_lines
from reconciler.service.checks.database import TOPIC as DATABASE
from reconciler.service.checks.database import database_lines
from reconciler.service.checks.drivers import driver_lines
from reconciler.service.checks.lines import Line, answered
from reconciler.service.checks.pace import pace_lines
from reconciler.service.checks.rows import row_lines
from reconciler.service.checks.sign_in import TOPIC as SIGN_IN
from reconciler.service.checks.sign_in import sign_in_lines
from reconciler.service.checks.venues import same_key_lines, topic_of, venue_lines

__all__ = ["Line", "run_checks"]

DATABASE_WITHIN = timedelta(seconds=60)
BOOK_WITHIN = timedelta(minutes=3)
ACCOUNT_WITHIN = timedelta(minutes=2)
SIGN_IN_WITHIN = timedelta(seconds=90)
DRIVER_WITHIN = timedelta(seconds=45)
"""A few requests of ten seconds at most."""
ALL_WITHIN = timedelta(minutes=10)
"""A thousand accounts at a slow venue, a hundred books of a slow server: those that are not
reached by then are said to be so."""
VENUES_AT_ONCE = 16
BOOKS_AT_ONCE = 4
"""They may share the connections of one database."""
N = TypeVar("N", AccountName, BookName)


async def run_checks(assembly: Assembly) -> list[Line]:
    """Every question, in the order in which one would ask them; none waits for an unrelated one."""
    lines = [
        Line(
            level="ok",
            what="configuration",
            says=f"mode {assembly.settings.mode}, {len(assembly.venues)} accounts",
            topic="configuration",
        )
    ]
    database, books, venues, sign_in = await asyncio.gather(
        answered(database_lines(assembly), what="database", topic=DATABASE, within=DATABASE_WITHIN),
        _books(assembly),
        _venues(assembly),
        answered(sign_in_lines(assembly), what=SIGN_IN, topic=SIGN_IN, within=SIGN_IN_WITHIN),
    )
    lines += database
    rows = await _rows(assembly, books)
    for name in assembly.books:
        lines += [*books[name], *rows.get(name, ())]
    lines += await rejection_lines(assembly)
    lines += same_key_lines(assembly)
    for account in assembly.venues:
        lines += venues[account]
    return _by_topic([*lines, *pace_lines(assembly), *sign_in, *channel_lines(assembly)])


async def _books(assembly: Assembly) -> dict[BookName, list[Line]]:
    async def one(name: BookName) -> list[Line]:
        what = topic_of_book(name)
        book, driver = await asyncio.gather(
            answered(book_lines(assembly, name), what=what, topic=what, within=BOOK_WITHIN),
            answered(
                driver_lines(assembly, name),
                what=f"{what}, deactivation",
                topic=what,
                within=DRIVER_WITHIN,
            ),
        )
        return [*book, *driver]

    return await _each(assembly.books, one, topic_of_book, at_once=BOOKS_AT_ONCE)


async def _rows(
    assembly: Assembly, books: Mapping[BookName, list[Line]]
) -> dict[BookName, list[Line]]:
    """Asked last: symbols are compared with the venue's markets."""
    fitting = [name for name, lines in books.items() if _fits(lines, name)]
    return await _each(
        fitting, lambda name: row_lines(assembly, name), topic_of_book, at_once=BOOKS_AT_ONCE
    )


async def _venues(assembly: Assembly) -> dict[AccountName, list[Line]]:
    async def one(account: AccountName) -> list[Line]:
        what = topic_of(account)
        return await answered(
            venue_lines(assembly, account), what=what, topic=what, within=ACCOUNT_WITHIN
        )

    return await _each(assembly.venues, one, topic_of, at_once=VENUES_AT_ONCE)


async def _each(
    names: Iterable[N],
    work: Callable[[N], Awaitable[list[Line]]],
    topic: Callable[[N], str],
    *,
    at_once: int,
) -> dict[N, list[Line]]:
    """A few at once, and all of them in bounded time: who is not reached by then is said to be."""
    turns = asyncio.Semaphore(at_once)
    until = asyncio.get_running_loop().time() + ALL_WITHIN.total_seconds()

    async def one(name: N) -> list[Line]:
        async with turns:
            left = timedelta(seconds=max(until - asyncio.get_running_loop().time(), 0))
            return await answered(work(name), what=topic(name), topic=topic(name), within=left)

    asked = list(names)
    return dict(zip(asked, await asyncio.gather(*(one(name) for name in asked)), strict=True))


def _fits(lines: list[Line], name: BookName) -> bool:
    """The statements of a book can be run."""
    return any(line.what == topic_of_book(name) and line.level == "ok" for line in lines)


def _by_topic(lines: list[Line]) -> list[Line]:
    """The lines of a topic stand together, in the order in which its first one came."""
    order = list(dict.fromkeys(line.topic or line.what for line in lines))
    return sorted(lines, key=lambda line: order.index(line.topic or line.what))
