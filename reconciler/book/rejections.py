"""A bot's own record of refused requests: an optional SELECT of the preset, `[auth] rejections`.

It is read apart from the book: whatever is wrong with it keeps no account from being judged.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from reconciler.domain.auth_probes import TokenFacts
from reconciler.domain.auth_rejections import RejectionRow, RejectionRows
from reconciler.domain.errors import BookUnreadableError
from reconciler.domain.identity import BookName
from reconciler.rules.auth_reports import claims_of
from reconciler.store.connecting import Connection, Pool, borrowed, message_of

LATE: Final = timedelta(seconds=10)
"""How much later than its `at` a row may be committed, and still be counted in the metric."""
AHEAD: Final = timedelta(seconds=5)
"""Of our clock; rows that are farther in the future are counted when their time has come."""
ANSWER_WITHIN: Final = timedelta(seconds=10)
MOST_GROUPS: Final = 1000
MOST_CLAIMS: Final = 5

_COUNTED: Final = """
select left(surface::text, 40) as surface, code::text as code,
       count(*) filter (where at > $2 and at <= $3) as fresh,
       max(at) filter (where at > $2 and at <= $3) as counted_to,
       count(*) filter (where at > $4) as recent
from (
{}
) as rejections where at <= $5
group by 1, 2 order by recent desc, fresh desc limit {}
"""
_CLAIMS: Final = """
select claims::text as claims from (
{}
) as rejections
where at <= $2 and claims is not null order by at desc limit {}
"""


class BookRejections:
    """The rows of one book."""

    def __init__(self, pool: Pool, *, book: BookName, statement: str) -> None:
        """`statement` returns `at`, `code`, `surface`, and may return `claims`; it takes a time."""
        self.book = book
        self._pool = pool
        self._statement = statement.strip().rstrip(";")

    async def check(self) -> None:
        """Prepare the statement. Raises BookUnreadableError, DatabaseUnavailableError."""
        async with borrowed(self._pool) as connection:
            await self._has_claims(connection)

    async def read(self, *, since: datetime, now: datetime, within: timedelta) -> RejectionRows:
        """Rows after `since` that were not counted yet, and all of the time `within`.

        Raises BookUnreadableError, DatabaseUnavailableError.
        """
        settled, recent = now - LATE, now - within
        start, end = min(since, recent), now + AHEAD
        async with (
            borrowed(self._pool) as connection,
            connection.transaction(readonly=True),
        ):
            has_claims = await self._has_claims(connection)
            counted = await self._fetch(
                connection,
                _COUNTED.format(self._statement, MOST_GROUPS),
                *(start, since, settled, recent, end),
            )
            told: Sequence[asyncpg.Record] = ()
            if has_claims and any(row["recent"] for row in counted):
                told = await self._fetch(
                    connection, _CLAIMS.format(self._statement, MOST_CLAIMS), recent, end
                )
        rows = (
            RejectionRow(
                surface=row["surface"] or "",
                code=row["code"] or "",
                fresh=row["fresh"],
                recent=row["recent"],
            )
            for row in counted
        )
        counted_to = max((row["counted_to"] for row in counted if row["fresh"]), default=since)
        return RejectionRows(rows=tuple(rows), counted_to=counted_to, tokens=_facts(told))

    async def _fetch(
        self, connection: Connection, statement: str, *arguments: object
    ) -> Sequence[asyncpg.Record]:
        try:
            return await connection.fetch(
                statement, *arguments, timeout=ANSWER_WITHIN.total_seconds()
            )
        except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as error:
            raise self._unreadable(message_of(error)) from error

    async def _has_claims(self, connection: Connection) -> bool:
        """Whether the statement returns claims. Raises BookUnreadableError: it does not fit."""
        try:
            prepared = await connection.prepare(self._statement)
        except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as error:
            raise self._unreadable(message_of(error)) from error
        taken = [kind.name for kind in prepared.get_parameters()]
        if taken != ["timestamptz"]:
            raise self._unreadable("takes no time: add `where at > $1::timestamptz`")
        given = {a.name: a.type.name for a in prepared.get_attributes()}
        lacks = sorted({"at", "code", "surface"} - set(given))
        if lacks:
            raise self._unreadable(f"lacks the column {', '.join(lacks)}")
        if given["at"] != "timestamptz":
            raise self._unreadable(f"at is {given['at']}, it must be timestamptz")
        try:
            await connection.prepare(_COUNTED.format(self._statement, MOST_GROUPS))
        except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as error:
            raise self._unreadable(f"must be one SELECT: {message_of(error)}") from error
        return "claims" in given

    def _unreadable(self, why: str) -> BookUnreadableError:
        return BookUnreadableError(f"auth.rejections of book {self.book}: {why}")


def _facts(rows: Sequence[asyncpg.Record]) -> tuple[TokenFacts, ...]:
    found = []
    for row in rows:
        with suppress(ValueError, RecursionError):
            facts = claims_of(json.loads(row["claims"]))
            if facts is not None:
                found.append(facts)
    return tuple(found)
