"""The REST driver against the stand-in, whose answers are freqtrade's own."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from reconciler.deactivation.asking import LONGEST_BODY, LONGEST_QUOTED
from reconciler.deactivation.freqtrade_rest import FreqtradeRest
from reconciler.domain.errors import DriverFailedError
from reconciler.simulation.freqtrade_api import SimulatedFreqtrade

from .wanting import until_active, wanted

PASSWORD = 'pa"ss-w0rd'
LOGIN = base64.b64encode(f"freqtrader:{PASSWORD}".encode()).decode()


@pytest.fixture(params=["pause", "stopentry"])
async def bot(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedFreqtrade]:
    knows_pause = request.param == "pause"
    async with SimulatedFreqtrade(password=PASSWORD, knows_pause=knows_pause) as running:
        yield running


@pytest.fixture
async def new_bot() -> AsyncIterator[SimulatedFreqtrade]:
    async with SimulatedFreqtrade(password=PASSWORD) as running:
        yield running


def driver_for(bot: SimulatedFreqtrade, **changed: Any) -> FreqtradeRest:
    given: dict[str, Any] = {
        "username": "freqtrader",
        "password": PASSWORD,
        "deadline": timedelta(seconds=1),
    }
    return FreqtradeRest(bot.url, **{**given, **changed})


async def test_pauses_and_starts_again_whatever_its_version(bot: SimulatedFreqtrade) -> None:
    driver = driver_for(bot)
    assert await driver.is_active(wanted())
    await driver.deactivate(wanted())
    assert not bot.may_enter
    assert not await driver.is_active(wanted())
    await driver.activate(wanted())
    await until_active(driver)
    assert bot.may_enter


async def test_the_oldest_name_is_found_too(new_bot: SimulatedFreqtrade) -> None:
    new_bot.knows_pause, new_bot.names = False, ("stopbuy",)
    await driver_for(new_bot).deactivate(wanted())
    assert not new_bot.may_enter


async def test_asking_twice_is_asking_once(bot: SimulatedFreqtrade) -> None:
    driver = driver_for(bot)
    await driver.deactivate(wanted())
    bot.requests.clear()
    await driver.deactivate(wanted())
    assert [each for each in bot.requests if each.startswith("POST")] == []


async def test_a_bot_that_a_person_stopped_stays_stopped(new_bot: SimulatedFreqtrade) -> None:
    new_bot.state = "stopped"
    driver = driver_for(new_bot)
    await driver.deactivate(wanted())  # freqtrade's /pause would start it
    assert new_bot.state == "stopped"
    assert not await driver.is_active(wanted())


async def test_a_restart_loses_the_pause_and_reading_back_says_so(bot: SimulatedFreqtrade) -> None:
    driver = driver_for(bot)
    await driver.deactivate(wanted())
    bot.restart()
    assert await driver.is_active(wanted())


async def test_a_pause_is_not_believed_while_the_configuration_is_read(
    new_bot: SimulatedFreqtrade,
) -> None:
    new_bot.state = "reload_config"
    driver = driver_for(new_bot)
    for asked in (driver.deactivate, driver.is_active, driver.activate):
        with pytest.raises(DriverFailedError, match="'reload_config'"):
            await asked(wanted())
    assert not [each for each in new_bot.requests if each.startswith("POST")]


async def test_the_address_may_end_in_the_api(new_bot: SimulatedFreqtrade) -> None:
    driver = FreqtradeRest(f"{new_bot.url}/api/v1/", username="freqtrader", password=PASSWORD)
    assert await driver.is_active(wanted())
    assert new_bot.requests == ["GET show_config"]


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    "body",
    [None, [], "paused", 5, {}, {"state": None}, {"state": ["paused"]}, {"state": ""}],
    ids=str,
)
async def test_a_wrong_shape_is_a_failure(
    new_bot: SimulatedFreqtrade, status: int, body: Any
) -> None:
    new_bot.forced["show_config"] = (status, body)
    driver = driver_for(new_bot)
    for asked in (driver.is_active, driver.deactivate):
        with pytest.raises(DriverFailedError):
            await asked(wanted())


@pytest.mark.parametrize("answer", [(200, []), (200, {"ok": 1}), (500, {}), (502, {"error": "x"})])
async def test_a_pause_that_is_not_taken_is_a_failure(
    new_bot: SimulatedFreqtrade, answer: tuple[int, Any]
) -> None:
    new_bot.forced["pause"] = answer
    with pytest.raises(DriverFailedError, match=f"answered pause with HTTP {answer[0]}"):
        await driver_for(new_bot).deactivate(wanted())
    assert "POST stopentry" not in new_bot.requests, "only a path that is not there is passed over"


async def test_no_pause_at_all_names_the_address(new_bot: SimulatedFreqtrade) -> None:
    new_bot.names = ()
    with pytest.raises(DriverFailedError, match=rf"{new_bot.url} knows none of /pause, /stopentry"):
        await driver_for(new_bot).deactivate(wanted())


async def test_a_wrong_login_says_which_keys_to_check(new_bot: SimulatedFreqtrade) -> None:
    driver = driver_for(new_bot, password="another-0ne")
    with pytest.raises(DriverFailedError, match=r"deactivation\.password") as refused:
        await driver.deactivate(wanted())
    assert "another-0ne" not in str(refused.value)


async def test_no_answer_within_the_deadline(new_bot: SimulatedFreqtrade) -> None:
    new_bot.is_hanging = True
    driver = driver_for(new_bot, deadline=timedelta(seconds=0.2))
    with pytest.raises(DriverFailedError, match=r"did not answer: nothing within 0\.2 s"):
        await driver.deactivate(wanted())


async def test_nobody_listens(new_bot: SimulatedFreqtrade) -> None:
    driver = driver_for(new_bot)
    await new_bot.stop()
    with pytest.raises(DriverFailedError, match=f"the bot at {new_bot.url} did not answer: "):
        await driver.is_active(wanted())


async def test_redirects_and_long_answers_are_refused(new_bot: SimulatedFreqtrade) -> None:
    driver = driver_for(new_bot)
    new_bot.forced["show_config"] = (307, {})
    with pytest.raises(DriverFailedError, match="redirect"):
        await driver.is_active(wanted())
    new_bot.forced["show_config"] = (200, {"state": "paused", "more": "x" * LONGEST_BODY})
    with pytest.raises(DriverFailedError, match="more than 64 KiB"):
        await driver.is_active(wanted())


@pytest.mark.parametrize("padding", [0, LONGEST_QUOTED - 8, LONGEST_QUOTED])
async def test_an_echoed_login_is_never_shown(new_bot: SimulatedFreqtrade, padding: int) -> None:
    echo = {"detail": "." * padding + f"Basic {LOGIN} {PASSWORD}"}
    driver = driver_for(new_bot)
    for route, answer in (
        ("show_config", (500, echo)),
        ("show_config", (200, {"state": echo["detail"]})),
        ("pause", (500, echo)),
        ("pause", (401, echo)),
    ):
        new_bot.forced = {route: answer}
        with pytest.raises(DriverFailedError) as failed:
            await driver.deactivate(wanted())
        said = f"{failed.value} {failed.value!r} {failed.value.__cause__!r} {driver!r}"
        for secret in (PASSWORD, PASSWORD[:6], LOGIN, LOGIN[:8]):
            assert secret not in said
