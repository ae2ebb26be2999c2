"""A venue that refuses each second request for positions hides no ghost for good."""

import asyncio
from decimal import Decimal
from typing import Any

from reconciler.simulation.venue import FaultKind
from tests.scenarios.setting import Setting

QUICK: dict[str, Any] = {
    "positions": {"confirmations": 1, "confirm_after": "50ms", "grace": "100ms"}
}


async def test_a_ghost_whose_second_reading_always_fails_is_contained(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10))
    done = []
    for _ in range(6):
        fault = None
        async with setting.while_asking("open_orders", lambda: setting.once(**QUICK)) as running:
            fault = setting.venue.faults.set(FaultKind.RESET, "positions")
        found = await running
        done += [f"{f.kind}:{f.action}" for f in found.outcome.findings]
        setting.venue.faults.clear(fault)
        await asyncio.sleep(0.2)
    assert "ghost_position:contained" in done
