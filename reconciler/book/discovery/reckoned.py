"""Columns that stand for what a table says in another form: flags of 0 and 1, a pair in two."""

from dataclasses import replace

from reconciler.book.discovery.catalogue import Column, Kind, Table
from reconciler.book.discovery.names import (
    BOOLEANS,
    ORDERS,
    POSITIONS,
    PROFILES,
    SIGNS,
    TEXTS,
    Wanted,
    plain,
    words_of,
)
from reconciler.book.discovery.sampling import Sample

BASES = tuple(f"base{tail}" for tail in ("", "_asset", "_currency", "_symbol", "_coin", "_ccy"))
"""Beside a `quote` of the same form."""
_FLAGS = frozenset(
    name
    for wanted in (ORDERS, POSITIONS, PROFILES)
    for role in wanted.values()
    for name in role.names
    if role.kinds == BOOLEANS or (role.kinds == SIGNS and name.startswith("is_"))
)
_BITS = frozenset({"0", "1"})


def with_pair(table: Table) -> Table:
    """`base` and `quote` are a symbol where no column is one."""
    by_name = {plain(c.name): c for c in table.columns if c.kind in TEXTS}
    if _has(table, ORDERS["symbol"]):
        return table
    for base in BASES:
        both = by_name.get(base), by_name.get(base.replace("base", "quote"))
        if both[0] is not None and both[1] is not None:
            first, second = (column.text("{row}") for column in both if column is not None)
            symbol = replace(
                both[0],
                name="symbol",
                kind=Kind.TEXT,
                type="text",
                is_generated=True,
                labels=(),
                reads=f"(upper({first}) || '/' || upper({second}))",
            )
            return replace(table, columns=(*table.columns, symbol))
    return table


def _has(table: Table, wanted: Wanted) -> bool:
    return any(plain(c.name) in wanted.names and c.kind in wanted.kinds for c in table.columns)


def with_flags(table: Table, sample: Sample) -> Table:
    """`is_closed smallint` of 0 and 1 is a boolean."""
    return replace(
        table,
        columns=tuple(
            _as_flag(column) if _is_flag(column, table, sample) else column
            for column in table.columns
        ),
    )


def _is_flag(column: Column, table: Table, sample: Sample) -> bool:
    if column.kind is not Kind.WHOLE or column.reads is not None:
        return False
    names = {plain(column.name), plain(column.name).removeprefix(f"{words_of(table.name)[-1]}_")}
    values = set(sample.of(column).words)
    is_small = column.type == "smallint" or column.default in _BITS
    return bool(names & _FLAGS) and values <= _BITS and (bool(values) or is_small)


def _as_flag(column: Column) -> Column:
    return replace(
        column,
        kind=Kind.BOOLEAN,
        reads=f"({{row}}.{column.quoted} <> 0)",
        writes="({value})::integer",
    )
