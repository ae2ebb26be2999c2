"""The dead man's switch: an outside service is told that the daemon lives and judges.

It is told nothing else. When the pings stop, that service wakes a person.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import structlog

from reconciler.telemetry.health import HealthBoard

log = structlog.get_logger("reconciler.service")

AT_MOST_EVERY = timedelta(seconds=30)
LOOK_EVERY = timedelta(seconds=1)
DEADLINE = timedelta(seconds=10)


class Heartbeat:
    """Pings one address while all is well."""

    def __init__(
        self,
        url: str,
        health: HealthBoard,
        *,
        redact: Callable[[str], str],
        at_most_every: timedelta = AT_MOST_EVERY,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        """`url` may carry a token: it is never logged."""
        self._url = url
        self._health = health
        self._redact = redact
        self._at_most_every = at_most_every.total_seconds()
        self._look_every = look_every.total_seconds()
        self._said: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        pinged_at: float | None = None
        timeout = aiohttp.ClientTimeout(total=DEADLINE.total_seconds())
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                why_not = self._health.why_not_judging(datetime.now(UTC))
                if why_not is not None:
                    self._say(f"silent: {why_not}")
                elif pinged_at is None or time.monotonic() - pinged_at >= self._at_most_every:
                    pinged_at = time.monotonic()
                    self._say(await self._ping(session))
                await asyncio.sleep(self._look_every)

    async def _ping(self, session: aiohttp.ClientSession) -> str | None:
        try:
            async with session.get(self._url, allow_redirects=False) as answer:
                is_taken = answer.status < 300  # noqa: PLR2004 - 2xx; a redirect is not followed
                return None if is_taken else f"not taken: HTTP {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"not taken: {self._redact(str(error)) or type(error).__name__}"

    def _say(self, said: str | None) -> None:
        """Log each change once. A heartbeat that is not taken is that service's alarm to give."""
        if said == self._said:
            return
        self._said = said
        if said is None:
            log.info("[Heartbeat] taken")
        else:
            log.warning(f"[Heartbeat] {said}")
