"""Passes that someone asks for: by NOTIFY, a row, SIGHUP or the API. Many wishes are one pass."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from reconciler.domain.identity import AccountName

AT_MOST_EVERY = timedelta(seconds=2)
"""One account, however many ask; later where the venue's budget holds less."""
Look = Callable[[AccountName], Awaitable[None]]
Soon = Callable[[timedelta, AccountName, Look], None]
"""Run a look once, after this long."""


class Requests:
    """Coalesces: while a pass is waited for or under way, further wishes are one more at most."""

    def __init__(
        self,
        soon: Soon,
        look: Look,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._soon = soon
        self._look = look
        self._clock = clock
        self._spacing: dict[AccountName, timedelta] = {}
        self._due_at: dict[AccountName, float] = {}
        self._waiting: set[AccountName] = set()
        self._under_way: set[AccountName] = set()
        self._again: set[AccountName] = set()

    def space(self, account: AccountName, shortest: timedelta) -> None:
        """No more often than the venue's budget holds."""
        self._spacing[account] = max(shortest, AT_MOST_EVERY)

    def ask(self, account: AccountName) -> None:
        """A pass over this account, as soon as may be."""
        if account in self._under_way:
            self._again.add(account)
        elif account not in self._waiting:
            now = self._clock()
            due_at = max(now, self._due_at.get(account, now))
            self._due_at[account] = due_at + self._spaced(account)
            self._waiting.add(account)
            self._soon(timedelta(seconds=due_at - now), account, self._run)

    def _spaced(self, account: AccountName) -> float:
        return self._spacing.get(account, AT_MOST_EVERY).total_seconds()

    async def _run(self, account: AccountName) -> None:
        self._waiting.discard(account)
        self._under_way.add(account)
        try:
            await self._look(account)
        finally:
            self._under_way.discard(account)
            if account in self._again:
                self._again.discard(account)
                self.ask(account)
