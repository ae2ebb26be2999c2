"""The outbox is emptied here: at least once, in order for each incident, with back-off.

A notice is planned (given to each channel, see `planning`), claimed, sent, then marked: it goes out
twice only if we die between the receiver's yes and our mark, and carries the same key both times.
Every channel has a worker of its own, so that one that is dead or hangs delays no other.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import asyncpg
import structlog

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.notify.channels import Send
from reconciler.notify.messages import Message, key_of, message_of
from reconciler.notify.planning import Planner, Surroundings, object_of
from reconciler.store.connecting import Connection, Pool, borrowed
from reconciler.store.queries import queries

log = structlog.get_logger("reconciler.notify")

SQL = queries("outbox")
SEND_DEADLINE = timedelta(seconds=20)
CLAIM_FOR = timedelta(seconds=10)
"""Renewed while we send: a process that died holds a notice back no longer than this."""
RENEW_EVERY = timedelta(seconds=3)
"""One of three renewals must get through, as with leases."""
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)
POLL_EVERY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """The notices of one message, ours until the claim lapses."""

    ids: list[int]
    attempts: int
    message: Message


class Outbox:
    """The dispatcher of one process."""

    def __init__(
        self,
        pool: Pool,
        channels: Mapping[str, Send],
        *,
        count: Callable[[str], None],
        around: Surroundings | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        """`channels` by a name that stays over restarts and tells no secret; `count` is told
        `delivered` or `failed` for each message and attempt; `redact` sees what channels say.
        """
        self._pool = pool
        self._channels = channels
        self._count = count
        self._redact = redact
        self._planner = Planner(pool, list(channels), around or Surroundings())

    async def run(self) -> None:
        """Deliver until cancelled; a database that is away is waited for."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep(self._plan), name="outbox:plan")
            for name in self._channels:
                tasks.create_task(self._keep(self._worker(name)), name=f"outbox:{name}")

    async def deliver_due(self) -> None:
        """Deliver what is due now, each notice tried once; nothing waits for its like."""
        await self._planner.plan(hold=False)
        async with asyncio.TaskGroup() as tasks:
            for name in self._channels:
                tasks.create_task(self._empty(name))

    async def _empty(self, channel: str) -> None:
        while await self.deliver_next(channel):
            pass

    async def _plan(self) -> bool:
        await self._planner.plan()
        return False

    def _worker(self, channel: str) -> Callable[[], Awaitable[bool]]:
        return lambda: self.deliver_next(channel)

    async def _keep(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Work for ever: at once again while there was something to do."""
        while True:
            try:
                did = await work()
            except DatabaseUnavailableError as error:
                log.warning("[Notify] outbox not read", why=str(error))
                did = False
            if not did:
                await asyncio.sleep(POLL_EVERY.total_seconds())

    async def deliver_next(self, channel: str) -> bool:
        """Claim the next message of a channel that is due and send it; False if there is none."""
        async with borrowed(self._pool) as connection, connection.transaction():
            await _leave_out_moot(connection, channel)
            claim = await _claim(connection, channel)
        if claim is None:
            return False
        why = await self._send(channel, claim)
        self._count("delivered" if why is None else "failed")
        if why is not None:
            why = self._redact(why)[:500]
            log.warning("[Notify] not delivered", notice=claim.message.key, why=why)
        await self._mark_whatever_it_takes(channel, claim, why)
        return True

    async def _send(self, channel: str, claim: _Claim) -> str | None:
        """Send, and keep the claim meanwhile; why it was not taken, or None."""
        sending = asyncio.ensure_future(self._try(channel, claim.message))
        try:
            while not (await asyncio.wait([sending], timeout=RENEW_EVERY.total_seconds()))[0]:
                # A renewal that fails costs a second copy at worst, with the same key.
                with contextlib.suppress(DatabaseUnavailableError):
                    async with borrowed(self._pool) as connection:
                        await connection.execute(SQL["renew"], channel, claim.ids, CLAIM_FOR)
            return sending.result()
        finally:
            sending.cancel()

    async def _try(self, channel: str, message: Message) -> str | None:
        try:
            async with asyncio.timeout(SEND_DEADLINE.total_seconds()):
                return await self._channels[channel](message)
        except TimeoutError:
            return f"{channel}: no answer within {SEND_DEADLINE.total_seconds():.0f} s"
        except Exception as error:  # noqa: BLE001 - a channel's plugin may raise anything
            return f"{channel}: {type(error).__name__}: {error}"

    async def _mark_whatever_it_takes(self, channel: str, claim: _Claim, why: str | None) -> None:
        """The receiver has it: a database that is away now must not make us send it again."""
        while True:
            try:
                async with borrowed(self._pool) as connection, connection.transaction():
                    await _mark(connection, channel, claim, why)
            except DatabaseUnavailableError as error:
                log.warning("[Notify] not marked yet", notice=claim.message.key, why=str(error))
                await asyncio.sleep(POLL_EVERY.total_seconds())
            else:
                return


async def _leave_out_moot(connection: Connection, channel: str) -> None:
    """Whoever was away hears no reminder of what has been acknowledged or is over."""
    moot = sorted(row["outbox_id"] for row in await connection.fetch(SQL["moot"], channel))
    if moot:
        await connection.execute(SQL["lock"], moot)
        await connection.execute(SQL["finish"], moot)


async def _claim(connection: Connection, channel: str) -> _Claim | None:
    row = await connection.fetchrow(SQL["due"], channel)
    if row is None:
        return None
    ids = [row["outbox_id"]]
    if row["batch"] is not None:
        ids = await _ids(connection, "batch", channel, row["batch"]) or ids
    elif row["cause"] is not None:
        ids = sorted({*ids, *await _ids(connection, "alike", channel, row["cause"])})
    rows = await connection.fetch(SQL["contents"], ids)
    key = row["batch"] or key_of([each["key"] for each in rows])
    attempts: int = await connection.fetchval(SQL["claim"], channel, ids, key, CLAIM_FOR)
    message = message_of(
        [_payload(each) for each in rows],
        key=key,
        done=await _done_about(connection, rows),
    )
    return _Claim(ids=ids, attempts=attempts, message=message)


def _payload(row: asyncpg.Record) -> dict[str, Any]:
    payload = object_of(row["payload"])
    if row["withheld_until"] is not None:
        until = row["withheld_until"].astimezone(UTC)
        payload["note"] = f"not told before: maintenance window until {until:%Y-%m-%d %H:%M} UTC"
    return payload


async def _ids(connection: Connection, statement: str, channel: str, of: str) -> list[int]:
    return [row["outbox_id"] for row in await connection.fetch(SQL[statement], channel, of)]


async def _done_about(connection: Connection, rows: Sequence[asyncpg.Record]) -> list[str]:
    """What was done, for a message about one incident."""
    if len(rows) != 1 or rows[0]["incident_id"] is None:
        return []
    found = await connection.fetch(SQL["done_about"], [rows[0]["incident_id"]])
    return [_change(row) for row in reversed(found)]


def _change(row: asyncpg.Record) -> str:
    before: dict[str, Any] = json.loads(row["before"])
    after: dict[str, Any] = json.loads(row["after"])
    changes = ", ".join(
        f"{name} {before.get(name)} → {value}"
        for name, value in after.items()
        if before.get(name) != value
    )
    would = "" if row["applied"] else " (not written: the daemon observes)"
    return f"{row['target']} {row['target_id']}: {changes}{would}"


async def _mark(connection: Connection, channel: str, claim: _Claim, why: str | None) -> None:
    await connection.execute(SQL["lock"], claim.ids)
    if why is not None:
        wait = min(FIRST_RETRY * 2 ** min(claim.attempts - 1, 10), LAST_RETRY)
        await connection.execute(SQL["failed"], channel, claim.ids, why, wait)
        await connection.execute(SQL["note_failure"], claim.ids, why)
        return
    await connection.execute(SQL["delivered"], channel, claim.ids)
    await connection.execute(SQL["delivered_to"], channel, claim.ids)
    await connection.execute(SQL["finish"], claim.ids)
