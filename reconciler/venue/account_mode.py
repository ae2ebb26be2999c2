"""The proof that an account is of the kind that its venue's description is for."""

import time
from datetime import timedelta

from reconciler.domain.snapshot import AnswerKind
from reconciler.venue.calls import VenueCalls
from reconciler.venue.classify import refused_locally
from reconciler.venue.connection import Exchange
from reconciler.venue.description import CallName
from reconciler.venue.questions import AccountMode
from reconciler.venue.raw_calls import asking
from reconciler.venue.raw_json import found_at

ONE_LOOK = timedelta(seconds=5)
"""The scopes of one look share an answer; the next look, at the earliest 10 s later, asks again."""
LOOKUPS = timedelta(minutes=5)
"""Lookups follow a look that has asked, and end within its pass."""


class AccountModeProof:
    """Asks one account for its kind, where the description wants to know."""

    def __init__(self, *, exchange: Exchange, calls: VenueCalls, mode: AccountMode | None) -> None:
        self._exchange = exchange
        self._calls = calls
        self._mode = mode
        self._proven_at: float | None = None

    async def prove(self, call: CallName, *, no_older_than: timedelta) -> None:
        """Ask, unless the last right answer is young enough.

        Raises:
            VenueCallError: no answer, or the account is of another kind.

        """
        mode = self._mode
        if mode is None or self._is_proven(no_older_than):
            return
        self._proven_at = None
        answer, _ = await self._calls.make(call, lambda: asking(self._exchange, mode.method)({}))
        said = found_at(answer, mode.at)
        if said != mode.word:
            detail = f"the account is of the kind {said}, these calls are for {mode.word}"
            raise refused_locally(AnswerKind.UNSUPPORTED, call, detail)
        self._proven_at = time.monotonic()

    def _is_proven(self, no_older_than: timedelta) -> bool:
        at = self._proven_at
        return at is not None and time.monotonic() - at <= no_older_than.total_seconds()
