"""The request budget of one venue and egress IP, shared by all whom the venue counts together.

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
LONGEST_HOLD = timedelta(minutes=1)
"""A window that ends later is not waited for: venues count by the minute or shorter."""


class SilenceAskedError(Exception):
    """A call that waited for its turn is not made: the venue wants no call for a while."""

    def __init__(self, left: timedelta) -> None:
        super().__init__(f"the venue wants {left.total_seconds():.0f} s without a call")
        self.left = left


class RateBudget:
    """A token bucket that may run into debt: whoever takes from it waits until it is paid."""

    def __init__(
        self, *, weight_per_minute: float, share: float = 1.0, address: "RateBudget | None" = None
    ) -> None:
        """`weight_per_minute` is the venue's, `share` of it is ours.

        `address` is what all accounts of one address share besides: each call is one of it.
        """
        self._whole = weight_per_minute
        self._address = address
        self._set_share(share)
        self._tokens = self._capacity
        self._filled_at = time.monotonic()
        self._silent_until = 0.0
        self._held_until = 0.0
        self._stood_still = 0.0
        """Seconds, in all, in which the venue's windows held us."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """Set by ccxt; not used."""

    async def __call__(self, cost: float | None = None) -> None:
        """Take `cost` (weight units), waiting as long as it takes.

        Raises:
            SilenceAskedError: the venue asked for silence, perhaps while we waited.

        """
        cost = 1.0 if cost is None else float(cost)
        self._fill()
        self._tokens -= cost
        is_sent = False
        try:
            await self._wait()
            if self._address is not None:
                await self._address(1)
            self._refuse_while_silent()
            is_sent = True
        finally:
            if not is_sent:  # what it took is for others
                self._tokens += cost

    def at_most(self, share: float) -> None:
        """Lower our share to that of the account that leaves the bot most."""
        if share < self._share:
            self._fill()
            self._set_share(share)
            self._tokens = min(self._tokens, self._capacity)

    def be_silent_for(self, span: timedelta) -> None:
        """Make no call for that long: the venue asked for it (429, 418)."""
        self._silent_until = max(self._silent_until, time.monotonic() + span.total_seconds())

    def silent_for(self) -> timedelta | None:
        """Return how long no call may be made, None when calls are welcome."""
        left = self._silent_until - time.monotonic()
        return timedelta(seconds=left) if left > 0 else None

    def heed(self, left: float, *, resets_in: timedelta) -> None:
        """Wait for the venue's next window where less of this one is left than the bot needs.

        `left` is the fraction of the window's budget that nobody used yet, as the venue says.
        """
        now = time.monotonic()
        until = now + min(resets_in, LONGEST_HOLD).total_seconds()
        if left >= 1 - self._share or until <= self._held_until:
            return
        self._fill()
        # Time stands still: nobody pays meanwhile, else all would go at once when it is over.
        self._stood_still += until - max(self._held_until, now)
        self._held_until = self._filled_at = until

    def _set_share(self, share: float) -> None:
        self._share = share
        self._rate = self._whole * share / 60
        self._capacity = self._whole * share / BURST_SHARE

    def _fill(self) -> None:
        now = time.monotonic()
        if now > self._filled_at:
            credit = (now - self._filled_at) * self._rate
            self._tokens = min(self._capacity, self._tokens + credit)
            self._filled_at = now

    async def _wait(self) -> None:
        """Wait for the debt as it is now, and for as long as the venue's windows hold us."""
        # `_filled_at` is now, or the end of the window that holds us.
        due = self._filled_at + max(-self._tokens, 0.0) / self._rate - self._stood_still
        while (wait := due + self._stood_still - time.monotonic()) > 0:
            note_wait(wait)
            await asyncio.sleep(wait)

    def _refuse_while_silent(self) -> None:
        left = self.silent_for()
        if left is not None:
            raise SilenceAskedError(left)
