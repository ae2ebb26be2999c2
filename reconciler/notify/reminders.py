"""Reminders: a SEV-1 that is open and unacknowledged is told again, ever less often."""

import json

from reconciler.rules.reminders import is_due
from reconciler.store.connecting import Pool, borrowed
from reconciler.store.queries import queries

SQL = queries("outbox")
RECORDS = queries("records")
SHOWN = (
    *("id", "book", "kind", "severity", "account"),
    *("symbol", "profile_id", "order_id", "title"),
)


async def remind(pool: Pool) -> int:
    """Write the reminders that are due into the outbox; how many. Raises DatabaseUnavailableError.

    Two daemons may do this at once: each reminder is written by one of them.
    """
    async with borrowed(pool) as connection, connection.transaction():
        reminders = 0
        for row in await connection.fetch(SQL["unacknowledged"]):
            if not is_due(since=row["since"], told_at=row["told_at"], now=row["now"]):
                continue
            number = await connection.fetchval(SQL["note_telling"], row["id"], row["tellings"])
            if number is None:  # acknowledged, resolved or reminded of in between
                continue
            key = f"incident:{row['id']}:reminder:{number}"
            payload = {name: row[name] for name in SHOWN if name != "id"}
            payload |= {"event": "incident_reminder", "incident_id": row["id"], "key": key}
            await connection.execute(RECORDS["add_outbox"], key, row["id"], json.dumps(payload))
            reminders += 1
        return reminders
