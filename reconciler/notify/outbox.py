"""The outbox is emptied here: at least once, in order for each incident, with back-off.

A notice is claimed, then sent, then marked: it goes out twice only if we die between the receiver's
yes and our mark, and carries the same key both times.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
"""Longer than SEND_DEADLINE: nobody else sends a notice while we do."""
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)
POLL_EVERY = timedelta(seconds=1)

Send = Callable[[dict[str, Any]], Awaitable[str | None]]
"""Delivers one payload to one channel; why it could not, or None."""


class Outbox:
    """The dispatcher of one process."""

    def __init__(
        self, pool: Pool, channels: Mapping[str, Send], *, count: Callable[[str], None]
    ) -> None:
        """`channels` by a name that stays over restarts and tells no secret; `count` is told
        `delivered` or `failed` for each notice and attempt.
        """
        self._pool = pool
        self._channels = channels
        self._count = count

    async def run(self) -> None:
        """Deliver until cancelled; a database that is away is waited for."""
        while True:
            try:
                sent = await self.deliver_next()
            except DatabaseUnavailableError as error:
                log.warning("[Notify] outbox not read", why=str(error))
                sent = False
            if not sent:
                await asyncio.sleep(POLL_EVERY.total_seconds())

    async def deliver_due(self) -> None:
        """Deliver what is due now, each notice tried once."""
        while await self.deliver_next():
            pass

    async def deliver_next(self) -> bool:
        """Claim the next notice that is due and send it; False if there is none."""
        async with borrowed(self._pool) as connection, connection.transaction():
            row = await connection.fetchrow(SQL["due"])
            if row is not None:
                await connection.execute(SQL["claim"], row["id"], CLAIM_FOR)
        if row is None:
            return False
        done = set(row["delivered_to"])
        whys = await self._send(json.loads(row["payload"]), done)
        await self._mark(row["id"], row["attempts"], done, whys)
        return True

    async def _send(self, payload: dict[str, Any], done: set[str]) -> list[str]:
        """To every channel that has not had it, at once; adds to `done` those that took it."""
        waiting = [name for name in self._channels if name not in done]
        whys = await asyncio.gather(*(self._send_to(name, payload) for name in waiting))
        done.update(name for name, why in zip(waiting, whys, strict=True) if why is None)
        return [why for why in whys if why is not None]

    async def _send_to(self, name: str, payload: dict[str, Any]) -> str | None:
        try:
            async with asyncio.timeout(SEND_DEADLINE.total_seconds()):
                return await self._channels[name](payload)
        except TimeoutError:
            return f"{name}: no answer within {SEND_DEADLINE.total_seconds():.0f} s"
        except Exception as error:  # noqa: BLE001 - a channel's plugin may raise anything
            return f"{name}: {type(error).__name__}: {error}"

    async def _mark(self, notice: int, attempts: int, done: set[str], whys: list[str]) -> None:
        why = "; ".join(whys)
        async with borrowed(self._pool) as connection:
            if not whys:
                await connection.execute(SQL["delivered"], notice, sorted(done))
            else:
                wait = min(FIRST_RETRY * 2 ** min(attempts, 10), LAST_RETRY)
                await connection.execute(SQL["failed"], notice, why[:500], wait, sorted(done))
        self._count("failed" if whys else "delivered")
        if whys:
            log.warning("[Notify] not delivered", notice=notice, why=why)


async def _send_to_log(payload: dict[str, Any]) -> str | None:
    """No channel is configured: the log is the channel."""
    event = str(payload.get("event", "")).removeprefix("incident_")
    said = f"[Notify] {payload.get('severity', '')} {event}: {payload.get('title', '')}"
    log.warning(said, **{k: payload.get(k) for k in ("incident_id", "account", "kind")})
    return None


def channels_of(urls: Sequence[str]) -> dict[str, Send]:
    """The configured channels, or the log. Named by a fingerprint: the URLs carry tokens."""
    if not urls:
        return {"log": _send_to_log}
    return {_name_of(url): _send_by_apprise(url) for url in urls}


def _name_of(url: str) -> str:
    scheme = url.partition("://")[0]
    return f"{scheme}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def _send_by_apprise(url: str) -> Send:
    async def send(payload: dict[str, Any]) -> str | None:
        import apprise  # noqa: PLC0415 - 0.3 s, needed by those who configured a channel only

        channel = apprise.Apprise()
        if not channel.add(url):
            return f"{_name_of(url)}: not an Apprise URL"
        if not await channel.async_notify(title=_title(payload), body=_body(payload)):
            return f"{_name_of(url)}: refused or unreachable"
        return None

    return send


def _title(payload: dict[str, Any]) -> str:
    word = str(payload.get("event", "")).removeprefix("incident_")
    return f"[{payload.get('severity', 'INFO')}] {payload.get('kind', '')} {word}".strip()


def _body(payload: dict[str, Any]) -> str:
    lines = [str(payload.get("title", ""))]
    shown = ("account", "symbol", "profile_id", "order_id", "incident_id", "mode", "why", "key")
    lines += [f"{key}: {payload[key]}" for key in shown if payload.get(key) is not None]
    return "\n".join(lines)
