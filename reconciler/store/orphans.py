"""Open intents of an account or a book that the configuration has no more: told, and closed."""

from collections.abc import Collection, Sequence

import asyncpg

from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.intents import Abandoned, IntentKind
from reconciler.store.connecting import Connection, Pool, borrowed
from reconciler.store.incident_record import Redact
from reconciler.store.intent_record import SQL, IntentRecord
from reconciler.store.leases import limit_transaction


async def close_orphans(
    pool: Pool,
    *,
    known: Collection[tuple[BookName, AccountName]],
    holder: str,
    redact: Redact,
) -> Sequence[str]:
    """Those that nobody settles: this daemon (`holder`) watches other accounts, and none that was
    alive within the last hour (for orders, day) has them. What is said of each.

    Raises DatabaseUnavailableError.
    """
    books, accounts = [book for book, _ in known], [account for _, account in known]
    async with borrowed(pool) as connection, connection.transaction():
        await limit_transaction(connection)
        rows = await connection.fetch(SQL["orphans"], books, accounts, holder)
        return [await _close(connection, row, redact) for row in rows]


async def _close(connection: Connection, row: asyncpg.Record, redact: Redact) -> str:
    book, account = BookName(row["book"]), AccountName(row["account"])
    intents = IntentRecord(connection, book=book, account=account, redact=redact)
    intent = Abandoned(
        id=row["id"],
        kind=IntentKind(row["kind"]),
        target=row["target"],
        incident_id=row["incident_id"],
    )
    why = f"account {account} of book {book} is not configured any more"
    return await intents.abandon(intent, why) or ""
