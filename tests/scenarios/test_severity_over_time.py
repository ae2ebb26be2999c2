"""Severity follows exposure: up when a position may be wrong, down when it agrees again."""

from decimal import Decimal

from reconciler.simulation.venue import Fault
from tests.scenarios.setting import Setting

ETH = "ETH/USDT:USDT"
QUARANTINED = "order_quarantined"


async def _quarantined(setting: Setting) -> None:
    await setting.order("o1", ETH, "buy", "1", venue_order_id="999999")
    await setting.once()


async def _severity(setting: Setting, kind: str = QUARANTINED) -> tuple[str, str]:
    row = await setting.row(
        "select severity, status from reconciler.incidents where kind = $1", kind
    )
    return row["severity"], row["status"]


async def _changes(setting: Setting) -> list[str]:
    rows = await setting.rows(
        "select text from reconciler.incident_events where event = 'severity_changed' order by id"
    )
    return [row["text"] for row in rows]


async def test_a_quarantined_order_goes_up_and_comes_down(setting: Setting) -> None:
    await _quarantined(setting)
    assert await _severity(setting) == ("SEV-2", "open")
    setting.ledger.set_position("ETHUSDT", "long", Decimal(1))
    await setting.once(positions={"contain": []})
    assert await _severity(setting) == ("SEV-1", "open")
    told = await setting.rows("select payload from reconciler.outbox order by id")
    assert "incident_escalated" in [t["payload"]["event"] for t in told]
    await setting.once()
    assert len(await _changes(setting)) == 1, "said once"
    setting.ledger.close_position("ETHUSDT")
    await setting.once()
    assert await _severity(setting) == ("SEV-2", "open"), "its review ends it"
    up, down = await _changes(setting)
    assert "SEV-2 → SEV-1" in up
    assert "does not agree" in up
    assert "SEV-1 → SEV-2" in down
    assert "agrees" in down
    told = await setting.rows("select payload from reconciler.outbox where incident_id = 1")
    assert len(told) == 2, "coming down wakes nobody"


async def test_one_look_that_differs_is_not_enough(setting: Setting) -> None:
    await _quarantined(setting)
    setting.venue.faults.set(Fault.status(502), "positions", times=1)
    await setting.once()
    assert await _severity(setting) == ("SEV-2", "open")
    assert await _changes(setting) == []


async def test_positions_that_are_not_known_are_exposure(setting: Setting) -> None:
    await _quarantined(setting)
    rule = setting.venue.faults.set(Fault.status(502), "positions")
    for _ in range(3):
        await setting.once()
    assert await _severity(setting) == ("SEV-1", "open")
    setting.venue.faults.clear(rule)
    await setting.once()
    assert await _severity(setting) == ("SEV-2", "open")


async def test_an_unaware_fill_comes_down_and_heals(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    setting.ledger.fill_order(placed.order_id)
    await setting.order("o1", ETH, "buy", "1", venue_order_id=str(placed.order_id))
    await setting.once(positions={"contain": []})
    assert await _severity(setting, "unaware_fill") == ("SEV-1", "open")
    await setting.position("x1", ETH, "long", "1")
    await setting.once()
    assert await _severity(setting, "unaware_fill") == ("SEV-2", "resolved")
    [down] = await _changes(setting)
    assert "SEV-1 → SEV-2" in down
