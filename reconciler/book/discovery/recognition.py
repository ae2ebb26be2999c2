"""Presets whose statements prepare on these tables, and whose columns fit."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.book.discovery.catalogue import Table
from reconciler.book.discovery.discovering import looking
from reconciler.book.discovery.names import plain
from reconciler.book.discovery.sampling import sample
from reconciler.book.parameters import ACCOUNT, TIMEZONE, Parameter, declared
from reconciler.book.preset import PRESETS, Preset, load_preset, preset_names
from reconciler.book.statements import check_statements
from reconciler.domain.errors import BookUnreadableError
from reconciler.store.connecting import Connection

SCHEMA = "schema"
LOOSE = frozenset({"supabase"})
MOST_SCHEMAS = 20
"""Tried for a preset that takes a schema; the first are those with the most tables."""
TO_FILL_IN = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A preset that fits, and what it had to be told."""

    name: str
    parameters: Mapping[str, str]
    """A value of `?` is what a person has to fill in."""
    untold: tuple[str, ...]
    is_loose: bool
    """Its tables are such as many bots have, with words of their own."""
    takes_account: bool


async def recognise(
    connection: Connection, tables: Sequence[Table], *, account: str, timezone: str | None
) -> list[Recognised]:
    """Every preset that fits, in any schema. Nothing is run but a sample of rows."""
    found = []
    for name in preset_names():
        takes = _takes(name)
        asked = [p for p in takes.values() if p.default is None and p.name not in _KNOWN]
        for schema in (None, *(_schemas(tables) if SCHEMA in takes else ())):
            parameters = dict.fromkeys((p.name for p in asked), TO_FILL_IN)
            if schema is not None:
                parameters[SCHEMA] = schema
            preset = _loaded(name, parameters, account=account, timezone=timezone)
            if preset is not None and await _fits(connection, preset):
                mine = [t for t in tables if t.schema == (schema or "public")]
                async with looking(connection):
                    told, untold = await _filled_in(connection, mine, asked)
                found.append(
                    Recognised(
                        name=name,
                        parameters={**parameters, **told},
                        untold=tuple(untold),
                        is_loose=name in LOOSE,
                        takes_account=ACCOUNT in takes and takes[ACCOUNT].default is None,
                    )
                )
                break
    return found


_KNOWN = frozenset({ACCOUNT, TIMEZONE})


def _takes(name: str) -> dict[str, Parameter]:
    data = tomllib.loads((PRESETS / f"{name}.toml").read_text(encoding="utf-8"))
    return declared(name, data.get("parameters", {}))


def _schemas(tables: Iterable[Table]) -> list[str]:
    names = [table.schema for table in tables]
    return sorted(set(names), key=lambda s: (-names.count(s), s))[:MOST_SCHEMAS]


def _loaded(
    name: str, parameters: Mapping[str, str], *, account: str, timezone: str | None
) -> Preset | None:
    try:
        return load_preset(name, parameters=parameters, account=account, timezone=timezone)
    except BookUnreadableError:
        return None


async def _fits(connection: Connection, preset: Preset) -> bool:
    try:
        await check_statements(connection, preset)
    except BookUnreadableError:
        return False
    return True


async def _filled_in(
    connection: Connection, tables: Sequence[Table], asked: Sequence[Parameter]
) -> tuple[dict[str, str], list[str]]:
    """What a column of that name says: the most frequent value, and which others there are."""
    told: dict[str, str] = {}
    untold: list[str] = []
    for parameter in asked:
        counted: Counter[str] = Counter()
        for table in tables:
            columns = [c for c in table.columns if plain(c.name) in _called(parameter.name)]
            seen = await sample(connection, table, columns) if columns else None
            for column in columns if seen is not None else ():
                counted.update(seen.of(column).words if seen is not None else {})
        words = [word for word, _ in counted.most_common(10)]
        if words:
            told[parameter.name] = words[0]
        if len(words) != 1:
            among = f" (there are {', '.join(words)})" if words else ""
            untold.append(f"parameters.{parameter.name}: {parameter.about}{among}")
    return told, untold


def _called(parameter: str) -> tuple[str, ...]:
    return parameter, f"{parameter}_name"
