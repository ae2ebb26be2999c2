"""Containments: parity is counted, and what follows when a person sets the profile active."""

from decimal import Decimal

from reconciler.simulation.venue import Fault
from tests.scenarios.setting import Setting

SOL = "SOL/USDT:USDT"


async def _contained(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.once()
    assert await setting.status() == "inactive"


async def _activate(setting: Setting) -> None:
    await setting.connection.execute("update bot.profiles set status = 'active'")


async def _streak(setting: Setting) -> int:
    row = await setting.row("select parity_streak from reconciler.containments")
    streak: int = row["parity_streak"]
    return streak


async def _events(setting: Setting) -> list[tuple[str, str]]:
    rows = await setting.rows("select event, text from reconciler.incident_events order by id")
    return [(row["event"], row["text"]) for row in rows]


async def test_parity_is_counted_only_once_the_ghost_is_gone(setting: Setting) -> None:
    await _contained(setting)
    await setting.once()
    assert await _streak(setting) == 0
    setting.ledger.close_position("SOLUSDT")
    await setting.once()
    assert await _streak(setting) == 2
    row = "select xmin::text from reconciler.containments"
    before = await setting.row(row)
    await setting.once()
    assert await setting.row(row) == before, "steady: written no more"


async def test_a_discrepancy_starts_it_over(setting: Setting) -> None:
    await _contained(setting)
    setting.ledger.close_position("SOLUSDT")
    await setting.once()
    await setting.position("x1", SOL, "long", "3")
    await setting.once()
    assert await _streak(setting) == 0


async def test_another_market_of_the_profile_counts_too(setting: Setting) -> None:
    await setting.position("x1", "ETH/USDT:USDT", "long", "3")
    setting.ledger.set_position("ETHUSDT", "long", Decimal(2))
    await _contained(setting)
    setting.ledger.close_position("SOLUSDT")
    await setting.once()
    assert await _streak(setting) == 0


async def test_an_incomplete_look_neither_counts_nor_starts_over(setting: Setting) -> None:
    await _contained(setting)
    setting.ledger.close_position("SOLUSDT")
    await setting.once()
    rule = setting.venue.faults.set(Fault.status(502), "positions")
    await setting.once()
    setting.venue.faults.clear(rule)
    assert await _streak(setting) == 2


async def test_active_by_hand_beside_the_ghost_is_contained_again(setting: Setting) -> None:
    await _contained(setting)
    await _activate(setting)
    await setting.once()
    assert await setting.status() == "inactive"
    said = [text for event, text in await _events(setting) if event == "reenabled_by_hand"]
    assert said == [
        "profile p1 was re-enabled by hand while the ghost position of SOL/USDT:USDT is there"
    ]
    assert len(await setting.rows("select * from reconciler.containments")) == 1
    assert len(await setting.incidents()) == 1


async def test_active_by_hand_once_the_ghost_is_gone_is_released(setting: Setting) -> None:
    await _contained(setting)
    setting.ledger.close_position("SOLUSDT")
    await setting.once()
    await _activate(setting)
    assert (await setting.once()).code == 0
    assert await setting.status() == "active"
    row = await setting.row("select * from reconciler.containments")
    assert row["released_by"] == "by hand"
    assert row["released_at"] is not None
    event, text = (await _events(setting))[-1]
    assert event == "released"
    assert "re-enabled by hand" in text


async def test_active_by_hand_too_early_is_released_once_parity_is_confirmed(
    setting: Setting,
) -> None:
    await _contained(setting)
    setting.ledger.close_position("SOLUSDT")
    await _activate(setting)
    await setting.once()
    assert await setting.status() == "active"
    row = await setting.row("select * from reconciler.containments")
    assert row["released_by"] == "by hand"
    assert row["parity_streak"] == 2


async def _told(setting: Setting) -> list[tuple[str, str, str | None]]:
    rows = await setting.rows("select payload from reconciler.outbox order by id")
    told = [row["payload"] for row in rows if row["payload"]["event"].startswith("profile_")]
    return [(each["event"], each["by"], each["why"]) for each in told]


async def test_people_are_told_who_had_it_trade_again_and_why(setting: Setting) -> None:
    await _contained(setting)
    setting.ledger.close_position("SOLUSDT")
    await setting.once()
    ran = await setting.typed("profiles", "reenable", "p1", "--by", "ada", "--note", "closed it")
    assert ran.code == 0, ran.err
    await setting.once()
    assert await _told(setting) == [("profile_reenabled", "ada", "closed it")]


async def test_people_are_told_of_one_that_trades_again_by_hand(setting: Setting) -> None:
    await _contained(setting)
    setting.ledger.close_position("SOLUSDT")
    await setting.once()
    await _activate(setting)
    await setting.once()
    [(event, by, why)] = await _told(setting)
    assert (event, by) == ("profile_released", "by hand")
    assert "its positions agree" in (why or "")
