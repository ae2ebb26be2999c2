"""A ghost of at least `policy.ghost_threshold_notional`: its incident advises to close it."""

from decimal import Decimal
from typing import Any

from tests.scenarios.setting import Setting

ADVICE = "reconciler positions close main SOL/USDT:USDT long --by WHO --note T"


async def _incident(setting: Setting) -> dict[str, Any]:
    return await setting.row("select * from reconciler.incidents")


async def _told(setting: Setting) -> list[str]:
    rows = await setting.rows(
        "select text from reconciler.incident_events where event = 'threshold' order by id"
    )
    return [row["text"] for row in rows]


async def test_a_large_ghost_says_so_once(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(10))
    for _ in range(3):
        await setting.once(policy={"ghost_threshold_notional": "1500"})
    incident = await _incident(setting)
    assert incident["severity"] == "SEV-1"
    assert incident["details"]["threshold"] == {
        "notional": "1500",
        "threshold": "1500",
        "breached": True,
        "advice": ADVICE,
    }
    [text] = await _told(setting)
    assert ADVICE in text


async def test_a_smaller_one_says_nothing(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(10))
    await setting.once(policy={"ghost_threshold_notional": "1501"})
    assert "threshold" not in (await _incident(setting))["details"]
    assert await _told(setting) == []


async def test_one_that_grows_says_so_once_and_stays_contained(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(10))
    await setting.once(policy={"ghost_threshold_notional": "3000"})
    before = await _incident(setting)
    setting.ledger.set_position("SOLUSDT", "long", Decimal(20))
    for _ in range(2):
        await setting.once()
    after = await _incident(setting)
    assert after["details"]["threshold"]["breached"]
    assert after["details"]["contained"] == before["details"]["contained"] == ["p1"]
    assert len(await _told(setting)) == 1
    assert len(await setting.rows("select * from reconciler.containments")) == 1
    assert len(await setting.rows("select * from reconciler.outbox")) == 1
    # A price that falls takes nothing back: people were advised.
    setting.venue.markets.set_mark_price("SOLUSDT", Decimal(1))
    await setting.once()
    assert (await _incident(setting))["details"]["threshold"]["breached"]
