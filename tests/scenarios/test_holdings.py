"""A spot account: what its balances say, and what nobody concludes from them.

The venue is a server of canned Binance spot answers: the simulated one has futures only.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.venue_adapter.canned import FAULTS, Canned, CannedServer, serving
from tests.integration.venue_adapter.cases.binance import BINANCE
from tests.integration.venue_adapter.cases.bybit import BYBIT
from tests.scenarios.setting import HOUR, Once, Setting, ago

KEY = "key00001"
NO_GRACE: dict[str, Any] = {"positions": {"grace": "0s"}}


@dataclass(slots=True)
class Spot:
    """The account `main` at a spot venue whose balances the test sets."""

    setting: Setting
    server: CannedServer
    balances: dict[str, str] = field(default_factory=dict)
    account: Canned = field(init=False)

    def __post_init__(self) -> None:
        self.account = Canned(path="/api/v3/account", scope="balances", body=self._body)
        nothing_open = Canned(path="/openOrders", scope="open_orders", body=[])
        self.server.public = list(BINANCE.markets)
        self.server.tables["00001"] = [nothing_open, self.account]

    def _body(self, _params: Any) -> Any:
        rows = [{"asset": a, "free": q, "locked": "0"} for a, q in self.balances.items()]
        return {"canTrade": True, "balances": rows}

    async def look(self, **sections: Any) -> Once:
        """`reconciler once`: as many looks as it takes."""
        return await self.setting.once(**{**NO_GRACE, **sections})

    async def baselines(self) -> dict[str, tuple[str, str | None]]:
        """Quantity, and the market that shows that the bot trades it."""
        rows = await self.setting.rows("select asset, qty, symbol from reconciler.baselines")
        return {r["asset"]: (f"{r['qty'].normalize():f}", r["symbol"]) for r in rows}


@pytest.fixture
async def spot(setting: Setting) -> AsyncIterator[Spot]:
    async with serving() as server:
        _connect(setting, server, "binance")
        yield Spot(setting, server)


def _connect(setting: Setting, server: CannedServer, venue: str) -> None:
    setting.sections["accounts"]["main"] |= {
        "venue": venue,
        "api_key": KEY,
        "secret": "c2VjcmV0",
        "base_url": server.base_url,
    }


async def _our_rows(setting: Setting) -> list[str]:
    """All that the daemon remembers but its lease, to the byte."""
    tables = ("suspicions", "baselines", "baseline_readings", "readings", "runs", "incidents")
    return [
        str(row)
        for table in tables
        for row in await setting.rows(f"select xmin::text, t::text from reconciler.{table} t")
    ]


async def test_from_the_baseline_to_a_withdrawal_and_a_restart(spot: Spot) -> None:
    setting = spot.setting
    # A person's coins, before the bot trades: no discrepancy.
    spot.balances = {"BTC": "0.5", "USDT": "1000"}
    assert (await spot.look()).code == 0
    assert await spot.baselines() == {"BTC": ("0.5", None), "USDT": ("1000", None)}

    # The bot buys, less the fee, and writes its row.
    spot.balances = {"BTC": "1.499", "USDT": "400"}
    await setting.position("x1", "BTC/USDT", "long", "1")
    assert (await spot.look()).code == 0
    assert await spot.baselines() == {"BTC": ("0.5", "BTC/USDT"), "USDT": ("1000", None)}
    book, ours = await setting.book(), await _our_rows(setting)
    assert (await spot.look()).code == 0
    assert await setting.book() == book
    assert await _our_rows(setting) == ours, "a steady cycle in parity writes nothing"

    # Somebody withdraws.
    spot.balances = {"BTC": "0.2", "USDT": "400"}
    gone = await spot.look()
    assert gone.code == 1
    finding = gone.finding("unattributed")
    assert (finding.subject, finding.action) == ("BTC", "none")
    assert finding.details["difference"] == "-1.3"
    assert "1.3 too little" in finding.text

    # Each look above was a process of its own; the baseline is kept, and heals nothing.
    again = await spot.look()
    assert (again.code, again.finding("unattributed").details["baseline"]) == (1, "0.5")
    assert await setting.incidents() == []
    assert await setting.status() == "active"
    assert await setting.book() == book

    # It comes back, and the suspicion is over.
    spot.balances = {"BTC": "1.499"}
    assert (await spot.look()).code == 0
    assert await setting.rows("select kind from reconciler.suspicions") == []


async def test_coins_left_behind_when_the_rows_are_gone(spot: Spot) -> None:
    await spot.setting.position("x1", "BTCUSDT", "long", "1")
    spot.balances = {"BTC": "1"}
    assert (await spot.look()).code == 0
    await spot.setting.connection.execute("delete from bot.positions")
    assert (await spot.look()).finding("unattributed").details["difference"] == "1"


async def test_a_book_that_changed_just_now_explains(spot: Spot) -> None:
    spot.balances = {"BTC": "1"}
    await spot.setting.position("x1", "BTC/USDT", "long", "1")
    assert (await spot.look()).code == 0
    spot.balances = {}
    await spot.setting.connection.execute("update bot.positions set updated_at = now()")
    fresh = await spot.look(positions={"grace": "60s"})
    assert fresh.code == 1
    assert "changed just now" in fresh.finding("unattributed").text
    assert await spot.setting.rows("select 1 from reconciler.suspicions where count > 0") == []


async def test_the_first_baseline_waits_for_a_trade_under_way(spot: Spot) -> None:
    spot.balances = {"BTC": "1"}
    # Bought a moment ago, sold in the book already: whose the coin is will show.
    await spot.setting.position(
        "x1", "BTC/USDT", "long", "1", status="closed", updated_at=ago(timedelta(0))
    )
    waiting = await spot.look(positions={"grace": "60s"})
    assert waiting.code == 3
    assert "baseline waits" in waiting.outcome.sentence
    assert await spot.baselines() == {}
    assert (await spot.look()).code == 0
    assert await spot.baselines() == {"BTC": ("1", "BTC/USDT")}


@pytest.mark.parametrize("fault", ["html_200", "empty", "object", "cut_json", "500", "401"])
async def test_balances_that_are_no_answer_say_nothing(spot: Spot, fault: str) -> None:
    spot.balances = {"BTC": "1"}
    await spot.setting.position("x1", "BTC/USDT", "long", "1")
    assert (await spot.look()).code == 0
    before = await spot.baselines()
    spot.balances = {}
    spot.server.faults["00001"] = (spot.account, FAULTS[fault])
    unanswered = await spot.look()
    assert unanswered.code == 3
    assert not [f for f in unanswered.outcome.findings if f.kind == "unattributed"]
    assert await spot.baselines() == before
    assert await spot.setting.status() == "active"


async def test_balances_that_are_no_answer_make_no_baseline(spot: Spot) -> None:
    spot.server.faults["00001"] = (spot.account, FAULTS["html_200"])
    assert (await spot.look()).code == 3
    assert await spot.setting.rows("select 1 from reconciler.baseline_readings") == []


async def test_a_spot_row_is_no_phantom_where_there_are_positions_too(setting: Setting) -> None:
    """Bybit's position listing shows contracts alone: coins missing there are missing nowhere."""
    async with serving() as server:
        _connect(setting, server, "bybit")
        server.public = list(BYBIT.markets)
        empty = {"retCode": 0, "retMsg": "OK", "result": {"list": [], "nextPageCursor": ""}}
        coins = [{"coin": "BTC", "walletBalance": "1"}]
        wallet = {**empty, "result": {"list": [{"accountType": "UNIFIED", "coin": coins}]}}
        server.tables["00001"] = [
            Canned(path="/order/realtime", body=empty),
            Canned(path="/position/list", body=empty),
            Canned(path="/account/wallet-balance", body=wallet),
        ]
        await setting.position("x1", "BTC/USDT", "long", "1")
        assert (await setting.once(**NO_GRACE)).code == 0
        coins[0]["walletBalance"] = "0.4"
        lacking = await setting.once(**NO_GRACE)
        assert {f.kind for f in lacking.outcome.findings} == {"unattributed"}
        # A contract's row that the venue does not show is a phantom still.
        await setting.position("x2", "BTC/USDT:USDT", "long", "1", updated_at=ago(HOUR))
        both = await setting.once(**NO_GRACE)
        assert {f.kind for f in both.outcome.findings} == {"unattributed", "phantom_position"}
        assert await setting.incidents() == [("phantom_position", "SEV-2", "open")]
