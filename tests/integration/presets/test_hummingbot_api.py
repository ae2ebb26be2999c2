"""hummingbot-api: what its orders have filled is its book; the exchange's own word is none."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.book.preset import load_preset
from reconciler.domain.errors import BookUnreadableError
from tests.integration.presets.conftest import least_role
from tests.scenarios.setting import HOUR, Setting, ago

SCHEMA = (Path(__file__).parent / "hummingbot_api_schema.sql").read_text(encoding="utf-8")
PERPETUAL = "binance_perpetual"


@pytest.fixture(autouse=True)
async def hummingbot(setting: Setting) -> None:
    """Its tables beside ours: a long of 0.3 by two orders, a short of 5, one flat again."""
    await setting.connection.execute(SCHEMA)
    await _order(setting, "b1", "BTC-USDT", "BUY", "0.5", "0.5", "FILLED", 8001)
    await _order(setting, "b2", "BTC-USDT", "SELL", "0.4", "0.2", "PARTIALLY_FILLED", 8002)
    await _order(setting, "e1", "ETH-USDT", "SELL", "5", "5", "FILLED", 8003)
    await _order(setting, "s1", "SOL-USDT", "BUY", "7", "7", "FILLED", 8004)
    await _order(setting, "s2", "SOL-USDT", "SELL", "7", "7", "FILLED", 8005)
    await _order(setting, "n1", "BNB-USDT", "BUY", "1", "0", "OPEN", 8006)
    await _order(setting, "c1", "BNB-USDT", "BUY", "9", "0", "CANCELLED", 8007)
    # Other accounts of the same database, and what the exchange said: not this account's book.
    await _order(setting, "k1", "BTC-USDT", "BUY", "3", "3", "FILLED", 9001, connector="kucoin")
    await _order(
        setting, "o1", "DOGE-USDT", "BUY", "3", "0", "OPEN", 9002, account_name="other_account"
    )
    await setting.connection.execute(
        f"""insert into position_snapshots (account_name, connector_name, trading_pair, side,
              exchange_size, is_reconciled)
            values ('master_account', '{PERPETUAL}', 'DOGE-USDT', 'LONG', 900, 'PENDING')"""
    )
    setting.configure(book={"preset": "hummingbot_api", "parameters": {"connector": PERPETUAL}})


async def _order(  # noqa: PLR0917 - a row has this many columns
    setting: Setting,
    client_id: str,
    pair: str,
    side: str,
    amount: str,
    filled: str,
    status: str,
    venue_id: int,
    *,
    connector: str = PERPETUAL,
    account_name: str = "master_account",
    age: timedelta = 5 * HOUR,
) -> None:
    row: dict[str, Any] = {
        "client_order_id": client_id,
        "exchange_order_id": str(venue_id),
        "created_at": ago(age),
        "updated_at": ago(age),
        "account_name": account_name,
        "connector_name": connector,
        "trading_pair": pair,
        "trade_type": side,
        "order_type": "LIMIT",
        "amount": Decimal(amount),
        "price": Decimal(100),
        "status": status,
        "filled_amount": Decimal(filled),
    }
    await setting.insert("public.orders", **row)


def _agree(setting: Setting) -> None:
    at, ledger = ago(5 * HOUR), setting.ledger
    ledger.place_order(
        "BTCUSDT",
        "sell",
        Decimal("0.4"),
        Decimal(100),
        order_id=8002,
        created_at=at,
        client_order_id="b2",
    )
    ledger.place_order(
        "BNBUSDT",
        "buy",
        Decimal(1),
        Decimal(100),
        order_id=8006,
        created_at=at,
        client_order_id="n1",
    )
    ledger.fill_order(8002, Decimal("0.2"), filled_at=at)
    ledger.set_position("BTCUSDT", "long", Decimal("0.3"))
    ledger.set_position("ETHUSDT", "short", Decimal(5))


async def test_what_its_orders_filled_is_what_it_holds(setting: Setting) -> None:
    _agree(setting)
    ran = await setting.once()
    assert ran.code == 0, ran


async def test_the_least_role_reads_one_table(setting: Setting) -> None:
    _agree(setting)
    async with least_role(setting, "own_tables.sql", "hummingbot_api.sql") as url:
        ran = await setting.once(database={"url": url})
        assert ran.code == 0, ran


async def test_the_exchanges_own_word_hides_no_ghost(setting: Setting) -> None:
    """A snapshot row of the position is there, as hummingbot-api polls it; no order explains it."""
    _agree(setting)
    setting.ledger.set_position("DOGEUSDT", "long", Decimal(900))
    await _order(setting, "m1", "XRP-USDT", "SELL", "50", "0", "OPEN", 8008, age=30 * HOUR)
    before = await setting.rows("select xmin::text, o::text from public.orders o order by id")
    for _ in range(3):
        ran = await setting.once()
    assert ran.code != 0
    assert ("ghost_position", "SEV-1", "open") in await setting.incidents()
    assert ("order_quarantined", "SEV-2", "open") in await setting.incidents()
    ghost = await setting.row("select * from reconciler.incidents where kind = 'ghost_position'")
    assert ghost["symbol"] == "DOGE/USDT:USDT"
    assert "not_contained" in ghost["details"], "it has no way to stop, and that is said"
    after = await setting.rows("select xmin::text, o::text from public.orders o order by id")
    assert after == before


async def test_fills_before_since_do_not_count(setting: Setting) -> None:
    _agree(setting)
    setting.ledger.set_position("ETHUSDT", "short", Decimal(5))
    await _order(setting, "old", "ETH-USDT", "SELL", "2", "2", "FILLED", 7001, age=48 * HOUR)
    ran = await setting.once()
    assert ran.outcome.findings[0].kind == "quantity_mismatch"
    since = {"connector": PERPETUAL, "since": str(ago(24 * HOUR))}
    assert (await setting.once(book={"parameters": since})).code == 0


async def test_a_word_nobody_knows_is_read(setting: Setting) -> None:
    """The statement asks for what is not terminal by ranges: a new word falls into one."""
    _agree(setting)
    for number, word in enumerate(("A_NEW_WORD", "EXPIRED_SOMEHOW", "FAILED_LATER", "WAITING")):
        await _order(setting, word, "BNB-USDT", "BUY", "1", "0", word, 8100 + number)
    preset = load_preset("hummingbot_api", account="main", parameters={"connector": PERPETUAL})
    rows = await setting.connection.fetch(preset.orders_select, ago(timedelta(minutes=10)))
    assert {r["status"] for r in rows} == {
        "A_NEW_WORD",
        "EXPIRED_SOMEHOW",
        "FAILED_LATER",
        "WAITING",
        "OPEN",
        "PARTIALLY_FILLED",
    }
    assert (await setting.once()).code == 3


@pytest.mark.parametrize(
    ("connector", "pair", "symbol"),
    [
        ("binance_perpetual", "BTC-USDT", "BTC/USDT:USDT"),
        ("binance", "BTC-USDT", "BTC/USDT"),
        ("hyperliquid_perpetual", "BTC-USD", "BTC/USDC:USDC"),
        ("bybit_perpetual_testnet", "1000PEPE-USDC", "1000PEPE/USDC:USDC"),
    ],
)
async def test_pairs_are_told_as_symbols(
    setting: Setting, connector: str, pair: str, symbol: str
) -> None:
    await _order(setting, "x", pair, "BUY", "1", "1", "OPEN", 7700, connector=connector)
    given = {"connector": connector}
    preset = load_preset("hummingbot_api", account="main", parameters=given)
    rows = await setting.connection.fetch(preset.orders_find, ["7700"], [])
    assert [r["symbol"] for r in rows] == [symbol]
    held = await setting.connection.fetch(preset.positions_select, ago(HOUR))
    assert symbol in {r["symbol"] for r in held}


def test_the_connector_has_to_be_told() -> None:
    with pytest.raises(BookUnreadableError, match=r"book.parameters.connector is required"):
        load_preset("hummingbot_api", account="main")
