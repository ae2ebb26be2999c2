"""A bounded look at rows: the words, signs and sizes that names do not tell.

Only columns that may be mapped are read, never one whose name speaks of a secret.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import asyncpg

from reconciler.book.discovery.catalogue import Column, Kind, Table
from reconciler.store.connecting import Connection, message_of

FROM_THE_START = 1000
FROM_THE_END = 2000
"""The newest rows by the primary key: in a long table the first ones have all ended."""
MOST_LETTERS = 64

SECRET = re.compile(
    r"secret|passw|passphrase|token|api_?key|private|mnemonic|credential|seed|hash|salt|cert",
    re.IGNORECASE,
)
"""Columns of such names are never read, whatever they hold."""
_SEEN = frozenset(set(Kind) - {Kind.JSON, Kind.OTHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a sample shows of one column."""

    rows: int
    words: Mapping[str, int]
    """Each value as text with its number of rows, the most frequent first."""

    @property
    def filled_in(self) -> int:
        """Rows that are not null."""
        return sum(self.words.values())

    def numbers(self) -> list[Decimal]:
        """The distinct values that are numbers."""
        found = []
        for word in self.words:
            try:
                number = Decimal(word.strip())
            except InvalidOperation:
                continue
            if number.is_finite():
                found.append(number)
        return found

    def are_numbers(self) -> bool:
        """Every value reads as a number, and there is one."""
        return bool(self.words) and len(self.numbers()) == len(self.words)


NOTHING = Values(rows=0, words={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Some rows of a table, column by column."""

    rows: int = 0
    columns: Mapping[str, Values]
    trouble: str | None = None

    def of(self, column: Column | None) -> Values:
        """The values of a column; none where it was not looked at."""
        return self.columns.get(column.name, NOTHING) if column is not None else NOTHING


def may_be_shown(column: Column) -> bool:
    """Neither a secret by its name nor of a type that holds more than a value."""
    return column.kind in _SEEN and not SECRET.search(column.name)


async def sample(connection: Connection, table: Table, columns: Sequence[Column]) -> Sample:
    """At most 3000 rows. A table that cannot be read (in time) is an empty sample that says so."""
    shown = [c for c in columns if may_be_shown(c)]
    if not table.may_read or not shown:
        return Sample(columns={}, trouble=None if shown else "no column that could be shown")
    listed = ", ".join(
        f"left({c.of('r')}::text, {MOST_LETTERS}) as c{at}" for at, c in enumerate(shown)
    )
    first = f"select {listed} from {table.quoted} r limit {FROM_THE_START}"  # noqa: S608 - quoted by the server
    try:
        async with connection.transaction():
            rows = await connection.fetch(first)
            key = table.column(table.key[0]) if len(table.key) == 1 else None
            if len(rows) == FROM_THE_START and key is not None:
                newest = f"order by {key.of('r')} desc limit {FROM_THE_END}"
                rows += await connection.fetch(f"select {listed} from {table.quoted} r {newest}")  # noqa: S608 - as above
    except (asyncpg.QueryCanceledError, asyncpg.InsufficientPrivilegeError) as error:
        return Sample(columns={}, trouble=f"{table.quoted}: {message_of(error)}")
    return Sample(
        rows=len(rows),
        columns={c.name: _values([row[f"c{at}"] for row in rows]) for at, c in enumerate(shown)},
    )


def _values(given: Sequence[str | None]) -> Values:
    counted = Counter(value for value in given if value is not None)
    return Values(rows=len(given), words=dict(counted.most_common()))
