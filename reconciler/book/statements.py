"""Each statement is prepared before it is trusted: its columns and types are checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from reconciler.book.preset import Preset
from reconciler.book.row_security import why_rows_are_hidden
from reconciler.domain.errors import BookUnreadableError
from reconciler.store.connecting import Connection, message_of

TEXT = frozenset(
    {"text", "varchar", "bpchar", "name", "citext", "uuid", "int2", "int4", "int8", "char"}
)
NUMERIC = frozenset({"numeric", "int2", "int4", "int8", "float4", "float8"})
TIMESTAMP = frozenset({"timestamptz"})
NAIVE_TIMESTAMP = frozenset({"timestamp"})
BOOLEAN = frozenset({"bool"})
_SAID: Mapping[frozenset[str], str] = {
    TEXT: "text",
    NUMERIC: "numeric",
    TIMESTAMP: "timestamptz",
    BOOLEAN: "boolean",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one statement must take and return."""

    name: str
    parameters: tuple[str, ...]
    columns: Mapping[str, frozenset[str]]
    optional: Mapping[str, frozenset[str]]
    first_column_only: bool = False
    """A RETURNING list: only its first column matters, whatever it is called."""


ORDER_COLUMNS = {
    "id": TEXT,
    "profile_id": TEXT,
    "symbol": TEXT,
    "side": TEXT,
    "qty": NUMERIC,
    "filled": NUMERIC,
    "status": TEXT,
    "client_order_id": TEXT,
    "venue_order_id": TEXT,
    "created_at": TIMESTAMP,
    "updated_at": TIMESTAMP,
}
ORDER_OPTIONAL = {
    "type": TEXT,
    "price": NUMERIC,
    "avg_price": NUMERIC,
    "reduce_only": BOOLEAN,
    "role": TEXT,
}
POSITION_COLUMNS = {
    "id": TEXT,
    "profile_id": TEXT,
    "symbol": TEXT,
    "side": TEXT,
    "qty": NUMERIC,
    "open": BOOLEAN,
    "updated_at": TIMESTAMP,
}


def _returning(name: str, *parameters: str) -> Shape:
    return Shape(
        name=name, parameters=parameters, columns={"id": TEXT}, optional={}, first_column_only=True
    )


SHAPES: Mapping[str, Shape] = {
    "profiles_select": Shape(
        name="profiles.select",
        parameters=(),
        columns={"id": TEXT, "account": TEXT, "status": TEXT},
        optional={"name": TEXT, "risk_limit": NUMERIC},
    ),
    "orders_select": Shape(
        name="orders.select",
        parameters=("timestamptz",),
        columns=ORDER_COLUMNS,
        optional=ORDER_OPTIONAL,
    ),
    "orders_find": Shape(
        name="orders.find",
        parameters=("text[]", "text[]"),
        columns=ORDER_COLUMNS,
        optional=ORDER_OPTIONAL,
    ),
    "positions_select": Shape(
        name="positions.select",
        parameters=("timestamptz",),
        columns=POSITION_COLUMNS,
        optional={},
    ),
    "profiles_deactivate": _returning("profiles.deactivate", "text[]"),
    "profiles_activate": _returning("profiles.activate", "text[]", "text[]"),
    "orders_update": _returning(
        "orders.update", "text[]", "text[]", "text[]", "numeric[]", "numeric[]"
    ),
}
"""The contract of DESIGN section 5, as data."""


WRITES = frozenset({"profiles_deactivate", "profiles_activate", "orders_update"})


async def check_statements(connection: Connection, preset: Preset) -> None:
    """Prepare every statement. Raises BookUnreadableError that names all that does not fit."""
    troubles: list[str] = []
    for attribute, shape in SHAPES.items():
        statement = getattr(preset, attribute)
        if statement is None:  # a write that this kind of book does not take
            continue
        found = list(await _check(connection, statement, shape, preset))
        if not found and attribute not in WRITES:
            arguments = await _samples_for(connection, statement, shape)
            hidden = await why_rows_are_hidden(connection, statement, arguments)
            found = [f"{shape.name}: {hidden}"] if hidden is not None else []
        troubles.extend(found)
    # asyncpg's prepare leaves a transaction open at the server, which the next command would be in.
    await connection.execute("select 1")
    if troubles:
        said = "; ".join(troubles)
        mend = f". {preset.mend}" if "does not exist" in said else ""
        raise BookUnreadableError(f"the book does not fit {preset.title}: {said}{mend}")


async def why_not_permitted(connection: Connection, preset: Preset) -> Mapping[str, str]:
    """Statements that this role may not run, with what the server says; nothing is run.

    Preparing looks at no table privilege; EXPLAIN does, as it starts the plan.
    """
    refused: dict[str, str] = {}
    for attribute, shape in SHAPES.items():
        if getattr(preset, attribute) is None:
            continue
        statement = f"explain {getattr(preset, attribute)}"
        try:
            await connection.fetch(statement, *await _samples_for(connection, statement, shape))
        except asyncpg.InsufficientPrivilegeError as error:
            refused[attribute] = f"{shape.name}: {message_of(error)}"
    return refused


async def _samples_for(connection: Connection, statement: str, shape: Shape) -> list[object]:
    """Values of the right types, as many as the statement takes."""
    taken = (await connection.prepare(statement)).get_parameters()
    samples: list[object] = [
        [] if p.endswith("[]") else datetime.now(UTC) for p in shape.parameters
    ]
    return samples[: len(taken)]


async def _check(
    connection: Connection, statement: str, shape: Shape, preset: Preset
) -> Iterable[str]:
    try:
        prepared = await connection.prepare(statement)
    except asyncpg.PostgresError as error:
        return [f"{shape.name}: {message_of(error)}"]
    taken = tuple(_type_name(p) for p in prepared.get_parameters())
    troubles = []
    if taken != shape.parameters[: len(taken)] or len(taken) > len(shape.parameters):
        troubles.append(
            f"{shape.name} takes ({', '.join(taken)}), it must take "
            f"({', '.join(shape.parameters)}): cast them, as $1::{(*shape.parameters, 'text')[0]}"
        )
    columns = {a.name: _type_name(a.type) for a in prepared.get_attributes()}
    if shape.first_column_only:
        if not columns:
            troubles.append(f"{shape.name} returns nothing: add RETURNING id")
        return troubles
    for name, accepted in {**shape.columns, **shape.optional}.items():
        troubles.extend(_check_column(shape, name, columns.get(name), accepted, preset))
    return troubles


def _check_column(
    shape: Shape, name: str, given: str | None, accepted: frozenset[str], preset: Preset
) -> Iterable[str]:
    said = _SAID[accepted]
    if given is None:
        if name in shape.columns:
            yield f"{shape.name} lacks the column {name} ({said})"
        return
    if accepted is TIMESTAMP and given in NAIVE_TIMESTAMP:
        if preset.timezone is None:
            yield (
                f"{shape.name}: {name} is a timestamp without time zone: set book.timezone to the"
                " zone it is written in"
            )
        return
    if given not in accepted and not (accepted is TEXT and given not in _SAID_TYPES):
        yield f"{shape.name}: {name} is {given}, it must be {said}: cast it, as {name}::{said}"


_SAID_TYPES = NUMERIC | TIMESTAMP | NAIVE_TIMESTAMP | BOOLEAN | {"json", "jsonb", "bytea", "date"}
"""Types that are never text: an enum, which has a name of its own, is read as text."""


def _type_name(kind: asyncpg.Type) -> str:
    return f"{kind.name.removesuffix('[]')}[]" if kind.kind == "array" else kind.name
