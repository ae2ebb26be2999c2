"""Notices: at least once, in order for each incident, one message for one cause, per channel."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

import asyncpg
import pytest

from reconciler.domain.identity import AccountName, BookName, RunId
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind, Severity
from reconciler.domain.leases import Lease
from reconciler.domain.reenabled import reenabled_notice
from reconciler.notify.channels import Send, channels_of
from reconciler.notify.messages import Message, message_of
from reconciler.notify.outbox import Outbox
from reconciler.notify.planning import Surroundings
from reconciler.notify.reminders import remind
from reconciler.store.connecting import Pool, open_pool
from reconciler.store.leases import Leases
from reconciler.store.memory import load_memory
from reconciler.store.pruning import Pruning
from reconciler.store.record import PostgresRecord, writing
from tests.scenarios.setting import eventually

MAIN, BOOK = AccountName("main"), BookName("main")
DRAFT = IncidentDraft(
    key=IncidentKey(
        kind=IncidentKind.QUANTITY_MISMATCH, book=BOOK, account=MAIN, subject="BTC/USDT:USDT|long"
    ),
    severity=Severity.SEV_2,
    title="quantity mismatch",
)
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Writing = Callable[[], AbstractAsyncContextManager[PostgresRecord]]


def _unchanged(value: Any) -> Any:
    return value


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database_url, size=8)
    yield opened
    opened.terminate()


@pytest.fixture
async def writes(pool: Pool) -> Writing:
    """A write transaction on account `main`."""
    lease = await Leases(pool, holder="a").acquire(MAIN)
    assert isinstance(lease, Lease)
    return partial(
        writing, pool, lease, book=BOOK, run=RunId("r1"), mode="enforce", redact=_unchanged
    )


class Channel:
    """Takes or refuses, and remembers."""

    def __init__(self, says: Callable[[Message], str | None] = lambda _: None) -> None:
        self.messages: list[Message] = []
        self.says = says

    async def __call__(self, message: Message) -> str | None:
        self.messages.append(message)
        return self.says(message)

    @property
    def events(self) -> list[str]:
        return [str(p["event"]) for m in self.messages for p in m.payloads]


def _outbox(pool: Pool, around: Surroundings | None = None, **channels: Send) -> Outbox:
    return Outbox(pool, channels, count=lambda _: None, around=around)


def _of(account: str, kind: IncidentKind = IncidentKind.VENUE_UNREACHABLE) -> IncidentDraft:
    key = IncidentKey(kind=kind, book=BOOK, account=AccountName(account), subject="")
    severity = Severity.SEV_1 if kind is IncidentKind.GHOST_POSITION else Severity.SEV_2
    return IncidentDraft(key=key, severity=severity, title=f"{account}: {kind}")


def _around(count: int, **more: Any) -> Surroundings:
    names = [AccountName(f"a{n}") for n in range(count)]
    return Surroundings(
        outage_within=dict.fromkeys(names, timedelta(minutes=4)),
        venues=dict.fromkeys(names, "binanceusdm"),
        places=dict.fromkeys(names, "binanceusdm"),
        books=dict.fromkeys(names, "main"),
        **more,
    )


async def _due_now(connection: Connection) -> None:
    await connection.execute("update reconciler.deliveries set next_attempt_at = now()")


async def test_two_dispatchers_send_each_notice_once(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    async with writes() as record:
        for n in range(30):
            await record.notify(f"k{n}", None, {"event": "x", "n": n})
            await record.notify(f"k{n}", None, {"event": "x", "n": n})
    channel = Channel()
    first, second = (_outbox(pool, it=channel) for _ in range(2))
    await asyncio.gather(first.deliver_due(), second.deliver_due())
    # One of the two may have looked before the other had planned.
    await first.deliver_due()
    assert sorted(m.key for m in channel.messages) == sorted(f"k{n}" for n in range(30))
    left = "select count(*) from reconciler.outbox where delivered_at is null"
    assert await connection.fetchval(left) == 0


async def test_notices_of_one_incident_arrive_in_order(pool: Pool, writes: Writing) -> None:
    """The first is refused: the second waits for it, those of other incidents do not."""
    async with writes() as record:
        one = await record.open_incident(DRAFT)
        await record.notify("later", one.id, {"event": "later"})
        await record.notify("other", None, {"event": "other"})
    channel = Channel(lambda m: "no" if m.payloads[0]["event"] == "incident_opened" else None)
    await _outbox(pool, it=channel).deliver_due()
    assert sorted(channel.events) == ["incident_opened", "other"]


async def test_a_sender_that_breaks_is_tried_again_later(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    async with writes() as record:
        await record.notify("k", None, {"event": "x"})

    def break_down(message: Message) -> str | None:
        raise RuntimeError(f"cannot send {message.key}")

    counted: list[str] = []
    channels: dict[str, Send] = {"it": Channel(break_down)}
    await Outbox(pool, channels, count=counted.append).deliver_due()
    row = await connection.fetchrow("select * from reconciler.outbox")
    assert row is not None
    assert row["delivered_at"] is None
    assert "cannot send" in row["last_error"]
    assert row["attempts"] == 1
    assert counted == ["failed"]


async def test_a_dead_channel_holds_nothing_back_from_the_others(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    """Not even later notices of the same incident, which are in order for each channel."""
    async with writes() as record:
        await record.open_incident(DRAFT)
        await record.open_incident(replace(DRAFT, severity=Severity.SEV_1))
    good, bad = Channel(), Channel(lambda _: "no")
    outbox = _outbox(pool, good=good, bad=bad)
    await outbox.deliver_due()
    assert good.events == ["incident_opened", "incident_escalated"]
    assert bad.events == ["incident_opened"]
    bad.says = lambda _: None
    await _due_now(connection)
    await outbox.deliver_due()
    assert bad.events == ["incident_opened", "incident_opened", "incident_escalated"]
    assert len(good.events) == 2
    rows = await connection.fetch("select * from reconciler.outbox")
    assert all(set(row["delivered_to"]) == {"good", "bad"} for row in rows)
    assert all(row["delivered_at"] is not None for row in rows)


async def test_a_channel_that_hangs_delays_no_other(pool: Pool, writes: Writing) -> None:
    async with writes() as record:
        for n in range(5):
            await record.notify(f"k{n}", None, {"event": "x"})

    async def hang(_message: Message) -> str | None:
        await asyncio.sleep(60)
        return None

    good = Channel()
    running = asyncio.create_task(_outbox(pool, hanging=hang, good=good).run())
    await eventually(lambda: len(good.messages) == 5, within=10)
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # a dependency of Apprise
async def test_a_receiver_that_never_ends_its_answer_is_asked_by_a_few_threads_at_most() -> None:
    """A byte now and then keeps every read within its limit: nothing but our deadline ends it."""
    asked: list[asyncio.StreamWriter] = []

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.2)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    [send] = channels_of([f"json://127.0.0.1:{port}/"]).values()
    message = message_of([{"title": "t"}], key="k")
    for n in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await send(message)
        assert len(asked) == n + 1
    assert "3 earlier attempts have not ended" in str(await send(message))
    assert len(asked) == 3
    server.close()
    for writer in asked:
        writer.close()

    async def is_free() -> bool:
        return "refused or unreachable" in str(await send(message))

    await eventually(is_free, within=10)


async def test_an_outage_of_fifty_accounts_is_one_message(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    around = _around(50)
    channel = Channel()
    outbox = _outbox(pool, around, it=channel)
    running = asyncio.create_task(outbox.run())
    for n in range(50):
        async with writes() as record:
            await record.open_incident(_of(f"a{n}"))
        if n == 40:
            await asyncio.sleep(1.5)
            assert channel.messages == [], "waits for the others"
    await eventually(lambda: channel.messages, within=10)
    [message] = channel.messages
    assert message.title == "[SEV-2] 50 times venue_unreachable opened"
    assert "50 incidents of 50 accounts: a0, a1, a2, a3, a4, a5, a6, a7, a8, a9 and 40 more" in (
        message.text
    )
    for n in range(50):
        memory = await load_memory(connection, book=BOOK, account=AccountName(f"a{n}"))
        async with writes() as record:
            await record.resolve(memory.incidents[0], why="parity confirmed")
    await eventually(lambda: len(channel.messages) == 2, within=10)
    assert channel.messages[1].title == "[SEV-2] 50 times venue_unreachable resolved"
    running.cancel()
    await asyncio.wait([running])
    assert len(channel.messages) == 2


async def test_an_outage_that_spares_an_account_is_told_when_the_time_is_over(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    channel = Channel()
    outbox = _outbox(pool, _around(3), it=channel)
    running = asyncio.create_task(outbox.run())
    for n in range(2):
        async with writes() as record:
            await record.open_incident(_of(f"a{n}"))
    await asyncio.sleep(1.5)
    assert channel.messages == []
    await connection.execute(
        "update reconciler.deliveries set next_attempt_at = now() where outbox_id = 1"
    )
    await eventually(lambda: channel.messages, within=10)
    running.cancel()
    await asyncio.wait([running])
    assert len(channel.messages[0].payloads) == 2, "the second is told with the first"


async def test_a_venue_with_one_account_is_told_of_at_once(pool: Pool, writes: Writing) -> None:
    channel = Channel()
    outbox = _outbox(pool, _around(1), it=channel)
    async with writes() as record:
        await record.open_incident(_of("a0"))
    await outbox._planner.plan()
    assert await outbox.deliver_next("it")
    assert channel.messages[0].title == "[SEV-2] venue_unreachable opened"
    assert "next: reconciler incidents show 1" in channel.messages[0].text
    assert "runbook: docs/runbooks/venue-unreachable.md" in channel.messages[0].text


async def test_ghosts_at_many_accounts_wait_for_two_seconds_at_most(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    channel = Channel()
    outbox = _outbox(pool, _around(9), it=channel)
    for n in range(5):
        async with writes() as record:
            await record.open_incident(_of(f"a{n}", IncidentKind.GHOST_POSITION))
    await outbox._planner.plan()
    wait = await connection.fetchval(
        "select max(d.next_attempt_at - o.created_at) "
        "from reconciler.deliveries d join reconciler.outbox o on o.id = d.outbox_id"
    )
    assert wait <= timedelta(seconds=2)
    await _due_now(connection)
    await outbox.deliver_due()
    [message] = channel.messages
    assert message.title == "[SEV-1] 5 times ghost_position opened"


async def test_a_group_that_was_cut_short_is_sent_again_as_it_was(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    """Killed between the receiver's yes and our mark: the same message, the same key."""
    around = _around(9)
    cut_short = asyncio.Event()
    first = Channel()

    async def die(message: Message) -> str | None:
        await first(message)
        cut_short.set()
        await asyncio.sleep(60)
        return None

    for n in range(3):
        async with writes() as record:
            await record.open_incident(_of(f"a{n}"))
    dying = asyncio.create_task(_outbox(pool, around, it=die).deliver_due())
    await cut_short.wait()
    dying.cancel()
    await asyncio.wait([dying])
    async with writes() as record:  # of the same cause, but it was not in the message
        await record.open_incident(_of("a7"))
    again = Channel()
    outbox = _outbox(pool, around, it=again)
    await _due_now(connection)
    await outbox.deliver_due()
    await outbox.deliver_due()
    assert again.messages[0].key == first.messages[0].key
    assert again.messages[0].key.startswith("group:")
    assert [len(m.payloads) for m in again.messages] == [3, 1]


