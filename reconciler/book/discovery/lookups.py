"""Links between tables that nobody declared, and words that stand in a table beside."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.book.discovery.catalogue import Column, Kind, Link, Lookup, Table
from reconciler.book.discovery.names import IDS, TEXTS, plain, words_of

SPOKEN = (
    "symbol",
    "ccxt_symbol",
    "code",
    "name",
    "ticker",
    "pair",
    "status",
    "label",
    "slug",
    "key",
)
"""Columns of a small table that are what the link means."""
LOOKED_UP = frozenset(
    {
        "symbol",
        "instrument",
        "pair",
        "market",
        "ticker",
        "contract",
        "product",
        "asset",
        "security",
        "status",
        "state",
        "side",
        "direction",
    }
)


def with_links(tables: Sequence[Table]) -> tuple[Table, ...]:
    """`bot_id` names a row of `bots`, where such a table has a key of that type."""
    return tuple(
        replace(table, columns=tuple(_linked(column, table, tables) for column in table.columns))
        for table in tables
    )


def _linked(column: Column, table: Table, tables: Sequence[Table]) -> Column:
    words = words_of(column.name)
    if column.link is not None or not words[:-1] or words[-1] not in ("id", "uuid"):
        return column
    if column.kind not in IDS or table.key == (column.name,):
        return column
    named = [
        other
        for other in tables
        if other is not table
        and len(other.key) == 1
        and words_of(other.name)[-len(words) + 1 :] == words[:-1]
    ]
    for other in sorted(named, key=lambda t: (t.schema != table.schema, len(t.name))):
        key = other.column(other.key[0])
        if key is not None and key.kind is column.kind:
            link = Link(schema=other.schema, table=other.name, column=key.name, declared=False)
            return replace(column, link=link)
    return column


def linked_table(column: Column, tables: Iterable[Table]) -> Table | None:
    """The table whose rows this column names."""
    link = column.link
    if link is None:
        return None
    return next((t for t in tables if (t.schema, t.name) == (link.schema, link.table)), None)


def with_lookups(table: Table, tables: Sequence[Table]) -> Table:
    """Also the symbols, statuses and sides that stand in a table which this one links to."""
    names = {plain(c.name) for c in table.columns}
    spoken = {
        column.name: said
        for column in table.columns
        if set(words_of(column.name)) & LOOKED_UP
        and (other := linked_table(column, tables)) is not None
        and (said := _spoken(column, other)) is not None
        and said.name not in names
    }
    return replace(table, columns=tuple(spoken.get(c.name, c) for c in table.columns))


def _spoken(column: Column, other: Table) -> Column | None:
    link = column.link
    assert link is not None
    target = other.column(link.column)
    by_name = {plain(c.name): c for c in other.columns if c.kind in TEXTS}
    said = next((by_name[name] for name in SPOKEN if name in by_name), None)
    if target is None or said is None or not other.may_read:
        return None
    return Column(
        name=plain(column.name).removesuffix("_id").removesuffix("_uuid"),
        quoted=column.quoted,
        type=said.type,
        kind=Kind.TEXT,
        nullable=True,
        is_generated=True,
        lookup=Lookup(
            column=column.quoted, table=other.quoted, key=target.quoted, said=f"{said.quoted}::text"
        ),
    )
