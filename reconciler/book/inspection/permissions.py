"""What our role may not do with the bot's tables, and the GRANT for each.

The server decides (EXPLAIN checks every right as it starts a plan, and runs nothing), but names one
table at a time; the catalogue tells the rest.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from reconciler.book.inspection.asking import samples_for, statements_of, taken_by
from reconciler.book.preset import Preset
from reconciler.book.relations import Mentions, Relation, mentions_of, relations_of
from reconciler.book.row_security import (
    COMMANDS,
    hidden_tables,
    why_rows_cannot_be_written,
)
from reconciler.book.statements import Shape
from reconciler.store.connecting import Connection, message_of

_REFUSED = re.compile(
    r"permission denied for (?P<kind>table|view|materialized view|foreign table|sequence|schema"
    r'|function|procedure|relation|column) "?(?P<name>[^"]+)"?'
)
_GRANTS: Mapping[str, str] = {
    "schema": "GRANT USAGE ON SCHEMA",
    "sequence": "GRANT USAGE ON SEQUENCE",
    "function": "GRANT EXECUTE ON FUNCTION",
    "procedure": "GRANT EXECUTE ON PROCEDURE",
}

_COLUMNS = """
select a.attname::text as name, quote_ident(a.attname) as quoted,
       has_column_privilege(a.attrelid, a.attnum, 'SELECT') as can_read,
       has_column_privilege(a.attrelid, a.attnum, 'UPDATE') as can_update
from pg_attribute a where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""
_SEQUENCES = """
select format('%I.%I', n.nspname, s.relname) as quoted
from pg_depend d
join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
join pg_class s on d.refclassid = 'pg_class'::regclass and s.oid = d.refobjid and s.relkind = 'S'
join pg_namespace n on n.oid = s.relnamespace
where f.adrelid = $1::oid
  and case when s.relkind = 'S' then not has_sequence_privilege(s.oid, 'USAGE') end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One right that our role lacks."""

    statements: tuple[str, ...]
    """Names as `orders.update`."""
    writes: bool
    """Only writing needs it."""
    says: str
    mend: str
    """The statement to run, by the owner of the tables."""


async def missing_permissions(
    connection: Connection, preset: Preset, also: Iterable[tuple[Shape, str]] = ()
) -> list[Missing]:
    """Every right that some statement of the book lacks, or one of `also`; nothing is run."""
    role: str = await connection.fetchval("select quote_ident(current_user)")
    found: dict[str, Missing] = {}
    for shape, statement in (*statements_of(preset).values(), *also):
        mentions = mentions_of(statement)
        relations = await relations_of(connection, [*mentions.reads, *mentions.writes])
        refused = await _refused(connection, shape, statement, relations.values())
        lacking: list[tuple[str, str]] = []
        if refused is not None:
            grants = await _grants(connection, relations, mentions, role)
            lacking += [(refused, grant) for grant in grants or [_grant_for(refused, role)]]
        elif not mentions.writes:
            lacking += await _hidden(connection, shape, statement)
        lacking += await _unsaid(connection, relations, mentions, role)
        for says, mend in lacking:
            known = found.get(mend)
            found[mend] = Missing(
                statements=(*(known.statements if known else ()), shape.name),
                writes=bool(mentions.writes) and (known is None or known.writes),
                says=known.says if known else says,
                mend=mend,
            )
    return list(found.values())


async def _refused(
    connection: Connection, shape: Shape, statement: str, relations: Iterable[Relation]
) -> str | None:
    """What the server says against this statement for want of a right."""
    asked = f"explain {statement}"
    try:
        async with connection.transaction():
            await connection.fetch(asked, *await taken_by(connection, asked, samples_for(shape)))
    except asyncpg.InsufficientPrivilegeError as error:
        return message_of(error)
    except asyncpg.SyntaxOrAccessError:
        # A table of the search path, in a schema that is not ours to use, is said not to exist.
        hidden = sorted({r.quoted_schema for r in relations if not r.usable})
        return f"permission denied for schema {', '.join(hidden)}" if hidden else None
    return None


async def _grants(
    connection: Connection,
    relations: Mapping[tuple[str, ...], Relation],
    mentions: Mentions,
    role: str,
) -> list[str]:
    """What a refused statement lacks at the tables that it names."""
    grants: list[str] = []
    for name, relation in relations.items():
        if not relation.usable:
            grants.append(f"GRANT USAGE ON SCHEMA {relation.quoted_schema} TO {role}")
        columns = await connection.fetch(_COLUMNS, relation.oid)
        named = [c for c in columns if mentions.takes_all or c["name"] in mentions.words]
        unread = [c["quoted"] for c in named if not c["can_read"]]
        if unread:
            # A role that was given single columns is given single columns.
            by_column = any(c["can_read"] for c in columns)
            grants.append(_grant("SELECT", unread if by_column else (), relation, role))
        hows = mentions.writes.get(name, ())
        if "update" in hows:
            kept = [
                c["quoted"] for c in columns if c["name"] in mentions.sets and not c["can_update"]
            ]
            grants += [_grant("UPDATE", kept, relation, role)] if kept else []
        for how in hows:
            if how != "update" and not await _may(connection, relation, how):
                grants.append(_grant(how.upper(), (), relation, role))
    return list(dict.fromkeys(grants))


async def _hidden(connection: Connection, shape: Shape, statement: str) -> list[tuple[str, str]]:
    """Tables whose rows a policy keeps from us: they would look like an empty book."""
    try:
        async with connection.transaction():
            samples = await taken_by(connection, statement, samples_for(shape))
            tables = await hidden_tables(connection, statement, samples)
    except asyncpg.SyntaxOrAccessError:
        return []  # told by the check of the statements
    return [
        (f"row-level security hides rows of {table} from our role", mend)
        for table, mend in tables.items()
    ]


async def _unsaid(
    connection: Connection,
    relations: Mapping[tuple[str, ...], Relation],
    mentions: Mentions,
    role: str,
) -> list[tuple[str, str]]:
    """What EXPLAIN does not look at: sequences behind defaults, and policies for writing."""
    found: list[tuple[str, str]] = []
    for name, how in ((name, how) for name, hows in mentions.writes.items() for how in hows):
        relation = relations.get(name)
        if relation is None:
            continue
        for row in await connection.fetch(_SEQUENCES, relation.oid) if how == "insert" else ():
            says = f"permission denied for sequence {row['quoted']}"
            found.append((says, f"GRANT USAGE ON SEQUENCE {row['quoted']} TO {role}"))
        policy = await why_rows_cannot_be_written(connection, relation, COMMANDS[how])
        if policy is not None:
            says = (
                f"row-level security does not let our role {how} every row of {relation.quoted}: "
                "the others would be left as they are, without an error"
            )
            found.append((says, policy))
    return found


async def _may(connection: Connection, relation: Relation, right: str) -> bool:
    may: bool = await connection.fetchval(
        "select has_table_privilege($1::oid, $2)", relation.oid, right
    )
    return may


def _grant(right: str, columns: Sequence[str], relation: Relation, role: str) -> str:
    of = f" ({', '.join(columns)})" if columns else ""
    return f"GRANT {right}{of} ON {relation.quoted} TO {role}"


def _grant_for(refused: str, role: str) -> str:
    """The GRANT that the server's own words ask for."""
    found = _REFUSED.search(refused)
    if found is None:
        return f"give the role {role} the right that the server names"
    grant = _GRANTS.get(found["kind"], "GRANT SELECT, UPDATE ON")
    return f"{grant} {found['name']} TO {role}"
