"""The story: what happens to the account, chapter by chapter, and what the daemon must make of it.

A chapter ends when its effect is seen in the database or in `/health`; never by a clock alone.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from reconciler.simulation.bot_api import by_project
from reconciler.simulation.demo.bot import FORGOTTEN as FORGOTTEN_ORDER
from reconciler.simulation.demo.bot import SCALP
from reconciler.simulation.demo.performance import Ending, Performance, Played
from reconciler.simulation.demo.scene import Scene
from reconciler.simulation.demo.stage import Show, Stage
from reconciler.simulation.venue.faults import Fault, FaultKind

GHOST = "SOL/USDT:USDT"
FORGOTTEN = FORGOTTEN_ORDER.name
MISSED = "grid-buy"
MISSED_PARTS = (("0.3", "2950"), ("0.2", "2946"))
MISSED_QTY, MISSED_AVERAGE = Decimal("0.5"), Decimal("2948.4")
OUTAGE = timedelta(seconds=6)
DEADLINE = timedelta(seconds=20)
"""For one chapter: two looks 4 s apart, a confirmation, an outage, and room for slow machines."""
PAUSE = timedelta(seconds=1)
"""Between two chapters, to read; the next look is farther away than that."""


class WrongTurnError(Exception):
    """The daemon did what it must not, or did not do what it must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """`play` does the deed, waits for the effect and returns it as a sentence."""

    title: str
    deed: str
    play: Callable[[Stage], Awaitable[str]]


async def _parity(stage: Stage) -> str:
    def effect(scene: Scene) -> str | None:
        judged = scene.health.last_success_at is not None and scene.health.trouble is None
        if not judged:
            return None
        if scene.incidents or scene.suspicions:
            raise WrongTurnError("book and venue agree, and the daemon found something")
        live = sum(1 for order in scene.orders if order.status == "open")
        return f"{len(scene.positions)} positions and {live} orders agree; nothing written"

    before = await stage.fingerprint()
    found = await stage.until(effect)
    if await stage.fingerprint() != before:
        raise WrongTurnError("book and venue agree, and the daemon changed the book")
    return found


async def _ghost(stage: Stage) -> str:
    stage.ledger.set_position("SOLUSDT", "short", Decimal(40))

    def effect(scene: Scene) -> str | None:
        incident = scene.incident("ghost_position", GHOST)
        if incident is None or scene.profiles[SCALP] != "inactive":
            return None
        others = [name for name, status in scene.profiles.items() if status != "active"]
        if others != [SCALP]:
            raise WrongTurnError(f"profiles {', '.join(others)} are inactive")
        return f"profile {SCALP} set inactive; incident {incident.id}, {incident.severity}"

    return await stage.until(effect)


async def _forgotten_order(stage: Stage) -> str:
    await stage.bot.hold_forgotten_order()

    def effect(scene: Scene) -> str | None:
        order, incident = scene.order(FORGOTTEN), scene.incident("order_quarantined", FORGOTTEN)
        if order is None or incident is None or FORGOTTEN not in scene.quarantine:
            return None
        if order.status != "unknown":
            raise WrongTurnError(f"order {FORGOTTEN} is quarantined and {order.status}")
        reason = scene.quarantine[FORGOTTEN]
        return f"order {FORGOTTEN} is `unknown`, quarantined ({reason}); incident {incident.id}"

    return await stage.until(effect)


async def _missed_fill(stage: Stage) -> str:
    stage.bot.miss_a_fill(MISSED, MISSED_PARTS)

    def effect(scene: Scene) -> str | None:
        order, incident = scene.order(MISSED), scene.incident("unaware_fill", MISSED)
        if order is None or order.status != "filled" or incident is None:
            return None
        if (order.filled, order.avg_price) != (MISSED_QTY, MISSED_AVERAGE):
            raise WrongTurnError(f"the book learnt {order.filled} at {order.avg_price}")
        return (
            f"the book learns: filled {MISSED_QTY} at {MISSED_AVERAGE};"
            f" incident {incident.id}, {incident.severity}"
        )

    found = await stage.until(effect)
    await stage.bot.catch_up(MISSED)
    return f"{found}. The bot reads its book and catches up"


