"""Bots that are asked to let a profile trade no more, or again: asked, read back, recorded.

The intent is recorded before. Each attempt is noted before it is made, so that it is retried with
back-off whatever ends this process; only what the bot confirms is recorded as done.
"""

import asyncio
from datetime import timedelta
from typing import Any

from reconciler.cycle.bots import ASK_WITHIN, ask_active, why_failed
from reconciler.cycle.hands import Hands
from reconciler.domain.deactivation import Deactivation
from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.intents import FEW_TRIES, Intent, IntentKind
from reconciler.domain.reenabled import EVENT, reenabled_notice
from reconciler.ports import DeactivationDriver, Record
from reconciler.rules.reenabling import why_not_reenable


async def settle_profile(hands: Hands, intent: Intent) -> None:
    """One attempt at it. Raises LeaseLostError, DatabaseUnavailableError."""
    driver = hands.tools.book.driver
    if driver is None:
        await _abandon(hands, intent)
        return
    if intent.kind is IntentKind.ACTIVATE and (why := await _why_not_again(hands, intent)):
        async with hands.writing() as record:
            await record.intents.fail(intent, why, again_in=intent.next_wait)
        hands.recheck.append(intent.next_wait)
        return
    async with hands.writing() as record:
        begun = await record.intents.begin_attempt(intent)
    if begun is None:
        return
    if intent.kind is IntentKind.DEACTIVATE and not intent.is_wanted:
        await _drop_unless_done(hands, driver, begun)
        return
    why_not = await _ask(driver, begun, _wanted(hands, begun))
    if why_not is not None:
        await _note_failure(hands, begun, why_not, again_in=intent.next_wait)
    elif intent.kind is IntentKind.DEACTIVATE:
        await _note_contained(hands, begun, driver.name)
    else:
        await _note_released(hands, begun, driver.name)


def deactivation_of(hands: Hands, profile_id: str, key: str, told: dict[str, Any]) -> Deactivation:
    """What a bot is asked."""
    return Deactivation(
        book=hands.tools.book.name,
        account=hands.tools.account,
        profile_id=ProfileId(profile_id),
        symbol=Symbol(str(told.get("symbol") or "")),
        incident_id=int(told.get("incident_id") or 0),
        reason=str(told.get("reason") or ""),
        key=key,
        status_before=told.get("status_before"),
    )


def _wanted(hands: Hands, intent: Intent) -> Deactivation:
    told = {"incident_id": intent.incident_id, **intent.payload}
    return deactivation_of(hands, intent.target, intent.key, told)


async def _ask(driver: DeactivationDriver, intent: Intent, wanted: Deactivation) -> str | None:
    """Ask, and read back; why it is not done, or None."""
    deactivates = intent.kind is IntentKind.DEACTIVATE
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            await (driver.deactivate(wanted) if deactivates else driver.activate(wanted))
            active = await driver.is_active(wanted)
    except Exception as error:  # noqa: BLE001 - a driver's slip must not take a pass down
        return why_failed(driver, error)
    if active is not deactivates:
        return None
    state = "active" if active else "inactive"
    return f"{driver.name}: profile {wanted.profile_id} was asked for, and reads {state} still"


async def _drop_unless_done(hands: Hands, driver: DeactivationDriver, intent: Intent) -> None:
    """The discrepancy ended before the bot answered: it is let be, unless it was stopped."""
    active = await ask_active(driver, _wanted(hands, intent)) if intent.attempts > 1 else True
    if isinstance(active, str):
        await _note_failure(hands, intent, active, again_in=intent.next_wait)
    elif not active:
        await _note_contained(hands, intent, driver.name)
    else:
        text = f"profile {intent.target} is not contained: what was found ended before"
        async with hands.writing() as record:
            if not await record.intents.finish(intent, "dropped"):
                return
            for about in await record.intents.drop_containments(
                intent.target, by="never confirmed"
            ):
                await record.add_event(about, "not_contained", text)
        (hands.pending or {}).pop(intent.target, None)
        hands.find("containment", intent.target, text, "dropped")


async def _abandon(hands: Hands, intent: Intent) -> None:
    """The configuration changed. A ghost that is there still is contained anew, in the way that the
    book has now.
    """
    async with hands.writing() as record:
        why = f"book {hands.tools.book.name} has no driver any more"
        said = await record.intents.abandon(intent.abandoned, why)
    (hands.pending or {}).pop(intent.target, None)
    if said is not None:
        hands.find("containment", intent.target, said, "dropped")


