"""Positions, orders, positions: what moved while it was read proves nothing."""

from decimal import Decimal
from typing import Any

import pytest

from reconciler.simulation.venue import FaultKind
from tests.scenarios.setting import Setting

AT_ONCE: dict[str, Any] = {"positions": {"confirmations": 1, "confirm_after": "50ms"}}
"""One look decides: nothing but the second reading stands between a torn look and a containment."""


async def test_a_position_that_closed_meanwhile_contains_nobody(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10))
    async with setting.while_asking("open_orders", lambda: setting.once(**AT_ONCE)) as running:
        setting.ledger.close_position("SOLUSDT")
    found = (await running).finding("ghost_position")
    assert found.action == "suspected"
    assert "moved while it was read" in found.text
    assert await setting.status() == "active"
    assert await setting.incidents() == []


async def test_a_position_that_stays_is_contained(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10))
    assert (await setting.once(**AT_ONCE)).finding("ghost_position").action == "contained"
    asked = [r.endpoint for r in setting.venue.requests.requests if r.endpoint != "markets"]
    assert asked == ["positions", "open_orders", "trigger_orders", "positions"]


async def test_a_position_that_moved_is_seen_again_soon(setting: Setting) -> None:
    """A look that was torn must not cost a ghost a whole interval."""
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10))
    async with setting.while_asking("open_orders", lambda: setting.once(**AT_ONCE)) as running:
        setting.ledger.close_position("SOLUSDT")
        setting.ledger.set_position("SOLUSDT", "long", Decimal(3))
    done = {finding.subject: finding.action for finding in (await running).outcome.findings}
    assert done["SOL/USDT:USDT|long"] == "contained"
    assert done["SOL/USDT:USDT|short"] == "suspected"


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.RESET])
async def test_without_a_second_reading_nothing_new_follows(
    setting: Setting, kind: FaultKind
) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10))
    fault = None
    async with setting.while_asking("open_orders", lambda: setting.once(**AT_ONCE)) as running:
        fault = setting.venue.faults.set(kind, "positions")
    found = await running
    assert found.code == 3
    assert "positions" in found.outcome.sentence
    assert await setting.status() == "active"
    setting.venue.faults.clear(fault)
    assert (await setting.once(**AT_ONCE)).finding("ghost_position").action == "contained"


async def test_a_ghost_with_its_incident_is_read_once_a_look(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10))
    await setting.once(**AT_ONCE)
    setting.venue.requests.clear()
    await setting.once(**AT_ONCE)
    assert setting.venue.requests.count("positions") == 1
