"""The two drivers of freqtrade against freqtrade itself: its worker, its API server, its tables.

Needs a python that has freqtrade and psycopg: RECONCILER_TEST_FREQTRADE=/path/to/python.
"""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from reconciler.deactivation.freqtrade_pairlock import FreqtradePairlock
from reconciler.deactivation.freqtrade_rest import FreqtradeRest
from reconciler.domain.errors import DriverFailedError
from reconciler.simulation.freqtrade_api import SimulatedFreqtrade
from reconciler.store.connecting import Pool, open_pool
from tests.scenarios.setting import Setting

from .wanting import eventually, until_active, wanted

PYTHON = os.environ.get("RECONCILER_TEST_FREQTRADE", "")
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="RECONCILER_TEST_FREQTRADE names no python"),
    pytest.mark.timeout(180),
]
USERNAME, PASSWORD = "freqtrader", "s3cret-pw"
A_FEW_LOOPS = 4
"""Seconds: the bot looks for entries every second, and at once has a reason for one."""


@dataclass(frozen=True, kw_only=True)
class RealBot:
    url: str
    database: str
    pool: Pool

    async def trades(self) -> int:
        found: int = await self.pool.fetchval("select count(*) from trades")
        return found

    async def ask(self, method: str, route: str, *, password: str = PASSWORD) -> tuple[int, Any]:
        return await asked_of(self.url, method, route, password)


async def asked_of(url: str, method: str, route: str, password: str) -> tuple[int, Any]:
    login = {"Authorization": aiohttp.encode_basic_auth(USERNAME, password)}
    async with (
        aiohttp.ClientSession(headers=login) as session,
        session.request(method, f"{url}/api/v1/{route}") as answer,
    ):
        return answer.status, await answer.json()


@pytest.fixture
async def bot(empty_database: str, tmp_path: Path) -> AsyncIterator[RealBot]:
    pool = await open_pool(empty_database, size=2)
    name = await pool.fetchval("select current_database()")
    # Times without a zone are nine hours ahead here: in UTC they would be right by accident.
    await pool.execute(f"alter database \"{name}\" set timezone = 'Asia/Tokyo'")
    await pool.expire_connections()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {
        "db_url": empty_database.replace("postgresql://", "postgresql+psycopg://", 1),
        "port": port,
        "username": USERNAME,
        "password": PASSWORD,
        "folder": str(tmp_path / "user_data"),
        "initial_state": "stopped",
    }
    config = tmp_path / "given.json"
    config.write_text(json.dumps(given))
    script = Path(__file__).with_name("freqtrade_bot.py")
    with (tmp_path / "bot.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            PYTHON, str(script), str(config), stdout=log, stderr=log, start_new_session=True
        )
        try:
            said = tmp_path / "bot.log"

            async def is_up() -> bool:
                return "ready" in said.read_text() or process.returncode is not None

            await eventually(is_up, within=60)
            assert process.returncode is None, said.read_text()[-3000:]
            yield RealBot(url=f"http://127.0.0.1:{port}", database=empty_database, pool=pool)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
            pool.terminate()


def rest_of(bot: RealBot, password: str = PASSWORD) -> FreqtradeRest:
    return FreqtradeRest(bot.url, username=USERNAME, password=password)


def pairlock_of(bot: RealBot) -> FreqtradePairlock:
    return FreqtradePairlock(
        bot.pool,
        address="book main",
        table="pairlocks",
        pairs="all",
        lock_for=timedelta(hours=2),
        timezone=None,
    )


async def test_the_bot_enters_nothing_under_either_driver_and_trades_after_both(
    bot: RealBot,
) -> None:
    rest, pairlock = rest_of(bot), pairlock_of(bot)
    await rest.deactivate(wanted())
    assert (await bot.ask("GET", "show_config"))[1]["state"] == "stopped", "left as it was"

    await pairlock.deactivate(wanted())
    assert not await pairlock.is_active(wanted())
    await rest.activate(wanted())
    assert await rest.is_active(wanted())
    await asyncio.sleep(A_FEW_LOOPS)
    assert await bot.trades() == 0, "running, and locked"

    await rest.deactivate(wanted())
    assert not await rest.is_active(wanted())
    await pairlock.activate(wanted())
    assert await pairlock.is_active(wanted())
    await asyncio.sleep(A_FEW_LOOPS)
    assert await bot.trades() == 0, "not locked, and paused"

    await rest.activate(wanted())
    await until_active(rest)

    async def trades_again() -> bool:
        return await bot.trades() > 0

    await eventually(trades_again, within=15)  # nothing held it but the drivers


