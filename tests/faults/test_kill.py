"""Rule 10: killed at any point and started again, it ends in the same state, and tells once."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from tests.faults.running import CONTAINED_WITHIN, running
from tests.scenarios.setting import Setting, eventually

pytestmark = pytest.mark.timeout(150)


@dataclass(slots=True, kw_only=True)
class Receiver:
    """A notification channel: what it was told, and what it answers."""

    port: int = 0
    answer: int = 200
    told: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0

    @property
    def url(self) -> str:
        """The channel as Apprise names it."""
        return f"json://127.0.0.1:{self.port}/"

    async def receive(self, request: web.Request) -> web.Response:
        """One notice."""
        self.asked += 1
        if self.answer == 200:
            self.told.append(json.loads(await request.text()))
        return web.Response(status=self.answer)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on a free loopback port."""
    made = Receiver()
    app = web.Application()
    app.router.add_post("/", made.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def _contained(setting: Setting) -> bool:
    return await setting.status() == "inactive"


async def _exactly_once(setting: Setting) -> None:
    assert await setting.status() == "inactive"
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    for table in ("containments", "audit", "outbox", "evidence"):
        assert len(await setting.rows(f"select * from reconciler.{table}")) == 1, table
    events = await setting.rows("select event from reconciler.incident_events order by id")
    assert [e["event"] for e in events] == ["opened", "contained"]


@pytest.mark.parametrize("seed", [1, 2])
async def test_kill_9_at_random_moments_of_a_detection(setting: Setting, seed: int) -> None:
    dice = random.Random(seed)
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    quick = {"reconciliation": "1s", "order_status_sync": "1s"}
    for _ in range(3):
        async with running(setting, schedule=quick, positions={"confirm_after": "500ms"}) as daemon:
            await daemon.until_live()
            await asyncio.sleep(dice.uniform(0, 1.2))
            await daemon.kill()
        # A lease that a dead process left: it lapses in 10 s, and need not be waited for here.
        await setting.connection.execute("update reconciler.leases set expires_at = now()")
    async with running(setting) as daemon:
        await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN)
        await daemon.until_ready()
        await asyncio.sleep(1)
    await _exactly_once(setting)


async def test_one_notice_and_none_again_after_kill_9(setting: Setting, receiver: Receiver) -> None:
    setting.configure(notifications={"urls": [receiver.url]})
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    async with running(setting) as daemon:
        await eventually(lambda: receiver.told, within=CONTAINED_WITHIN, what=daemon.said[-2000:])
        await eventually(lambda: _delivered(setting), within=5)
        await daemon.kill()
    await setting.connection.execute("update reconciler.leases set expires_at = now()")
    async with running(setting) as daemon:
        await daemon.until_ready()
        await asyncio.sleep(4)  # two polls of the outbox, two looks at the account
        await daemon.terminate()
    [notice] = receiver.told
    assert "SEV-1" in notice["title"]
    assert "ghost" in notice["title"]
    assert "SOL/USDT:USDT" in notice["message"]
    assert "key: incident:" in notice["message"]
    await _exactly_once(setting)


async def _delivered(setting: Setting) -> bool:
    rows = await setting.rows("select delivered_at from reconciler.outbox")
    return bool(rows) and all(r["delivered_at"] for r in rows)


async def test_a_receiver_that_answers_500_for_a_while_is_told_once(
    setting: Setting, receiver: Receiver
) -> None:
    receiver.answer = 500
    setting.configure(notifications={"urls": [receiver.url]})
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    async with running(setting) as daemon:
        await eventually(lambda: receiver.asked, within=CONTAINED_WITHIN, what=daemon.said[-2000:])
        receiver.answer = 200
        await eventually(lambda: receiver.told, within=15)
        await eventually(lambda: _delivered(setting), within=5)

        async def counted() -> bool:
            metrics = (await daemon.get("/metrics"))[1]
            is_delivered = 'reconciler_notifications_total{outcome="delivered"} 1.0' in metrics
            return is_delivered and '_total{outcome="failed"} 0.0' not in metrics

        await eventually(counted, within=5)
        await daemon.terminate()
    assert len(receiver.told) == 1


async def test_a_receiver_that_is_away_holds_no_containment_back(setting: Setting) -> None:
    setting.configure(notifications={"urls": ["json://127.0.0.1:1/"]})
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    async with running(setting) as daemon:
        await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN)
        await eventually(lambda: "[Notify] not delivered" in daemon.said, within=10)
        await daemon.terminate()
