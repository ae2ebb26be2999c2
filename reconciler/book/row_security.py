"""Rule 1 on the book's side: row-level security must not hide rows from us.

A role without a fitting policy reads zero rows without an error, and every position would look like
a ghost. With `row_security = off` Postgres refuses such a statement instead of filtering it.
"""

import re

import asyncpg

from reconciler.book.relations import Relation, mentions_of, relations_of
from reconciler.store.connecting import Connection, message_of

_TABLE = re.compile(r'policy for table "(?P<table>.+)"$')

_SHOWS_ALL = """
with ours as (
  select polpermissive as gives, polcmd::text as command,
         coalesce(pg_get_expr(polqual, polrelid), 'true') as shows,
         coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid), 'true')
           as takes
  from pg_policy p
  where p.polrelid = $1::oid and p.polcmd::text in ('*', $2)
    and exists (select 1 from unnest(p.polroles) r
                where r = 0 or pg_has_role(current_user, r, 'usage'))
)
select coalesce(bool_or(gives and shows = 'true' and takes = 'true'), false) as gives_all,
       coalesce(bool_or(not gives and (shows <> 'true' or takes <> 'true')), false) as takes_some
from ours
"""
"""Whether some policy gives this role every row of the table, and whether one takes rows away."""

_NAMED = """
select c.oid::int8 as oid, format('%I.%I', n.nspname, c.relname) as quoted
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relname = $1 and c.relrowsecurity and row_security_active(c.oid)
"""
_FREE_NAME = """
select n.name
from (select case t when 1 then $2::text else $2 || '_' || t end as name, t
      from generate_series(1, 100) t) n
where not exists (select from pg_policy where polrelid = $1::oid and polname::text = n.name)
order by n.t limit 1
"""
SELECT, UPDATE, INSERT, DELETE = "r", "w", "a", "d"
"""As in `pg_policy.polcmd`."""
COMMANDS = {"update": UPDATE, "insert": INSERT, "delete": DELETE}
_SAID = {SELECT: "select", UPDATE: "update", INSERT: "insert", DELETE: "delete"}
_CLAUSES = {
    SELECT: "using (true)",
    UPDATE: "using (true) with check (true)",
    INSERT: "with check (true)",
    DELETE: "using (true)",
}


async def why_rows_are_hidden(
    connection: Connection, statement: str, arguments: list[object]
) -> str | None:
    """Why this SELECT may not show every row, or None. Runs nothing; ends its transaction."""
    hidden = await hidden_tables(connection, statement, arguments)
    if not hidden:
        return None
    policies = "; ".join(hidden.values())
    return (
        f"row-level security hides rows of table{'s' * (len(hidden) > 1)} {', '.join(hidden)} "
        f"from our role: give the role BYPASSRLS, or mend the policies: {policies}"
    )


async def hidden_tables(
    connection: Connection, statement: str, arguments: list[object]
) -> dict[str, str]:
    """The tables of a SELECT of which our role may not see every row, and the mend of each."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("set local row_security = off")
        await connection.fetch(f"explain {statement}", *arguments)
    except asyncpg.InsufficientPrivilegeError as error:
        said = message_of(error)
    else:
        return {}
    finally:
        await transaction.rollback()
    refused = _TABLE.search(said)
    if refused is None:
        return {}  # no table privilege at all is told when it is read
    named = await relations_of(connection, mentions_of(statement).reads)
    filtered = {r.oid: r.quoted for r in named.values() if r.rows_filtered}
    # The server names one table, and perhaps one that the text does not: inside a view.
    rows = await connection.fetch(_NAMED, refused["table"])
    if not any(row["oid"] in filtered for row in rows):
        filtered |= {row["oid"]: row["quoted"] for row in rows}
    mends = {q: await _mend_for(connection, oid, q, SELECT) for oid, q in filtered.items()}
    return {table: mend for table, mend in mends.items() if mend is not None}


async def why_rows_cannot_be_written(
    connection: Connection, relation: Relation, command: str
) -> str | None:
    """The policy that our role lacks to change every row of a table, or None.

    Without one an UPDATE changes no row, and says nothing of it.
    """
    if not relation.rows_filtered:
        return None
    return await _mend_for(connection, relation.oid, relation.quoted, command)


async def _mend_for(connection: Connection, oid: int, table: str, command: str) -> str | None:
    """The statement that gives our role every row of a table; None where it has them."""
    [found] = await connection.fetch(_SHOWS_ALL, oid, command)
    role = await connection.fetchval("select quote_ident(current_user)")
    if found["takes_some"]:  # a restrictive policy holds whatever another one gives
        return f"ALTER ROLE {role} BYPASSRLS"
    if found["gives_all"]:
        return None
    said = _SAID[command]
    name = "reconciler_reads" if command == SELECT else f"reconciler_{said}s"
    # One of that name may be there, and show some rows only.
    name = await connection.fetchval(_FREE_NAME, oid, name)
    return f"create policy {name} on {table} for {said} to {role} {_CLAUSES[command]}"
