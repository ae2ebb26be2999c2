"""`mode = "observe"` runs the same path, writes nothing to the book, and says what it would do."""

from decimal import Decimal

from tests.scenarios.setting import Setting


async def _troubled(setting: Setting) -> None:
    """A ghost, an order to quarantine, a missed fill."""
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    await setting.order("o1", "ETH/USDT:USDT", "buy", "1", venue_order_id="999999")
    placed = setting.ledger.place_order("DOGEUSDT", "buy", Decimal(100), Decimal("0.1"))
    setting.ledger.fill_order(placed.order_id)
    await setting.order("o2", "DOGE/USDT:USDT", "buy", "100", venue_order_id=str(placed.order_id))
    await setting.position("x1", "DOGE/USDT:USDT", "long", "100")


async def test_observe_writes_nothing_and_records_what_it_would_have_done(
    setting: Setting,
) -> None:
    await _troubled(setting)
    before = await setting.book()
    codes = [(await setting.once(mode="observe")).code for _ in range(3)]
    assert codes == [1, 1, 1]
    assert await setting.book() == before
    audit = await setting.rows("select * from reconciler.audit order by target_id")
    assert [(a["target_id"], a["applied"], a["mode"], a["after"]["status"]) for a in audit] == [
        ("o1", False, "observe", "unknown"),
        ("o2", False, "observe", "filled"),
        ("p1", False, "observe", "inactive"),
    ]
    assert await setting.rows("select * from reconciler.containments") == []
    assert await setting.rows("select * from reconciler.quarantine") == []
    kinds = [i[0] for i in await setting.incidents()]
    assert sorted(kinds) == ["ghost_position", "order_quarantined", "unaware_fill"]
    assert len(await setting.rows("select * from reconciler.outbox")) == 3


async def test_observe_says_what_it_would_have_done(setting: Setting) -> None:
    await _troubled(setting)
    found = await setting.once(mode="observe")
    actions = {f.kind: f.action for f in found.outcome.findings}
    assert actions["ghost_position"] == "would have contained p1"
    assert actions["quarantine"] == "would have quarantined"
    assert actions["ended"] == "would have written filled"


async def test_enforce_does_what_observe_announced(setting: Setting) -> None:
    await _troubled(setting)
    await setting.once(mode="observe")
    await setting.once(mode="enforce")
    assert await setting.status() == "inactive"
    rows = await setting.rows("select id, status from bot.orders order by id")
    assert [r["status"] for r in rows] == ["unknown", "filled"]
    applied = await setting.rows("select * from reconciler.audit where applied")
    assert {a["target_id"] for a in applied} == {"o1", "o2", "p1"}
    assert len(await setting.rows("select * from reconciler.containments")) == 1


async def test_observe_announces_nothing_twice(setting: Setting) -> None:
    """Nothing was synced: who listens is not told so at every look."""
    await _troubled(setting)
    heard: list[object] = []

    def hear(*said: object) -> None:
        heard.append(said[-1])

    await setting.connection.add_listener("reconciler_event", hear)
    await setting.once(mode="observe")
    await setting.connection.fetchval("select 1")
    first = len(heard)
    assert first
    await setting.once(mode="observe")
    await setting.connection.fetchval("select 1")
    assert heard[first:] == []
