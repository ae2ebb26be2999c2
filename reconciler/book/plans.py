"""Which statements of a book read a large table from end to end, and the index that ends it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from reconciler.book.inspection.asking import SAMPLE_ID, samples_for, statements_of, taken_by
from reconciler.book.preset import Preset
from reconciler.store.connecting import Connection

LARGE = 50_000
"""Rows. Below it, reading a whole table takes milliseconds, and an index is no matter."""
_BYTES_A_ROW = 150
"""A guess, for tables that were never analyzed."""

_SIZE = """
select case when c.reltuples > 0 then c.reltuples::int8
       else pg_relation_size(c.oid) / $3 end as rows
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2
"""
_LACKS = """
select case when to_regclass($1) = to_regclass($2) then not exists (
  select from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = to_regclass($1) and c.relname = $3) end
"""
"""Null: the index is for another table."""
_PARTIAL = """
select coalesce(bool_or(i.indpred is not null), false)
from pg_index i join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2
"""
_SERVED = (" = ", " >= ", " > ", " <= ", " < ")
"""Operators that an index serves, the most selective first."""
_WORDS = len(_SERVED)
"""A list of fixed words leaves out less than a time does."""
_KEYWORDS = frozenset({"ALL", "ANY", "NOT", "IS", "NULL", "AND", "OR", "TRUE", "FALSE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTableRead:
    """One large table that a statement reads from end to end."""

    statement: str
    """As `orders.select`."""
    table: str
    rows: int
    condition: str
    indexes: tuple[str, ...]
    """What to run. Empty: an index is there, and the planner leaves it aside."""


async def plan_of(connection: Connection, preset: Preset) -> list[WholeTableRead]:
    """Every large table that some statement reads whole. Runs nothing; in a transaction."""
    found = []
    for shape, statement in statements_of(preset).values():
        asked = f"explain (format json, verbose) {statement}"
        try:
            async with connection.transaction():
                samples = await taken_by(connection, asked, samples_for(shape))
                scans = await _large_scans(connection, asked, samples)
                if not scans:
                    continue
                await connection.execute("set local enable_seqscan = off")
                unavoidable = {
                    (schema, table, condition)
                    for schema, table, condition, _ in await _large_scans(
                        connection, asked, samples
                    )
                }
        except asyncpg.PostgresError:
            continue  # what does not fit, or is not permitted, is told by others
        for schema, table, condition, rows in scans:
            name = f"{_quoted(schema)}.{_quoted(table)}"
            known, advised = await _of_the_preset(connection, preset, name)
            is_served = known and not preset.has_own_statements
            if not advised and not is_served and (schema, table, condition) in unavoidable:
                advised = tuple(indexes_for(name, condition))
            found.append(
                WholeTableRead(
                    statement=shape.name,
                    table=name,
                    rows=rows,
                    condition=condition,
                    indexes=advised,
                )
            )
    return found


async def _of_the_preset(
    connection: Connection, preset: Preset, table: str
) -> tuple[bool, tuple[str, ...]]:
    """Whether the preset itself names indexes for a table, and those that are not there."""
    missing, known = [], False
    for name, definition in preset.indexes.items():
        on = definition.removeprefix("on ").partition(" (")[0]
        lacks = await connection.fetchval(_LACKS, on, table, name)
        known = known or lacks is not None
        if lacks:
            missing.append(f"CREATE INDEX CONCURRENTLY {name} {definition}")
    return known, tuple(missing)


Scan = tuple[str, str, str, int]


async def _large_scans(connection: Connection, asked: str, samples: list[object]) -> list[Scan]:
    told = await connection.fetchval(asked, *samples)
    [plan] = json.loads(told)
    scans: dict[tuple[str, str, str], int] = {}
    for node in _nodes(plan["Plan"]):
        if "Schema" in node and await _reads_all(connection, node):
            schema, table = node["Schema"], node["Relation Name"]
            rows = await connection.fetchval(_SIZE, schema, table, _BYTES_A_ROW)
            if rows >= LARGE:
                condition = _without_alias(str(node.get("Filter", "")), str(node.get("Alias", "")))
                scans[schema, table, condition] = rows
    return [(*key, rows) for key, rows in scans.items()]


async def _reads_all(connection: Connection, node: Mapping[str, Any]) -> bool:
    """A table from end to end: as it lies, or in the order of an index that leaves nothing out."""
    if node["Node Type"] == "Seq Scan":
        return True
    if not node["Node Type"].startswith("Index") or "Index Cond" in node:
        return False
    is_partial: bool = await connection.fetchval(_PARTIAL, node["Schema"], node["Index Name"])
    return not is_partial


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _without_alias(condition: str, alias: str) -> str:
    for name in (alias, f'"{alias}"'):
        condition = re.sub(rf"(?<![\w\".]){re.escape(name)}\.(?=[\w\"])", "", condition)
    return condition


def indexes_for(table: str, condition: str) -> Iterator[str]:
    """The indexes that let Postgres find the rows of a condition without the rest.

    Each part of an OR needs its own; of an AND, one part that an index serves is enough.
    """
    seen: set[str] = set()
    for part in _split(condition, " OR "):
        on = _index_on(part)
        if on is not None and on not in seen:
            seen.add(on)
            yield f"CREATE INDEX CONCURRENTLY ON {table} {on}"


def _index_on(part: str) -> str | None:
    """The columns (and rows) of an index for one part of a condition."""
    conditions = [_bare(c) for c in _split(part, " AND ") if c]
    served = [found for c in conditions if (found := _served(c)) is not None]
    if served:
        _, column = min(served)
        return f"({column})"
    fixed = [c for c in conditions if not any(word in c for word in (*_SERVED, " OR "))]
    named = [name for c in fixed for name in _names(c)]
    return f"({named[0]}) WHERE {' AND '.join(fixed)}" if named else None


def _served(condition: str) -> tuple[int, str] | None:
    """How selective a condition is, and the column or expression whose index serves it."""
    for at, depth in _depths(condition):
        operator = next((o for o in _SERVED if condition.startswith(o, at)), None)
        if depth == 0 and operator is not None:
            column, value = condition[:at], condition[at + len(operator) :]
            if _names(value):  # a join: the other side is no value
                return None
            written = column if re.fullmatch(r'[\w$]+|"[^"]+"', column) else f"({column})"
            is_list = value.startswith("ANY") and SAMPLE_ID not in value
            return _WORDS if is_list else _SERVED.index(operator), written
    return None


def _names(text: str) -> list[str]:
    """The columns in an expression: what is neither a literal, nor a type, nor a word of SQL."""
    plain = re.sub(r"'(?:[^']|'')*'|::[\w ]+(\[\])?", " ", text)
    names = re.findall(r'"[^"]+"|[A-Za-z_][\w$]*', plain)
    return [name for name in names if name not in _KEYWORDS]


def _bare(part: str) -> str:
    """A condition without the parentheses around all of it."""
    part = part.strip()
    while part.startswith("(") and _closes_at(part) == len(part) - 1:
        part = part[1:-1].strip()
    return part


def _closes_at(text: str) -> int:
    """Where the parenthesis that `text` begins with is closed."""
    for at, depth in _depths(text):
        if depth == 0 and text[at] == ")":
            return at
    return -1


def _split(condition: str, word: str) -> list[str]:
    """The parts that `word` joins, at the top."""
    text, start, parts = _bare(condition), 0, []
    for at, depth in _depths(text):
        if depth == 0 and text.startswith(word, at):
            parts.append(text[start:at])
            start = at + len(word)
    return [*parts, text[start:]]


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Each place outside literals and quoted names, and how many parentheses are open after it."""
    depth, quote = 0, ""
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
            continue
        if letter in "'\"":
            quote = letter
            continue
        depth += (letter == "(") - (letter == ")")
        yield at, depth


def _quoted(name: str) -> str:
    return (
        name
        if re.fullmatch(r"[a-z_][a-z0-9_]*", name)
        else f'"{name.replace(chr(34), chr(34) * 2)}"'
    )
