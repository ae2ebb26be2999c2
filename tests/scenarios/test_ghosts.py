"""Rule 5: a confirmed ghost is contained, with its incident and its evidence, once."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.domain.identity import AccountName
from reconciler.service.assembly import assembled
from reconciler.settings import load_settings
from reconciler.store.migrations import migrate
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.setting import HOUR, PROMPT, Setting, ago, eventually

SOL = "SOL/USDT:USDT"


def _appear(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))


async def test_a_ghost_is_contained_and_is_one_incident(setting: Setting) -> None:
    _appear(setting)
    await setting.order(
        "o1", SOL, "sell", "10", status="filled", filled=Decimal(10), venue_order_id="77"
    )
    codes = [(await setting.once()).code for _ in range(4)]
    assert codes == [1, 1, 1, 1]
    assert await setting.status() == "inactive"
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    assert len(await setting.rows("select * from reconciler.containments")) == 1
    assert len(await setting.rows("select * from reconciler.outbox")) == 1
    assert len(await setting.rows("select * from reconciler.audit")) == 1
    assert len(await setting.rows("select * from reconciler.evidence")) == 1


async def test_trouble_with_another_position_is_no_reason_to_leave_a_ghost(
    setting: Setting,
) -> None:
    """One that comes before it, whose incident our own table refuses."""
    _appear(setting)
    await setting.position("x1", "BTC/USDT:USDT", "long", "1")
    await setting.connection.execute(
        """
        create function refuse() returns trigger language plpgsql as
          $$ begin raise exception 'not today'; end $$;
        create trigger refuse before insert on reconciler.incidents
          for each row when (new.kind = 'phantom_position') execute function refuse();
        """
    )
    done = await setting.once()
    assert done.code == 3
    assert await setting.status() == "inactive"
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    [suspicion] = await setting.rows(
        "select * from reconciler.suspicions where kind = 'phantom_position'"
    )
    assert suspicion["count"] >= 2
    await setting.connection.execute("drop trigger refuse on reconciler.incidents")
    assert (await setting.once()).code == 1
    assert ("phantom_position", "SEV-2", "open") in await setting.incidents()


async def test_the_command_says_1_every_time(setting: Setting) -> None:
    _appear(setting)
    first = await setting.command("once")
    second = await setting.command("once", "--account", "main", "--json")
    assert (first.code, second.code) == (1, 1), (first, second)
    [finding] = first.report["accounts"]["main"]["findings"]
    assert (finding["kind"], finding["action"]) == ("ghost_position", "contained")
    assert len(await setting.incidents()) == 1


async def test_the_evidence_holds_what_the_runbook_asks_for(setting: Setting) -> None:
    placed = setting.ledger.place_order("SOLUSDT", "sell", Decimal(3), Decimal(200))
    await setting.order("o1", SOL, "sell", "3", venue_order_id=str(placed.order_id))
    _appear(setting)
    await setting.once()
    evidence = (await setting.row("select bundle from reconciler.evidence"))["bundle"]
    [order] = evidence["book"]["orders"]
    assert (order["id"], order["venue_order_id"]) == ("o1", str(placed.order_id))
    assert {order["profile_id"], order["side"], order["qty"]} == {"p1", "sell", "3"}
    assert order["created_at"]
    assert order["updated_at"]
    [position] = evidence["venue"]["positions"]
    assert (position["symbol"], position["side"], position["qty"]) == (SOL, "short", "10")
    assert evidence["venue"]["taken_at"]
    assert evidence["book"]["read_at"]
    assert evidence["venue"]["scopes"]
    incident = await setting.row("select * from reconciler.incidents")
    assert (incident["profile_id"], incident["symbol"]) == ("p1", SOL)
    details = incident["details"]
    assert (details["side"], details["venue_qty"], details["book_qty"]) == ("short", "10", "0")
    assert details["orders"][0]["venue_order_id"] == str(placed.order_id)


async def test_containment_is_one_transaction(setting: Setting) -> None:
    _appear(setting)
    await setting.once()
    written = await setting.connection.fetch(
        """
        select xmin::text from bot.profiles where status = 'inactive'
        union all select xmin::text from reconciler.incidents
        union all select xmin::text from reconciler.evidence
        union all select xmin::text from reconciler.containments
        union all select xmin::text from reconciler.audit
        union all select xmin::text from reconciler.outbox
        """
    )
    assert len(written) == 6
    assert len({row["xmin"] for row in written}) == 1
    audit = await setting.row("select * from reconciler.audit")
    assert (audit["target"], audit["target_id"], audit["applied"]) == ("profile", "p1", True)
    assert (audit["before"], audit["after"]) == ({"status": "active"}, {"status": "inactive"})
    containment = await setting.row("select * from reconciler.containments")
    assert (containment["profile_id"], containment["account"]) == ("p1", "main")
    assert containment["reason"]
    assert containment["released_at"] is None


async def test_one_look_does_nothing(setting: Setting) -> None:
    _appear(setting)
    before = await setting.book()
    spaced = {"confirmations": 2, "confirm_after": "1h"}
    seen = await asyncio.wait_for(_one_look(setting, spaced), timeout=20)
    assert seen == 1
    assert await setting.book() == before
    assert await setting.incidents() == []


async def _one_look(setting: Setting, positions: dict[str, object]) -> int:
    """Start `once`, whose second look is an hour away, and count the suspicion's looks."""
    running = asyncio.create_task(setting.once(positions=positions))
    try:
        row = await eventually(
            lambda: setting.rows("select count from reconciler.suspicions"), within=15
        )
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    [found] = row
    count: int = found["count"]
    return count


