"""An operator at the desk, with a policy that lets them act, or with the one that is asked for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from reconciler.incidents.acting import ActionReport
from reconciler.incidents.cancelling import cancel_order
from reconciler.incidents.closing import close_position
from reconciler.incidents.desk import Actor, Desk
from reconciler.service.assembly import assembled
from reconciler.service.desk import desk_of
from reconciler.settings import load_settings
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.setting import Setting

SOL = "SOL/USDT:USDT"
ETH = "ETH/USDT:USDT"
POLICY = {
    "cancel_stuck_orders": "operator",
    "close_ghosts": "operator",
    "close_max_notional": "100000",
}
ANA = Actor(who="ana", surface="cli")


@contextlib.asynccontextmanager
async def desk_in(setting: Setting, **sections: Any) -> AsyncIterator[Desk]:
    """The desk of a process of its own."""
    settings = load_settings(setting.configure(**({"policy": POLICY} | sections)))
    redactor = Redactor(settings.secret_values())
    async with assembled(settings, redactor) as assembly:
        yield desk_of(assembly)


async def close(
    setting: Setting, side: str | None = None, *, execute: bool = True, **sections: Any
) -> ActionReport:
    """`positions close main SOL…`."""
    async with desk_in(setting, **sections) as desk:
        return await close_position(
            desk, ANA, "main", "SOLUSDT", side, note="a ghost", execute=execute
        )


async def cancel(setting: Setting, *, execute: bool = True, **sections: Any) -> ActionReport:
    """`orders cancel o1`."""
    async with desk_in(setting, **sections) as desk:
        return await cancel_order(desk, ANA, "o1", note="stuck", execute=execute)


async def operations(setting: Setting) -> list[tuple[str, str]]:
    """Operation and outcome of each command that was kept."""
    rows = await setting.rows("select operation, outcome from reconciler.operations order by id")
    return [(row["operation"], row["outcome"]) for row in rows]


async def actions(setting: Setting) -> list[str]:
    """What the timelines say of actions."""
    rows = await setting.rows(
        "select text from reconciler.incident_events where event = 'action' order by id"
    )
    return [row["text"] for row in rows]


def sent(setting: Setting) -> list[Any]:
    """The orders at the venue that are ours."""
    return [
        order
        for order in setting.ledger.orders.values()
        if order.client_order_id.startswith("rcl-")
    ]


def writes(setting: Setting) -> int:
    """Requests that could have changed something at the venue."""
    names = ("place_order", "cancel_order", "place_trigger_order", "cancel_trigger_order")
    return sum(setting.venue.requests.count(name) for name in names)
