"""From detection to delivery: killed anywhere in between, the notice arrives."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from reconciler.simulation.venue import FaultKind
from tests.faults.running import CONTAINED_WITHIN, Running, running
from tests.scenarios.setting import Setting, eventually

pytestmark = pytest.mark.timeout(150)

LAPSES_WITHIN = 25.0
"""A claim lapses 10 s after a kill; a start on a busy machine takes some more."""


@dataclass(slots=True, kw_only=True)
class Receiver:
    """A webhook: what it was asked and told, and what it does with the daemon that asks."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    """Keys, in order."""
    told: list[dict[str, Any]] = field(default_factory=list)
    pings: int = 0
    hang: asyncio.Event | None = None
    kill: Running | None = None

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/"

    async def receive(self, request: web.Request) -> web.Response:
        notice = json.loads(await request.text())
        self.asked.append(notice["message"].rpartition("key: ")[2])
        if self.hang is not None:
            await self.hang.wait()
        self.told.append(notice)
        if self.kill is not None:
            self.kill.process.kill()
            self.kill = None
        return web.Response()

    async def ping(self, _request: web.Request) -> web.Response:
        self.pings += 1
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/", made.receive)
    app.router.add_get("/alive", made.ping)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    if made.hang is not None:
        made.hang.set()
    await runner.cleanup()


async def _delivered(setting: Setting) -> bool:
    rows = await setting.rows("select delivered_at from reconciler.outbox")
    return bool(rows) and all(r["delivered_at"] for r in rows)


async def _free_leases(setting: Setting) -> None:
    await setting.connection.execute("update reconciler.leases set expires_at = now()")


async def _one_incident(setting: Setting) -> None:
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    assert len(await setting.rows("select * from reconciler.outbox")) == 1


@pytest.mark.parametrize("point", ["committed", "planned", "claimed"])
async def test_killed_on_the_way_it_arrives_once(
    setting: Setting, receiver: Receiver, point: str
) -> None:
    reached = {
        "committed": "select 1 from reconciler.outbox",
        "planned": "select 1 from reconciler.deliveries",
        "claimed": "select 1 from reconciler.deliveries where attempts > 0",
    }[point]
    setting.configure(notifications={"urls": [receiver.url]})
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    receiver.hang = asyncio.Event()  # nothing is answered before the kill
    async with running(setting) as daemon:
        await eventually(
            lambda: setting.rows(reached), within=CONTAINED_WITHIN, every=0.002, what=daemon.said
        )
        await daemon.kill()
    asked, receiver.told = len(receiver.asked), []
    receiver.hang = None
    await _free_leases(setting)
    async with running(setting) as daemon:
        await eventually(lambda: receiver.told, within=LAPSES_WITHIN, what=daemon.said[-2000:])
        await eventually(lambda: _delivered(setting), within=5)
        await daemon.terminate()
    assert len(receiver.asked) == asked + 1
    assert len(set(receiver.asked)) == 1
    await _one_incident(setting)


async def test_killed_between_the_answer_and_the_mark_it_arrives_twice_with_one_key(
    setting: Setting, receiver: Receiver
) -> None:
    setting.configure(notifications={"urls": [receiver.url]})
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    async with running(setting) as daemon:
        receiver.kill = daemon
        await eventually(lambda: receiver.told, within=CONTAINED_WITHIN, what=daemon.said[-2000:])
        await daemon.process.wait()
    await _free_leases(setting)
    async with running(setting) as daemon:
        await eventually(lambda: len(receiver.told) == 2, within=LAPSES_WITHIN)
        await eventually(lambda: _delivered(setting), within=5)
        await asyncio.sleep(2)
        await daemon.terminate()
    assert len(receiver.told) == 2
    assert receiver.asked[0] == receiver.asked[1]
    await _one_incident(setting)


async def test_a_receiver_that_hangs_holds_neither_work_nor_the_end_back(
    setting: Setting, receiver: Receiver
) -> None:
    receiver.hang = asyncio.Event()
    setting.configure(notifications={"urls": [receiver.url]})
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    async with running(setting) as daemon:
        await eventually(lambda: receiver.asked, within=CONTAINED_WITHIN)
        assert await setting.status() == "inactive"
        await daemon.terminate()


async def test_an_outage_of_many_accounts_is_one_message_and_so_is_its_end(
    setting: Setting, receiver: Receiver
) -> None:
    for n in range(4):
        setting.add_account(f"a{n}")
    setting.configure(notifications={"urls": [receiver.url]})
    async with running(setting) as daemon:
        await daemon.until_ready()
        fault = setting.venue.faults.set(FaultKind.HTML_200)
        await eventually(lambda: receiver.told, within=60, what=daemon.said[-2000:])
        setting.venue.faults.clear(fault)
        await eventually(lambda: len(receiver.told) >= 2, within=60, what=daemon.said[-2000:])
        await asyncio.sleep(3)
        await daemon.terminate()
    titles = [notice["title"] for notice in receiver.told]
    assert titles == [
        "[SEV-2] 5 times venue_unreachable opened",
        "[SEV-2] 5 times venue_unreachable resolved",
    ]
    assert "5 incidents of 5 accounts" in receiver.told[0]["message"]


async def test_the_dead_mans_switch_hears_a_daemon_that_judges(
    setting: Setting, receiver: Receiver
) -> None:
    heartbeat_url = f"http://127.0.0.1:{receiver.port}/alive?token=hidden-beat"
    setting.configure(notifications={"heartbeat_url": heartbeat_url})
    async with running(setting) as daemon:
        await daemon.until_ready()
        await eventually(lambda: receiver.pings, within=5, what=daemon.said[-2000:])
        await asyncio.sleep(3)
        await daemon.terminate()
    assert receiver.pings == 1, "at most every 30 s"
    assert "[Heartbeat] taken" in daemon.said
    assert "hidden-beat" not in daemon.said
