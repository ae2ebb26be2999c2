"""A stale backlog: SEV-2, SEV-1 when it lasts or keeps growing, and over by itself."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from reconciler.domain.identity import AccountName
from reconciler.rules.scheduling import Intervals
from reconciler.service.assembly import assembled
from reconciler.service.once import run_once
from reconciler.settings import load_settings
from reconciler.simulation.venue import Fault
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.setting import HOUR, Setting

ETH = "ETH/USDT:USDT"
LIMIT: dict[str, Any] = {"backlog": 2, "backlog_for": "15m"}


async def _stale(setting: Setting, names: str, profile: str = "p1") -> None:
    """Orders of an hour ago that the venue does not show: too young to be quarantined."""
    for name in names.split():
        await setting.order(
            name, ETH, "buy", "1", venue_order_id=f"999{name}", age=HOUR, profile_id=profile
        )


async def _events(setting: Setting) -> list[str]:
    rows = await setting.rows("select event from reconciler.incident_events order by id")
    return [row["event"] for row in rows]


async def test_a_backlog_over_its_limit_is_one_sev_2(setting: Setting) -> None:
    await _stale(setting, "o1 o2 o3")
    for _ in range(3):
        assert (await setting.once(escalation=LIMIT)).code == 1
    assert await setting.incidents() == [("stale_backlog", "SEV-2", "open")]
    incident = await setting.row("select * from reconciler.incidents")
    assert incident["subject"] == ""
    assert incident["details"]["backlog"] == {"p1": 3}
    assert incident["details"]["profiles"] == ["p1"]
    assert len(await setting.rows("select * from reconciler.outbox")) == 1
    samples = await setting.rows("select profile_id, stale from reconciler.backlogs")
    assert samples == [{"profile_id": "p1", "stale": 3}], "what does not move is written once"


async def test_its_message_and_its_evidence_name_the_orders(setting: Setting) -> None:
    await _stale(setting, "o1 o2 o3")
    await setting.once(escalation=LIMIT)
    said = (await setting.typed("incidents", "message", "1")).out
    assert "Profiles: p1\n  Symbols: ETH/USDT:USDT\n  Orders: o1, o2, o3\n" in said
    found = await setting.row("select bundle from reconciler.evidence")
    rows = found["bundle"]["book"]["orders"]
    assert [(r["id"], r["profile_id"], r["side"], r["qty"]) for r in rows] == [
        (name, "p1", "buy", "1") for name in ("o1", "o2", "o3")
    ]
    assert "stale orders" in (await setting.typed("incidents", "rca", "1")).out
    refused = await setting.typed("incidents", "export", "1", "--as-test")
    assert (refused.code, refused.out) == (1, ""), "a count cannot be judged again"


async def test_a_backlog_at_its_limit_is_none(setting: Setting) -> None:
    await _stale(setting, "o1 o2")
    await setting.once(escalation=LIMIT)
    assert await setting.incidents() == []


async def test_a_backlog_that_lasts_is_escalated_and_heals(setting: Setting) -> None:
    await _stale(setting, "o1 o2 o3")
    await setting.once(escalation=LIMIT)
    await setting.connection.execute(
        "update reconciler.backlogs set at = at - $1::interval", timedelta(minutes=1)
    )
    await setting.once(escalation=LIMIT | {"backlog_for": "50s"})
    assert await setting.incidents() == [("stale_backlog", "SEV-1", "open")]
    await setting.once(escalation=LIMIT | {"backlog_for": "50s"})
    assert await _events(setting) == ["opened", "severity_changed"], "said once"
    told = await setting.rows("select payload from reconciler.outbox order by id")
    assert [t["payload"]["event"] for t in told] == ["incident_opened", "incident_escalated"]
    await setting.connection.execute("update bot.orders set status = 'canceled'")
    await setting.once()
    assert await setting.incidents() == [("stale_backlog", "SEV-1", "resolved")]
    assert await _events(setting) == ["opened", "severity_changed", "resolved"]
    last = await setting.rows("select stale from reconciler.backlogs order by at desc limit 1")
    assert last == [{"stale": 0}]


async def test_a_backlog_lasts_where_the_budget_makes_looks_rare(setting: Setting) -> None:
    """Fifty accounts of one address: five minutes between two looks are no outage."""
    await _stale(setting, "o1 o2 o3")
    await setting.once(escalation=LIMIT | {"backlog_for": "9m"})
    for _ in range(2):
        await setting.connection.execute(
            "update reconciler.backlogs set at = at - $1::interval", timedelta(minutes=5)
        )
        settings = load_settings(setting.configure())
        async with assembled(settings, Redactor(settings.secret_values())) as parts:
            often = timedelta(minutes=5)
            pace = Intervals(reconciliation=often, order_status_sync=often)
            parts.order_status_sync.set_pace(AccountName("main"), pace)
            await run_once(parts, account="main")
    assert await setting.incidents() == [("stale_backlog", "SEV-1", "open")]


async def test_an_outage_neither_ages_nor_heals_it(setting: Setting) -> None:
    await _stale(setting, "o1 o2 o3")
    await setting.once(escalation=LIMIT)
    before = await setting.rows("select * from reconciler.backlogs")
    setting.venue.faults.set(Fault.status(502), "open_orders")
    await setting.connection.execute("update bot.orders set status = 'canceled'")
    for _ in range(3):
        assert (await setting.once()).code == 3
    assert await setting.rows("select * from reconciler.backlogs") == before
    assert ("stale_backlog", "SEV-2", "open") in await setting.incidents()


async def _grow(setting: Setting, names: str, **who: str) -> None:
    for name in names.split():
        for order, profile in who.items():
            await _stale(setting, f"{order}{name}", profile)
        await setting.once_all(escalation={"backlog": 20, "backlog_for": "15m"})


async def test_growth_in_two_profiles_at_once_is_sev_1_and_comes_down(setting: Setting) -> None:
    await setting.profile("p2")
    await _grow(setting, "1 2 3", a="p1", b="p2")
    assert await setting.incidents() == []
    await _grow(setting, "4", a="p1", b="p2")
    assert await setting.incidents() == [("stale_backlog", "SEV-1", "open")]
    incident = await setting.row("select details from reconciler.incidents")
    assert incident["details"]["growing"] == ["p1", "p2"]
    await setting.once(escalation={"backlog": 7, "backlog_for": "1s"}, orders={"grace": "0s"})
    await setting.connection.execute(
        "update reconciler.backlogs set at = at - $1::interval", timedelta(hours=1)
    )
    await setting.once(escalation={"backlog": 7, "backlog_for": "15m"})
    assert await setting.incidents() == [("stale_backlog", "SEV-2", "open")], "grows no more"
    assert await _events(setting) == ["opened", "severity_changed"]


async def test_growth_in_one_profile_is_none(setting: Setting) -> None:
    await setting.profile("p2")
    await _grow(setting, "1 2 3 4 5", a="p1")
    assert await setting.incidents() == []


async def test_profiles_of_two_accounts_grow_at_once(setting: Setting) -> None:
    setting.add_account("two")
    await setting.profile("p2", account="two")
    await _grow(setting, "1 2 3 4 5", a="p1", b="p2")
    rows = await setting.rows("select account, kind, severity from reconciler.incidents")
    assert {(r["account"], r["kind"], r["severity"]) for r in rows} == {
        ("main", "stale_backlog", "SEV-1"),
        ("two", "stale_backlog", "SEV-1"),
    }


async def test_a_backlog_that_cannot_be_kept_keeps_no_ghost_from_being_contained(
    setting: Setting,
) -> None:
    await _stale(setting, "o1 o2 o3")
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    await setting.connection.execute(
        """
        create function refuse() returns trigger language plpgsql as
          $$ begin raise exception 'no room'; end $$;
        create trigger refuse before insert on reconciler.backlogs
          for each row execute function refuse();
        """
    )
    found = await setting.once(escalation=LIMIT)
    assert found.code == 3
    assert "no room" in found.outcome.sentence
    assert await setting.status() == "inactive"
    assert await setting.rows("select * from reconciler.suspicions where kind = 'missing_order'")
