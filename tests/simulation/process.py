"""One process of the daemon: it may die or freeze at any await."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.domain.identity import BookOrderId
from reconciler.domain.snapshot import Completeness, Lookup
from tests.simulation.clock import VirtualLoop
from tests.simulation.database import Database
from tests.simulation.exchange import State

IDLE_LIMIT_SECONDS = 7.0
"""`idle_in_transaction_session_timeout`: the server ends the session of a frozen writer."""


class KilledError(BaseException):
    """SIGKILL: nothing of this process runs after it."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the daemon was shown during one pass, for the judge."""

    began: float
    positions: State | None = None
    """The true state behind the listing that it judges by."""
    positions_scope: Completeness = Completeness.FAILED
    read_again: bool = True
    orders_complete: bool = False
    lookups: dict[BookOrderId, Lookup] = field(default_factory=dict)
    is_wrong_account: bool = False
    skew: timedelta = timedelta(0)


class Process:
    """Counts its awaits, so that a seed can kill it at any of them."""

    def __init__(
        self,
        loop: VirtualLoop,
        database: Database,
        *,
        name: str,
        meanwhile: Callable[["Process"], None],
    ) -> None:
        self.name = name
        self.is_alive = True
        self.seen = Seen(began=loop.now)
        self.kill_at = -1
        """Which await of this pass is the last."""
        self.freeze_at = -1
        self.freeze_for = 0.0
        self.frozen_until = 0.0
        self.froze_at = 0.0
        self._awaits = 0
        self._loop = loop
        self._database = database
        self._meanwhile = meanwhile

    def begin_pass(self) -> None:
        """A new look; its awaits are counted from 0."""
        self.seen = Seen(began=self._loop.now)
        self._awaits = 0
        self.kill_at = self.freeze_at = -1

    async def step(self, seconds: float) -> None:
        """Wait for an answer. Raises KilledError when the time has come."""
        self._awaits += 1
        if self._awaits == self.kill_at:
            self.die()
            raise KilledError
        if self._awaits == self.freeze_at:
            self._freeze()
        await asyncio.sleep(seconds)
        while self.frozen_until > self._loop.now:  # noqa: ASYNC110 - the time is known
            await asyncio.sleep(self.frozen_until - self._loop.now)
        self._meanwhile(self)

    def kill_next(self) -> None:
        """The next await is the last."""
        self.kill_at = self._awaits + 1

    def freeze_next(self, seconds: float) -> None:
        """It stands still at the next await."""
        self.freeze_at, self.freeze_for = self._awaits + 1, seconds

    def die(self) -> None:
        """The server notices at once, and rolls back."""
        self.is_alive = False
        self._database.end_sessions_of(self)

    def _freeze(self) -> None:
        self.froze_at = self._loop.now
        self.frozen_until = self._loop.now + self.freeze_for
        if self.freeze_for > IDLE_LIMIT_SECONDS:
            self._loop.call_later(IDLE_LIMIT_SECONDS, self._database.end_sessions_of, self)
