"""The request budget of one venue and egress IP, shared by all its accounts.

ccxt's own throttler is per instance, keeps cancelled waiters, and credits no idle time; this one
takes its place (`exchange.throttler`). A bucket holds a quarter of a minute's budget, so that a
confirming look follows at once, and refills steadily.
"""

import asyncio
import time
from datetime import timedelta

from reconciler.venue.answer_guard import note_wait

BURST_SHARE = 4
"""The bucket holds this fraction of a minute's budget: at worst 1.25 minutes' worth in one."""


class RateBudget:
    """A token bucket that may run into debt: whoever takes from it waits until it is paid."""

    def __init__(self, *, weight_per_minute: float) -> None:
        self._rate = weight_per_minute / 60
        self._capacity = weight_per_minute / BURST_SHARE
        self._tokens = self._capacity
        self._filled_at = time.monotonic()
        self._silent_until = 0.0
        self.loop: asyncio.AbstractEventLoop | None = None
        """Set by ccxt; not used."""

    async def __call__(self, cost: float | None = None) -> None:
        """Take `cost` (weight units), waiting as long as it takes."""
        cost = 1.0 if cost is None else float(cost)
        now = time.monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        self._tokens -= cost
        if self._tokens >= 0:
            return
        wait = -self._tokens / self._rate
        note_wait(wait)
        try:
            await asyncio.sleep(wait)
        except asyncio.CancelledError:
            self._tokens += cost
            raise

    def be_silent_for(self, span: timedelta) -> None:
        """Make no call for that long: the venue asked for it (429, 418)."""
        self._silent_until = max(self._silent_until, time.monotonic() + span.total_seconds())

    def silent_for(self) -> timedelta | None:
        """Return how long no call may be made, None when calls are welcome."""
        left = self._silent_until - time.monotonic()
        return timedelta(seconds=left) if left > 0 else None
