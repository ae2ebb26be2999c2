"""Acknowledging an incident, and ending it by hand."""

import json
from typing import Any

from reconciler.incidents.answers import Done
from reconciler.incidents.desk import Actor, Desk, checked_note
from reconciler.incidents.errors import NotFoundError, RefusedError
from reconciler.incidents.listing import LARGEST_ID
from reconciler.incidents.operating import SQL, Operation, operating


async def acknowledge(desk: Desk, actor: Actor, incident_id: int, *, note: str = "") -> Done:
    """A person has it: reminders stop. Raises NotFoundError, RefusedError."""
    note = checked_note(note)
    async with operating(desk, actor, "incidents ack", target=str(incident_id)) as operation:
        row = await _locked(operation, incident_id)
        if row["status"] == "resolved":
            raise RefusedError(f"incident {incident_id} is resolved already")
        if row["status"] == "acknowledged":
            raise RefusedError(
                f"incident {incident_id} was acknowledged already, by {row['acknowledged_by']}"
            )
        await operation.connection.execute(SQL["acknowledge"], incident_id, actor.who)
        text = f"acknowledged by {actor.who}" + (f": {note}" if note else "")
        said = await operation.add_event(incident_id, "acknowledged", text)
        await operation.tell(row, "acknowledged", said, why=text)
        return operation.done(f"incident {incident_id} is acknowledged by {actor.who}")


async def resolve(desk: Desk, actor: Actor, incident_id: int, *, note: str) -> Done:
    """End it by hand. What the daemon still sees it opens again at its next look, and the answer
    says so; the incident of a quarantined order ends by the order's review only.

    Raises NotFoundError, RefusedError, UsageError.
    """
    note = checked_note(note, needed=True)
    async with operating(desk, actor, "incidents resolve", target=str(incident_id)) as operation:
        row = await _locked(operation, incident_id)
        if row["status"] == "resolved":
            raise RefusedError(f"incident {incident_id} is resolved already")
        await _refuse_unreviewed(operation, incident_id)
        still = await operation.connection.fetchval(
            SQL["still_suspected"], row["book"], row["account"], row["subject"]
        )
        await operation.resolve_incident(incident_id, why=f"by hand, by {actor.who}: {note}")
        said = f"incident {incident_id} is resolved by {actor.who}"
        if still:
            said += "; the last look still saw it: if the next does too, it is opened again"
        return operation.done(said)


async def _locked(operation: Operation, incident_id: int) -> dict[str, Any]:
    row = None
    if 0 < incident_id <= LARGEST_ID:
        row = await operation.connection.fetchrow(SQL["incident_for_change"], incident_id)
    if row is None:
        raise NotFoundError(f"there is no incident {incident_id}")
    operation.account = row["account"]
    operation.incident_id = incident_id
    return {**dict(row), "details": json.loads(row["details"])}


async def _refuse_unreviewed(operation: Operation, incident_id: int) -> None:
    rows = await operation.connection.fetch(SQL["quarantine_of_incident"], incident_id)
    for row in rows:
        if row["review"] == "pending":
            raise RefusedError(
                f"order {row['order_id']} is quarantined and waits for a review, which ends this "
                f"incident: reconciler quarantine resolve {row['order_id']} "
                "--status STATUS --by WHO --note T"
            )
