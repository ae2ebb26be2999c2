"""A mapping that can say what it held a moment ago, for venues that answer with a lag."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from reconciler.simulation.venue.clock import VenueClock

K = TypeVar("K")
V = TypeVar("V")

# How far back `as_of` can look. A longer lag is not a venue anybody trades on.
KEPT = timedelta(minutes=15)


class Timeline(Mapping[K, V], Generic[K, V]):
    """The present as a dict, and an undo log that leads back up to `KEPT`."""

    def __init__(self, clock: VenueClock) -> None:
        self._clock = clock
        self._present: dict[K, V] = {}
        self._undo: deque[tuple[datetime, K, V | None]] = deque()

    def __getitem__(self, key: K) -> V:
        return self._present[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._present)

    def __len__(self) -> int:
        return len(self._present)

    def put(self, key: K, value: V) -> None:
        """Set `key`, remembering what was there."""
        self._remember(key)
        self._present[key] = value

    def discard(self, key: K) -> None:
        """Remove `key` where it is present, remembering what was there."""
        if key in self._present:
            self._remember(key)
            del self._present[key]

    def settle(self) -> None:
        """Make the present the past too: no lag shows anything older than now."""
        self._undo.clear()

    def as_of(self, lag: timedelta) -> Mapping[K, V]:
        """Return the content as it was `lag` ago (at most `KEPT`); the live mapping for no lag."""
        if not lag:
            return self._present
        edge = self._clock.now() - lag
        past = dict(self._present)
        for at, key, before in reversed(self._undo):
            if at <= edge:
                break
            if before is None:
                past.pop(key, None)
            else:
                past[key] = before
        return past

    def _remember(self, key: K) -> None:
        now = self._clock.now()
        while self._undo and self._undo[0][0] < now - KEPT:
            self._undo.popleft()
        self._undo.append((now, key, self._present.get(key)))
