"""What the two jobs have in common: a pass over one account, told to whoever shows it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from reconciler.cycle.account_cycle import AccountCycle, PassResult
from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import Outcome
from reconciler.jobs.patience import Patience
from reconciler.rules.scheduling import Intervals

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
        patience: Mapping[AccountName, Patience],
    ) -> None:
        """`at_once` bounds the passes under way; accounts of one venue share a semaphore.

        `patience` is each account's own, the same for both jobs.
        """
        self._cycles = cycles
        self._tell = tell
        self._at_once = at_once
        self.patience = patience

    def set_pace(self, account: AccountName, held: Intervals) -> None:
        """How often the venue's budget lets this account be looked at."""
        self._cycles[account].set_pace(held)

    async def run(self, account: AccountName) -> Outcome | None:
        """A scheduled pass; None where the venue is left alone, and the time is not over."""
        if self.patience[account].to_wait():
            return None
        return await self.run_now(account, fresh=False)

    async def settle(self, account: AccountName) -> Outcome:
        """Ask again what bots have not confirmed; the venue is not asked."""
        return await self._cycles[account].settle()

    async def run_now(self, account: AccountName, *, fresh: bool = True) -> Outcome:
        """A pass at once (startup, a confirmation due, a person's request)."""
        async with self._at_once[account]:
            begun = time.monotonic()
            result = await self._cycles[account].run(
                self.name, positions=self.positions, fresh=fresh
            )
            self._tell(self.name, account, result, time.monotonic() - begun)
            self.patience[account].learn(result)
        return result.outcome
