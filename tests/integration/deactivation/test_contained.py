"""The whole daemon contains a ghost through each driver, and says pending until it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.simulation.freqtrade_api import SimulatedFreqtrade
from tests.scenarios.setting import Setting

from .receiver import SECRET, Receiver
from .test_freqtrade_pairlock import PAIRLOCKS, REFUSED

GHOST = "SOLUSDT"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One driver, and the bot at its end."""

    book: dict[str, Any]
    may_enter: Any
    """Asks the bot itself."""


@asynccontextmanager
async def staged(driver: str, setting: Setting) -> AsyncIterator[Stage]:
    if driver == "freqtrade_rest":
        async with SimulatedFreqtrade(password="s3cret-pw") as bot:
            login = {"username": "freqtrader", "password": "s3cret-pw"}

            async def is_running() -> bool:
                return bot.may_enter

            yield Stage(book={"driver": driver, "url": bot.url, **login}, may_enter=is_running)
    elif driver == "freqtrade_pairlock":
        await setting.connection.execute(PAIRLOCKS)

        async def is_free() -> bool:
            return not await setting.connection.fetchval(REFUSED, "SOL/USDT:USDT")

        yield Stage(book={"driver": driver}, may_enter=is_free)
    else:
        async with Receiver() as receiver:

            async def is_active() -> bool:
                return receiver.active["p1"]

            url, back = f"{receiver.url}/hook", f"{receiver.url}/profiles/{{profile_id}}"
            book = {"driver": driver, "url": url, "secret": SECRET, "confirm_url": back}
            yield Stage(book=book, may_enter=is_active)


async def details(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = (await setting.row("select details from reconciler.incidents"))[
        "details"
    ]
    return found


async def timeline(setting: Setting) -> list[str]:
    rows = await setting.rows("select event from reconciler.incident_events order by id")
    return [row["event"] for row in rows]


@pytest.mark.parametrize("driver", ["freqtrade_rest", "freqtrade_pairlock", "webhook"])
async def test_a_ghost_is_contained_once_and_stays_so(setting: Setting, driver: str) -> None:
    setting.ledger.set_position(GHOST, "short", Decimal(10), Decimal(150))
    async with staged(driver, setting) as stage:
        setting.configure(book={"deactivation": stage.book})
        assert await stage.may_enter()
        for _ in range(3):
            await setting.once()
        assert not await stage.may_enter()
        assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
        assert (await timeline(setting)).count("contained") == 1
        assert (await details(setting))["containment"] == "confirmed"
        assert await setting.status() == "active", "the book's own rows are not written"


async def test_a_bot_that_is_away_is_said_in_the_incident_and_contained_when_it_is_back(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.domain.intents.FIRST_WAIT", timedelta(seconds=0.1))
    setting.ledger.set_position(GHOST, "short", Decimal(10), Decimal(150))
    async with staged("freqtrade_rest", setting) as stage, SimulatedFreqtrade() as bot:
        await bot.stop()
        login = {"username": "freqtrader", "password": "not-a-secret"}
        book = {**stage.book, **login, "url": bot.url}
        setting.configure(book={"deactivation": book})
        await setting.once()
        told = await details(setting)
        assert told["containment"] == "pending"
        assert f"the bot at {bot.url} did not answer" in told["not_contained"]
        assert "not-a-secret" not in str(told)
        assert "contained" not in await timeline(setting)
        await bot.start()
        await setting.connection.execute("update reconciler.intents set next_at = now()")
        await setting.once()
        assert not bot.may_enter
        assert (await details(setting))["containment"] == "confirmed"
        assert (await timeline(setting)).count("contained") == 1


async def test_a_bot_that_was_restarted_is_contained_again(setting: Setting) -> None:
    setting.ledger.set_position(GHOST, "short", Decimal(10), Decimal(150))
    async with SimulatedFreqtrade(password="s3cret-pw") as bot:
        login = {"username": "freqtrader", "password": "s3cret-pw"}
        book = {"driver": "freqtrade_rest", "url": bot.url, **login}
        setting.configure(book={"deactivation": book})
        await setting.once()
        assert bot.state == "paused"
        bot.restart()
        for _ in range(2):
            await setting.once()
        assert bot.state == "paused"


async def test_a_lock_that_ended_by_itself_is_no_release(setting: Setting) -> None:
    setting.ledger.set_position(GHOST, "short", Decimal(10), Decimal(150))
    async with staged("freqtrade_pairlock", setting) as stage:
        setting.configure(book={"deactivation": stage.book})
        await setting.once()
        await setting.connection.execute(
            "update pairlocks set lock_end_time = now() - interval '1 hour'"
        )
        assert await stage.may_enter()
        await setting.once()
        assert not await stage.may_enter()
        assert await setting.connection.fetchval("select count(*) from pairlocks") == 1
        assert (await timeline(setting)).count("contained") == 1