async def test_a_ghost_that_was_a_blink_is_forgotten(setting: Setting) -> None:
    _appear(setting)
    await _one_look(setting, {"confirmations": 2, "confirm_after": "1h"})
    setting.ledger.close_position("SOLUSDT")
    assert (await setting.once(positions={"confirm_after": "50ms"})).code == 0
    assert await setting.rows("select * from reconciler.suspicions") == []
    assert await setting.incidents() == []


async def test_the_profile_that_trades_the_symbol_is_pinned(setting: Setting) -> None:
    await setting.profile("p2")
    await setting.position("x1", SOL, "short", "10", profile_id="p2", status="closed")
    await setting.connection.execute("update bot.positions set updated_at = $1", ago(48 * HOUR))
    _appear(setting)
    assert (await setting.once()).code == 1
    assert (await setting.status("p1"), await setting.status("p2")) == ("active", "inactive")
    assert (await setting.row("select * from reconciler.incidents"))["profile_id"] == "p2"


async def test_nobody_trades_the_symbol_so_every_active_profile_is_pinned(
    setting: Setting,
) -> None:
    await setting.profile("p2")
    await setting.profile("p3", status="inactive")
    await setting.profile("q1", account="other")
    _appear(setting)
    assert (await setting.once()).code == 1
    assert [await setting.status(p) for p in ("p1", "p2", "p3", "q1")] == [
        "inactive",
        "inactive",
        "inactive",
        "active",
    ]
    kinds = [kind for kind, _, _ in await setting.incidents()]
    assert kinds.count("ghost_position") == 1
    contained = await setting.rows("select profile_id from reconciler.containments")
    assert {row["profile_id"] for row in contained} == {"p1", "p2"}


@pytest.mark.parametrize("left", ["nothing", "inactive"])
async def test_an_account_without_an_active_profile_still_gets_its_incident(
    setting: Setting, left: str
) -> None:
    await setting.connection.execute(
        "delete from bot.profiles" if left == "nothing" else "update bot.profiles set status = $1",
        *([] if left == "nothing" else ["inactive"]),
    )
    _appear(setting)
    before = await setting.book()
    for _ in range(2):
        assert (await setting.once()).code == 1
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    assert await setting.book() == before


