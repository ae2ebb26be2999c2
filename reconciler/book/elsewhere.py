"""A book in another database than our own tables: what its transactions leave to be known by, and
its profiles' UPDATE as a way to stop a bot that is confirmed by reading back.
"""

from collections.abc import Iterable
from typing import Protocol

import asyncpg

from reconciler.domain.deactivation import Deactivation
from reconciler.domain.errors import DriverFailedError, ReconcilerError
from reconciler.domain.identity import ProfileId
from reconciler.domain.intents import WriteMark, WriteState
from reconciler.store.connecting import Connection
from reconciler.store.queries import queries

SQL = queries("intents")


async def mark_of(connection: Connection, ids: Iterable[str]) -> WriteMark:
    """What tells later whether this transaction was committed."""
    row = await connection.fetchrow(SQL["transaction_mark"])
    assert row is not None
    return WriteMark(
        transaction=row["transaction"],
        written_from=row["begun"],
        written_to=row["now"],
        ids=tuple(ids),
    )


async def state_of(connection: Connection, mark: WriteMark) -> WriteState:
    """What became of that transaction."""
    try:
        said = await connection.fetchval(SQL["transaction_state"], mark.transaction)
    except asyncpg.DataError:  # a number that is still to come: the server was restored
        return WriteState.NOT_KNOWN
    return WriteState(said) if said is not None else WriteState.NOT_KNOWN


class StatusWriter(Protocol):
    """A book, as far as its profiles are written in a transaction of its own."""

    async def write_status(self, profile_id: ProfileId, *, back_to: str | None) -> None:
        """Set it inactive, or back to this status; where it is so already, nothing."""

    async def status_is_active(self, profile_id: ProfileId) -> bool | None:
        """As the rows say now; None: there is no such profile."""


class SqlDriver:
    """The UPDATE of the preset, in a transaction of the book's own."""

    name = "sql"

    def __init__(self, book: StatusWriter) -> None:
        self._book = book

    async def deactivate(self, wanted: Deactivation) -> None:
        """Set it inactive where still active. Raises DriverFailedError."""
        await self._write(wanted, None)

    async def activate(self, wanted: Deactivation) -> None:
        """Set it back to the status that it had. Raises DriverFailedError."""
        await self._write(wanted, wanted.status_before or "active")

    async def is_active(self, wanted: Deactivation) -> bool:
        """Read its row. Raises DriverFailedError."""
        try:
            active = await self._book.status_is_active(wanted.profile_id)
        except ReconcilerError as error:
            raise _failed(wanted, error) from error
        if active is None:
            raise DriverFailedError(
                f"book {wanted.book} has no profile {wanted.profile_id} any more"
            )
        return active

    async def _write(self, wanted: Deactivation, back_to: str | None) -> None:
        try:
            await self._book.write_status(wanted.profile_id, back_to=back_to)
        except ReconcilerError as error:
            raise _failed(wanted, error) from error


def _failed(wanted: Deactivation, error: ReconcilerError) -> DriverFailedError:
    said = str(error).removeprefix(f"book {wanted.book}: ")
    is_standby = isinstance(error.__cause__, asyncpg.ReadOnlySQLTransactionError)
    mend = ". Does its url lead to a standby? It must lead to the primary" if is_standby else ""
    return DriverFailedError(f"book {wanted.book}: {said}{mend}")