@pytest.mark.parametrize("driver", ["freqtrade_rest", "freqtrade_pairlock"])
async def test_the_daemon_contains_a_ghost_of_the_bot(
    bot: RealBot, setting: Setting, driver: str
) -> None:
    await bot.ask("POST", "start")

    async def has_traded() -> bool:
        return await bot.trades() > 0

    await eventually(has_traded, within=15)
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    login = {"url": bot.url, "username": USERNAME, "password": PASSWORD}
    chosen = {"driver": driver, **(login if driver == "freqtrade_rest" else {})}
    book = {"preset": "freqtrade", "url": bot.database, "deactivation": chosen}
    setting.configure(book=book)
    for _ in range(3):
        await setting.once()
    found = await setting.row(
        "select severity, details from reconciler.incidents where kind = 'ghost_position'"
    )
    assert found["severity"] == "SEV-1"
    assert found["details"]["containment"] == "confirmed", found
    by_rest = driver == "freqtrade_rest"
    assert await rest_of(bot).is_active(wanted()) is not by_rest
    assert await pairlock_of(bot).is_active(wanted()) is by_rest
    assert (await bot.ask("GET", "locks"))[1]["lock_count"] == (0 if by_rest else 1)


async def test_the_bot_sees_our_lock_and_a_person_lifts_it_there(bot: RealBot) -> None:
    pairlock = pairlock_of(bot)
    await pairlock.deactivate(wanted())
    _, told = await bot.ask("GET", "locks")
    [lock] = told["locks"]
    assert (lock["pair"], lock["side"], lock["active"]) == ("*", "*", True)
    assert lock["reason"] == "reconciler: incident 17"
    await bot.ask("DELETE", f"locks/{lock['id']}")
    assert await pairlock.is_active(wanted())


async def test_the_pause_is_lost_when_the_configuration_is_read_again(bot: RealBot) -> None:
    rest = rest_of(bot)
    await rest.activate(wanted())
    await rest.deactivate(wanted())
    await bot.ask("POST", "start")
    await bot.ask("POST", "reload_config")
    with pytest.raises(DriverFailedError, match="reload_config"):
        await rest.deactivate(wanted())


async def test_the_doctor_looks_and_changes_nothing(bot: RealBot) -> None:
    rest, pairlock = rest_of(bot), pairlock_of(bot)
    before = (await bot.ask("GET", "show_config"))[1]
    look = await rest.look(None)
    assert "lets us in, and is stopped: a dry run" in look.says
    assert "none of ours stands" in (await pairlock.look(None)).says
    assert (await bot.ask("GET", "show_config"))[1] == before
    with pytest.raises(DriverFailedError, match="refused the login"):
        await rest_of(bot, "wrong").look(None)


async def test_a_wrong_password_is_refused(bot: RealBot) -> None:
    with pytest.raises(DriverFailedError, match=r"deactivation\.password"):
        await rest_of(bot, "wrong-pw").is_active(wanted())


async def test_the_stand_in_answers_as_the_real_one(bot: RealBot) -> None:
    asked = (
        ("GET", "show_config", PASSWORD),
        ("POST", "pause", "wrong-pw"),
        ("POST", "nope", PASSWORD),
        ("GET", "nope", PASSWORD),
        ("POST", "pause", PASSWORD),
        ("POST", "pause", PASSWORD),
        ("POST", "start", PASSWORD),
        ("POST", "start", PASSWORD),
        ("POST", "stopentry", PASSWORD),
        ("GET", "show_config", PASSWORD),
        ("POST", "stop", PASSWORD),
        ("POST", "stop", PASSWORD),
        ("POST", "stopbuy", PASSWORD),
        ("GET", "show_config", PASSWORD),
        ("POST", "reload_config", PASSWORD),
        ("GET", "show_config", PASSWORD),
    )
    async with SimulatedFreqtrade(username=USERNAME, password=PASSWORD) as stand_in:
        stand_in.state = "stopped"
        for method, route, password in asked:
            real = await asked_of(bot.url, method, route, password)
            played = await asked_of(stand_in.url, method, route, password)
            assert _told(played) == _told(real), f"{method} {route}"


def _told(answer: tuple[int, Any]) -> tuple[int, Any]:
    """Without what is this bot's own configuration: of that, the keys."""
    status, body = answer
    if "state" in body:
        return status, (sorted(body), body["state"], type(body["max_open_trades"]) in {int, float})
    return status, body
