"""One command of a person: one transaction, its row in `operations`, or why it was refused."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.domain.errors import DatabaseUnavailableError, ReconcilerError
from reconciler.incidents.answers import Done
from reconciler.incidents.desk import Actor, Desk
from reconciler.incidents.errors import NotFoundError, RefusedError, UsageError
from reconciler.store.connecting import Connection, borrowed
from reconciler.store.leases import limit_transaction
from reconciler.store.queries import queries
from reconciler.store.record import to_json

SQL = queries("desk")
RECORDS = queries("records")
LONGEST_ANNOUNCEMENT = 7900
"""Postgres allows 8000 bytes."""


@dataclass(slots=True, kw_only=True)
class Operation:
    """The open transaction of one command. `done` says what came of it."""

    desk: Desk
    actor: Actor
    connection: Connection
    name: str
    target: str
    account: str | None = None
    incident_id: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    def done(self, said: str) -> Done:
        """The answer, as it is recorded."""
        self.said = said
        return Done(
            operation=self.name, target=self.target, said=said, incident_id=self.incident_id
        )

    def text(self, text: str) -> str:
        """Without secrets."""
        return str(self.desk.redact(text))

    def json(self, value: Any) -> str:
        """JSON for our columns, without secrets."""
        return json.dumps(self.desk.redact(json.loads(to_json(value))), ensure_ascii=False)

    async def add_event(
        self, incident_id: int, event: str, text: str, details: Mapping[str, Any] | None = None
    ) -> int:
        """One line of the timeline, signed; its id."""
        said: int = await self.connection.fetchval(
            SQL["add_event"],
            incident_id,
            event,
            self.text(text),
            self.json(details or {}),
            self.actor.who,
        )
        return said

    async def add_audit(
        self,
        *,
        book: str,
        account: str,
        rule: str,
        target: str,
        target_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        incident_id: int | None,
    ) -> None:
        """One write to the book, in this transaction."""
        await self.connection.execute(
            SQL["add_audit"],
            book,
            account,
            self.desk.mode,
            rule,
            target,
            target_id,
            to_json(before),
            to_json(after),
            incident_id,
            self.actor.who,
        )

    async def tell(self, incident: Any, event: str, said: int, **more: Any) -> None:
        """A notice of an incident (its row), and an announcement. `said`: its timeline line."""
        payload = {
            "event": f"incident_{event}",
            "incident_id": incident["id"],
            "kind": incident["kind"],
            "severity": incident["severity"],
            "account": incident["account"],
            "book": incident["book"],
            "symbol": incident["symbol"],
            "profile_id": incident["profile_id"],
            "order_id": incident["order_id"],
            "title": incident["title"],
            "mode": self.desk.mode,
            "by": self.actor.who,
            **more,
        }
        key = f"incident:{incident['id']}:{event}:{said}"
        await self.notify(key, incident["id"], payload)

    async def notify(self, key: str, incident_id: int | None, payload: Mapping[str, Any]) -> None:
        """A notice, and an announcement."""
        await self.connection.execute(RECORDS["add_outbox"], key, incident_id, self.json(payload))
        await self.announce(payload)

    async def announce(self, payload: Mapping[str, Any]) -> None:
        """`reconciler_event`, for whoever listens."""
        text = self.json(payload)
        if len(text.encode()) < LONGEST_ANNOUNCEMENT:
            await self.connection.execute(RECORDS["announce"], text)

    async def resolve_incident(self, incident_id: int, *, why: str) -> bool:
        """End an incident, by this person: event, notice, announcement. False: it was over."""
        row = await self.connection.fetchrow(SQL["incident_for_change"], incident_id)
        if row is None:
            raise NotFoundError(f"there is no incident {incident_id}")
        ended = await self.connection.fetchval(SQL["resolve"], incident_id, self.actor.who)
        if ended is None:
            return False
        said = await self.add_event(incident_id, "resolved", why)
        await self.tell(row, "resolved", said, why=why)
        return True


@contextlib.asynccontextmanager
async def operating(
    desk: Desk, actor: Actor, name: str, *, target: str, account: str | None = None
) -> AsyncIterator[Operation]:
    """The transaction of one command; whatever ends it, `operations` says who asked for what.

    Raises what the body raises; DatabaseUnavailableError; UsageError for a name with a secret.
    """
    check_who(desk, actor)
    operation: Operation | None = None
    try:
        async with borrowed(desk.pool) as connection, connection.transaction():
            await limit_transaction(connection)
            operation = Operation(
                desk=desk,
                actor=actor,
                connection=connection,
                name=name,
                target=target,
                account=account,
            )
            yield operation
            await _record(connection, operation, outcome="done", said=operation.said)
    except (NotFoundError, UsageError):
        raise  # a slip of the keyboard is no operation
    except ReconcilerError as error:
        if operation is not None:
            outcome = "refused" if isinstance(error, RefusedError) else "failed"
            await _record_alone(operation, outcome=outcome, said=str(error))
        raise


def check_who(desk: Desk, actor: Actor) -> None:
    """Raise UsageError for a name that is a secret, before it is written anywhere."""
    if desk.redact(actor.who) != actor.who:
        raise UsageError("who asks must be a name: this one holds a secret")


def refuse_unless(condition: object, reason: str) -> None:
    """Raise RefusedError with this reason unless the condition holds."""
    if not condition:
        raise RefusedError(reason)


async def _record(connection: Connection, operation: Operation, *, outcome: str, said: str) -> None:
    actor = operation.actor
    await connection.execute(
        SQL["add_operation"],
        actor.who,
        actor.surface,
        operation.name,
        operation.account,
        operation.text(operation.target),
        outcome,
        operation.text(said),
        operation.json(operation.details),
        operation.incident_id,
    )


async def _record_alone(operation: Operation, *, outcome: str, said: str) -> None:
    """The command's own transaction is gone: its refusal is kept by another."""
    with contextlib.suppress(DatabaseUnavailableError):
        async with borrowed(operation.desk.pool) as connection:
            await _record(connection, operation, outcome=outcome, said=said)
