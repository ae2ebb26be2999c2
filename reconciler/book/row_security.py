"""Rule 1 on the book's side: row-level security must not hide rows from us.

A role without a fitting policy reads zero rows without an error, and every position would look like
a ghost. With `row_security = off` Postgres refuses such a statement instead of filtering it.
"""

import re

import asyncpg

from reconciler.store.connecting import Connection, message_of

_TABLE = re.compile(r'policy for table "(?P<table>[^"]+)"')

SHOWS_ALL = """
select exists (
    select 1 from pg_policies p
    where p.tablename = $1 and p.permissive = 'PERMISSIVE' and p.cmd in ('SELECT', 'ALL')
      and p.qual = 'true'
      and exists (select 1 from unnest(p.roles) r
                  where r = 'public' or pg_has_role(current_user, r, 'member')))
  and not exists (
    select 1 from pg_policies p
    where p.tablename = $1 and p.permissive = 'RESTRICTIVE' and p.cmd in ('SELECT', 'ALL')
      and p.qual is distinct from 'true'
      and exists (select 1 from unnest(p.roles) r
                  where r = 'public' or pg_has_role(current_user, r, 'member')))
"""
"""Whether some policy shows this role every row of the table, and none takes rows away."""


async def why_rows_are_hidden(
    connection: Connection, statement: str, arguments: list[object]
) -> str | None:
    """Why this SELECT may not show every row, or None. Runs nothing; ends its transaction."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("set local row_security = off")
        await connection.fetch(f"explain {statement}", *arguments)
    except asyncpg.InsufficientPrivilegeError as error:
        said = message_of(error)
    else:
        return None
    finally:
        await transaction.rollback()
    hidden = _TABLE.search(said)
    if hidden is None or await connection.fetchval(SHOWS_ALL, hidden["table"]):
        return None  # no table privilege at all is told when it is read
    return (
        f"row-level security hides rows of table {hidden['table']} from our role: give the role "
        f"BYPASSRLS, or a policy: create policy reconciler_reads on {hidden['table']} "
        "for select to ROLE using (true)"
    )
