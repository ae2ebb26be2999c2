"""`ports.Store` and `ports.Record` on both sides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import (
    AccountName,
    Asset,
    BookOrderId,
    ProfileId,
    RunId,
    Symbol,
)
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, Severity
from reconciler.domain.leases import Lease
from reconciler.domain.memory import Baseline, Memory, OwnWrite, SeenSymbol
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from tests.contract.sides import BOOK, MAIN, Side

SUBJECT = "BTC/USDT:USDT|long"
DRAFT = IncidentDraft(
    key=IncidentKey(kind=IncidentKind.GHOST_POSITION, book=BOOK, account=MAIN, subject=SUBJECT),
    severity=Severity.SEV_2,
    title="a ghost",
    details={"venue_qty": Decimal("1.50"), "pinned": ["p1"]},
    evidence={"format": 1},
)
OWN_TABLES = ("incidents", "events", "evidence", "outbox", "audit", "containments", "quarantine")


def _writing(side: Side, lease: Lease, run: str = "r") -> Any:
    return side.store.writing(lease, book=BOOK, run=RunId(run), mode="enforce")


async def _memory(side: Side) -> Memory:
    return await side.store.memory(book=BOOK, account=MAIN)


def _suspicion(**more: Any) -> Suspicion:
    now = datetime.now(UTC)
    key = SuspicionKey(book=BOOK, account=MAIN, kind="ghost_position", subject=SUBJECT)
    return replace(
        Suspicion(key=key, first_seen_at=now, last_seen_at=now, count=2, counted_at=now), **more
    )


async def test_nothing_is_remembered_at_first(side: Side) -> None:
    memory = await _memory(side)
    assert memory.seen is None
    assert (memory.suspicions, memory.incidents, memory.own_writes) == ({}, (), {})
    assert memory.quarantined_last_hour == 0
    assert abs(memory.now - datetime.now(UTC)) < timedelta(seconds=5)


async def test_suspicions_are_kept_and_dropped(side: Side, lease: Lease) -> None:
    kept = _suspicion(saying="filled 1", tried_at=datetime.now(UTC))
    async with _writing(side, lease) as record:
        await record.keep_suspicions(keep=[kept], drop=[])
    assert (await _memory(side)).suspicions == {("ghost_position", SUBJECT): kept}
    grown = replace(kept, count=3)
    async with _writing(side, lease) as record:
        await record.keep_suspicions(keep=[grown], drop=[])
    assert (await _memory(side)).suspicions == {("ghost_position", SUBJECT): grown}
    async with _writing(side, lease) as record:
        await record.keep_suspicions(keep=[], drop=[kept.key])
    assert (await _memory(side)).suspicions == {}


async def test_the_other_account_has_its_own_memory(side: Side, lease: Lease) -> None:
    other = _suspicion()
    other = replace(other, key=replace(other.key, kind="side_mismatch"))
    async with _writing(side, lease) as record:
        await record.keep_suspicions(keep=[other], drop=[])
        await record.open_incident(DRAFT)
    memory = await side.store.memory(book=BOOK, account=AccountName("other"))
    assert (memory.suspicions, memory.incidents) == ({}, ())


async def test_a_reading_is_remembered_and_old_writes_are_not(side: Side, lease: Lease) -> None:
    now = datetime.now(UTC)
    seen = {
        Symbol("X"): SeenSymbol(digest="d", changed_at=now),
        Symbol("Y"): SeenSymbol(digest="e", changed_at=None),
    }
    fresh = OwnWrite(status="filled", written_from=now, written_to=now)
    hours_ago = now - timedelta(hours=2)
    old = OwnWrite(status="filled", written_from=hours_ago, written_to=hours_ago)
    own = {BookOrderId("o1"): fresh, BookOrderId("o2"): old}
    async with _writing(side, lease) as record:
        await record.keep_reading(seen=seen, own_writes=own, read_at=now)
    memory = await _memory(side)
    assert memory.seen == seen
    assert memory.own_writes == {"o1": fresh}


async def test_an_open_incident_is_not_doubled_and_learns(side: Side, lease: Lease) -> None:
    async with _writing(side, lease) as record:
        first = await record.open_incident(DRAFT)
    async with _writing(side, lease) as record:
        again = await record.open_incident(replace(DRAFT, details={"contained": ["p1"]}))
    assert (first.is_new, again.is_new, first.id) == (True, False, again.id)
    [incident] = (await _memory(side)).incidents
    assert incident.details == {"venue_qty": "1.50", "pinned": ["p1"], "contained": ["p1"]}
    for table in ("incidents", "events", "evidence", "outbox"):
        assert await side.count(table) == 1, table


async def test_a_worse_severity_is_told_and_a_better_one_is_not(side: Side, lease: Lease) -> None:
    for severity in (Severity.SEV_2, Severity.SEV_1, Severity.SEV_1, Severity.SEV_2):
        async with _writing(side, lease) as record:
            await record.open_incident(replace(DRAFT, severity=severity))
    assert (await side.count("outbox"), await side.count("events")) == (2, 3)
    [incident] = (await _memory(side)).incidents
    assert incident.severity is Severity.SEV_2


async def test_a_resolved_incident_is_reopened_under_its_id(side: Side, lease: Lease) -> None:
    async with _writing(side, lease) as record:
        first = await record.open_incident(DRAFT)
    [standing] = (await _memory(side)).incidents
    async with _writing(side, lease) as record:
        await record.note_parity(standing, streak=2, at=datetime.now(UTC))
    [standing] = (await _memory(side)).incidents
    assert standing.parity_streak == 2
    async with _writing(side, lease) as record:
        await record.resolve(standing, why="parity")
        await record.resolve(standing, why="parity")
    assert (await _memory(side)).incidents == ()
    async with _writing(side, lease) as record:
        again = await record.open_incident(DRAFT)
    assert (again.id, again.is_new) == (first.id, True)
    [standing] = (await _memory(side)).incidents
    assert (standing.parity_streak, standing.parity_seen_at) == (0, None)
    assert (await side.count("events"), await side.count("outbox")) == (3, 3)


async def test_a_line_is_said_once_for_each_time_it_was_opened(side: Side, lease: Lease) -> None:
    for _ in range(2):
        async with _writing(side, lease) as record:
            opened = await record.open_incident(DRAFT)
            for _ in range(2):
                await record.add_event_once(opened.id, "held_back", "why")
        [standing] = (await _memory(side)).incidents
        async with _writing(side, lease) as record:
            await record.resolve(standing, why="parity")
    assert await side.count("events") == 6, "opened, held back, resolved; twice"


async def test_a_transaction_that_fails_leaves_nothing(side: Side, lease: Lease) -> None:
    async def fail_at_the_end() -> None:
        async with _writing(side, lease) as record:
            await _write_everything(record)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_at_the_end()
    assert [await side.count(table) for table in OWN_TABLES] == [0] * len(OWN_TABLES)
    memory = await _memory(side)
    assert (memory.suspicions, memory.incidents, memory.seen) == ({}, (), None)


async def _write_everything(record: Any) -> None:
    await record.keep_suspicions(keep=[_suspicion()], drop=[])
    await record.keep_reading(seen={}, own_writes={}, read_at=datetime.now(UTC))
    opened = await record.open_incident(DRAFT)
    await record.add_containment(
        profile_id=ProfileId("p1"), incident_id=opened.id, reason="x", status_before="active"
    )
    await _quarantine(record, opened.id)
    await _audit(record, applied=True)


async def _quarantine(record: Any, incident_id: int) -> None:
    await record.add_quarantine(
        order_id="o1",
        profile_id="p1",
        symbol="X",
        reason="never_seen",
        status_before="open",
        incident_id=incident_id,
        details={},
    )


async def _audit(record: Any, *, applied: bool) -> bool:
    said: bool = await record.audit(
        applied=applied,
        rule="sync",
        target="order",
        target_id="o1",
        before={"filled": Decimal(0)},
        after={"filled": Decimal(1)},
    )
    return said


async def test_nothing_is_seen_before_the_commit(side: Side, lease: Lease) -> None:
    async with _writing(side, lease) as record:
        await _write_everything(record)
        memory = await _memory(side)
        assert (memory.suspicions, memory.incidents, memory.seen) == ({}, (), None)
        assert await side.count("audit") == 0
    assert len((await _memory(side)).incidents) == 1


async def test_a_containment_says_whether_it_is_again(side: Side, lease: Lease) -> None:
    for again in (False, True):
        async with _writing(side, lease) as record:
            opened = await record.open_incident(DRAFT)
            assert again is await record.add_containment(
                profile_id=ProfileId("p1"),
                incident_id=opened.id,
                reason="x",
                status_before="active",
            )
    assert await side.count("containments") == 1


async def test_quarantined_orders_count_for_an_hour_and_are_seen_again_once(
    side: Side, lease: Lease
) -> None:
    async with _writing(side, lease) as record:
        opened = await record.open_incident(DRAFT)
        await _quarantine(record, opened.id)
    assert (await _memory(side)).quarantined_last_hour == 1
    for expected in (opened.id, None):
        async with _writing(side, lease) as record:
            assert await record.note_seen_again(order_id="o1", details={}) == expected
    async with _writing(side, lease) as record:
        assert await record.note_seen_again(order_id="o2", details={}) is None


async def test_what_observe_left_out_is_recorded_once(side: Side, lease: Lease) -> None:
    async with _writing(side, lease) as record:
        assert await _audit(record, applied=False)
        assert not await _audit(record, applied=False)
        assert await _audit(record, applied=True)
        assert await _audit(record, applied=True)
    assert await side.count("audit") == 3


@pytest.mark.parametrize(
    ("offset", "count", "turned"),
    [(0, 1, True), (9, 1, True), (11, 1, False), (-11, 1, False), (0, 0, False)],
)
async def test_accounts_that_turned_at_once(
    side: Side, lease: Lease, offset: int, count: int, *, turned: bool
) -> None:
    around = datetime.now(UTC)
    at = around + timedelta(minutes=offset)
    async with _writing(side, lease) as record:
        await record.keep_suspicions(keep=[_suspicion(first_seen_at=at, count=count)], drop=[])
        found = await record.accounts_turned(
            kinds=["ghost_position"],
            accounts=[MAIN, AccountName("other")],
            around=around,
            window=timedelta(minutes=10),
        )
    assert found == ({MAIN} if turned else set())


async def test_a_transaction_knows_its_span(side: Side, lease: Lease) -> None:
    async with _writing(side, lease) as record:
        begun, now = await record.span()
    assert timedelta(seconds=2) <= now - begun < timedelta(seconds=12)


async def test_a_containment_stands_until_it_is_released(side: Side, lease: Lease) -> None:
    async with _writing(side, lease) as record:
        opened = await record.open_incident(replace(DRAFT, symbol="BTC/USDT:USDT"))
        await record.add_containment(
            profile_id=ProfileId("p1"),
            incident_id=opened.id,
            reason="x",
            status_before="active",
            held=["BTC/USDT:USDT"],
        )
    [row] = (await _memory(side)).containments
    assert (row.profile_id, row.incident_id, row.symbol) == ("p1", opened.id, "BTC/USDT:USDT")
    assert (row.status_before, row.held) == ("active", frozenset({"BTC/USDT:USDT"}))
    at = datetime.now(UTC)
    async with _writing(side, lease) as record:
        await record.keep_parity([replace(row, parity_streak=2, parity_seen_at=at)])
    [row] = (await _memory(side)).containments
    assert (row.parity_streak, row.parity_seen_at) == (2, at)
    async with _writing(side, lease) as record:
        await record.release_containment(row, by="a person", why="parity")
    assert (await _memory(side)).containments == ()


async def test_a_severity_that_changes_is_told_where_it_is_worse(side: Side, lease: Lease) -> None:
    async with _writing(side, lease) as record:
        await record.open_incident(DRAFT)
    for severity in (Severity.SEV_1, Severity.SEV_3):
        [standing] = (await _memory(side)).incidents
        async with _writing(side, lease) as record:
            await record.change_severity(standing, severity, why="x", details={"now": severity})
    [standing] = (await _memory(side)).incidents
    assert (standing.severity, standing.details["now"]) == (Severity.SEV_3, "SEV-3")
    assert (await side.count("events"), await side.count("outbox")) == (3, 2)


async def test_baselines_of_balances_are_kept_by_currency(side: Side, lease: Lease) -> None:
    assert (await _memory(side)).baselines is None
    async with _writing(side, lease) as record:
        await record.keep_baselines([])
    assert (await _memory(side)).baselines == {}
    one = Baseline(asset=Asset("BTC"), qty=Decimal("1.5"), symbol=None)
    two = Baseline(asset=Asset("ETH"), qty=Decimal(2), symbol=Symbol("ETH/USDT"))
    for baseline in (one, two):
        async with _writing(side, lease) as record:
            await record.keep_baselines([baseline])
    assert (await _memory(side)).baselines == {"BTC": one, "ETH": two}