async def test_a_profile_activated_by_hand_beside_the_ghost_is_contained_again(
    setting: Setting,
) -> None:
    _appear(setting)
    await setting.once()
    await setting.connection.execute("update bot.profiles set status = 'active'")
    assert (await setting.once()).code == 1
    assert await setting.status() == "inactive"
    assert len(await setting.incidents()) == 1
    assert len(await setting.rows("select * from reconciler.containments")) == 1
    assert len(await setting.rows("select * from reconciler.audit")) == 2
    assert len(await setting.rows("select * from reconciler.outbox")) == 1


async def test_a_ghost_that_is_gone_is_resolved_after_parity(setting: Setting) -> None:
    _appear(setting)
    await setting.once()
    setting.ledger.close_position("SOLUSDT")
    assert (await setting.once()).code == 0
    assert await setting.incidents() == [("ghost_position", "SEV-1", "resolved")]
    assert await setting.status() == "inactive", "a person re-enables, not the daemon"
    events = await setting.rows("select event from reconciler.incident_events order by id")
    assert [e["event"] for e in events] == ["opened", "contained", "resolved"]
    _appear(setting)
    assert (await setting.once()).code == 1
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")], "the same, reopened"
    assert len(await setting.rows("select * from reconciler.outbox")) == 3


async def test_one_look_in_parity_resolves_nothing(setting: Setting) -> None:
    _appear(setting)
    await setting.once()
    setting.ledger.close_position("SOLUSDT")
    slow = asyncio.create_task(setting.once(positions={"confirm_after": "1h"}))
    try:
        await eventually(
            lambda: setting.rows("select 1 from reconciler.incidents where parity_streak = 1"),
            within=15,
        )
    finally:
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]


async def test_a_bot_that_has_just_written_explains_a_difference(setting: Setting) -> None:
    """The bot enters, and writes its position a moment after the venue shows it."""
    await setting.order("o1", SOL, "sell", "10", status="filled", updated_at=ago(HOUR * 0))
    _appear(setting)
    before = await setting.book()
    found = await setting.once()
    assert found.code == 1
    assert found.finding("ghost_position").action == "none"
    assert await setting.book() == before
    assert await setting.incidents() == []


async def test_a_difference_that_outlives_its_grace_is_looked_at_when_that_ends(
    setting: Setting,
) -> None:
    """Not at the next look of the schedule, which may be a minute away."""
    await setting.order("o1", SOL, "sell", "10", status="filled", updated_at=ago(HOUR * 0))
    _appear(setting)
    settings = load_settings(setting.configure(positions={"grace": "20s", "confirm_after": "1s"}))
    async with assembled(settings, Redactor(settings.secret_values())) as parts:
        await migrate(parts.url)
        outcome = await parts.reconciliation.run_now(AccountName("main"))
    assert outcome.recheck_after is not None
    assert timedelta(seconds=10) < outcome.recheck_after <= timedelta(seconds=20)


async def test_lookups_that_hang_keep_no_ghost_waiting(setting: Setting) -> None:
    """Orders are settled first; while a ghost waits, only for so long."""
    setting.sections["accounts"]["main"]["timeout"] = "60s"
    for n in range(5):
        await setting.order(f"o{n}", "ETH/USDT:USDT", "buy", "1", venue_order_id=str(999000 + n))
    _appear(setting)
    setting.venue.faults.set("hang", "order")
    settings = load_settings(setting.configure())
    async with (
        assembled(settings, Redactor(settings.secret_values())) as parts,
        asyncio.timeout(30),
    ):
        await migrate(parts.url)
        for _ in range(settings.positions.confirmations):
            await parts.reconciliation.run_now(AccountName("main"))
    assert await setting.status() == "inactive"
    assert await setting.rows("select * from bot.orders where status = 'unknown'") == []
    setting.venue.faults.clear()
    await setting.once()
    assert len(await setting.rows("select * from bot.orders where status = 'unknown'")) == 5


