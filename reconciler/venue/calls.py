"""Making one call to a venue: guarded, timed, counted, and classified when it fails."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from reconciler.domain.snapshot import AnswerKind
from reconciler.venue.answer_guard import Heard, listening
from reconciler.venue.classify import VenueCallError, classified, refused_locally
from reconciler.venue.description import CallName, VenueDescription
from reconciler.venue.rate_budget import RateBudget, SilenceAskedError

Answer = TypeVar("Answer")
Observe = Callable[[str, str, float], None]
"""Told of each call: its name, its outcome (`answered`, `not_found`, or an AnswerKind), seconds."""


def observe_nothing(_call: str, _outcome: str, _seconds: float) -> None:
    """Ignore what was observed."""


class VenueCalls:
    """The calls of one account."""

    def __init__(
        self,
        *,
        description: VenueDescription,
        budget: RateBudget,
        secrets: Iterable[str],
        observe: Observe,
    ) -> None:
        self._description = description
        self._budget = budget
        self._secrets = tuple(secrets)
        self._observe = observe
        self.venue_clock_skew: timedelta | None = None
        """Venue minus host, as the last answer told it."""
        self.used_weight: int | None = None
        """The venue's count of what this minute has used, as the last answer told it."""

    async def make(
        self, call: CallName, request: Callable[[], Awaitable[Answer]]
    ) -> tuple[Answer, Heard]:
        """Return the answer of one call, and what its responses said besides.

        Raises:
            VenueCallError: whatever went wrong, classified. Cancellation passes.

        """
        self._refuse_while_silent(call)
        started = time.perf_counter()
        with listening() as heard:
            try:
                answer = await request()
            except SilenceAskedError as error:
                raise _not_asked(call, error.left) from error
            except Exception as error:  # any at all is "no answer"
                failed = classified(
                    error,
                    call=call,
                    description=self._description,
                    heard=heard,
                    secrets=self._secrets,
                )
                self._after_failure(failed, call, _seconds(started, heard))
                raise failed from error
            finally:
                self._learn(heard)
        self._observe(call, "answered", _seconds(started, heard))
        return answer, heard

    @asynccontextmanager
    async def within(self, deadline: timedelta, call: CallName) -> AsyncIterator[None]:
        """Give up what is done inside after `deadline`, waiting for the budget included.

        Raises:
            VenueCallError: it took longer.

        """
        started = time.perf_counter()
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                yield
        except TimeoutError as error:
            self._observe(call, AnswerKind.NO_ANSWER, time.perf_counter() - started)
            detail = f"no answer within {deadline.total_seconds():g} s"
            raise refused_locally(AnswerKind.NO_ANSWER, call, detail) from error

    def _refuse_while_silent(self, call: CallName) -> None:
        left = self._budget.silent_for()
        if left is not None:
            raise _not_asked(call, left)

    def _after_failure(self, failed: VenueCallError, call: CallName, seconds: float) -> None:
        failure = failed.failure
        outcome = "not_found" if failed.not_found else str(failure.kind)
        self._observe(call, outcome, seconds)
        if failure.kind is AnswerKind.THROTTLED and failure.retry_after is not None:
            self._budget.be_silent_for(failure.retry_after)

    def _learn(self, heard: Heard) -> None:
        if heard.venue_clock_skew is not None:
            self.venue_clock_skew = heard.venue_clock_skew
        if heard.used_weight is not None:
            self.used_weight = heard.used_weight
        if heard.budget_left is not None:
            self._budget.heed(heard.budget_left.share, resets_in=heard.budget_left.resets_in)


def _not_asked(call: CallName, left: timedelta) -> VenueCallError:
    detail = f"not asked: the venue wants {left.total_seconds():.0f} s without a call"
    return refused_locally(AnswerKind.THROTTLED, call, detail, retry_after=left)


def _seconds(started: float, heard: Heard) -> float:
    return max(time.perf_counter() - started - heard.waited, 0.0)
