"""Retention on a real Postgres: oldest first, never what belongs to an open incident."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, TypeAlias

import asyncpg
import pytest

from reconciler.jobs.housekeeping import Housekeeping, Retention
from reconciler.store.connecting import Pool, open_pool
from reconciler.store.pruning import LOCK, Pruning
from reconciler.store.queries import queries

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
DAY = timedelta(days=1)
KEPT = Retention(evidence=90 * DAY, runs=30 * DAY, audit=365 * DAY, max_bytes=2_000_000_000)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database_url, size=5)
    yield opened
    opened.terminate()


async def _insert(connection: Connection, table: str, **row: Any) -> Any:
    marks = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    columns = ", ".join(row)
    return await connection.fetchval(
        f"insert into reconciler.{table} ({columns}) values ({marks}) returning *", *row.values()
    )


async def _incident(
    connection: Connection, subject: str, *, days: int, status: str = "resolved"
) -> int:
    """An incident of so many days ago, with one of everything that belongs to one."""
    now = await connection.fetchval("select now()")
    at = now - days * DAY
    incident: int = await _insert(
        connection,
        "incidents",
        kind="ghost_position",
        severity="SEV-1",
        status=status,
        account="main",
        subject=subject,
        title=subject,
        opened_at=at,
        resolved_at=at if status == "resolved" else None,
    )
    mine = {"incident_id": incident}
    await _insert(connection, "evidence", at=at, bundle=json.dumps({"of": subject}), **mine)
    await _insert(
        connection, "incident_events", at=at, event="opened", text=subject, run_id=subject, **mine
    )
    await _insert(
        connection,
        "runs",
        id=subject,
        account="main",
        job="reconciliation",
        mode="enforce",
        state="discrepancy",
        sentence="",
        started_at=at,
    )
    await _insert(
        connection,
        "audit",
        at=at,
        account="main",
        mode="enforce",
        applied=True,
        rule="x",
        target="order",
        target_id=subject,
        before="{}",
        after="{}",
        **mine,
    )
    await _insert(
        connection,
        "operations",
        at=at,
        who="me",
        surface="cli",
        operation="ack",
        outcome="done",
        **mine,
    )
    await _insert(
        connection, "outbox", key=subject, payload="{}", created_at=at, delivered_at=at, **mine
    )
    return incident


async def _left(connection: Connection) -> dict[str, set[str]]:
    """What is left, by the subject of its incident."""
    asked = {
        "incidents": "select subject from reconciler.incidents",
        "evidence": "select bundle ->> 'of' from reconciler.evidence",
        "events": "select text from reconciler.incident_events",
        "runs": "select id from reconciler.runs",
        "audit": "select target_id from reconciler.audit",
        "operations": "select i.subject from reconciler.operations o "
        "left join reconciler.incidents i on i.id = o.incident_id",
        "notices": "select key from reconciler.outbox",
    }
    return {
        table: {row[0] for row in await connection.fetch(statement)}
        for table, statement in asked.items()
    }


async def test_what_is_too_old_is_deleted_and_the_rest_stays(
    pool: Pool, connection: Connection
) -> None:
    await _incident(connection, "29 days", days=29)
    await _incident(connection, "60 days", days=60)
    await _incident(connection, "200 days", days=200)
    await _incident(connection, "400 days", days=400)
    await Housekeeping(Pruning(pool), KEPT).run()
    assert await _left(connection) == {
        "incidents": {"29 days", "60 days", "200 days"},
        "evidence": {"29 days", "60 days"},
        "events": {"29 days", "60 days", "200 days"},
        "runs": {"29 days"},
        "audit": {"29 days", "60 days", "200 days"},
        "operations": {"29 days", "60 days", "200 days"},
        "notices": {"29 days"},
    }
    assert await Housekeeping(Pruning(pool), KEPT).run() == {}, "nothing is left to do"


@pytest.mark.parametrize("why", ["open", "acknowledged", "awaits review", "contained"])
async def test_nothing_of_an_open_incident_is_deleted(
    pool: Pool, connection: Connection, why: str
) -> None:
    status = why if why in {"open", "acknowledged"} else "resolved"
    incident = await _incident(connection, "old", days=4000, status=status)
    if why == "awaits review":
        await _insert(
            connection,
            "quarantine",
            order_id="old",
            account="main",
            reason="forgotten",
            incident_id=incident,
        )
    if why == "contained":
        await _insert(
            connection,
            "containments",
            profile_id="p1",
            account="main",
            reason="ghost",
            incident_id=incident,
        )
    tiny = Retention(evidence=DAY, runs=DAY, audit=DAY, max_bytes=1)
    await Housekeeping(Pruning(pool), tiny).run()
    assert all(names == {"old"} for names in (await _left(connection)).values())
    await connection.execute("update reconciler.quarantine set review = 'resolved'")
    await connection.execute("update reconciler.containments set released_at = now()")
    await connection.execute(
        "update reconciler.incidents set status = 'resolved', resolved_at = opened_at"
    )
    await Housekeeping(Pruning(pool), tiny).run()
    assert all(names == set() for names in (await _left(connection)).values())


async def test_the_trail_of_an_order_that_awaits_review_stays_whatever_incident_it_had(
    pool: Pool, connection: Connection
) -> None:
    await _incident(connection, "old", days=4000)
    await _insert(connection, "quarantine", order_id="old", account="main", reason="forgotten")
    await Housekeeping(Pruning(pool), KEPT).run()
    left = await _left(connection)
    assert (left["audit"], left["incidents"]) == ({"old"}, set())


async def test_what_is_too_much_goes_oldest_first_whichever_record_it_is_in(
    pool: Pool, connection: Connection
) -> None:
    await connection.execute(
        "insert into reconciler.runs (id, account, job, mode, state, sentence, started_at) "
        "select 'r' || n, 'main', 'x', 'enforce', 'parity', repeat('x', 500), "
        "now() - n * interval '1 minute' from generate_series(1, 4000) n"
    )
    await connection.execute(
        "insert into reconciler.audit (at, account, mode, applied, rule, target, target_id, "
        "before, after) select now() - n * interval '1 minute', 'main', 'enforce', true, 'x', 'y', "
        "'z' || n, '{}', '{}' from generate_series(2001, 4000) n"
    )
    kept = Retention(evidence=90 * DAY, runs=30 * DAY, audit=365 * DAY, max_bytes=1_000_000)
    await Housekeeping(Pruning(pool, batch=200), kept).run()
    assert await Pruning(pool).excess(most_bytes=1_000_000) == 0
    runs, audit = (
        await connection.fetchval("select count(*) from reconciler.runs"),
        await connection.fetchval("select count(*) from reconciler.audit"),
    )
    assert 1200 <= runs <= 1700, "about 0.7 kB each"
    assert audit == 0, "they were all older than the runs that are left"
    oldest = await connection.fetchval("select max(now() - started_at) from reconciler.runs")
    assert oldest < timedelta(minutes=2000), "the oldest went"


async def test_what_is_a_little_too_much_costs_a_little(pool: Pool, connection: Connection) -> None:
    """Large bundles: a batch of rows by number would be all of them."""
    incident = await _incident(connection, "over", days=1)
    await connection.execute(
        "insert into reconciler.evidence (incident_id, at, bundle) "
        "select $1, now() - n * interval '1 minute', jsonb_build_object('x', ("
        "  select string_agg(md5(n || '/' || g), '') from generate_series(1, 1500) g)) "
        "from generate_series(1, 100) n",
        incident,
    )
    held = await Pruning(pool).excess(most_bytes=0)
    kept = Retention(evidence=90 * DAY, runs=30 * DAY, audit=365 * DAY, max_bytes=held - 100_000)
    await Housekeeping(Pruning(pool), kept).run()
    left = await connection.fetchrow(
        "select count(*) as n, max(now() - at) as oldest from reconciler.evidence"
    )
    assert left is not None
    assert 96 <= left["n"] < 100, "each has about 48 kB"
    assert left["oldest"] < timedelta(minutes=100)
    assert await Pruning(pool).excess(most_bytes=held - 100_000) == 0


async def test_a_second_daemon_leaves_it_to_the_first(pool: Pool, connection: Connection) -> None:
    await _incident(connection, "400 days", days=400)
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
        assert await Housekeeping(Pruning(pool), KEPT).run() == {}
    assert (await Housekeeping(Pruning(pool), KEPT).run())["incidents"] == 1


async def test_two_at_once_delete_each_row_once(pool: Pool, connection: Connection) -> None:
    await connection.execute(
        "insert into reconciler.runs (id, account, job, mode, state, sentence, started_at) "
        "select 'r' || n, 'main', 'x', 'enforce', 'parity', '', now() - interval '31 days' "
        "from generate_series(1, 2500) n"
    )
    both = await asyncio.gather(*(Housekeeping(Pruning(pool), KEPT).run() for _ in range(2)))
    await Housekeeping(Pruning(pool), KEPT).run()
    assert await connection.fetchval("select count(*) from reconciler.runs") == 0
    assert sum(done.get("runs", 0) for done in both) <= 2500


async def test_a_delivery_to_a_channel_that_is_no_more_is_given_up(
    pool: Pool, connection: Connection
) -> None:
    await connection.execute(
        "insert into reconciler.outbox (key, payload, planned_at) values ('k', '{}', now())"
    )
    await connection.execute(
        "insert into reconciler.deliveries (channel, outbox_id, severity, next_attempt_at) "
        "select 'gone', id, 'SEV-1', now() - interval '25 hours' from reconciler.outbox"
    )
    assert (await Housekeeping(Pruning(pool), KEPT).run()) == {"abandoned": 1}
    assert await connection.fetchval("select delivered_at from reconciler.outbox") is not None
    assert await connection.fetchval("select abandoned from reconciler.deliveries")


async def test_a_database_that_is_away_is_left_for_the_next_time() -> None:
    nowhere = await open_pool("postgresql://nobody@127.0.0.1:1/nothing", size=1)
    assert await Housekeeping(Pruning(nowhere), KEPT).run() == {}
    nowhere.terminate()


PLANNED: dict[str, dict[str, tuple[str, ...]]] = {
    "housekeeping": {
        **dict.fromkeys(
            ("evidence", "audit", "operations", "events", "notices", "incidents"),
            ("now() - interval '400 days'", "1000", "array[1,2,3]::bigint[]"),
        ),
        "runs": ("now() - interval '400 days'", "1000", "array['r1']"),
        "requests": ("now() - interval '1 hour'", "10"),
        "cutoff": ("array[1]::bigint[]", "array['r1']", "100000", "1000"),
        "kept": (),
        "abandon": ("now() - interval '1 day'",),
    },
    "outbox": {
        "unplanned": (),
        "due": ("'it'",),
        "moot": ("'it'",),
        "adopt": ("array['it']",),
        "look_again": (),
        "alike": ("'it'", "'cause'"),
        "batch": ("'it'", "'key'"),
        "unacknowledged": (),
        "count_pending": (),
        "wait_no_longer": ("'cause'",),
        "incident_now": ("1", "5"),
    },
    "requests": {"recent": ("interval '10 minutes'",)},
}


@pytest.fixture
async def large(connection: Connection) -> Connection:
    """Tables as after a year of trouble: planned by their statistics."""
    await connection.execute(LARGE)
    return connection


LARGE = """
insert into reconciler.incidents (kind, severity, status, account, subject, title, resolved_at)
select 'order_quarantined', 'SEV-2', case when n % 1000 = 0 then 'open' else 'resolved' end, 'main',
  n::text, 't', now() - n * interval '20 minutes' from generate_series(1, 20000) n;
