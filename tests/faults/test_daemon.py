"""`reconciler run` in good and bad weather: containment, readiness, SIGTERM."""

import asyncio
import json
import signal
import socket
from decimal import Decimal

import pytest

from reconciler.simulation.venue import Fault, SimulatedVenue
from tests.faults.running import CONTAINED_WITHIN, Running, free_port, running
from tests.scenarios.setting import HOUR, Setting, eventually

pytestmark = pytest.mark.timeout(120)


async def _contained(setting: Setting, profile: str = "p1") -> bool:
    return await setting.status(profile) == "inactive"


async def test_a_ghost_is_contained_within_seconds_of_its_appearance(setting: Setting) -> None:
    async with running(setting) as daemon:
        await daemon.until_ready()
        setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
        await eventually(lambda: _contained(setting), within=12)
        assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
        status, body = await daemon.get("/health")
        assert status == 200
        assert json.loads(body)["startup_reconciliation"] == "complete"

        async def counted() -> bool:
            metrics = (await daemon.get("/metrics"))[1]
            return 'reconciler_profiles_deactivated_total{account="main"} 1.0' in metrics

        await eventually(counted, within=5)  # the row is committed before the pass has ended
        assert "[GHOST]" in daemon.said
        await daemon.terminate()
        assert "Traceback" not in daemon.said


async def test_a_ghost_that_is_there_at_the_start_is_contained(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    hourly = {"reconciliation": "1h", "order_status_sync": "1h"}
    async with running(setting, schedule=hourly) as daemon:
        await daemon.until_live()
        await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN)


async def test_live_before_ready_and_ready_after_the_startup_reconciliation(
    setting: Setting,
) -> None:
    setting.venue.faults.set(Fault.slow(1.5), "positions")
    async with running(setting) as daemon:
        await daemon.until_live()
        assert (await daemon.get("/health/ready"))[0] == 503
        assert (await daemon.get("/api/status"))[0] == 401
        await daemon.until_ready()
        assert (await daemon.get("/health/live"))[0] == 200


async def test_sigterm_while_a_venue_request_hangs(setting: Setting) -> None:
    setting.sections["accounts"]["main"]["timeout"] = "60s"
    async with running(setting) as daemon:
        await daemon.until_ready()
        setting.venue.requests.clear()
        setting.venue.faults.set("hang", "positions")
        await eventually(lambda: setting.venue.requests.count("positions"), within=15)
        await daemon.terminate()
        assert "Traceback" not in daemon.said


async def test_sigterm_before_anything_is_up(setting: Setting) -> None:
    setting.venue.faults.set("hang")
    async with running(setting) as daemon:
        await daemon.until_live()
        await daemon.terminate()


async def test_a_port_in_use_is_bad_configuration(setting: Setting) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with running(setting, http={"port": port}) as daemon:
            async with asyncio.timeout(20):
                code = await daemon.process.wait()
        assert code == 2, daemon.said
        assert str(port) in daemon.said
        assert "[http]" in daemon.said, "it says which setting to change"
        assert "Traceback" not in daemon.said


async def test_one_venue_down_does_not_hold_the_other_account_back(setting: Setting) -> None:
    """Its requests hang: the other account is judged at the usual pace all the same."""
    async with SimulatedVenue() as other:
        setting.add_account("two", venue=other)
        await setting.profile("p2", account="two")
        other.faults.set("hang")
        setting.sections["accounts"]["two"]["timeout"] = "30s"
        setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
        async with running(setting) as daemon:
            await daemon.until_live()
            await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN)
            other.faults.clear()
            await daemon.terminate()


async def test_one_venue_down_is_degraded_and_ready(setting: Setting) -> None:
    setting.add_account("two")
    await setting.profile("p2", account="two")
    setting.venue.faults.set(Fault.status(502), account="two")
    async with running(setting) as daemon:
        await daemon.until_ready()

        async def degraded() -> bool:
            status, body = await daemon.get("/health/ready")
            told = json.loads(body)
            return status == 200 and any("two" in d["what"] for d in told["degraded"])

        await eventually(degraded, within=10)
        setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
        await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN)
        assert await setting.status("p2") == "active"
        accounts = json.loads((await daemon.get("/health"))[1])["accounts"]
        assert accounts["main"]["degraded"] is False
        assert accounts["two"]["degraded"] is True


