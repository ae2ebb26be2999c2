"""Book and venue agree: exit 0, and the book untouched to the byte."""

from datetime import timedelta
from decimal import Decimal

from tests.scenarios.setting import Setting


async def _agreeing(setting: Setting) -> None:
    """A position, a resting order, a trigger order, a market spelt two ways, a closed row."""
    ledger = setting.ledger
    ledger.set_position("BTCUSDT", "long", Decimal("0.5"), Decimal(60000))
    await setting.position("x1", "BTC/USDT:USDT", "long", "0.5")
    ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.position("x2", "SOLUSDT", "short", "10")
    await setting.position("x3", "XRP/USDT:USDT", "long", "5", status="closed")
    resting = ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000), client_order_id="c1")
    await setting.order(
        "o1",
        "ETH/USDT:USDT",
        "buy",
        "1",
        venue_order_id=str(resting.order_id),
        age=timedelta(days=30),
    )
    stop = ledger.place_trigger_order("BTCUSDT", "sell", Decimal("0.5"), Decimal(50000))
    await setting.order(
        "o2",
        "BTC/USDT:USDT",
        "sell",
        "0.5",
        client_order_id=stop.client_algo_id,
        type="stop_market",
    )
    await setting.order("o3", "ETH/USDT:USDT", "sell", "1", status="filled", filled=Decimal(1))


async def test_parity_leaves_the_book_untouched_to_the_byte(setting: Setting) -> None:
    await _agreeing(setting)
    before = await setting.book()
    first, second = await setting.once(), await setting.once()
    assert (first.code, second.code) == (0, 0), (first, second)
    assert await setting.book() == before
    for table in (
        "incidents",
        "suspicions",
        "audit",
        "outbox",
        "quarantine",
        "containments",
        "backlogs",
    ):
        assert await setting.rows(f"select * from reconciler.{table}") == [], table


async def test_the_command_exits_0_and_reports_in_json(setting: Setting) -> None:
    await _agreeing(setting)
    before = await setting.book()
    ran = await setting.command("once")
    assert ran.code == 0, ran
    assert ran.report["exit_code"] == 0
    assert ran.report["accounts"]["main"]["state"] == "parity"
    assert await setting.book() == before


async def test_an_order_resting_for_30_days_is_normal(setting: Setting) -> None:
    order = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    await setting.order(
        "o1",
        "ETH/USDT:USDT",
        "buy",
        "1",
        venue_order_id=str(order.order_id),
        age=timedelta(days=30),
    )
    before = await setting.book()
    assert (await setting.once()).code == 0
    assert await setting.book() == before


async def test_hedge_mode_legs_never_net(setting: Setting) -> None:
    setting.ledger.set_hedge_mode(on=True)
    setting.ledger.set_position("BTCUSDT", "long", Decimal("0.5"))
    setting.ledger.set_position("BTCUSDT", "short", Decimal("0.2"))
    await setting.position("x1", "BTC/USDT:USDT", "long", "0.5")
    await setting.position("x2", "BTC/USDT:USDT", "short", "0.2")
    assert (await setting.once()).code == 0
    await setting.connection.execute("update bot.positions set qty = 0.3 where id = 'x1'")
    await setting.connection.execute("delete from bot.positions where id = 'x2'")
    # Their net is equal on both sides (0.3), and they differ all the same.
    found = await setting.once(positions={"grace": "0s"})
    assert found.code == 1
    assert {f.subject for f in found.outcome.findings} == {
        "BTC/USDT:USDT|long",
        "BTC/USDT:USDT|short",
    }
    assert await setting.status() == "inactive"
