"""Keys of json columns as columns of their table, where orders or positions are kept as documents.

Which keys there are is looked up, and the values of those alone that may be mapped: never one
whose name speaks of a secret.
"""

from collections.abc import Mapping
from dataclasses import replace

import asyncpg

from reconciler.book.discovery.catalogue import Column, Kind, Table, literal
from reconciler.book.discovery.names import plain
from reconciler.book.discovery.sampling import SECRET
from reconciler.store.connecting import Connection

MOST_ROWS = 500
MOST_KEYS = 60
_KINDS: Mapping[str, tuple[Kind, str]] = {
    "string": (Kind.TEXT, "text"),
    "number": (Kind.NUMBER, "numeric"),
    "boolean": (Kind.BOOLEAN, "boolean"),
}


async def with_json_keys(connection: Connection, table: Table) -> Table:
    """The same table with a column for each key; unchanged where its rows cannot be read."""
    found: dict[str, Column] = {}
    there = {plain(c.name) for c in table.columns}
    for column in table.columns:
        if column.kind is not Kind.JSON or SECRET.search(column.name):
            continue
        for key, kinds in (await _keys(connection, table, column)).items():
            if plain(key) not in there and not SECRET.search(key):
                found.setdefault(plain(key), _column(column, key, kinds))
    return replace(table, columns=(*table.columns, *found.values()))


async def _keys(connection: Connection, table: Table, column: Column) -> dict[str, set[str]]:
    """By key, of which types its values are; null is none."""
    asked = (
        "select k.key, array_agg(distinct jsonb_typeof(k.value)) as kinds from "  # noqa: S608 - quoted by the server
        f"(select r.{column.quoted}::jsonb as j from {table.quoted} r limit {MOST_ROWS}) s "
        "cross join lateral jsonb_each(case when jsonb_typeof(s.j) = 'object' then s.j end) k "
        f"where jsonb_typeof(k.value) in ('string', 'number', 'boolean') group by k.key "
        f"order by count(*) desc, k.key limit {MOST_KEYS}"
    )
    try:
        async with connection.transaction():
            rows = await connection.fetch(asked)
    except asyncpg.PostgresError:
        return {}
    return {row["key"]: set(row["kinds"]) for row in rows}


def _column(column: Column, key: str, kinds: set[str]) -> Column:
    """A key whose values are of several types is read as text."""
    kind, kind_name = _KINDS[kinds.pop()] if len(kinds) == 1 else (Kind.TEXT, "text")
    value = f"({{row}}.{column.quoted} ->> {literal(key)})"
    return Column(
        name=key,
        quoted=column.quoted,
        type=kind_name,
        kind=kind,
        nullable=True,
        is_generated=True,
        reads=value if kind is Kind.TEXT else f"{value}::{kind_name}",
    )
