"""`reconciler check` asks each bot whether it could be told to stop, and tells it nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from reconciler.service.checking import Line
from reconciler.simulation.freqtrade_api import SimulatedFreqtrade
from reconciler.simulation.freqtrade_api.server import ANSWERS
from reconciler.simulation.loopback import LoopbackService
from tests.scenarios.setting import Setting
from tests.scenarios.test_check import checked

WHAT = "book main, deactivation"
PASSWORD = "not-a-secret"
FREQTRADE = Path(__file__).parents[1] / "integration/presets/freqtrade_schema.sql"


async def told(setting: Setting, driver: dict[str, Any] | None, **sections: Any) -> list[Line]:
    book = dict(setting.sections.get("book", {}), **sections.pop("book", {}))
    if driver is not None:
        book["deactivation"] = driver
    return [line for line in await checked(setting, book=book, **sections) if line.what == WHAT]


class Bot(LoopbackService):
    """Takes a webhook, and says of each profile that it is paused."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.body: Any = {"status": "paused"}

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self._answer)
        app.router.add_get("/profiles/{id}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        return web.json_response(self.body)


@pytest.fixture
async def bot() -> AsyncIterator[SimulatedFreqtrade]:
    async with SimulatedFreqtrade() as bot:
        yield bot


def rest(url: str, password: str = PASSWORD) -> dict[str, Any]:
    return {
        "driver": "freqtrade_rest",
        "url": url,
        "username": "freqtrader",
        "password": password,
    }


async def test_a_bot_that_lets_us_in(setting: Setting, bot: SimulatedFreqtrade) -> None:
    bot.forced["show_config"] = (200, {**ANSWERS["show_config"]["body"], "dry_run": False})
    [line] = await told(setting, rest(bot.url))
    assert line.level == "ok"
    assert "lets us in, and is " in line.says
    assert bot.requests == ["GET show_config"], "nothing is asked of it"


async def test_a_dry_run_is_not_to_be_watched(setting: Setting, bot: SimulatedFreqtrade) -> None:
    bot.forced["show_config"] = (200, {**ANSWERS["show_config"]["body"], "dry_run": True})
    [line] = await told(setting, rest(bot.url))
    assert (line.level, "dry run" in line.says) == ("warn", True)


@pytest.mark.parametrize(("mode", "level"), [("enforce", "fail"), ("observe", "warn")])
async def test_a_wrong_login(
    setting: Setting, bot: SimulatedFreqtrade, mode: str, level: str
) -> None:
    [line] = await told(setting, rest(bot.url, "Wr0ng-77"), mode=mode)
    assert line.level == level
    assert "refused the login" in line.says
    assert "username and password" in line.mend
    assert "Wr0ng-77" not in repr(line)


async def test_a_bot_that_is_not_there(setting: Setting, unused_tcp_port: int) -> None:
    [line] = await told(setting, rest(f"http://127.0.0.1:{unused_tcp_port}"))
    assert line.level == "fail"
    assert "did not answer" in line.says
    assert "api_server" in line.mend


async def test_a_webhook_is_reached_and_read_back(setting: Setting) -> None:
    async with Bot() as bot:
        webhook = {
            "driver": "webhook",
            "url": f"{bot.url}/hook",
            "secret": "s-1",
            "confirm_url": f"{bot.url}/profiles/{{profile_id}}",
        }
        [line] = await told(setting, webhook)
        assert line.level == "ok", line
        assert "profile p1 reads back as inactive; a POST was not tried" in line.says
        assert bot.asked == ["GET /profiles/p1"]
        bot.body = {"hello": 1}
        [line] = await told(setting, webhook)
        assert (line.level, "answered neither" in line.says) == ("fail", True)
        del webhook["confirm_url"]
        [line] = await told(setting, {**webhook, "url": f"{bot.url}/hok"})
        assert (line.level, "HTTP 404" in line.says) == ("warn", True)


async def test_a_book_that_nobody_can_stop(setting: Setting) -> None:
    none = {"profiles": {"deactivate": "none", "activate": "none"}}
    [line] = await told(setting, None, book=none)
    assert line.level == "warn"
    assert "not_contained" in line.says


async def test_a_book_whose_rows_stop_it_has_no_such_line(setting: Setting) -> None:
    assert await told(setting, None) == []


async def test_locks_are_told_with_their_grants(setting: Setting) -> None:
    await setting.connection.execute(
        "create schema grid;"
        + FREQTRADE.read_text(encoding="utf-8").replace("public.", "grid.")
        + ";drop role if exists locker; create role locker login; "
        "grant all on schema reconciler to locker; "
        "grant all on all tables in schema reconciler to locker; "
        "grant all on all sequences in schema reconciler to locker;"
        "grant usage on schema grid to locker; grant select on all tables in schema grid to locker"
    )
    try:
        book = {"preset": "freqtrade", "parameters": {"schema": "grid"}}
        url = setting.url.replace("postgres@", "locker@").replace("postgres:", "locker:")
        for _ in range(2):
            lines = await checked(setting, book=book, database={"url": url})
            [driver] = [line for line in lines if line.what == WHAT]
            assert driver.level == "ok", driver.says
            mends = [line.mend for line in lines if line.what.endswith("rights") and line.mend]
            for mend in mends:
                await setting.connection.execute(mend)
        assert mends == [], "those of the first time were enough"
    finally:
        await setting.connection.execute("drop owned by locker; drop role locker")


async def test_many_bots_that_hang_are_waited_for_together(setting: Setting) -> None:
    async with SimulatedFreqtrade() as bot:
        bot.is_hanging = True
        books = {
            f"b{at}": {"preset": "native", "url": setting.url, "deactivation": rest(bot.url)}
            for at in range(3)
        }
        setting.sections["accounts"]["main"]["book"] = "b0"
        for at in range(3):
            setting.add_account(f"a{at}")
            setting.sections["accounts"][f"a{at}"]["book"] = f"b{at}"
        async with asyncio.timeout(25):
            lines = await checked(setting, books=books)
    waited = [line for line in lines if "nothing within 10 s" in line.says]
    assert len(waited) == len(books)
