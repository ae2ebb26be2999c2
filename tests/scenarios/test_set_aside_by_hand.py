"""`quarantine add`: what book and venue said then is kept, and can be judged again."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.incidents.replaying import replay
from reconciler.simulation.venue import FaultKind
from tests.scenarios.setting import Ran, Setting, ago, setting

__all__ = ["setting"]

ETH = "ETH/USDT:USDT"
ADD = ("quarantine", "add", "o1", "--by", "ada", "--note", "the bot has lost it")


async def _set_aside(setting: Setting) -> Ran:
    await setting.order(
        "o1", ETH, "buy", "1", venue_order_id="77", created_at=ago(timedelta(hours=2))
    )
    await setting.once()
    done = await setting.typed(*ADD)
    assert done.code == 0, done.err
    assert (await setting.row("select status from bot.orders"))["status"] == "unknown"
    return done


async def _bundle(setting: Setting) -> dict[str, object]:
    exported = await setting.typed("incidents", "export", "1")
    assert exported.code == 0, exported.err
    told: dict[str, object] = json.loads(exported.out)
    return told


async def test_it_is_exported_as_a_test(setting: Setting) -> None:
    await _set_aside(setting)
    replayed = replay(await _bundle(setting))
    assert (replayed.then, replayed.same) == ("missing_order o1, 0 filled (never_seen)", True)
    exported = await setting.typed("incidents", "export", "1", "--as-test")
    assert exported.code == 0, exported.err
    assert "def test_incident_1_order_quarantined" in exported.out


async def test_an_order_that_the_venue_shows(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    await setting.order("o1", ETH, "buy", "1", venue_order_id=str(placed.order_id))
    assert (await setting.typed(*ADD)).code == 0
    replayed = replay(await _bundle(setting))
    assert replayed.same
    assert replayed.then in {"resting o1", "in_sync o1"}


@pytest.mark.parametrize("kind", [FaultKind.HTML_200, FaultKind.HANG])
async def test_a_venue_that_does_not_answer_stops_nobody(setting: Setting, kind: FaultKind) -> None:
    await setting.order("o1", ETH, "buy", "1", venue_order_id="77")
    setting.venue.faults.set(kind, "open_orders")
    assert (await setting.typed(*ADD)).code == 0
    replayed = replay(await _bundle(setting))
    assert (replayed.then, replayed.same) == ("inconclusive o1", True)