@pytest.mark.timeout(90)
async def test_a_bot_that_touches_its_row_at_every_tick_is_contained_all_the_same(
    setting: Setting,
) -> None:
    """After at most five windows of grace, being touched explains nothing more."""
    await setting.position("x1", SOL, "short", "0.5", status="closed")
    _appear(setting)
    began = asyncio.get_running_loop().time()

    async def contained() -> bool:
        await setting.connection.execute("update bot.positions set updated_at = now()")
        await setting.once(positions={"grace": "1s", "confirm_after": "50ms"})
        return await setting.status() == "inactive"

    await eventually(contained, within=20, every=0.5)  # within the venue's budget
    assert asyncio.get_running_loop().time() - began >= 4, "its five windows were granted"


@pytest.mark.parametrize(
    ("venue_qty", "book_qty", "severity"),
    [("10", "4", "SEV-1"), ("4", "10", "SEV-2")],
)
async def test_a_quantity_mismatch_is_severe_where_the_venue_holds_more(
    setting: Setting, venue_qty: str, book_qty: str, severity: str
) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(venue_qty))
    await setting.position("x1", SOL, "long", book_qty)
    before = await setting.book()
    assert (await setting.once()).code == 1
    assert await setting.incidents() == [("quantity_mismatch", severity, "open")]
    assert await setting.book() == before, "it is reported, not contained"


async def test_a_quantity_mismatch_that_grows_severe_is_one_incident(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(4))
    await setting.position("x1", SOL, "long", "10")
    await setting.once()
    setting.ledger.set_position("SOLUSDT", "long", Decimal(40))
    assert (await setting.once()).code == 1
    assert await setting.incidents() == [("quantity_mismatch", "SEV-1", "open")]
    told = await setting.rows("select payload from reconciler.outbox order by id")
    assert [t["payload"]["event"] for t in told] == ["incident_opened", "incident_escalated"]


async def test_a_side_mismatch_is_contained(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(4))
    await setting.position("x1", SOL, "short", "4")
    assert (await setting.once()).code == 1
    assert await setting.incidents() == [("side_mismatch", "SEV-1", "open")]
    assert await setting.status() == "inactive"


async def test_a_phantom_is_reported_and_not_contained(setting: Setting) -> None:
    await setting.position("x1", SOL, "short", "4")
    before = await setting.book()
    assert (await setting.once()).code == 1
    assert await setting.incidents() == [("phantom_position", "SEV-2", "open")]
    assert await setting.book() == before


async def test_dust_is_no_difference(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal("4.001"), Decimal(150))
    await setting.position("x1", SOL, "long", "4")
    assert (await setting.once()).code == 0


async def test_an_ignored_or_unlisted_symbol_is_left_alone(setting: Setting) -> None:
    _appear(setting)
    setting.ledger.set_position("BTCUSDT", "long", Decimal(1))
    account = setting.sections["accounts"]["main"]
    account["ignore"] = {"symbols": ["SOLUSDT"]}
    account["symbols"] = ["ETH/USDT:USDT", "SOL/USDT:USDT"]
    before = await setting.book()
    await setting.once()
    assert await setting.book() == before
    assert await setting.rows("select * from reconciler.containments") == []


async def test_two_ghosts_are_two_incidents_and_one_containment_each(setting: Setting) -> None:
    _appear(setting)
    setting.ledger.set_position("BTCUSDT", "long", Decimal(1))
    assert (await setting.once()).code == 1
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")] * 2
    assert await setting.status() == "inactive"
    audits = await setting.rows("select * from reconciler.audit")
    assert len(audits) == 1, "the profile was set inactive once"


async def test_a_row_changed_between_reading_and_writing_explains_the_ghost(
    setting: Setting,
) -> None:
    """The bot writes its position while the venue answers slowly: the second reading sees it."""
    _appear(setting)
    await _one_look(setting, {"confirmations": 2, "confirm_after": "1h"})
    await asyncio.sleep(0.1)
    async with setting.while_asking(
        "positions", lambda: setting.once(positions=PROMPT["positions"])
    ) as running:
        await setting.position("x1", SOL, "short", "10", updated_at=ago(timedelta(0)))
        before = await setting.book()
    found = await running
    assert found.finding("ghost_position").action == "left alone"
    assert await setting.book() == before
    assert await setting.incidents() == []
