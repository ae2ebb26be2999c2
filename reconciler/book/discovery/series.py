"""Tables that keep a row for each look instead of one for each position."""

from collections.abc import Mapping

import asyncpg

from reconciler.book.discovery.catalogue import Column, Table
from reconciler.book.discovery.expressions import Notes
from reconciler.book.discovery.matching import Match
from reconciler.store.connecting import Connection

ENDS = frozenset({"is_open", "status", "closed_at"})
MOST_ROWS = 1000


async def note_series(
    connection: Connection,
    table: Table,
    matches: Mapping[str, Match],
    owner: Column | None,
    notes: Notes,
) -> None:
    """Say where rows without an end repeat a symbol: only the latest of a series is held."""
    if ENDS & set(matches) or "symbol" not in matches:
        return
    columns = [matches["symbol"].column, *([owner] if owner is not None else [])]
    columns += [matches["side"].column] if "side" in matches else []
    listed = ", ".join(f"{c.text('r')} as c{at}" for at, c in enumerate(columns))
    asked = (
        f"select exists (select from (select {listed} from {table.quoted} r limit {MOST_ROWS}) s "  # noqa: S608 - quoted by the server
        f"group by {', '.join(f'c{at}' for at in range(len(columns)))} having count(*) > 1)"
    )
    try:
        async with connection.transaction():
            repeats = await connection.fetchval(asked)
    except asyncpg.PostgresError:
        return
    if repeats:
        notes.untold.append(
            f"{table.quoted} has several rows of one symbol and no column says which have ended: "
            "each is read as a position of its own. If it is a series of looks, take the latest "
            "of each: select distinct on (…) … order by …, the time desc"
        )
