"""The dead man's switch: pings while every account is judged, silence else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import Outcome, OutcomeState
from reconciler.service.heartbeat import Heartbeat
from reconciler.telemetry.health import HealthBoard
from tests.scenarios.setting import eventually


class Switch:
    """The outside service."""

    def __init__(self) -> None:
        self.pings = 0
        self.followed = 0
        self.answer: Callable[[], web.Response] = web.Response
        self.port = 0

    async def ping(self, _request: web.Request) -> web.Response:
        self.pings += 1
        return self.answer()

    async def elsewhere(self, _request: web.Request) -> web.Response:
        self.followed += 1
        return web.Response()


@pytest.fixture
async def switch() -> AsyncIterator[Switch]:
    made = Switch()
    app = web.Application()
    app.router.add_get("/alive", made.ping)
    app.router.add_get("/elsewhere", made.elsewhere)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
def board() -> HealthBoard:
    made = HealthBoard(mode="enforce", version="1")
    made.startup_begun(["main"])
    made.set_interval("main", timedelta(seconds=1), note=None)
    made.account_attempted("main")
    made.database_up(True)
    return made


def _ends(board: HealthBoard, state: OutcomeState) -> None:
    outcome = Outcome(account=AccountName("main"), state=state, sentence="")
    board.cycle_finished("reconciliation", "main", outcome, datetime.now(UTC))


async def _beating(switch: Switch, board: HealthBoard) -> "asyncio.Task[None]":
    heart = Heartbeat(
        f"http://127.0.0.1:{switch.port}/alive?token=hidden",
        board,
        redact=lambda text: text.replace("hidden", "***"),
        at_most_every=timedelta(seconds=0.2),
        look_every=timedelta(seconds=0.02),
    )
    return asyncio.create_task(heart.run())


async def test_silent_until_judged_and_again_when_nothing_is_judged(
    switch: Switch, board: HealthBoard
) -> None:
    beating = await _beating(switch, board)
    await asyncio.sleep(0.3)
    assert switch.pings == 0, "nothing was judged yet"
    _ends(board, OutcomeState.PARITY)
    await eventually(lambda: switch.pings >= 2, within=2)
    _ends(board, OutcomeState.NOT_JUDGED)
    await asyncio.sleep(2.3)  # two intervals after the last judgement
    heard = switch.pings
    assert heard <= 12
    await asyncio.sleep(0.6)
    assert switch.pings == heard
    _ends(board, OutcomeState.DISCREPANCY)
    await eventually(lambda: switch.pings > heard, within=2)
    board.database_up(False)
    await asyncio.sleep(0.1)
    heard = switch.pings
    await asyncio.sleep(0.5)
    assert switch.pings == heard, "the database is away"
    beating.cancel()
    await asyncio.wait([beating])


async def test_a_standby_is_silent(switch: Switch, board: HealthBoard) -> None:
    _ends(board, OutcomeState.PARITY)
    _ends(board, OutcomeState.HELD)
    beating = await _beating(switch, board)
    await asyncio.sleep(0.4)
    assert switch.pings == 0
    beating.cancel()
    await asyncio.wait([beating])


async def test_a_service_that_fails_or_redirects_is_asked_again_and_not_followed(
    switch: Switch, board: HealthBoard, capsys: pytest.CaptureFixture[str]
) -> None:
    _ends(board, OutcomeState.PARITY)
    switch.answer = lambda: web.Response(status=302, headers={"Location": "/elsewhere"})
    beating = await _beating(switch, board)
    await eventually(lambda: switch.pings >= 2, within=3)
    switch.answer = lambda: web.Response(status=500)
    heard = switch.pings
    await eventually(lambda: switch.pings > heard, within=3)
    assert switch.followed == 0
    assert not beating.done()
    said = capsys.readouterr()
    assert "hidden" not in said.out + said.err
    beating.cancel()
    await asyncio.wait([beating])
