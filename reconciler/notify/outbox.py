"""The outbox is emptied here: at least once, in order for each incident, with back-off.

A notice is claimed, then sent, then marked: it goes out twice only if we die between the receiver's
yes and our mark, and carries the same key both times.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.store.connecting import Pool, borrowed
from reconciler.store.queries import queries

log = structlog.get_logger("reconciler.notify")

SQL = queries("outbox")
SEND_DEADLINE = timedelta(seconds=20)
CLAIM_FOR = timedelta(seconds=60)
"""Longer than SEND_DEADLINE: nobody else sends it while we do."""
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)
POLL_EVERY = timedelta(seconds=1)
BATCH = 20

Send = Callable[[dict[str, Any]], Awaitable[str | None]]
"""Delivers one payload to every channel; why it could not, or None."""


class Outbox:
    """The dispatcher of one process."""

    def __init__(self, pool: Pool, send: Send, *, count: Callable[[str], None]) -> None:
        """`count` is told `delivered` or `failed` for each attempt."""
        self._pool = pool
        self._send = send
        self._count = count

    async def run(self) -> None:
        """Deliver until cancelled; a database that is away is waited for."""
        while True:
            try:
                sent = await self.deliver_due()
            except DatabaseUnavailableError as error:
                log.warning("[Notify] outbox not read", why=str(error))
                sent = 0
            if not sent:
                await asyncio.sleep(POLL_EVERY.total_seconds())

    async def deliver_due(self) -> int:
        """Claim what is due and send it; how many were claimed."""
        async with borrowed(self._pool) as connection, connection.transaction():
            rows = await connection.fetch(SQL["due"], BATCH)
            if rows:
                await connection.execute(SQL["claim"], [r["id"] for r in rows], CLAIM_FOR)
        for row in rows:
            await self._deliver(row["id"], row["attempts"], json.loads(row["payload"]))
        return len(rows)

    async def _deliver(self, notice: int, attempts: int, payload: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(SEND_DEADLINE.total_seconds()):
                why = await self._send(payload)
        except TimeoutError:
            why = f"no answer within {SEND_DEADLINE.total_seconds():.0f} s"
        except Exception as error:  # noqa: BLE001 - a channel's plugin may raise anything
            why = f"{type(error).__name__}: {error}"
        async with borrowed(self._pool) as connection:
            if why is None:
                await connection.execute(SQL["delivered"], notice)
            else:
                wait = min(FIRST_RETRY * 2 ** min(attempts, 10), LAST_RETRY)
                await connection.execute(SQL["failed"], notice, why[:500], wait)
        self._count("failed" if why else "delivered")
        if why is not None:
            log.warning("[Notify] not delivered", notice=notice, why=why)


async def send_nowhere(payload: dict[str, Any]) -> str | None:
    """No channel is configured: the log is the channel."""
    event = str(payload.get("event", "")).removeprefix("incident_")
    said = f"[Notify] {payload.get('severity', '')} {event}: {payload.get('title', '')}"
    log.warning(said, **{k: payload.get(k) for k in ("incident_id", "account", "kind")})
    return None


def send_by_apprise(urls: Sequence[str], *, redact: Callable[[str], str]) -> Send:
    """Every configured channel, through Apprise. One that fails makes the notice try again."""

    async def send(payload: dict[str, Any]) -> str | None:
        import apprise  # noqa: PLC0415 - 0.3 s, needed by those who configured a channel only

        failed = []
        for url in urls:
            channel = apprise.Apprise()
            if not channel.add(url):
                failed.append(f"not an Apprise URL: {redact(url)}")
            elif not await channel.async_notify(title=_title(payload), body=_body(payload)):
                failed.append(f"refused or unreachable: {redact(url)}")
        return "; ".join(failed) or None

    return send


def _title(payload: dict[str, Any]) -> str:
    word = str(payload.get("event", "")).removeprefix("incident_")
    return f"[{payload.get('severity', 'INFO')}] {payload.get('kind', '')} {word}".strip()


def _body(payload: dict[str, Any]) -> str:
    lines = [str(payload.get("title", ""))]
    shown = ("account", "symbol", "profile_id", "order_id", "incident_id", "mode", "why", "key")
    lines += [f"{key}: {payload[key]}" for key in shown if payload.get(key) is not None]
    return "\n".join(lines)
