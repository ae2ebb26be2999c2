"""A paused account is judged and not acted on, until the pause ends by itself; what is ignored."""

from datetime import timedelta
from decimal import Decimal

from tests.scenarios.setting import Setting, ago

ETH = "ETH/USDT:USDT"


async def _pause(setting: Setting, *, left: timedelta | None = timedelta(hours=1)) -> None:
    await setting.insert(
        "reconciler.pauses",
        account="main",
        until=None if left is None else ago(-left),
        paused_by="ADA",
    )


async def _troubled(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    await setting.order("o1", ETH, "buy", "1", venue_order_id="999999")


async def test_a_paused_account_is_judged_and_not_acted_on(setting: Setting) -> None:
    await _troubled(setting)
    await _pause(setting)
    before = await setting.book()
    found = await setting.once()
    assert found.code == 1
    assert "paused by ADA until" in found.outcome.sentence
    assert await setting.book() == before
    kinds = {(i[0], i[2]) for i in await setting.incidents()}
    assert kinds == {("ghost_position", "open"), ("order_quarantined", "open")}
    audit = await setting.rows("select mode, applied from reconciler.audit")
    assert audit == [{"mode": "paused", "applied": False}] * 2
    ghost = await setting.row(
        "select id, details from reconciler.incidents where kind = 'ghost_position'"
    )
    assert ghost["details"]["mode"] == "paused"
    assert ghost["details"]["would_contain"] == ["p1"]
    events = await setting.rows(
        "select event, text from reconciler.incident_events where incident_id = $1 order by id",
        ghost["id"],
    )
    assert [e["event"] for e in events] == ["opened", "would_contain"]
    assert events[1]["text"].startswith("paused: ")
    assert await setting.rows("select * from reconciler.containments") == []


async def test_a_pause_ends_by_itself(setting: Setting) -> None:
    await _troubled(setting)
    await _pause(setting, left=None)
    await setting.once()
    assert await setting.status() == "active"
    await setting.connection.execute("update reconciler.pauses set until = now()")
    found = await setting.once()
    assert "paused" not in found.outcome.sentence
    assert await setting.status() == "inactive"
    assert (await setting.row("select status from bot.orders"))["status"] == "unknown"
    assert len(await setting.incidents()) == 2, "the same, and acted on now"


async def test_another_account_goes_on(setting: Setting) -> None:
    setting.add_account("two")
    await setting.profile("p2", account="two")
    await _pause(setting)
    for name in ("main", "two"):
        setting.venue.ledger(name).set_position("SOLUSDT", "long", Decimal(1))
    await setting.once_all()
    assert (await setting.status("p1"), await setting.status("p2")) == ("active", "inactive")


async def test_what_people_ignore_is_left_alone(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    manual = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    setting.venue.clock.skew = timedelta(0)
    ignored = {"symbol": "SOLUSDT", "venue_order_id": str(manual.order_id)}
    for what, value in ignored.items():
        await setting.insert(
            "reconciler.ignores", account="main", what=what, value=value, ignored_by="ADA"
        )
    assert (await setting.once(orders={"grace": "0s"})).code == 0
    assert await setting.status() == "active"
    await setting.connection.execute("delete from reconciler.ignores")
    assert (await setting.once()).code == 1
    assert {i[0] for i in await setting.incidents()} == {"ghost_position", "orphan_order"}


async def test_a_pause_reaches_a_look_that_is_under_way(setting: Setting) -> None:
    """It is set while the venue is asked: the look had begun as one that acts."""
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    setting.configure(positions={"confirmations": 1})
    async with setting.while_asking("open_orders", setting.once) as looking:
        await _pause(setting)
    found = looking.result()
    assert "paused by ADA until" in found.outcome.sentence
    assert await setting.status() == "active"
    audit = await setting.rows("select mode, applied from reconciler.audit")
    assert audit == [{"mode": "paused", "applied": False}]
    assert await setting.rows("select * from reconciler.containments") == []
