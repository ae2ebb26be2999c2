"""How often the daemon looks: as the budget holds, and less while a venue does not answer."""

import asyncio
import json
import signal
from typing import Any

from reconciler.simulation.venue import Fault
from tests.faults.running import Running, running
from tests.scenarios.setting import Setting, eventually

INTERVALS = 3


async def _account(daemon: Running, name: str = "main") -> dict[str, Any]:
    told: dict[str, Any] = json.loads((await daemon.get("/health"))[1])["accounts"][name]
    return told


async def _settled(daemon: Running, setting: Setting) -> None:
    """From now on no scheduled look is served by the startup's: that one is too old."""
    await daemon.until_ready()
    await asyncio.sleep(2.6)
    setting.venue.requests.clear()


async def test_the_two_jobs_of_an_account_share_one_look(setting: Setting) -> None:
    async with running(setting) as daemon:
        await _settled(daemon, setting)
        await asyncio.sleep(5 * INTERVALS + 0.5)
        looks = {name: setting.venue.requests.count(name) for name in ("positions", "open_orders")}
        assert INTERVALS <= looks["positions"] <= INTERVALS + 1, looks
        assert looks["open_orders"] == looks["positions"]
        told = await _account(daemon)
        assert (told["interval_seconds"], told["note"]) == (5.0, None)


async def test_the_schedule_is_stretched_to_what_the_budget_holds(setting: Setting) -> None:
    """Three accounts of 85 a look, in 1800 a minute: one each in 8.5 s, not in 5."""
    for name in ("two", "three"):
        setting.add_account(name)
        await setting.profile(f"p-{name}", account=name)
    async with running(setting) as daemon:
        await daemon.until_ready()
        told = await _account(daemon)
        assert told["interval_seconds"] == 8.5
        assert "every 8.5s" in told["note"]
        assert told["degraded"] is False
        assert json.loads((await daemon.get("/health/ready"))[1])["status"] == "ok"
        assert daemon.said.count("looked at less often than configured") == 1
        await _settled(daemon, setting)
        await asyncio.sleep(17.5)
        for name in ("main", "two", "three"):
            assert 2 <= setting.venue.requests.count("positions", account=name) <= 3


async def test_trouble_of_one_scope_delays_no_look_at_the_others(setting: Setting) -> None:
    setting.venue.faults.set(Fault.status(502), "trigger_orders")
    async with running(setting) as daemon:
        await _settled(daemon, setting)
        await asyncio.sleep(5 * INTERVALS + 0.5)
        assert setting.venue.requests.count("positions") >= INTERVALS


async def test_a_venue_that_is_down_is_asked_less_and_less_by_its_own_account_alone(
    setting: Setting,
) -> None:
    setting.add_account("two")
    await setting.profile("p2", account="two")
    schedule = {"reconciliation": "6s", "order_status_sync": "6s"}
    async with running(setting, schedule=schedule) as daemon:
        await _settled(daemon, setting)
        setting.venue.faults.set(Fault.status(502), account="two")
        await asyncio.sleep(30.5)
        counts = {
            name: setting.venue.requests.count("positions", account=name)
            for name in ("main", "two")
        }
        assert 5 <= counts["main"] <= 6, counts
        assert counts["two"] <= counts["main"], counts
        setting.venue.faults.clear()
        daemon.process.send_signal(signal.SIGHUP)

        async def judged() -> bool:
            return not (await _account(daemon, "two"))["degraded"]

        await eventually(judged, within=5, what="a request overrules the back-off")


async def test_a_request_waits_for_the_venues_retry_after(setting: Setting) -> None:
    async with running(
        setting, schedule={"reconciliation": "1h", "order_status_sync": "1h"}
    ) as daemon:
        await daemon.until_ready()
        setting.venue.faults.set(Fault.status(429, retry_after=6), times=1)
        daemon.process.send_signal(signal.SIGHUP)

        async def throttled() -> bool:
            return bool((await _account(daemon))["degraded"])

        await eventually(throttled, within=5)
        setting.venue.requests.clear()
        daemon.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(4)
        assert setting.venue.requests.count() == 0

        async def judged() -> bool:
            return not (await _account(daemon))["degraded"]

        await eventually(judged, within=6, what="the request is done when the time is over")
