"""What is written before a request to a venue is sent, and after: a kill in between loses nothing.

An intent is a row of `reconciler.operations` with the outcome `intended`. While it stands, nothing
more is sent for its incident: whoever asks next settles it, by reading.
"""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from reconciler.domain.acting import Declined, VenueRequest
from reconciler.domain.errors import DatabaseUnavailableError, ReconcilerError
from reconciler.incidents.acting import ActionReport
from reconciler.incidents.desk import Actor, Desk
from reconciler.incidents.errors import NotFoundError, RefusedError, UsageError
from reconciler.incidents.operating import SQL as DESK
from reconciler.incidents.operating import Operation, check_who
from reconciler.incidents.settling import Settled
from reconciler.store.connecting import Connection, borrowed
from reconciler.store.leases import limit_transaction
from reconciler.store.queries import queries

SQL = queries("acting")
SEND_BY = timedelta(seconds=30)
"""A process that was frozen for longer sends nothing any more: the venue and the book were read
before that."""
UNDER_WAY = timedelta(seconds=60)
"""A younger request may still be on its way: SEND_BY, 15 s for sending, and as much again."""


class Begun:
    """When a command began to read, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def why_too_late(self) -> Declined | None:
        """Asked right before sending: why nothing is sent any more, or None."""
        took = time.monotonic() - self._at
        if took < SEND_BY.total_seconds():
            return None
        return Declined(why=f"nothing was sent: reading and writing took {took:.0f} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A request whose end is not known yet."""

    id: int
    at: datetime
    who: str
    operation: str
    account: str
    target: str
    details: Mapping[str, Any]
    incident_id: int
    age: timedelta
    """By the database clock, when it was read."""

    @property
    def may_be_under_way(self) -> bool:
        """The process that wrote it may be about to send it."""
        return self.age < UNDER_WAY

    @property
    def unsettled(self) -> str:
        """Why nothing else is sent meanwhile, and the mend."""
        return f"not settled yet: {self.asked_of()}; the same command with --execute settles it"

    def asked_of(self) -> str:
        """Who asked for it, and when."""
        return f"{self.operation} {self.target} by {self.who} at {self.at:%Y-%m-%d %H:%M:%S} UTC"


def intent_of(row: Mapping[str, Any]) -> Intent:
    """A row of `operations`."""
    return Intent(
        id=row["id"],
        at=row["at"],
        who=row["who"],
        operation=row["operation"],
        account=row["account"],
        target=row["target"],
        details=json.loads(row["details"]),
        incident_id=row["incident_id"],
        age=row["age"],
    )


async def all_pending(desk: Desk) -> tuple[Intent, ...]:
    """Every request whose end is not known."""
    async with borrowed(desk.pool) as connection:
        return tuple(intent_of(dict(row)) for row in await connection.fetch(SQL["intents"]))


@contextlib.asynccontextmanager
async def intending(
    desk: Desk,
    actor: Actor,
    operation: str,
    *,
    account: str,
    target: str,
    incident_id: int,
    read_at: datetime,
) -> AsyncIterator[Operation]:
    """The transaction that an intent is written in, by `intend`. It holds the incident: of two
    people at once one sends, the other is refused. `read_at`: when the venue was asked (database
    clock).

    Raises RefusedError where the incident is over, another request is not settled, or one was sent
    since the venue was asked.
    """
    async with borrowed(desk.pool) as connection, connection.transaction():
        await limit_transaction(connection)
        row = await connection.fetchrow(DESK["incident_for_change"], incident_id)
        if row is None or row["status"] == "resolved":
            raise RefusedError(f"incident {incident_id} is over")
        other = await _pending(connection, incident_id)
        if other is not None:
            raise RefusedError(other.unsettled)
        who = await connection.fetchval(SQL["acted_since"], incident_id, read_at)
        if who is not None:
            raise RefusedError(f"{who} acted on it while it was read: ask again")
        yield Operation(
            desk=desk,
            actor=actor,
            connection=connection,
            name=operation,
            target=target,
            account=account,
            incident_id=incident_id,
        )


async def intend(operation: Operation, said: str, details: Mapping[str, Any]) -> Intent:
    """Write the intent, and the line of the timeline that says who has what sent."""
    assert operation.incident_id is not None
    assert operation.account is not None
    row = await operation.connection.fetchrow(
        SQL["add_intent"],
        operation.actor.who,
        operation.actor.surface,
        operation.name,
        operation.account,
        operation.target,
        operation.text(said),
        operation.json(details),
        operation.incident_id,
    )
    assert row is not None
    intent = Intent(
        id=row["id"],
        at=row["at"],
        who=operation.actor.who,
        operation=operation.name,
        account=operation.account,
        target=operation.target,
        details=details,
        incident_id=operation.incident_id,
        age=timedelta(0),
    )
    await operation.add_event(
        intent.incident_id, "action", said, {"operation_id": intent.id, **details}
    )
    return intent


