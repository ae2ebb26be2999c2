"""What the rows of the book's own statements say: counted by the server, never fetched whole."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from reconciler.book.inspection.asking import inner, samples_for, statements_of, taken_by
from reconciler.book.preset import Preset
from reconciler.book.rows import order_of, position_of
from reconciler.domain.errors import BookUnreadableError
from reconciler.domain.identity import AccountName, Symbol
from reconciler.store.connecting import Connection

REACH = timedelta(days=1)
"""Rows that ended within it are among those that are looked at."""
MOST_GROUPS = 5000
MOST_ROWS = 2000
"""Of each table: read one by one, as a pass would, to see which cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileGroup:
    """Profiles of one account and status."""

    account: AccountName
    status: str
    profiles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """Rows of one account, symbol and status."""

    table: str
    account: AccountName | None
    """None: no profile of the book has that id."""
    symbol: str | None
    status: str | None
    """Of orders; None too where there is none."""
    is_open: bool
    """Of positions; True for every order, which may be one."""
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The book, counted."""

    profiles: tuple[ProfileGroup, ...]
    rows: tuple[RowGroup, ...]
    unreadable: Mapping[str, int]
    """Why rows cannot be read, and how many of those that were tried."""


async def contents_of(connection: Connection, preset: Preset) -> Contents:
    """Count profiles and rows by what they say. The statements must fit."""
    statements = statements_of(preset)
    profiles = inner(statements["profiles_select"][1])
    groups = await connection.fetch(
        f"select account::text, coalesce(status::text, '') as status, count(*) as profiles "  # noqa: S608 - the operator's own statement
        f"from ({profiles}) p group by 1, 2 order by 3 desc limit {MOST_GROUPS}"
    )
    rows: list[RowGroup] = []
    unreadable: Counter[str] = Counter()
    for attribute, table, told in (
        ("orders_select", "orders", "r.status::text as status, true as is_open"),
        ("positions_select", "positions", 'null as status, coalesce(r."open", true) as is_open'),
    ):
        shape, statement = statements[attribute]
        samples = await taken_by(connection, statement, samples_for(shape, reach=REACH))
        found = await connection.fetch(
            f"select p.account, r.symbol::text as symbol, {told}, count(*) as rows "  # noqa: S608 - as above
            f"from ({inner(statement)}) r left join "
            f"(select distinct id::text as id, account::text as account from ({profiles}) p) p "
            "on p.id = r.profile_id::text "
            f"group by 1, 2, 3, 4 order by 5 desc limit {MOST_GROUPS}",
            *samples,
        )
        rows += [
            RowGroup(table=table, **{k: v for k, v in row.items() if k != "rows"}, rows=row["rows"])
            for row in found
        ]
        unreadable.update(await _unreadable(connection, preset, table, statement, samples))
    return Contents(
        profiles=tuple(ProfileGroup(**row) for row in groups),
        rows=tuple(rows),
        unreadable=unreadable,
    )


async def _unreadable(
    connection: Connection, preset: Preset, table: str, statement: str, samples: list[object]
) -> Counter[str]:
    read = order_of if table == "orders" else position_of
    reasons: Counter[str] = Counter()
    for row in await connection.fetch(
        f"select * from ({inner(statement)}) r limit {MOST_ROWS}",  # noqa: S608 - as above
        *samples,
    ):
        try:
            read(row, preset=preset, symbol_of=Symbol)
        except BookUnreadableError as error:
            reasons[_without_row(str(error))] += 1
    return reasons


def _without_row(why: str) -> str:
    """A reason that rows share: what stands before and after the row's own id."""
    head, found, tail = why.partition(": ")
    return f"{head.split()[0]}: {tail}" if found else why
