"""The native book's script gives what is needed, and no more; others are beside their preset."""

from decimal import Decimal

import asyncpg
import pytest

from tests.integration.presets.conftest import least_role
from tests.scenarios.setting import Setting

BTC = "BTC/USDT:USDT"


async def test_the_native_book_is_read_contained_and_synced(setting: Setting) -> None:
    setting.ledger.set_position("BTCUSDT", "long", Decimal("0.5"))
    await setting.position("x1", BTC, "long", "0.5")
    setting.ledger.set_position("DOGEUSDT", "long", Decimal(900))
    await setting.order("o1", "SOL/USDT:USDT", "buy", "3", venue_order_id="4711")
    async with least_role(setting, "own_tables.sql", "native.sql") as url:
        for _ in range(2):
            ran = await setting.once(database={"url": url})
        assert ran.code == 1, ran
        assert await setting.status() == "inactive"
        orders = await setting.rows("select status from bot.orders")
        assert orders == [{"status": "unknown"}]
        await _refuses(url, "delete from bot.orders", "update bot.orders set qty = 1")


async def _refuses(url: str, *statements: str) -> None:
    role = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(statement)
    finally:
        await role.close(timeout=5)
