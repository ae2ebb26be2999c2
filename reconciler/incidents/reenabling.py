"""A contained profile that trades again: its record, and its bot where no row of ours decides."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from reconciler.domain.deactivation import Deactivation
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.intents import Intent, IntentDraft, IntentKind
from reconciler.domain.reenabled import EVENT, reenabled_notice
from reconciler.incidents.answers import Done
from reconciler.incidents.desk import Actor, Desk
from reconciler.incidents.operating import SQL, Operation, operating
from reconciler.incidents.rows_of_books import ProfilePlace
from reconciler.store.intent_record import IntentRecord

ASK_WITHIN = timedelta(seconds=30)
"""Each request of a driver has a shorter deadline of its own."""


async def intend(
    operation: Operation, place: ProfilePlace, note: str, standing: Sequence[Any]
) -> Intent:
    """Recorded before the bot is asked: the daemon asks on, whatever becomes of this command."""
    oldest, name = standing[0], place.profile.id
    intents = _intents(operation, place)
    await intents.drop_other(IntentKind.DEACTIVATE, name)
    operation.incident_id = oldest["incident_id"]
    operation.done(f"profile {name} is to trade again: its bot is asked")
    return await intents.add(
        IntentDraft(
            kind=IntentKind.ACTIVATE,
            target=name,
            key=oldest["driver_key"] or secrets.token_hex(16),
            incident_id=oldest["incident_id"],
            payload={
                "by": operation.actor.who,
                "note": note,
                "status_before": oldest["status_before"],
                "symbol": oldest["symbol"],
                "reason": oldest["reason"],
            },
        )
    )


async def ask_bot(desk: Desk, actor: Actor, place: ProfilePlace, intent: Intent) -> Done:
    """Ask, read back, and record what the bot confirms; what it does not is asked on."""
    why = await _why_not(place, intent)
    name = place.profile.id
    async with operating(
        desk, actor, "profiles reenable", target=name, account=place.account
    ) as operation:
        operation.incident_id = intent.incident_id
        intents = _intents(operation, place)
        if why is not None:
            await intents.fail(intent, why, again_in=intent.next_wait)
            return operation.done(
                f"profile {name} is to trade again, and its bot has not confirmed it: {why}; the "
                "daemon asks on"
            )
        if await intents.finish(intent, "done"):
            after = intent.payload["status_before"] or "active"
            note = str(intent.payload["note"])
            await record_reenabled(operation, place, before="inactive", after=after, note=note)
        return operation.done(f"profile {name} trades again, and is no longer contained")


async def _why_not(place: ProfilePlace, intent: Intent) -> str | None:
    driver = place.book.driver
    assert driver is not None
    wanted = Deactivation(
        book=place.book.name,
        account=place.account,
        profile_id=ProfileId(intent.target),
        symbol=Symbol(intent.payload["symbol"] or ""),
        incident_id=intent.incident_id or 0,
        reason=str(intent.payload["reason"]),
        key=intent.key,
        status_before=intent.payload["status_before"],
    )
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            await driver.activate(wanted)
            active = await driver.is_active(wanted)
    except ReconcilerError as error:
        return str(error)
    except TimeoutError:
        return f"{driver.name}: no answer within {ASK_WITHIN.total_seconds():.0f} s"
    return None if active else f"{driver.name}: it was asked, and reads inactive still"


def _intents(operation: Operation, place: ProfilePlace) -> IntentRecord:
    return IntentRecord(
        operation.connection,
        book=place.book.name,
        account=place.account,
        redact=operation.desk.redact,
    )


async def record_reenabled(
    operation: Operation, place: ProfilePlace, *, before: str, after: str, note: str
) -> None:
    """Its containments end: the row, audit, timelines, a notice."""
    name, who = place.profile.id, operation.actor.who
    released = await operation.connection.fetch(
        SQL["release_containments"], place.book.name, name, who
    )
    about = [row["incident_id"] for row in released if row["incident_id"] is not None]
    operation.incident_id = about[0] if about else None
    operation.details = {"before": before, "after": after, "note": note}
    await operation.add_audit(
        book=place.book.name,
        account=place.account,
        rule="profiles reenable",
        target="profile",
        target_id=name,
        before={"status": before},
        after={"status": after},
        incident_id=operation.incident_id,
    )
    text = f"profile {name} set {after} again by {who}" + (f": {note}" if note else "")
    for incident_id in about:
        await operation.add_event(incident_id, "reenabled", text)
    told = reenabled_notice(
        event=EVENT,
        book=place.book.name,
        account=place.account,
        profile_id=name,
        incident_id=operation.incident_id,
        by=who,
        why=note,
        mark=released[0]["id"] if released else "",
    )
    await operation.notify(told["key"], operation.incident_id, told)
