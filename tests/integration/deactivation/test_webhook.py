"""The signed webhook, verified as its receiver would, and read back in each way."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from reconciler.deactivation.webhook import AskedBack, StatusInBook, Webhook
from reconciler.domain.errors import DriverFailedError
from reconciler.store.connecting import Pool, open_pool

from .receiver import SECRET, Receiver
from .wanting import wanted


@pytest.fixture
async def bot() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


def driver_for(bot: Receiver, *, secret: str = SECRET, **asked: Any) -> Webhook:
    back = AskedBack(f"{bot.url}/profiles/{{profile_id}}", secret=secret, **asked)
    return Webhook(f"{bot.url}/hook", secret=secret, read_back=back)


async def test_is_told_and_asked_back(bot: Receiver) -> None:
    driver = driver_for(bot)
    assert await driver.is_active(wanted())
    await driver.deactivate(wanted())
    assert not await driver.is_active(wanted())
    await driver.activate(wanted())
    assert await driver.is_active(wanted())
    assert bot.bodies[0] == {
        "action": "deactivate",
        "key": "key-of-17",
        "book": "main",
        "account": "main",
        "profile_id": "p1",
        "symbol": "BTC/USDT",
        "incident_id": 17,
        "reason": "ghost_position",
    }


async def test_the_key_is_the_same_at_each_try_and_another_for_each_action(bot: Receiver) -> None:
    driver = driver_for(bot)
    for asked in (driver.deactivate, driver.deactivate, driver.activate):
        await asked(wanted())
    assert bot.keys == ["deactivate:key-of-17"] * 2 + ["activate:key-of-17"]


async def test_another_secret_is_refused_by_the_bot(bot: Receiver) -> None:
    driver = driver_for(bot, secret="another-secret-2")
    for asked in (driver.deactivate, driver.is_active):
        with pytest.raises(DriverFailedError, match="HTTP 401"):
            await asked(wanted())
    assert bot.active == {"p1": True}


async def test_a_profile_id_cannot_leave_its_place_in_the_path(bot: Receiver) -> None:
    bot.told = {"active": False}
    assert not await driver_for(bot).is_active(wanted(profile="../a b?x=1#y"))
    assert bot.paths == ["/profiles/..%2Fa%20b%3Fx=1%23y"]


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500])
async def test_what_is_not_accepted_is_a_failure_without_the_secret(
    bot: Receiver, status: int
) -> None:
    bot.status = status
    with pytest.raises(DriverFailedError, match=f"HTTP {status}") as failed:
        await driver_for(bot).deactivate(wanted())
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize(
    ("told", "active"),
    [
        ({"active": True}, True),
        ({"active": False, "status": "active"}, False),
        ({"status": "Paused "}, False),
        ({"status": "running"}, True),
        ({"status": "anything else"}, True),
    ],
)
async def test_what_the_bot_says_of_itself(bot: Receiver, told: Any, active: bool) -> None:
    bot.told = told
    assert await driver_for(bot).is_active(wanted()) is active


async def test_words_of_its_own_for_inactive(bot: Receiver) -> None:
    bot.told = {"status": "HALTED"}
    assert not await driver_for(bot, inactive=("halted",)).is_active(wanted())
    bot.told = {"status": "paused"}
    assert await driver_for(bot, inactive=("halted",)).is_active(wanted())


@pytest.mark.parametrize(
    "told", [[], "inactive", False, {}, {"active": "false"}, {"active": None}, {"status": " "}]
)
async def test_a_wrong_shape_is_no_status(bot: Receiver, told: Any) -> None:
    bot.told = told
    with pytest.raises(DriverFailedError, match="answered neither"):
        await driver_for(bot).is_active(wanted())


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(empty_database, size=2)
    yield opened
    opened.terminate()


async def test_the_book_tells_where_the_bot_does_not(bot: Receiver, pool: Pool) -> None:
    select = "select id, status from profiles"
    back = StatusInBook(pool, profiles_select=select, deadline=timedelta(seconds=2))
    driver = Webhook(f"{bot.url}/hook", secret=SECRET, read_back=back)
    with pytest.raises(DriverFailedError, match=r'the status in book main: .*"profiles"'):
        await driver.is_active(wanted())
    await pool.execute("create table profiles (id text, status text)")
    with pytest.raises(DriverFailedError, match="profile p1 is not in book main"):
        await driver.is_active(wanted())
    await pool.execute("insert into profiles values ('p1', 'active'), ('p2', 'inactive')")
    await driver.deactivate(wanted())
    assert await driver.is_active(wanted()), "accepted, and not done yet"
    await pool.execute("update profiles set status = 'Inactive' where id = 'p1'")
    assert not await driver.is_active(wanted())