async def write_settled(
    desk: Desk, actor: Actor, intent: Intent, settled: Settled, details: Mapping[str, Any]
) -> None:
    """Write what came of it, and a line of the timeline; what is not known stays intended."""
    facts = {**details, "settled": settled.outcome, "done_qty": settled.done_qty}
    try:
        match settled.outcome:
            case "unknown":
                await _note(desk, actor, intent, said=settled.said, details=facts)
            case "not_done":
                await _complete(desk, actor, intent, "failed", said=settled.said, details=facts)
            case _:
                await _complete(desk, actor, intent, "done", said=settled.said, details=facts)
    except DatabaseUnavailableError as error:
        # The person must hear what happened at the venue; the next command writes it down.
        msg = f"{settled.said}; this could not be written down ({error}): ask again"
        raise DatabaseUnavailableError(msg) from error


def report_of(intent: Intent, settled: Settled, request: VenueRequest | None) -> ActionReport:
    """The answer. `request` None: an earlier command was settled, nothing was sent now."""
    earlier = "" if request is not None else f"settled, nothing was sent now: {intent.asked_of()}: "
    details = intent.details
    return ActionReport(
        operation=intent.operation,
        account=intent.account,
        target=intent.target,
        symbol=details["symbol"],
        side=details["side"],
        incident_id=intent.incident_id,
        outcome=settled.outcome,
        said=earlier + settled.said,
        request=request,
        client_order_id=details["client_order_id"],
        qty=Decimal(str(details["qty"])),
        done_qty=settled.done_qty,
        operation_id=intent.id,
    )


def facts_of(request: VenueRequest) -> dict[str, Any]:
    """A request as it is kept."""
    return {"method": request.method, "path": request.path, "params": dict(request.params)}


async def _complete(
    desk: Desk,
    actor: Actor,
    intent: Intent,
    outcome: str,
    *,
    said: str,
    details: Mapping[str, Any],
) -> None:
    async with borrowed(desk.pool) as connection, connection.transaction():
        await limit_transaction(connection)
        operation = _of(desk, actor, intent, connection)
        settled = await connection.fetchval(
            SQL["settle_intent"],
            intent.id,
            outcome,
            operation.text(said),
            operation.json(details),
        )
        if settled is not None:
            facts = {"operation_id": intent.id, **details}
            await operation.add_event(intent.incident_id, "action", said, facts)


async def _note(
    desk: Desk, actor: Actor, intent: Intent, *, said: str, details: Mapping[str, Any]
) -> None:
    """The timeline hears it once."""
    async with borrowed(desk.pool) as connection, connection.transaction():
        await limit_transaction(connection)
        operation = _of(desk, actor, intent, connection)
        stands = await connection.fetchval(
            SQL["note_intent"], intent.id, operation.text(said), operation.json(details)
        )
        if stands is not None and intent.details.get("settled") != "unknown":
            facts = {"operation_id": intent.id, **details}
            await operation.add_event(intent.incident_id, "action", said, facts)


@contextlib.asynccontextmanager
async def refusals_kept(
    desk: Desk, actor: Actor, operation: str, *, account: str, target: str, details: dict[str, Any]
) -> AsyncIterator[None]:
    """Whatever refuses a command that was to be executed is kept in `operations`, and raised.

    Raises UsageError for a name with a secret, before anything is done.
    """
    check_who(desk, actor)
    try:
        yield
    except (NotFoundError, UsageError):
        raise  # a slip of the keyboard is no operation
    except ReconcilerError as error:
        outcome = "refused" if isinstance(error, RefusedError) else "failed"
        with contextlib.suppress(DatabaseUnavailableError):
            async with borrowed(desk.pool) as connection:
                kept = Operation(
                    desk=desk, actor=actor, connection=connection, name=operation, target=target
                )
                await connection.execute(
                    DESK["add_operation"],
                    actor.who,
                    actor.surface,
                    operation,
                    account,
                    target,
                    outcome,
                    kept.text(str(error)),
                    kept.json(details),
                    None,
                )
        raise


async def _pending(connection: Connection, incident_id: int) -> Intent | None:
    row = await connection.fetchrow(SQL["intents_of_incident"], incident_id)
    return None if row is None else intent_of(dict(row))


def _of(desk: Desk, actor: Actor, intent: Intent, connection: Connection) -> Operation:
    return Operation(
        desk=desk,
        actor=actor,
        connection=connection,
        name=intent.operation,
        target=intent.target,
        account=intent.account,
        incident_id=intent.incident_id,
    )
