"""Rule 5's last sentence: a contained profile that still enters a trade; the bot does not obey."""

from datetime import timedelta
from decimal import Decimal

from tests.scenarios.setting import Setting, ago

SOL, ETH = "SOL/USDT:USDT", "ETH/USDT:USDT"
NOW = timedelta(0)


async def _contained(setting: Setting, *, ago_by: timedelta = timedelta(minutes=5)) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(10), Decimal(150))
    await setting.once()
    assert await setting.status() == "inactive"
    await setting.connection.execute(
        "update reconciler.containments set contained_at = contained_at - $1::interval", ago_by
    )


async def _enter(setting: Setting, name: str = "e1", **more: object) -> None:
    """The bot sends an order, and writes its row."""
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    await setting.order(name, ETH, "buy", "1", venue_order_id=str(placed.order_id), age=NOW, **more)


async def _entered(setting: Setting) -> list[tuple[str, str, str]]:
    return [i for i in await setting.incidents() if i[0] == "entry_after_containment"]


async def test_an_order_after_the_containment_is_sev_1(setting: Setting) -> None:
    await _contained(setting)
    await _enter(setting)
    for _ in range(2):
        assert (await setting.once()).code == 1
    assert await _entered(setting) == [("entry_after_containment", "SEV-1", "open")]
    incident = await setting.row(
        "select * from reconciler.incidents where kind = 'entry_after_containment'"
    )
    assert (incident["profile_id"], incident["subject"], incident["symbol"]) == ("p1", "p1", ETH)
    assert incident["order_id"] == "e1"
    assert incident["details"]["entries"] == ["e1"]
    evidence = await setting.rows(
        "select bundle from reconciler.evidence where incident_id = $1", incident["id"]
    )
    assert evidence[0]["bundle"]["book"]["orders"][0]["id"] == "e1"
    await _enter(setting, "e2")
    await setting.once()
    assert len(await _entered(setting)) == 1
    events = await setting.rows(
        "select event from reconciler.incident_events where incident_id = $1", incident["id"]
    )
    assert [e["event"] for e in events] == ["opened", "entered_again"]


async def test_exits_are_no_entries(setting: Setting) -> None:
    await _contained(setting)
    await _enter(setting, "e1", reduce_only=True)
    await _enter(setting, "e2", role="exit")
    placed = setting.ledger.place_order("SOLUSDT", "sell", Decimal(10), Decimal(200))
    await setting.order("e3", SOL, "sell", "10", venue_order_id=str(placed.order_id), age=NOW)
    await setting.once()
    assert await _entered(setting) == []


async def test_an_order_of_before_is_none(setting: Setting) -> None:
    await _contained(setting, ago_by=NOW)
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    await setting.order(
        "e1",
        ETH,
        "buy",
        "1",
        venue_order_id=str(placed.order_id),
        age=timedelta(minutes=2),
    )
    await setting.once()
    assert await _entered(setting) == []


async def test_a_position_in_a_new_market_is_one(setting: Setting) -> None:
    await _contained(setting)
    setting.ledger.set_position("ETHUSDT", "long", Decimal(3))
    await setting.position("x1", ETH, "long", "3")
    await setting.once()
    assert await _entered(setting) == [("entry_after_containment", "SEV-1", "open")]


async def test_an_order_of_before_that_fills_is_none(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(3), Decimal(2000))
    await setting.order("e0", ETH, "buy", "3", venue_order_id=str(placed.order_id))
    await _contained(setting)
    setting.ledger.fill_order(placed.order_id)
    await setting.position("x1", ETH, "long", "3")
    for _ in range(2):
        await setting.once()
    assert await _entered(setting) == []


async def test_booking_the_ghost_is_none(setting: Setting) -> None:
    """The runbook's way to end it: the missing row is written."""
    await _contained(setting)
    await setting.position("x1", SOL, "long", "10", updated_at=ago(NOW))
    for _ in range(2):
        await setting.once()
    assert await _entered(setting) == []
    assert ("ghost_position", "SEV-1", "resolved") in await setting.incidents()


async def test_only_a_person_ends_it_and_then_it_is_over(setting: Setting) -> None:
    await _contained(setting)
    await _enter(setting)
    await setting.once()
    await setting.connection.execute("update bot.orders set status = 'canceled'")
    for _ in range(3):
        await setting.once()
    assert await _entered(setting) == [("entry_after_containment", "SEV-1", "open")]
    await setting.connection.execute(
        "update reconciler.incidents set status = 'resolved', resolved_at = now() "
        "where kind = 'entry_after_containment'"
    )
    await setting.once()
    assert await _entered(setting) == [("entry_after_containment", "SEV-1", "resolved")]


async def test_a_profile_that_is_active_again_may_enter(setting: Setting) -> None:
    await _contained(setting)
    setting.ledger.close_position("SOLUSDT")
    await setting.connection.execute("update bot.profiles set status = 'active'")
    await _enter(setting)
    await setting.once()
    assert await _entered(setting) == []


async def test_in_observe_nothing_was_contained(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(10))
    await setting.once(mode="observe")
    await _enter(setting)
    await setting.once()
    assert await _entered(setting) == []