async def _outage(stage: Stage) -> str:
    before = await stage.fingerprint()
    begun = time.monotonic()
    pages = [
        stage.venue.faults.set(FaultKind.HTML_200, "open_orders"),
        stage.venue.faults.set(Fault.status(524), "positions"),
    ]
    try:
        await stage.until(lambda scene: scene.health.trouble)
        await asyncio.sleep(begun + OUTAGE.total_seconds() - time.monotonic())
        if await stage.fingerprint() != before:
            raise WrongTurnError("the book changed while the venue did not answer")
    finally:
        for page in pages:
            stage.venue.faults.clear(page)
    ended_at = datetime.now(UTC)  # the clock of `last_success`

    def recovered(scene: Scene) -> str | None:
        last = scene.health.last_success_at
        if scene.health.trouble is not None or last is None or last <= ended_at:
            return None
        return "said `not judged`, touched no row, and judges again now that the venue answers"

    found = await stage.until(recovered)
    if await stage.fingerprint() != before:
        raise WrongTurnError("the book changed by an outage")
    return found


async def _rotated_keys(stage: Stage) -> str:
    sign_in = stage.sign_in
    sign_in.supabase.keys.rotate()

    def effect(scene: Scene) -> str | None:
        found = [i for i in scene.incidents if i.kind == "auth_failure"]
        if not found:
            return None
        incident = found[-1]
        if (incident.cause, incident.severity) != ("config", "SEV-1"):
            raise WrongTurnError(f"sign-in was called {incident.cause}, {incident.severity}")
        return f"incident {incident.id}, {incident.severity}: {incident.title}"

    found = await stage.until(effect)
    sign_in.bot_api.why_not = by_project(sign_in.supabase)
    return f"{found}. The bot is given the published keys"


STORY = (
    Chapter(
        title="parity",
        deed="the bot trades on three profiles; book and venue hold the same",
        play=_parity,
    ),
    Chapter(
        title="ghost position",
        deed="a SOL short of 40 appears at the venue; the book knows nothing of it",
        play=_ghost,
    ),
    Chapter(
        title="forgotten order",
        deed=f"the book has {FORGOTTEN} open, 25 h old; no endpoint of the venue knows it",
        play=_forgotten_order,
    ),
    Chapter(
        title="missed fill",
        deed=f"{MISSED} fills at the venue in two parts while the bot is not looking",
        play=_missed_fill,
    ),
    Chapter(
        title="outage",
        deed="the venue answers orders with an HTML page (status 200), positions with 524, for 6 s",
        play=_outage,
    ),
    Chapter(
        title="rotated keys",
        deed="Supabase signs with ES256 from now on; the bot verifies by the old HS256 secret",
        play=_rotated_keys,
    ),
)


async def tell_story(stage: Stage, performance: Performance, show: Show) -> None:
    """Play every chapter, each when the one before is over. One that fails ends nothing else."""
    for number, chapter in enumerate(STORY, start=1):
        played = Played(
            number=number,
            title=chapter.title,
            deed=chapter.deed,
            began=performance.seconds(),
        )
        performance.played.append(played)
        show.begin(played)
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                played.reaction = await chapter.play(stage)
        except TimeoutError:
            played.reaction = f"no such effect within {DEADLINE.total_seconds():.0f} s"
            played.ending = Ending.FAILED
        except WrongTurnError as error:
            played.reaction, played.ending = str(error), Ending.FAILED
        else:
            played.ending = Ending.AS_IT_SHOULD
        played.ended = performance.seconds()
        show.end(played)
        await asyncio.sleep(PAUSE.total_seconds())