insert into reconciler.evidence (incident_id, at, bundle)
select n, now() - n * interval '20 minutes', '{}' from generate_series(1, 20000) n;
insert into reconciler.incident_events (incident_id, at, event, text)
select n, now() - n * interval '20 minutes', 'opened', 't' from generate_series(1, 20000) n;
insert into reconciler.runs (id, account, job, mode, state, sentence, started_at)
select n::text, 'main', 'x', 'enforce', 'parity', 's', now() - n * interval '20 minutes'
from generate_series(1, 20000) n;
insert into reconciler.audit (at, account, mode, applied, rule, target, target_id, before, after,
  incident_id)
select now() - n * interval '20 minutes', 'main', 'enforce', true, 'x', 'order', n::text, '{}',
  '{}', n from generate_series(1, 20000) n;
insert into reconciler.operations (at, who, surface, operation, outcome, incident_id)
select now() - n * interval '20 minutes', 'me', 'cli', 'ack', 'done', n
from generate_series(1, 20000) n;
insert into reconciler.outbox (key, incident_id, payload, created_at, planned_at, delivered_at)
select n::text, n, '{}', now(), now(),
  case when n < 19990 then now() - n * interval '20 minutes' end from generate_series(1, 20000) n;
insert into reconciler.deliveries (channel, outbox_id, incident_id, severity, next_attempt_at,
  delivered_at)
select 'it', id, incident_id, 'SEV-2', created_at, delivered_at from reconciler.outbox;
insert into reconciler.requests (subject, requested_at)
select 'main', now() - n * interval '1 second' from generate_series(1, 20000) n;
insert into reconciler.quarantine (order_id, account, reason, review, incident_id)
select n::text, 'main', 'forgotten', case when n % 1000 = 0 then 'pending' else 'resolved' end, n
from generate_series(1, 20000) n;
insert into reconciler.containments (profile_id, account, reason, released_at, incident_id)
select n::text, 'main', 'ghost', case when n % 1000 <> 0 then now() end, n
from generate_series(1, 20000) n;
analyze;
"""


async def test_statements_use_indexes(large: Connection) -> None:
    found = []
    for file, statements in PLANNED.items():
        for name, arguments in statements.items():
            statement = queries(file)[name]
            for number, value in reversed(list(enumerate(arguments, 1))):
                statement = statement.replace(f"${number}", value)
            plan = "\n".join(row[0] for row in await large.fetch(f"explain {statement}"))
            if "Seq Scan" in plan:
                found.append(f"{file}.{name}\n{plan}")
    assert found == [], "\n".join(found)