async def test_the_backlog_is_shown_by_profile(setting: Setting) -> None:
    """A missing order of 23 h is stale, one of 25 h is quarantined, a resting one is neither."""
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    await setting.order("o1", "ETHUSDT", "buy", "1", venue_order_id=str(placed.order_id))
    await setting.order("o2", "ETHUSDT", "buy", "1", venue_order_id="999998", age=23 * HOUR)
    await setting.order("o3", "ETHUSDT", "buy", "1", venue_order_id="999999", age=25 * HOUR)
    async with running(setting) as daemon:
        await daemon.until_ready()

        async def shown() -> bool:
            told = json.loads((await daemon.get("/health"))[1])
            return bool(told["quarantined_orders"] == 1 and told["incidents_open"]["SEV-2"] == 1)

        await eventually(shown, within=15)
        told = json.loads((await daemon.get("/health"))[1])
        assert told["stale_orders"]["by_profile"] == {"p1": 1}
        assert told["stale_orders"]["oldest_age_seconds"] >= 23 * 3600
        metrics = (await daemon.get("/metrics"))[1]
        assert 'reconciler_stale_orders{profile="p1"} 1.0' in metrics
        assert 'reconciler_orders_quarantined_total{account="main"} 1.0' in metrics
        await daemon.terminate()


async def test_sigint_ends_it_too(setting: Setting) -> None:
    async with running(setting) as daemon:
        await daemon.until_ready()
        daemon.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(8):
            assert await daemon.process.wait() == 0
        assert "Traceback" not in daemon.said


async def test_sighup_asks_for_a_pass_now(setting: Setting) -> None:
    async with running(
        setting, schedule={"reconciliation": "1h", "order_status_sync": "1h"}
    ) as daemon:
        await daemon.until_ready()
        setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
        daemon.process.send_signal(signal.SIGHUP)
        await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN)


async def test_once_beside_a_running_daemon_is_held(setting: Setting) -> None:
    async with running(setting) as daemon:
        await daemon.until_ready()
        setting.configure(http={"port": free_port()})
        ran = await setting.command("once")
        assert ran.code == 3, ran
        assert ran.report["accounts"]["main"]["state"] == "held"
        assert await _lives(daemon)


async def _lives(daemon: Running) -> bool:
    return (await daemon.get("/health/live"))[0] == 200


async def test_secrets_are_nowhere(setting: Setting) -> None:
    """Failures at every call: neither what it writes, nor what it answers, nor the database."""
    url = setting.url.replace("postgres@", "postgres:DBPASS-7731@", 1)
    assert url != setting.url
    setting.sections["database"] = {"url": url}
    account = setting.venue.add_account(
        "hidden", api_key="KEY-hyzzq8-very-secret", secret="SECRET-pqw93-very-secret"
    )
    setting.sections["accounts"]["main"] |= {
        "api_key": account.api_key,
        "secret": account.secret,
        "password": "PASSPHRASE-8834",
    }
    secrets = (account.api_key, account.secret, "PASSPHRASE-8834", "DBPASS-7731", "signature=")
    echo = f'{{"code":-1022,"msg":"Signature for {account.api_key} is not valid"}}'
    await setting.order("o1", "ETHUSDT", "buy", "1", venue_order_id="999999")
    account.ledger.set_position("SOLUSDT", "long", Decimal(1))
    answers: list[Fault | str] = [
        Fault.status(400, echo),
        "html_200",
        "reset",
        Fault.status(401),
        Fault.status(500, echo),
    ]
    async with running(
        setting,
        schedule={"reconciliation": "1s", "order_status_sync": "1s"},
        log={"level": "debug"},
    ) as daemon:
        await daemon.until_ready()
        for endpoint in ("positions", "open_orders", "order", "fills", "*"):
            for answer in answers:
                rule = setting.venue.faults.set(answer, endpoint)
                await asyncio.sleep(0.4)
                setting.venue.faults.clear(rule)
        await setting.connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and datname = current_database()"
        )
        await asyncio.sleep(1)
        seen = [(await daemon.get(path))[1] for path in ("/health", "/health/ready", "/metrics")]
        await daemon.terminate()
        seen.append(daemon.said)
    tables = await setting.rows(
        "select table_name from information_schema.tables where table_schema = 'reconciler'"
    )
    for table in tables:
        rows = await setting.connection.fetch(
            f"select t::text as line from reconciler.{table['table_name']} t"
        )
        seen.extend(row["line"] for row in rows)
    assert await setting.incidents() != []
    for secret in secrets:
        assert not [text for text in seen if secret in text], secret
