"""What bots say of their contained profiles, where no row of the book says it."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from reconciler.cycle.tools import Tools
from reconciler.domain.book import BookReading, Profile
from reconciler.domain.containments import Containment
from reconciler.domain.deactivation import Deactivation
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.memory import Memory
from reconciler.ports import Book, DeactivationDriver

log = structlog.get_logger("reconciler.cycle")

ASK_WITHIN = timedelta(seconds=30)
"""Each request of a driver has a shorter deadline of its own; this one catches their sum."""


async def ask_bots(
    tools: Tools, memory: Memory
) -> tuple[Mapping[ProfileId, bool], Mapping[ProfileId, str]]:
    """Whether each contained profile may enter trades, and why a bot did not tell. One that does
    not tell is what it was last: inactive.
    """
    driver = tools.book.driver
    if driver is None or tools.book.tells_status:
        return {}, {}
    standing = {c.profile_id: c for c in memory.containments if not c.pending}
    answers = await asyncio.gather(
        *(ask_active(driver, _wanted(tools, each)) for each in standing.values())
    )
    told = dict(zip(standing, answers, strict=True))
    silent = {profile: said for profile, said in told.items() if isinstance(said, str)}
    return {profile: said is True for profile, said in told.items()}, silent


def trades_again(book: Book) -> str:
    """What is known of a contained profile that is active, and not by us."""
    if book.tells_status:
        return "was re-enabled by hand"
    return "enters trades again (its bot was restarted, or started by hand)"


def with_statuses(reading: BookReading, told: Mapping[ProfileId, bool]) -> BookReading:
    """The reading, with what bots said of their profiles in place of what its rows say."""
    if not told:
        return reading
    profiles = tuple(_with_status(profile, told.get(profile.id)) for profile in reading.profiles)
    return replace(reading, profiles=profiles)


def _with_status(profile: Profile, active: bool | None) -> Profile:  # noqa: FBT001 - what was told
    if active is None or active is profile.is_active:
        return profile
    return replace(profile, status="active" if active else "inactive")


def _wanted(tools: Tools, containment: Containment) -> Deactivation:
    return Deactivation(
        book=tools.book.name,
        account=tools.account,
        profile_id=containment.profile_id,
        symbol=Symbol(containment.symbol or ""),
        incident_id=containment.incident_id or 0,
        reason=containment.reason,
        key=containment.driver_key or "",
        status_before=containment.status_before,
    )


async def ask_active(driver: DeactivationDriver, wanted: Deactivation) -> bool | str:
    """Whether the bot lets the profile enter trades, or why it does not tell."""
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            return await driver.is_active(wanted)
    except Exception as error:  # noqa: BLE001 - a driver's slip must not take a pass down
        return why_failed(driver, error)


def why_failed(driver: DeactivationDriver, error: Exception) -> str:
    """For people, without a secret."""
    match error:
        case ReconcilerError():
            return str(error)
        case TimeoutError():
            return f"{driver.name}: no answer within {ASK_WITHIN.total_seconds():.0f} s"
        case _:
            log.error("[GHOST] driver failed", driver=driver.name, exc_info=error)
            return f"{driver.name}: {type(error).__name__}"
