"""The store: one transaction or nothing, one row for one event, suspicions that survive."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from reconciler.domain.identity import AccountName, BookName, ProfileId, RunId
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, Severity
from reconciler.domain.leases import Lease
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.store.connecting import Pool, open_pool
from reconciler.store.leases import Leases
from reconciler.store.memory import keep_suspicions, load_memory
from reconciler.store.record import writing

MAIN, BOOK = AccountName("main"), BookName("main")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DRAFT = IncidentDraft(
    key=IncidentKey(
        kind=IncidentKind.QUANTITY_MISMATCH, book=BOOK, account=MAIN, subject="BTC/USDT:USDT|long"
    ),
    severity=Severity.SEV_2,
    title="quantity mismatch",
    details={"venue_qty": "1"},
    evidence={"format": 1},
)


def _unchanged(value: Any) -> Any:
    """Nothing is secret here."""
    return value


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on the test's database."""
    opened = await open_pool(database_url, size=5)
    yield opened
    opened.terminate()


@pytest.fixture
async def lease(pool: Pool) -> Lease:
    """The account is ours."""
    got = await Leases(pool, holder="a").acquire(MAIN)
    assert isinstance(got, Lease)
    return got


async def _count(connection: "asyncpg.Connection[asyncpg.Record]", table: str) -> int:
    found: int = await connection.fetchval(f"select count(*) from reconciler.{table}")
    return found


async def test_an_open_incident_is_not_doubled(
    pool: Pool, lease: Lease, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    async with writing(
        pool, lease, book=BOOK, run=RunId("r1"), mode="enforce", redact=_unchanged
    ) as record:
        first = await record.open_incident(DRAFT)
    async with writing(
        pool, lease, book=BOOK, run=RunId("r2"), mode="enforce", redact=_unchanged
    ) as record:
        again = await record.open_incident(replace(DRAFT, details={"more": 1}))
    assert (first.is_new, again.is_new, first.id) == (True, False, again.id)
    for table in ("incidents", "incident_events", "evidence", "outbox"):
        assert await _count(connection, table) == 1, table
    details = json.loads(await connection.fetchval("select details from reconciler.incidents"))
    assert details == {"venue_qty": "1", "more": 1}


async def test_an_incident_is_told_each_time_it_gets_worse_and_no_other_time(
    pool: Pool, lease: Lease, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for severity in (
        Severity.SEV_2,
        Severity.SEV_1,
        Severity.SEV_1,
        Severity.SEV_2,
        Severity.SEV_1,
    ):
        async with writing(
            pool, lease, book=BOOK, run=RunId("r1"), mode="enforce", redact=_unchanged
        ) as record:
            await record.open_incident(replace(DRAFT, severity=severity))
    payloads = [
        json.loads(row["payload"])
        for row in await connection.fetch("select payload from reconciler.outbox order by id")
    ]
    assert [p["event"] for p in payloads] == [
        "incident_opened",
        "incident_escalated",
        "incident_escalated",
    ]
    assert await connection.fetchval("select severity from reconciler.incidents") == "SEV-1"


async def test_a_resolved_incident_is_reopened_with_its_history(
    pool: Pool, lease: Lease, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    async with writing(
        pool, lease, book=BOOK, run=RunId("r1"), mode="enforce", redact=_unchanged
    ) as record:
        await record.open_incident(DRAFT)
    [standing] = (await load_memory(connection, book=BOOK, account=MAIN)).incidents
    async with writing(
        pool, lease, book=BOOK, run=RunId("r2"), mode="enforce", redact=_unchanged
    ) as record:
        await record.resolve(standing, why="parity")
        await record.resolve(standing, why="parity")
    assert (await load_memory(connection, book=BOOK, account=MAIN)).incidents == ()
    async with writing(
        pool, lease, book=BOOK, run=RunId("r3"), mode="enforce", redact=_unchanged
    ) as record:
        again = await record.open_incident(DRAFT)
    assert again.is_new
    assert again.id == standing.id
    events = await connection.fetch("select event from reconciler.incident_events order by id")
    assert [e["event"] for e in events] == ["opened", "resolved", "reopened"]
    assert await _count(connection, "outbox") == 3
    assert await _count(connection, "evidence") == 2


async def test_a_transaction_that_fails_leaves_nothing(
    pool: Pool, lease: Lease, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:

    async def fail_at_the_end() -> None:
        async with writing(
            pool, lease, book=BOOK, run=RunId("r1"), mode="enforce", redact=_unchanged
        ) as record:
            opened = await record.open_incident(DRAFT)
            await record.add_containment(
                profile_id=ProfileId("p1"),
                incident_id=opened.id,
                reason="x",
                status_before="active",
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_at_the_end()
    for table in ("incidents", "incident_events", "evidence", "outbox", "containments"):
        assert await _count(connection, table) == 0, table


async def test_suspicions_survive_to_the_microsecond(
    pool: Pool, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    del pool
    kept = Suspicion(
        key=SuspicionKey(book=BOOK, account=MAIN, kind="ghost_position", subject="X|long"),
        first_seen_at=NOW,
        last_seen_at=NOW + timedelta(microseconds=1),
        count=2,
        counted_at=NOW,
        tried_at=None,
    )
    other = replace(kept, key=replace(kept.key, account=AccountName("other")))
    for one in (kept, other):
        await keep_suspicions(connection, book=BOOK, account=one.key.account, keep=[one], drop=[])
    memory = await load_memory(connection, book=BOOK, account=MAIN)
    assert memory.suspicions == {("ghost_position", "X|long"): kept}
    await keep_suspicions(connection, book=BOOK, account=MAIN, keep=[], drop=[kept.key])
    assert (await load_memory(connection, book=BOOK, account=MAIN)).suspicions == {}
    assert await _count(connection, "suspicions") == 1, "the other account keeps its own"