async def _note_contained(hands: Hands, intent: Intent, driver: str) -> None:
    text = f"profile {intent.target} set inactive, confirmed by {driver}"
    async with hands.writing() as record:
        if not await record.intents.finish(intent, "done"):
            return
        for row in await record.intents.confirm_containments(intent.target):
            if row["incident_id"] is not None:
                await record.add_event(row["incident_id"], "contained", text)
                await _learn_contained(record, row["incident_id"], intent.target)
        await record.audit(
            applied=True,
            rule=str(intent.payload.get("rule", "ghost_position")),
            target="profile",
            target_id=intent.target,
            before={"status": intent.payload.get("status_before")},
            after={"status": "inactive"},
            incident_id=intent.incident_id,
        )
        await record.announce(
            {
                "event": "profile_contained",
                "profile_id": intent.target,
                "account": hands.tools.account,
                "symbol": intent.payload.get("symbol"),
                "incident_id": intent.incident_id,
            }
        )
    hands.deactivated += 1
    (hands.pending or {}).pop(intent.target, None)
    hands.find("containment", intent.target, text, "contained", incident_id=intent.incident_id)


async def _learn_contained(record: Record, incident_id: int, profile_id: str) -> None:
    details = await record.intents.details_of(incident_id)
    left = await record.intents.pending_of(incident_id)
    details["contained"] = sorted({*(details.get("contained") or ()), profile_id})
    details["containment"] = "pending" if left else "confirmed"
    if not left:
        details["not_contained"] = None
    await record.intents.keep_details(incident_id, details)


async def _note_failure(hands: Hands, intent: Intent, why: str, *, again_in: timedelta) -> None:
    """Kept with the intent; on the timeline at the first try, and once more after a few."""
    hands.recheck.append(again_in)
    what = "contained" if intent.kind is IntentKind.DEACTIVATE else "re-enabled"
    async with hands.writing() as record:
        await record.intents.fail(intent, why, again_in=again_in)
        if intent.incident_id is not None:
            await _tell_failure(record, intent, why, what)
    if intent.kind is IntentKind.DEACTIVATE:
        hands.pending = {**(hands.pending or {}), intent.target: why}
    text = f"profile {intent.target} is not {what} yet (try {intent.attempts}): {why}"
    hands.find("containment", intent.target, text, "pending", incident_id=intent.incident_id)


async def _tell_failure(record: Record, intent: Intent, why: str, what: str) -> None:
    assert intent.incident_id is not None
    if intent.kind is IntentKind.DEACTIVATE and why != intent.last_error:
        details = await record.intents.details_of(intent.incident_id)
        await record.intents.keep_details(
            intent.incident_id, {**details, "containment": "pending", "not_contained": why}
        )
    if intent.attempts == 1:
        text = f"profile {intent.target} could not be {what} yet: {why}"
        await record.add_event(intent.incident_id, f"not_{what.replace('-', '')}", text)
    elif intent.attempts == FEW_TRIES:
        text = (
            f"profile {intent.target} is not {what} after {FEW_TRIES} tries, and is tried on: {why}"
        )
        await record.add_event(intent.incident_id, "driver_failing", text)


async def _why_not_again(hands: Hands, intent: Intent) -> str | None:
    """What a person was granted may not be so any more. It ends where nothing is contained."""
    memory = await hands.tools.store.memory(book=hands.tools.book.name, account=hands.tools.account)
    if not any(c.profile_id == intent.target for c in memory.containments):
        async with hands.writing() as record:
            await record.intents.finish(intent, "dropped")
        return "it is not contained any more"
    missing = why_not_reenable(
        now=memory.now,
        profile_id=ProfileId(intent.target),
        containments=memory.containments,
        incidents=memory.incidents,
        confirmations=hands.judging.position_confirmations,
    )
    return "; ".join(missing) or None


async def _note_released(hands: Hands, intent: Intent, driver: str) -> None:
    """As the person's command would have recorded it, had the bot answered then."""
    who, note = str(intent.payload.get("by", "")), str(intent.payload.get("note", ""))
    after = intent.payload.get("status_before") or "active"
    text = f"profile {intent.target} set {after} again by {who}, confirmed by {driver}"
    text += f": {note}" if note else ""
    async with hands.writing() as record:
        if not await record.intents.finish(intent, "done"):
            return
        for about in await record.intents.release_containments(intent.target, by=who):
            await record.add_event(about, "reenabled", text)
        await record.audit(
            applied=True,
            rule="profiles reenable",
            target="profile",
            target_id=intent.target,
            before={"status": "inactive"},
            after={"status": after},
            incident_id=intent.incident_id,
        )
        told = reenabled_notice(
            event=EVENT,
            book=hands.tools.book.name,
            account=hands.tools.account,
            profile_id=intent.target,
            incident_id=intent.incident_id,
            by=who,
            why=note,
            mark=f"intent {intent.id}",
        )
        await record.notify(told["key"], intent.incident_id, told)
    hands.find("containment", intent.target, text, "released")
