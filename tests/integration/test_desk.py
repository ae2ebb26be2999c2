"""The desk on a real database: what each operation changes, refuses, and records."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.incidents.accounts import list_accounts, pause, resume
from reconciler.incidents.desk import Actor, Desk
from reconciler.incidents.errors import DeskError, NotFoundError, RefusedError, UsageError
from reconciler.incidents.guards import accept, list_guards
from reconciler.incidents.ignores import add_ignore, list_ignores, remove_ignore
from reconciler.incidents.listing import list_incidents, list_operations, show_incident
from reconciler.incidents.messages import write_message
from reconciler.incidents.orders import list_orders, show_order
from reconciler.incidents.profiles import list_profiles, reenable, show_profile
from reconciler.incidents.quarantine import (
    add_to_quarantine,
    list_quarantine,
    resolve_quarantined,
    show_quarantined,
)
from reconciler.incidents.resolving import acknowledge, resolve
from reconciler.incidents.root_cause import write_root_cause
from reconciler.service.assembly import assembled
from reconciler.service.desk import desk_of
from reconciler.settings import load_settings
from reconciler.simulation.venue import FaultKind
from reconciler.telemetry.redaction import Redactor
from tests.scenarios.setting import HOUR, Setting, ago, setting

__all__ = ["setting"]

SOL = "SOL/USDT:USDT"
ADA = Actor(who="ada", surface="cli")
BOB = Actor(who="bob", surface="http")


@contextlib.asynccontextmanager
async def desk_at(setting: Setting, **sections: Any) -> AsyncIterator[Desk]:
    settings = load_settings(setting.configure(**sections))
    async with assembled(settings, Redactor(settings.secret_values())) as assembly:
        yield desk_of(assembly)


async def incident(setting: Setting, **more: Any) -> int:
    row = {
        "kind": "venue_unreachable",
        "severity": "SEV-2",
        "account": "main",
        "subject": "",
        "title": "the venue does not answer",
    } | more
    marks = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    told: int = await setting.connection.fetchval(
        f"insert into reconciler.incidents ({', '.join(row)}) values ({marks}) returning id",
        *row.values(),
    )
    return told


async def everything(setting: Setting) -> list[str]:
    """What a refused operation must leave as it was."""
    tables = ("incidents", "incident_events", "quarantine", "containments", "outbox", "audit")
    ours = [
        f"{table} {row['line']}"
        for table in tables
        for row in await setting.connection.fetch(
            f"select t::text as line from reconciler.{table} t"
        )
    ]
    return [*await setting.book(), *ours]


async def operations(setting: Setting) -> list[tuple[str, str, str, str]]:
    rows = await setting.rows("select * from reconciler.operations order by id")
    return [(r["who"], r["surface"], r["operation"], r["outcome"]) for r in rows]


async def test_an_incident_is_taken_and_ended_by_hand(setting: Setting) -> None:
    number = await incident(setting)
    async with desk_at(setting) as desk:
        await acknowledge(desk, ADA, number, note="looking")
        with pytest.raises(RefusedError, match="acknowledged already, by ada"):
            await acknowledge(desk, BOB, number)
        done = await resolve(desk, BOB, number, note="the venue is back")
        assert done.incident_id == number
        assert "opened again" not in done.said
        for again in (acknowledge(desk, ADA, number), resolve(desk, ADA, number, note="x")):
            with pytest.raises(RefusedError, match="resolved already"):
                await again
        report = await show_incident(desk, number)
    assert (report.incident.acknowledged_by, report.incident.resolved_by) == ("ada", "bob")
    assert [(e.event, e.by) for e in report.timeline] == [
        ("acknowledged", "ada"),
        ("resolved", "bob"),
    ]
    told = await setting.rows("select payload from reconciler.outbox order by id")
    events = [(row["payload"]["event"], row["payload"]["by"]) for row in told]
    assert events == [("incident_acknowledged", "ada"), ("incident_resolved", "bob")]
    assert await operations(setting) == [
        ("ada", "cli", "incidents ack", "done"),
        ("bob", "http", "incidents ack", "refused"),
        ("bob", "http", "incidents resolve", "done"),
        ("ada", "cli", "incidents ack", "refused"),
        ("ada", "cli", "incidents resolve", "refused"),
    ]


async def test_what_is_still_seen_is_opened_again_and_the_answer_says_so(
    setting: Setting,
) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.once()
    async with desk_at(setting) as desk:
        [row] = await list_incidents(desk)
        done = await resolve(desk, ADA, row.id, note="looks fine to me")
    assert "opened again" in done.said
    await setting.once()
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    async with desk_at(setting) as desk:
        events = [event.event for event in (await show_incident(desk, row.id)).timeline]
        with pytest.raises(RefusedError):
            await reenable(desk, ADA, "p1")
    assert "reopened" in events


async def test_listing_filters_and_refuses_unknown_words(setting: Setting) -> None:
    first = await incident(setting)
    second = await incident(setting, kind="clock_skew", severity="SEV-3", account="other")
    await incident(setting, kind="venue_auth", status="resolved")
    async with desk_at(setting) as desk:
        assert [r.id for r in await list_incidents(desk)] == [first, second]
        assert [r.id for r in await list_incidents(desk, severity="SEV-3")] == [second]
        assert [r.id for r in await list_incidents(desk, account="main")] == [first]
        assert len(await list_incidents(desk, status="all")) == 3
        assert len(await list_incidents(desk, status="all", limit=2)) == 2
        for nobody in (
            list_incidents(desk, account="mian"),
            list_quarantine(desk, account="mian"),
            list_guards(desk, account="mian"),
            list_operations(desk, account="mian"),
            list_ignores(desk, account="mian"),
            list_profiles(desk, account="mian"),
        ):
            with pytest.raises(NotFoundError, match="known: main"):
                await nobody
        for wrong in ({"status": "new"}, {"severity": "1"}, {"kind": "odd"}, {"limit": 0}):
            with pytest.raises(UsageError):
                await list_incidents(desk, **wrong)


@pytest.mark.parametrize("number", [0, -1, 404, 2**63, 2**80])
async def test_an_incident_that_is_not_there(setting: Setting, number: int) -> None:
    async with desk_at(setting) as desk:
        for operation in (
            show_incident(desk, number),
            acknowledge(desk, ADA, number),
            resolve(desk, ADA, number, note="x"),
            write_message(desk, number),
            write_root_cause(desk, number),
        ):
            with pytest.raises(NotFoundError):
                await operation
    assert await operations(setting) == []


@pytest.mark.parametrize("odd", ["a\x00b", "\ud800"])
async def test_names_that_no_database_keeps(setting: Setting, odd: str) -> None:
    async with desk_at(setting) as desk:
        for operation in (
            list_incidents(desk, account=odd),
            list_operations(desk, account=odd),
            list_quarantine(desk, account=odd),
            list_guards(desk, account=odd),
            show_quarantined(desk, odd),
            resolve_quarantined(desk, ADA, odd, status="canceled", note="x"),
            add_ignore(desk, ADA, "main", what="order", value=odd),
        ):
            with pytest.raises(UsageError):
                await operation
        for missing in (
            list_orders(desk, account=odd),
            show_order(desk, odd),
            show_order(desk, "o1", book=odd),
            show_profile(desk, odd),
            reenable(desk, ADA, odd),
            pause(desk, ADA, odd),
            accept(desk, ADA, odd),
            add_to_quarantine(desk, ADA, odd, note="x"),
        ):
            with pytest.raises(NotFoundError):
                await missing


@pytest.mark.parametrize("who", ["", "  ", "a" * 201, "a\nb", "a\x00b"])
def test_a_name_that_is_none(who: str) -> None:
    with pytest.raises(UsageError):
        Actor(who=who, surface="cli")


@pytest.mark.parametrize("note", ["", "  ", "x" * 4001, "a\x00b", "\ud800"])
async def test_a_note_that_is_none(setting: Setting, note: str) -> None:
    number = await incident(setting)
    async with desk_at(setting) as desk:
        with pytest.raises(UsageError):
            await resolve(desk, ADA, number, note=note)
    assert await setting.incidents() == [("venue_unreachable", "SEV-2", "open")]


async def test_a_secret_in_a_note_is_not_kept(setting: Setting) -> None:
    number = await incident(setting)
    async with desk_at(setting) as desk:
        await acknowledge(desk, ADA, number, note="api_secret=s3cr3tvalue99 was wrong")
    for table in ("incident_events", "outbox", "operations"):
        lines = await setting.connection.fetch(f"select t::text as line from reconciler.{table} t")
        assert lines
        assert not any("s3cr3tvalue99" in row["line"] for row in lines), table


# Quarantine.


async def test_a_secret_pasted_for_a_name_or_an_id_is_not_kept(setting: Setting) -> None:
    number, key = await incident(setting), setting.sections["accounts"]["main"]["secret"]
    async with desk_at(setting) as desk:
        with pytest.raises(UsageError, match="secret") as refused:
            await acknowledge(desk, Actor(who=key, surface="cli"), number)
        with pytest.raises(UsageError, match="secret"):
            await add_ignore(desk, ADA, "main", what="order", value=key)
    assert key not in str(refused.value)
    assert await operations(setting) == []
    assert await setting.rows("select * from reconciler.ignores") == []


async def test_adding_by_hand_is_one_transaction_with_its_records(setting: Setting) -> None:
    await setting.order("o1", SOL, "buy", "2", filled=Decimal("0.5"), age=HOUR)
    async with desk_at(setting) as desk:
        done = await add_to_quarantine(desk, ADA, "o1", note="lost")
        [row] = await list_quarantine(desk)
        with pytest.raises(RefusedError, match="already"):
            await add_to_quarantine(desk, BOB, "o1", note="lost")
        report = await show_incident(desk, done.incident_id or 0)
    assert (row.reason, row.status_before, row.incident_id) == ("by_hand", "open", done.incident_id)
    assert report.incident.severity == "SEV-2"
    assert report.incident.symbol == SOL
    assert report.how_sure == "as sure as ada, who said so by hand"
    book = await setting.row("select status, filled from bot.orders")
    assert (book["status"], book["filled"]) == ("unknown", Decimal("0.5"))
    [audit] = await setting.rows("select * from reconciler.audit")
    assert (audit["rule"], audit["by"], audit["before"]["status"], audit["after"]["status"]) == (
        ("quarantine add", "ada", "open", "unknown")
    )
    written = await setting.connection.fetch(
        "select xmin::text from bot.orders union select xmin::text from reconciler.quarantine"
        " union select xmin::text from reconciler.incidents"
        " union select xmin::text from reconciler.audit"
        " union select xmin::text from reconciler.operations where outcome = 'done'"
    )
    assert len(written) == 1


async def test_what_may_not_be_added(setting: Setting) -> None:
    await setting.order("ended", SOL, "buy", "2", status="canceled", age=HOUR)
    await setting.order("odd", SOL, "buy", "2", status="flabbergasted", age=HOUR)
    before = await everything(setting)
    async with desk_at(setting) as desk:
        for order, why in (("ended", "has ended"), ("odd", "not known to us")):
            with pytest.raises(RefusedError, match=why):
                await add_to_quarantine(desk, ADA, order, note="x")
        with pytest.raises(NotFoundError):
            await add_to_quarantine(desk, ADA, "nobody", note="x")
        with pytest.raises(UsageError):
            await add_to_quarantine(desk, ADA, "ended", note=" ")
    assert await everything(setting) == before
    assert [o[3] for o in await operations(setting)] == ["refused", "refused"]


async def test_exposure_that_is_known_to_be_open_makes_it_sev_1(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.once()
    await setting.order("o1", SOL, "buy", "2", age=timedelta(minutes=5))
    async with desk_at(setting) as desk:
        done = await add_to_quarantine(desk, ADA, "o1", note="lost")
        report = await show_incident(desk, done.incident_id or 0)
    assert report.incident.severity == "SEV-1"


@pytest.mark.parametrize(
    ("status", "filled", "word", "amount"),
    [
        ("canceled", None, "canceled", "0.5"),
        ("CANCELLED", None, "canceled", "0.5"),
        ("filled", None, "filled", "2"),
        ("canceled", "1.5", "canceled", "1.5"),
        ("rejected", None, "rejected", "0.5"),
        ("open", None, "open", "0.5"),
    ],
)
async def test_the_final_status_is_written(
    setting: Setting, status: str, filled: str | None, word: str, amount: str
) -> None:
    await setting.order("o1", SOL, "buy", "2", filled=Decimal("0.5"), age=HOUR)
    async with desk_at(setting) as desk:
        await add_to_quarantine(desk, ADA, "o1", note="lost")
        done = await resolve_quarantined(
            desk,
            BOB,
            "o1",
            status=status,
            note="support says so",
            filled=Decimal(filled) if filled else None,
        )
        with pytest.raises(RefusedError, match="reviewed already"):
            await resolve_quarantined(desk, ADA, "o1", status="filled", note="no")
        assert await list_quarantine(desk) == ()
        [row] = await list_quarantine(desk, review="resolved")
    assert "is resolved" in done.said
    assert (row.final_status, row.reviewed_by, row.note) == (word, "bob", "support says so")
    book = await setting.row("select status, filled from bot.orders")
    assert (book["status"], book["filled"]) == (word, Decimal(amount))
    assert await setting.incidents() == [("order_quarantined", "SEV-2", "resolved")]


async def test_a_review_that_makes_no_sense(setting: Setting) -> None:
    await setting.order("o1", SOL, "buy", "2", filled=Decimal("0.5"), age=HOUR)
    async with desk_at(setting) as desk:
        await add_to_quarantine(desk, ADA, "o1", note="lost")
        before = await everything(setting)
        for error, more in (
            (UsageError, {"status": "unknown"}),
            (UsageError, {"status": "gone"}),
            (UsageError, {"status": "canceled", "filled": Decimal(3)}),
            (RefusedError, {"status": "canceled", "filled": Decimal("0.1")}),
        ):
            with pytest.raises(error):
                await resolve_quarantined(desk, ADA, "o1", note="x", **more)
        with pytest.raises(NotFoundError):
            await resolve_quarantined(desk, ADA, "o2", status="canceled", note="x")
    assert await everything(setting) == before


async def test_a_row_that_moved_is_left_alone(setting: Setting) -> None:
    await setting.order("o1", SOL, "buy", "2", age=HOUR)
    async with desk_at(setting) as desk:
        await add_to_quarantine(desk, ADA, "o1", note="lost")
        await setting.connection.execute("update bot.orders set status = 'filled', filled = 2")
        before = await everything(setting)
        with pytest.raises(RefusedError, match="the row moved: its status is 'filled' now"):
            await resolve_quarantined(desk, ADA, "o1", status="canceled", note="x")
        assert await everything(setting) == before
        done = await resolve_quarantined(desk, ADA, "o1", status="filled", note="x")
    assert "says 'filled' already" in done.said


async def test_a_row_that_is_gone_does_not_keep_its_review_open(setting: Setting) -> None:
    await setting.order("o1", SOL, "buy", "2", age=HOUR)
    async with desk_at(setting) as desk:
        await add_to_quarantine(desk, ADA, "o1", note="lost")
        await setting.connection.execute("delete from bot.orders")
        report = await show_quarantined(desk, "o1", live=True)
        assert (report.order, report.venue) == (None, None)
        done = await resolve_quarantined(desk, ADA, "o1", status="canceled", note="x")
    assert "nothing was written" in done.said
    assert await setting.incidents() == [("order_quarantined", "SEV-2", "resolved")]


async def test_the_bot_writes_while_a_person_resolves(setting: Setting) -> None:
    """Whoever is first wins; the other is told, and nothing is lost."""
    await setting.order("o1", SOL, "buy", "2", age=HOUR)
    async with desk_at(setting) as desk:
        await add_to_quarantine(desk, ADA, "o1", note="lost")
        transaction = setting.connection.transaction()
        await transaction.start()
        await setting.connection.execute("update bot.orders set status = 'filled', filled = 2")
        person = asyncio.create_task(
            resolve_quarantined(desk, ADA, "o1", status="canceled", note="x")
        )
        await asyncio.sleep(0.5)
        await transaction.commit()
        with pytest.raises(RefusedError, match="moved meanwhile"):
            await person
    book = await setting.row("select status, filled from bot.orders")
    assert (book["status"], book["filled"]) == ("filled", Decimal(2))


async def test_two_people_resolve_at_once(setting: Setting) -> None:
    await setting.order("o1", SOL, "buy", "2", age=HOUR)
    async with desk_at(setting) as desk:
        await add_to_quarantine(desk, ADA, "o1", note="lost")
        ends = await asyncio.gather(
            resolve_quarantined(desk, ADA, "o1", status="canceled", note="x"),
            resolve_quarantined(desk, BOB, "o1", status="filled", note="y"),
            return_exceptions=True,
        )
    assert sorted(isinstance(end, RefusedError) for end in ends) == [False, True]
    rows = await setting.rows("select * from reconciler.audit where rule = 'quarantine resolve'")
    assert len(rows) == 1


# Orders and the venue.


async def test_an_order_as_book_and_venue_see_it(setting: Setting) -> None:
    placed = setting.ledger.place_order("SOLUSDT", "buy", Decimal(2), Decimal(100))
    await setting.order("o1", SOL, "buy", "2", venue_order_id=str(placed.order_id), age=HOUR)
    await setting.order("o2", SOL, "buy", "2", venue_order_id="999", age=HOUR)
    async with desk_at(setting) as desk:
        found = await show_order(desk, "o1")
        missing = await show_order(desk, "o2")
        setting.venue.faults.set(FaultKind.ERROR, "order")
        away = await show_order(desk, "o1")
        with pytest.raises(NotFoundError):
            await show_order(desk, "o3")
    assert (found.venue.answer, found.venue.state, found.venue.qty) == ("found", "open", Decimal(2))
    assert missing.venue.answer == "not_found"
    assert missing.venue.rungs
    assert away.venue.answer == "no_answer"
    assert away.order.id == "o1"


async def test_ids_in_two_books_ask_for_the_book(setting: Setting) -> None:
    await setting.connection.execute("create schema other")
    for table in ("profiles", "orders", "positions"):
        await setting.connection.execute(
            f"create table other.{table} (like bot.{table} including all)"
        )
    setting.add_account("second")
    await setting.insert("other.profiles", id="p1", account="second", status="active")
    await setting.order("o1", SOL, "buy", "2", age=HOUR)
    await setting.connection.execute("insert into other.orders select * from bot.orders")
    books = {"main": {"preset": "native"}, "other": _native_in("other")}
    accounts = setting.sections["accounts"]
    accounts = {**accounts, "second": {**accounts["second"], "book": "other"}}
    async with desk_at(setting, books=books, accounts=accounts) as desk:
        for ambiguous in (show_order(desk, "o1"), show_profile(desk, "p1")):
            with pytest.raises(UsageError, match="several books"):
                await ambiguous
        assert (await show_order(desk, "o1", book="other")).order.account == "second"
        await add_to_quarantine(desk, ADA, "o1", note="lost", book="other")
        with pytest.raises(NotFoundError, match="not configured"):
            await show_order(desk, "o1", book="third")
    assert (await setting.row("select status from bot.orders"))["status"] == "open"
    assert (await setting.row("select status from other.orders"))["status"] == "unknown"


def _native_in(schema: str) -> dict[str, Any]:
    from reconciler.book.preset import load_preset  # noqa: PLC0415 - of this one test

    native = load_preset("native")
    return {
        table: {
            verb: getattr(native, f"{table}_{verb}").replace("bot.", f"{schema}.") for verb in verbs
        }
        for table, verbs in {
            "profiles": ("select", "deactivate", "activate"),
            "orders": ("select", "find", "update"),
            "positions": ("select",),
        }.items()
    }


async def test_the_backlog(setting: Setting) -> None:
    await setting.order("resting", SOL, "buy", "2", age=HOUR)
    await setting.order("flying", SOL, "buy", "2", status="pending_new", age=HOUR)
    await setting.order("young", SOL, "buy", "2", status="pending_new", age=timedelta(seconds=5))
    await setting.order("ended", SOL, "buy", "2", status="filled", age=HOUR)
    async with desk_at(setting) as desk:
        assert [r.id for r in await list_orders(desk, stale=True)] == ["flying"]
        rows = await list_orders(desk)
        assert {r.id for r in rows} == {"resting", "flying", "young"}
        assert await list_orders(desk, profile="p2") == ()
        with pytest.raises(NotFoundError):
            await list_orders(desk, account="nobody")


# Profiles.


async def test_a_profile_that_nobody_contained(setting: Setting) -> None:
    async with desk_at(setting) as desk:
        [row] = await list_profiles(desk)
        assert (row.id, row.status, row.active, row.contained) == ("p1", "active", True, False)
        with pytest.raises(RefusedError, match="not contained"):
            await reenable(desk, ADA, "p1")
        with pytest.raises(NotFoundError):
            await reenable(desk, ADA, "p2")


async def test_reenabling_returns_the_status_of_before(setting: Setting) -> None:
    await setting.connection.execute(
        "insert into reconciler.containments"
        " (profile_id, account, reason, status_before, parity_streak, parity_seen_at)"
        " values ('p1', 'main', 'r', 'live', 2, now())"
    )
    await setting.connection.execute("update bot.profiles set status = 'inactive'")
    async with desk_at(setting) as desk:
        report = await show_profile(desk, "p1")
        assert (report.missing, report.profile.contained) == ((), True)
        await reenable(desk, ADA, "p1", note="closed")
    assert await setting.status() == "live"
    [row] = await setting.rows("select released_at, released_by from reconciler.containments")
    assert row["released_at"]
    assert row["released_by"] == "ada"
    [audit] = await setting.rows("select * from reconciler.audit")
    assert (audit["by"], audit["before"], audit["after"]) == (
        "ada",
        {"status": "inactive"},
        {"status": "live"},
    )


@pytest.mark.parametrize("missing", ["parity", "nobody looks", "sev1", "blind", "active"])
async def test_reenabling_is_refused(setting: Setting, missing: str) -> None:
    await setting.connection.execute(
        "insert into reconciler.containments"
        " (profile_id, account, reason, status_before, parity_streak, parity_seen_at)"
        " values ('p1', 'main', 'r', 'active', $1, $2)",
        1 if missing == "parity" else 2,
        ago(HOUR if missing == "nobody looks" else timedelta(minutes=1)),
    )
    if missing != "active":
        await setting.connection.execute("update bot.profiles set status = 'inactive'")
    if missing == "sev1":
        await incident(setting, kind="unaware_fill", severity="SEV-1", profile_id="p1")
    if missing == "blind":
        await incident(setting)
    before = await everything(setting)
    async with desk_at(setting) as desk:
        with pytest.raises(RefusedError) as refused:
            await reenable(desk, ADA, "p1")
    assert len(refused.value.reasons) == 1
    assert await everything(setting) == before
    assert await operations(setting) == [("ada", "cli", "profiles reenable", "refused")]


async def test_a_ghost_recorded_while_a_profile_is_reenabled_comes_first(setting: Setting) -> None:
    await setting.connection.execute(
        "insert into reconciler.containments"
        " (profile_id, account, reason, status_before, parity_streak, parity_seen_at)"
        " values ('p1', 'main', 'r', 'active', 2, now())"
    )
    await setting.connection.execute("update bot.profiles set status = 'inactive'")
    await setting.connection.execute(
        "insert into reconciler.leases (account, holder, epoch, expires_at)"
        " values ('main', 'daemon', 1, now() + interval '1 minute')"
    )
    async with desk_at(setting) as desk:
        async with setting.connection.transaction():
            # As every write transaction of a pass begins.
            await setting.connection.execute("select 1 from reconciler.leases for key share")
            await incident(setting, kind="ghost_position", severity="SEV-1")
            asked = asyncio.create_task(reenable(desk, ADA, "p1"))
            ended, _ = await asyncio.wait([asked], timeout=0.5)
            assert not ended
        with pytest.raises(RefusedError, match="ghost_position, SEV-1"):
            await asked
    assert await setting.status() == "inactive"


# Pauses, guards, ignores.


async def test_a_pause_has_an_end(setting: Setting) -> None:
    async with desk_at(setting) as desk:
        await pause(desk, ADA, "main", duration=timedelta(minutes=5), note="moving keys")
        [row] = await list_accounts(desk)
        assert row.mode == "paused"
        assert row.pause is not None
        assert row.pause.until is not None
        assert row.pause.until - row.pause.paused_at == pytest.approx(
            timedelta(minutes=5), abs=timedelta(seconds=2)
        )
        await resume(desk, BOB, "main")
        with pytest.raises(RefusedError, match="not paused"):
            await resume(desk, BOB, "main")
        for wrong in (timedelta(0), timedelta(days=31)):
            with pytest.raises(UsageError):
                await pause(desk, ADA, "main", duration=wrong)
        with pytest.raises(NotFoundError):
            await pause(desk, ADA, "nobody")
        assert (await list_accounts(desk))[0].mode == "enforce"


async def test_a_held_mass_change_is_accepted_once(setting: Setting) -> None:
    async with desk_at(setting) as desk:
        with pytest.raises(RefusedError, match="nothing is held"):
            await accept(desk, ADA, "main")
        await incident(setting, kind="mass_change", severity="SEV-1", subject="orders")
        done = await accept(desk, ADA, "main", note="first run")
        [guard] = await list_guards(desk)
        assert (guard.accepted_by, guard.incident_id) == ("ada", done.incident_id)
        with pytest.raises(RefusedError, match="accepted already"):
            await accept(desk, BOB, "main")
        await setting.connection.execute(
            "update reconciler.acceptances set expires_at = now() - interval '1 s'"
        )
        await accept(desk, BOB, "main")
    events = await setting.rows("select event, by from reconciler.incident_events order by id")
    assert [(e["event"], e["by"]) for e in events] == [("accepted", "ada"), ("accepted", "bob")]


async def test_of_people_who_accept_at_once_one_does(setting: Setting) -> None:
    await incident(setting, kind="mass_change", severity="SEV-1", subject="orders")
    async with desk_at(setting) as desk:
        ended = await asyncio.gather(
            *(accept(desk, who, "main") for who in (ADA, BOB, ADA, BOB)), return_exceptions=True
        )
    assert sorted(type(each).__name__ for each in ended) == ["Done", *3 * ["RefusedError"]]
    assert await setting.connection.fetchval("select count(*) from reconciler.acceptances") == 1


async def test_ignores_of_both_sources(setting: Setting) -> None:
    setting.sections["accounts"]["main"]["ignore"] = {"symbols": ["BTC/USDT:USDT"]}
    async with desk_at(setting) as desk:
        await add_ignore(desk, ADA, "main", what="order", value="123", note="by hand")
        rows = await list_ignores(desk, account="main")
        assert [(r.what, r.value, r.source) for r in rows] == [
            ("symbol", "BTC/USDT:USDT", "configuration"),
            ("venue_order_id", "123", "desk"),
        ]
        for what, value in (("order", "123"), ("symbol", "BTC/USDT:USDT")):
            with pytest.raises(RefusedError, match="already"):
                await add_ignore(desk, BOB, "main", what=what, value=value)
        with pytest.raises(RefusedError, match="by the configuration"):
            await remove_ignore(desk, BOB, "main", what="symbol", value="BTC/USDT:USDT")
        await remove_ignore(desk, BOB, "main", what="order", value="123")
        with pytest.raises(NotFoundError):
            await remove_ignore(desk, BOB, "main", what="order", value="123")
        for wrong in ({"what": "coin", "value": "x"}, {"what": "symbol", "value": " "}):
            with pytest.raises(UsageError):
                await add_ignore(desk, ADA, "main", **wrong)


async def test_a_database_that_is_away_is_no_refusal(setting: Setting) -> None:
    setting.configure(database={"url": "postgresql://nobody@127.0.0.1:1/none"})
    ran = await setting.command("incidents", "list")
    assert ran.code == 3
    assert "did not answer" in ran.err


async def test_a_database_without_our_schema_says_the_mend(
    setting: Setting, empty_database: str
) -> None:
    setting.configure(database={"url": empty_database})
    ran = await setting.command("incidents", "list")
    assert ran.code == 3
    assert "reconciler migrate" in ran.err


async def test_exit_codes(setting: Setting) -> None:
    assert (await setting.command("incidents", "show", "7")).code == 1
    assert (await setting.command("incidents", "list", "--status", "odd")).code == 2
    assert (await setting.command("incidents", "ack", "7")).code == 2
    assert (await setting.command("accounts", "pause", "main", "--by", "a", "--for", "x")).code == 2
    empty = await setting.command("incidents", "list")
    assert (empty.code, empty.rows) == (0, [])


async def test_operations_are_listed_by_account(setting: Setting) -> None:
    async with desk_at(setting) as desk:
        await pause(desk, ADA, "main")
        [row] = await list_operations(desk, account="main")
        assert (row.operation, row.target, row.outcome) == ("accounts pause", "main", "done")
        setting.add_account("second")
    async with desk_at(setting) as desk:
        assert await list_operations(desk, account="second") == ()


def test_every_error_of_the_desk_is_one() -> None:
    for error in (NotFoundError, RefusedError, UsageError):
        assert issubclass(error, DeskError)
