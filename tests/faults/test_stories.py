"""The runbook's stories against the running daemon, each ended by the commands alone."""

from decimal import Decimal

from tests.faults.running import CONTAINED_WITHIN, running
from tests.scenarios.setting import HOUR, Ran, Setting, eventually

SOL = "SOL/USDT:USDT"
BY = ("--by", "ada")


async def _done(setting: Setting, *words: str) -> Ran:
    ran = await setting.typed(*words)
    assert ran.code == 0, (words, ran)
    return ran


async def _is(setting: Setting, kind: str, severity: str, status: str) -> bool:
    return (kind, severity, status) in await setting.incidents()


async def test_a_ghost_beside_the_daemon(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    async with running(setting) as daemon:
        await eventually(
            lambda: _is(setting, "ghost_position", "SEV-1", "open"), within=CONTAINED_WITHIN
        )
        [row] = (await _done(setting, "incidents", "list", "--json")).rows
        await _done(setting, "incidents", "ack", str(row["id"]), *BY)
        assert (await setting.typed("profiles", "reenable", "p1", *BY)).code == 1
        [account] = (await _done(setting, "accounts", "list", "--json")).rows
        assert account["judged_by"], "the daemon holds the lease, and the desk needs none"
        setting.ledger.close_position("SOLUSDT")
        await eventually(
            lambda: _is(setting, "ghost_position", "SEV-1", "resolved"), within=CONTAINED_WITHIN
        )
        await _done(setting, "profiles", "reenable", "p1", *BY)
        assert await setting.status() == "active"
        await daemon.terminate()


async def test_a_stale_backlog_grows_to_its_escalation(setting: Setting) -> None:
    """Over its limit: SEV-2; still so after a while: SEV-1; set aside and reviewed: over."""
    for name in ("o1", "o2", "o3"):
        await setting.order(name, SOL, "buy", "1", venue_order_id=f"99{name}", age=HOUR)
    limit = {"backlog": 2, "backlog_for": "6s"}
    schedule = {"reconciliation": "2s", "order_status_sync": "2s"}
    async with running(setting, escalation=limit, schedule=schedule) as daemon:
        await eventually(
            lambda: _is(setting, "stale_backlog", "SEV-2", "open"), within=CONTAINED_WITHIN
        )
        await eventually(
            lambda: _is(setting, "stale_backlog", "SEV-1", "open"), within=CONTAINED_WITHIN
        )
        [row] = (await _done(setting, "incidents", "list", "--json")).rows
        await _done(setting, "incidents", "ack", str(row["id"]), *BY)
        shown = (await _done(setting, "incidents", "show", str(row["id"]), "--json")).report
        assert "severity_changed" in [event["event"] for event in shown["timeline"]]
        stale = (await _done(setting, "orders", "list", "--stale", "--json")).rows
        assert [order["id"] for order in stale] == ["o1", "o2", "o3"]
        for order in stale:
            name = order["id"]
            assert order["suspicion"]
            answer = (await _done(setting, "orders", "show", name, "--json")).report["venue"]
            assert answer["answer"] == "not_found"
            await _done(setting, "quarantine", "add", name, *BY, "--note", "nobody knows it")
        await eventually(
            lambda: _is(setting, "stale_backlog", "SEV-1", "resolved"), within=CONTAINED_WITHIN
        )
        for order in stale:
            review = ("--status", "canceled", *BY, "--note", "support says so")
            await _done(setting, "quarantine", "resolve", order["id"], *review)
        assert (await _done(setting, "incidents", "list", "--json")).rows == []
        await daemon.terminate()
    statuses = await setting.rows("select distinct status from bot.orders")
    assert statuses == [{"status": "canceled"}]