async def test_a_claim_of_a_dead_process_lapses_and_a_living_one_keeps_it(
    pool: Pool, writes: Writing, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.notify.outbox.CLAIM_FOR", timedelta(seconds=0.6))
    monkeypatch.setattr("reconciler.notify.outbox.RENEW_EVERY", timedelta(seconds=0.2))
    async with writes() as record:
        await record.notify("k", None, {"event": "x"})
    sent = Channel()

    async def slow(message: Message) -> str | None:
        await sent(message)
        await asyncio.sleep(1.5)
        return None

    living = asyncio.create_task(_outbox(pool, it=slow).deliver_due())
    other = _outbox(pool, it=sent)
    for _ in range(8):
        await asyncio.sleep(0.15)
        await other.deliver_due()
    await living
    assert len(sent.messages) == 1
    await connection.execute("update reconciler.deliveries set delivered_at = null")
    await asyncio.sleep(0.7)
    await other.deliver_due()
    assert len(sent.messages) == 2, "nobody renews it any more"


async def test_the_mark_waits_for_a_database_that_is_away(
    pool: Pool, writes: Writing, connection: Connection, database_url: str
) -> None:
    """The receiver has it: what it said is kept until it can be written."""
    async with writes() as record:
        await record.notify("k", None, {"event": "x"})
    name = database_url.rpartition("/")[2]

    async def cut(message: Message) -> str | None:
        await sent(message)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = $1 and pid <> pg_backend_pid()",
            name,
        )
        return None

    sent = Channel()
    await _outbox(pool, it=cut).deliver_due()
    assert await connection.fetchval("select delivered_at from reconciler.outbox") is not None
    assert len(sent.messages) == 1


