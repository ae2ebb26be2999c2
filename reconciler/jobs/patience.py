"""How long an account is left alone while its venue does not answer: one state for both jobs."""

import random
import time
from collections.abc import Callable
from datetime import timedelta

from reconciler.cycle.account_cycle import PassResult
from reconciler.domain.outcome import Outcome
from reconciler.rules.scheduling import back_off, look_failed, wait_asked_for


class Patience:
    """Of one account. Times are monotonic seconds."""

    def __init__(
        self,
        *,
        interval: timedelta,
        luck: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`interval`: what the account is scheduled at; `luck` gives numbers from 0 to 1."""
        self._interval = interval
        self._luck = luck
        self._clock = clock
        self._failures = 0
        self._resting_until = 0.0
        self._asked_until = 0.0
        self._last: Outcome | None = None

    def learn(self, result: PassResult) -> None:
        """Take in how a pass ended; one that shared the other job's look says nothing new."""
        outcome, now = result.outcome, self._clock()
        if outcome is self._last:
            return
        self._last = outcome
        if outcome.retry_after is not None:
            wait = wait_asked_for(outcome.retry_after, luck=self._luck())
            self._asked_until = max(self._asked_until, now + wait.total_seconds())
        elif _venue_failed(result):
            self._failures += 1
            wait = back_off(failures=self._failures, interval=self._interval, luck=self._luck())
            self._resting_until = now + wait.total_seconds()
        elif result.facts.snapshot is not None:
            # The venue answered something: the rest must not be held back.
            self._failures, self._resting_until = 0, 0.0

    def asked_to_wait(self) -> timedelta:
        """Return how long the venue still wants no call: nobody's request goes before that."""
        return self._left(self._asked_until)

    def to_wait(self) -> timedelta:
        """Return how long nothing is to be done unasked: Retry-After, or our own back-off."""
        return self._left(max(self._asked_until, self._resting_until))

    def _left(self, until: float) -> timedelta:
        return timedelta(seconds=max(until - self._clock(), 0.0))


def _venue_failed(result: PassResult) -> bool:
    if result.facts.snapshot is not None:
        return look_failed(result.facts.snapshot)
    # Trouble with the database or the book is no reason to leave a venue alone.
    return result.venue_gave_nothing
