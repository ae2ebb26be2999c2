"""What the two jobs have in common: a pass over one account, told to whoever shows it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from reconciler.cycle.account_cycle import AccountCycle, PassResult
from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import Outcome

Tell = Callable[[str, AccountName, PassResult, float], None]
"""(job, account, result, seconds it took)."""


class AccountJob:
    """One job over all accounts. One account's trouble never delays another's."""

    name: ClassVar[str]
    positions: ClassVar[bool]

    def __init__(
        self,
        cycles: Mapping[AccountName, AccountCycle],
        *,
        tell: Tell,
        at_once: Mapping[AccountName, asyncio.Semaphore],
    ) -> None:
        """`at_once` bounds the passes under way; accounts of one venue share a semaphore."""
        self._cycles = cycles
        self._tell = tell
        self._at_once = at_once
        self._not_before: dict[AccountName, float] = {}

    async def run(self, account: AccountName) -> Outcome | None:
        """A scheduled pass; None where the venue asked us to wait and the time is not over."""
        if time.monotonic() < self._not_before.get(account, 0.0):
            return None
        return await self.run_now(account, fresh=False)

    async def run_now(self, account: AccountName, *, fresh: bool = True) -> Outcome:
        """A pass at once (startup, a confirmation due, a person's request)."""
        async with self._at_once[account]:
            begun = time.monotonic()
            result = await self._cycles[account].run(
                self.name, positions=self.positions, fresh=fresh
            )
            self._tell(self.name, account, result, time.monotonic() - begun)
        if result.outcome.retry_after is not None:
            wait = result.outcome.retry_after.total_seconds()
            self._not_before[account] = time.monotonic() + wait
        return result.outcome