async def test_an_address_that_was_mended_gets_what_the_broken_one_did_not_take(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    """A new token is a new channel; what some channel has taken is not told again."""
    async with writes() as record:
        await record.open_incident(DRAFT)
        await record.notify("taken", None, {"event": "taken"})
    taken = Channel(lambda m: None if m.key == "taken" else "revoked")
    await _outbox(pool, old=taken).deliver_due()
    mended = Channel()
    await _outbox(pool, new=mended).deliver_due()
    assert mended.events == ["incident_opened"]
    assert mended.messages[0].key == taken.messages[0].key


async def test_what_waits_behind_an_earlier_notice_is_not_given_up(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    """A receiver that is away for a weekend: nobody tried the second, and it is not lost."""
    async with writes() as record:
        await record.open_incident(DRAFT)
        await record.open_incident(replace(DRAFT, severity=Severity.SEV_1))
    channel = Channel(lambda _: "500")
    outbox = _outbox(pool, it=channel)
    await outbox.deliver_due()
    await connection.execute(
        "update reconciler.deliveries set next_attempt_at = now() - interval '25 hours'"
    )
    await outbox.deliver_due()
    assert await Pruning(pool).abandon(untried_for=timedelta(days=1)) == 0
    channel.says = lambda _: None
    await _due_now(connection)
    await outbox.deliver_due()
    assert channel.events[-2:] == ["incident_opened", "incident_escalated"]


# Reminders.


async def _later(connection: Connection, minutes: int) -> None:
    """So much time has passed for the incidents."""
    await connection.execute(
        "update reconciler.incidents set opened_at = opened_at - $1::interval, "
        "told_at = told_at - $1::interval",
        timedelta(minutes=minutes),
    )


async def test_an_open_sev_1_is_told_again_until_it_is_acknowledged(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    async with writes() as record:
        await record.open_incident(_of("a0", IncidentKind.GHOST_POSITION))
        await record.open_incident(_of("a1"))
    told = []
    for minutes in (14, 2, 1, 29, 60, 120, 74, 166):  # since it was opened: 14, 16, 17, 46, 106, …
        await _later(connection, minutes)
        told.append(await remind(pool))
    assert told == [0, 1, 0, 1, 1, 1, 0, 1]
    keys = [r["key"] for r in await connection.fetch("select key from reconciler.outbox")]
    assert [k for k in keys if "reminder" in k] == [f"incident:1:reminder:{n}" for n in range(1, 6)]
    await _later(connection, 6000)
    await connection.execute("update reconciler.incidents set status = 'acknowledged'")
    assert await remind(pool) == 0


@pytest.mark.parametrize("status", ["acknowledged", "resolved"])
async def test_a_reminder_that_was_not_taken_in_time_is_not_said_any_more(
    pool: Pool, writes: Writing, connection: Connection, status: str
) -> None:
    async with writes() as record:
        await record.open_incident(_of("a0", IncidentKind.GHOST_POSITION))
    channel = Channel(lambda m: "500" if "reminder" in m.key else None)
    outbox = _outbox(pool, it=channel)
    await outbox.deliver_due()
    await _later(connection, 16)
    assert await remind(pool) == 1
    await outbox.deliver_due()
    assert channel.events == ["incident_opened", "incident_reminder"]
    await connection.execute("update reconciler.incidents set status = $1", status)
    async with writes() as record:
        await record.notify("later", 1, {"event": "later"})
    channel.says = lambda _: None
    await _due_now(connection)
    await outbox.deliver_due()
    assert channel.events == ["incident_opened", "incident_reminder", "later"]
    left = "select count(*) from reconciler.outbox where delivered_at is null"
    assert await connection.fetchval(left) == 0


async def test_two_daemons_remind_once(pool: Pool, writes: Writing, connection: Connection) -> None:
    async with writes() as record:
        await record.open_incident(_of("a0", IncidentKind.GHOST_POSITION))
    await _later(connection, 20)
    assert sum(await asyncio.gather(*(remind(pool) for _ in range(5)))) == 1


async def test_what_became_sev_1_is_reminded_of_from_then_on(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    async with writes() as record:
        await record.open_incident(DRAFT)
    await _later(connection, 100)
    async with writes() as record:
        await record.open_incident(replace(DRAFT, severity=Severity.SEV_1))
    assert await remind(pool) == 0


# Maintenance windows.

UNTIL = datetime.now(UTC) + timedelta(hours=1)


async def _over(connection: Connection) -> None:
    await connection.execute("update reconciler.outbox set next_attempt_at = now()")


async def test_in_a_maintenance_window_nobody_is_told_and_what_goes_on_is_told_after(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    window = {"until": UNTIL}
    around = _around(3, open_until=lambda _venue, _at: window.get("until"))
    channel = Channel()
    outbox = _outbox(pool, around, it=channel)
    async with writes() as record:
        await record.open_incident(_of("a0"))
        await record.open_incident(_of("a1"))
        await record.open_incident(_of("a2", IncidentKind.GHOST_POSITION))
    memory = await load_memory(connection, book=BOOK, account=AccountName("a1"))
    async with writes() as record:
        await record.resolve(memory.incidents[0], why="over")
    await outbox.deliver_due()
    assert channel.messages == []
    said = await connection.fetch(
        "select incident_id, text from reconciler.incident_events where event = 'not_told'"
    )
    assert sorted(r["incident_id"] for r in said) == [1, 2, 3]
    assert said[0]["text"] == f"not told: maintenance window until {UNTIL:%Y-%m-%d %H:%M} UTC"
    window.clear()
    await _over(connection)
    await outbox.deliver_due()
    [message] = channel.messages
    assert [p["account"] for p in message.payloads] == ["a0", "a2"]
    assert "maintenance window until" in message.text
    left = "select count(*) from reconciler.outbox where delivered_at is null"
    assert await connection.fetchval(left) == 0


async def test_the_end_of_what_was_told_before_the_window_is_told_after_it(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    window: dict[str, datetime] = {}
    around = _around(1, open_until=lambda _venue, _at: window.get("until"))
    channel = Channel()
    outbox = _outbox(pool, around, it=channel)
    async with writes() as record:
        await record.open_incident(_of("a0"))
    await outbox.deliver_due()
    window["until"] = UNTIL
    memory = await load_memory(connection, book=BOOK, account=AccountName("a0"))
    async with writes() as record:
        await record.resolve(memory.incidents[0], why="over")
    await outbox.deliver_due()
    assert channel.events == ["incident_opened"]
    window.clear()
    await _over(connection)
    await outbox.deliver_due()
    assert channel.events == ["incident_opened", "incident_resolved"]


async def test_a_window_that_is_configured_no_more_holds_nothing_back(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    """In order: the beginning that it held back comes before the end."""
    channel = Channel()
    around = _around(1, open_until=lambda _venue, _at: UNTIL)
    async with writes() as record:
        await record.open_incident(_of("a0"))
    await _outbox(pool, around, it=channel).deliver_due()
    assert channel.messages == []
    outbox = _outbox(pool, _around(1), it=channel)  # started again without the window
    await outbox.deliver_due()
    memory = await load_memory(connection, book=BOOK, account=AccountName("a0"))
    async with writes() as record:
        await record.resolve(memory.incidents[0], why="over")
    await outbox.deliver_due()
    assert channel.events == ["incident_opened", "incident_resolved"]


async def test_after_a_window_it_is_the_beginning_that_is_told_not_a_reminder_of_it(
    pool: Pool, writes: Writing, connection: Connection
) -> None:
    window = {"until": UNTIL}
    around = _around(1, open_until=lambda _venue, _at: window.get("until"))
    channel = Channel()
    outbox = _outbox(pool, around, it=channel)
    async with writes() as record:
        await record.open_incident(_of("a0", IncidentKind.GHOST_POSITION))
    await _later(connection, 16)
    assert await remind(pool) == 1
    await outbox.deliver_due()
    await connection.execute("update reconciler.incidents set status = 'acknowledged'")
    window.clear()
    await _over(connection)
    await outbox.deliver_due()
    assert channel.events == ["incident_opened"]


def test_a_profile_that_trades_again_is_told_in_words() -> None:
    payload = reenabled_notice(
        event="profile_reenabled",
        book="main",
        account="main",
        profile_id="p1",
        incident_id=1,
        by="ada",
        why="closed it",
        mark=7,
    )
    message = message_of([payload], key="k")
    assert message.title == "[INFO] profile re-enabled"
    lines = message.text.splitlines()
    assert lines[0] == "profile p1 on main trades again"
    assert {"by: ada", "why: closed it", "incident: 1"} <= set(lines)
    assert not [line for line in lines if line.startswith("runbook")]


SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # a dependency of Apprise
@pytest.mark.parametrize(
    ("url", "channels"),
    [
        (f"{SLACK}/#a/#b", 2),
        (f"{SLACK}/#a", 1),
        ("mailto://u:p@example.com?to=a@x.com,b@x.com,a@x.com", 2),
        ("mailto://u:p@example.com/a@x.com?to=b@x.com", 2),
        ("json://127.0.0.1:1/hook", 1),
        ("no-such-thing://x", 1),
    ],
)
def test_a_url_of_several_targets_is_a_channel_for_each(url: str, channels: int) -> None:
    """Else those that were reached are told again until the last one is."""
    found = channels_of([url])
    assert len(found) == channels
    assert not [name for name in found if "TIiaj" in name or "x.com" in name]
    assert list(channels_of([url])) == list(found)
