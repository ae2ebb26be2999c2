"""What our role lacks in our own schema, with the GRANT for each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.store.connecting import Connection

if TYPE_CHECKING:
    import asyncpg

_TABLES = """
select format('%I.%I', n.nspname, c.relname) as quoted, c.relname::text as name,
       array(select r from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r
             where not has_table_privilege(c.oid, r)) as lacking
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'reconciler' and c.relkind in ('r', 'p')
"""
_SEQUENCES = """
select format('%I.%I', n.nspname, c.relname) as quoted
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'reconciler'
  and case when c.relkind = 'S' then not has_sequence_privilege(c.oid, 'USAGE') end
"""
_PLACE = """
select quote_ident(current_user) as role, quote_ident(current_database()) as database,
       has_database_privilege(current_database(), 'CREATE') as may_create,
       pg_is_in_recovery() as is_standby,
       current_setting('default_transaction_read_only') = 'on' as is_read_only,
       (select has_schema_privilege(n.oid, 'USAGE') from pg_namespace n
        where n.nspname = 'reconciler') as may_use,
       (select pg_has_role(n.nspowner, 'usage') from pg_namespace n
        where n.nspname = 'reconciler') as is_owner
"""
READ_ONLY_TABLES = frozenset({"alembic_version"})
FEW = 3
"""More than this many tables are granted together."""
_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRights:
    """What was found; empty tuples where nothing lacks."""

    role: str
    """As it is written in SQL."""
    exists: bool
    """Schema `reconciler` is there."""
    may_migrate: bool
    """We own the schema, or may create it."""
    why_read_only: str
    """Empty where the server takes writes."""
    grants: tuple[str, ...]
    """What to run, by the schema's owner."""


async def own_rights(connection: Connection) -> OwnRights:
    """Look at our role and our schema. Changes nothing."""
    [place] = await connection.fetch(_PLACE)
    role, grants = place["role"], []
    exists = place["may_use"] is not None
    if not exists and not place["may_create"]:
        grants.append(f"GRANT CREATE ON DATABASE {place['database']} TO {role}")
    if exists and not place["may_use"]:
        grants.append(f"GRANT USAGE ON SCHEMA reconciler TO {role}")
    tables = [row for row in await connection.fetch(_TABLES) if _needed(row)]
    rights = ", ".join(
        sorted({right for row in tables for right in _needed(row)}, key=_RIGHTS.index)
    )
    if len(tables) > FEW:
        grants.append(f"GRANT {rights} ON ALL TABLES IN SCHEMA reconciler TO {role}")
    else:
        grants += [f"GRANT {', '.join(_needed(r))} ON {r['quoted']} TO {role}" for r in tables]
    sequences = [row["quoted"] for row in await connection.fetch(_SEQUENCES)]
    if len(sequences) > FEW:
        grants.append(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA reconciler TO {role}")
    else:
        grants += [f"GRANT USAGE ON SEQUENCE {name} TO {role}" for name in sequences]
    return OwnRights(
        role=role,
        exists=exists,
        may_migrate=place["is_owner"] if exists else place["may_create"],
        why_read_only=_why_read_only(
            is_standby=place["is_standby"], is_read_only=place["is_read_only"]
        ),
        grants=tuple(grants),
    )


def _needed(row: "asyncpg.Record") -> list[str]:
    """The rights that lack: only migrations write the table of versions."""
    lacking: list[str] = row["lacking"]
    return [r for r in lacking if r == "SELECT" or row["name"] not in READ_ONLY_TABLES]


def _why_read_only(*, is_standby: bool, is_read_only: bool) -> str:
    if is_standby:
        return "the server is a standby: nothing can be written there"
    if is_read_only:
        return "default_transaction_read_only is on for our role, database or server"
    return ""
