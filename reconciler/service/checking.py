"""The doctor: every line of `reconciler check`. Each is a question that changes nothing."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from reconciler.domain.identity import AccountName, BookName
from reconciler.service.assembly import Assembly
from reconciler.service.checks.books import book_lines, rejection_lines
from reconciler.service.checks.books import topic_of as topic_of_book
from reconciler.service.checks.database import TOPIC as DATABASE
from reconciler.service.checks.database import database_lines
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
ALL_ACCOUNTS_WITHIN = timedelta(minutes=10)
"""A thousand accounts at a slow venue: those that are not reached by then are said to be so."""
AT_ONCE = 16


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
    for name in assembly.books:
        lines += books[name]
        if _fits(books[name], name):  # asked last: symbols are compared with the venue's markets
            lines += await row_lines(assembly, name)
    lines += await rejection_lines(assembly)
    lines += same_key_lines(assembly)
    for account in assembly.venues:
        lines += venues[account]
    return _by_topic([*lines, *pace_lines(assembly), *sign_in])


async def _books(assembly: Assembly) -> dict[BookName, list[Line]]:
    found = {}
    for name in assembly.books:
        what = topic_of_book(name)
        found[name] = await answered(
            book_lines(assembly, name), what=what, topic=what, within=BOOK_WITHIN
        )
    return found


async def _venues(assembly: Assembly) -> dict[AccountName, list[Line]]:
    turns = asyncio.Semaphore(AT_ONCE)
    until = asyncio.get_running_loop().time() + ALL_ACCOUNTS_WITHIN.total_seconds()

    async def one(account: AccountName) -> list[Line]:
        what = topic_of(account)
        async with turns:
            left = timedelta(seconds=max(until - asyncio.get_running_loop().time(), 0))
            return await answered(
                venue_lines(assembly, account),
                what=what,
                topic=what,
                within=min(ACCOUNT_WITHIN, left),
            )

    works: list[Awaitable[list[Line]]] = [one(account) for account in assembly.venues]
    return dict(zip(assembly.venues, await asyncio.gather(*works), strict=True))


def _fits(lines: list[Line], name: BookName) -> bool:
    """The statements of a book can be run."""
    return any(line.what == topic_of_book(name) and line.level == "ok" for line in lines)


def _by_topic(lines: list[Line]) -> list[Line]:
    """The lines of a topic stand together, in the order in which its first one came."""
    order = list(dict.fromkeys(line.topic or line.what for line in lines))
    return sorted(lines, key=lambda line: order.index(line.topic or line.what))
