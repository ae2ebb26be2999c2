"""Held mass changes, and letting one through once (rule 9)."""

from datetime import timedelta

from reconciler.incidents.answers import Done, GuardRow
from reconciler.incidents.desk import Actor, Desk, check_text, checked_note
from reconciler.incidents.errors import RefusedError
from reconciler.incidents.operating import SQL, operating
from reconciler.store.connecting import Connection, borrowed

MASS_CHANGE = "mass_change"
ACCEPTED_FOR = timedelta(minutes=15)
"""Long enough for a few looks at the default pace; later, the person looks again first."""


async def list_guards(desk: Desk, *, account: str | None = None) -> tuple[GuardRow, ...]:
    """What is held back now."""
    check_text(account)
    async with borrowed(desk.pool) as connection:
        held = await _held(connection, account)
    desk.check_known(account, held)
    return held


async def accept(desk: Desk, actor: Actor, account: str, *, note: str = "") -> Done:
    """The held change of this account is let through once, within ACCEPTED_FOR.

    Raises NotFoundError; RefusedError where nothing is held, or one was accepted already.
    """
    desk.account(account)
    note = checked_note(note)
    async with operating(
        desk, actor, "guards accept", target=account, account=account
    ) as operation:
        await operation.connection.fetch(SQL["lock_held_guards"], account)
        held = await _held(operation.connection, account)
        if not held:
            raise RefusedError(f"nothing is held back on account {account}")
        if held[0].accepted_by is not None:
            raise RefusedError(
                f"it was accepted already, by {held[0].accepted_by}, until "
                f"{held[0].accepted_until:%H:%M:%S} UTC"
            )
        until = await operation.connection.fetchval(
            SQL["accept"], account, actor.who, operation.text(note), ACCEPTED_FOR
        )
        said = f"let through once, until {until:%H:%M:%S} UTC, by {actor.who}"
        for guard in held:
            await operation.add_event(
                guard.incident_id, "accepted", said + (f": {note}" if note else "")
            )
        operation.incident_id = held[0].incident_id
        operation.details = {"until": until, "note": note}
        await operation.announce(
            {"event": "guard_accepted", "account": account, "guard": MASS_CHANGE, "by": actor.who}
        )
        return operation.done(f"the mass change of account {account} is {said}")


async def _held(connection: Connection, account: str | None) -> tuple[GuardRow, ...]:
    return tuple(
        GuardRow(
            guard=MASS_CHANGE,
            account=row["account"],
            subject=row["subject"],
            incident_id=row["id"],
            held_since=row["opened_at"],
            why=row["why"] or "",
            accepted_by=row["accepted_by"],
            accepted_until=row["expires_at"],
        )
        for row in await connection.fetch(SQL["held_guards"], account)
    )
