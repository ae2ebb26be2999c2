"""When an account is looked at: as often as the venue's request budget holds, and less often while
the venue does not answer.

The sums, and where the numbers come from, are in docs/design.md (timeouts).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from reconciler.domain.snapshot import AnswerKind, Completeness, Failure, Snapshot

SCHEDULED_SHARE = Fraction(3, 4)
"""Of our share, what scheduled looks may use. The last quarter is for what comes between them:
confirming looks, lookups of missing orders, further pages, markets. At Binance USD-M and half of
its budget it is 300 a minute, two ghosts confirmed (two more looks each) in every minute."""
BACK_OFF_AT_MOST = timedelta(minutes=5)
"""As long as a job may go without any success before we are not ready."""
PATIENT_SHARE = Fraction(1, 10)
"""A Retry-After is honoured in full, and up to this much longer, so that the accounts of a venue
do not come back in one moment."""
MOST_DOUBLINGS = 20
"""Keeps the power small; the limit is reached long before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookCost:
    """What a steady look of one account takes from its venue's request budgets."""

    weight: float
    """All calls of a look, further pages not counted, in units of the budget."""
    requests: int
    """How many calls these are."""
    weight_per_minute: float
    """The venue's budget."""
    rate_share: float
    """Of the budget, what we may use; the bot needs the rest."""
    per_account: bool = False
    """The venue counts by account (or user, or key), else by address."""
    requests_per_minute: float | None = None
    """Where it counts by account: how many requests it takes from one address besides."""


def shortest_interval(cost: LookCost, *, accounts: int, of_one_key: int = 1) -> timedelta:
    """Return the shortest time in which each of `accounts` (of one venue, host and egress address)
    can be looked at once without using more than `SCHEDULED_SHARE` of our share; in milliseconds,
    rounded up.

    `of_one_key`: how many of them are one account to the venue, under several names.
    """
    sharing = of_one_key if cost.per_account else accounts
    minutes = sharing * cost.weight / (cost.weight_per_minute * cost.rate_share)
    if cost.requests_per_minute is not None:
        by_address = accounts * cost.requests / (cost.requests_per_minute * cost.rate_share)
        minutes = max(minutes, by_address)
    return timedelta(milliseconds=math.ceil(minutes * 60_000 / SCHEDULED_SHARE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """How often each of an account's two jobs runs."""

    reconciliation: timedelta
    order_status_sync: timedelta

    @property
    def between_looks(self) -> timedelta:
        """The mean time from one look at the venue to the next. Jobs that fall together share one:
        they do wherever the longer interval is a multiple of the shorter.
        """
        shorter, longer = sorted((self.reconciliation, self.order_status_sync))
        if not longer % shorter:
            return shorter
        return timedelta(seconds=1 / (1 / shorter.total_seconds() + 1 / longer.total_seconds()))


def intervals_that_hold(wanted: Intervals, *, shortest: timedelta) -> Intervals:
    """Return the intervals to schedule: the wanted ones where the budget holds them, else none of
    them shorter than `shortest`, the longer a multiple of the shorter.
    """
    if wanted.between_looks >= shortest:
        return wanted
    reconciliation = max(wanted.reconciliation, shortest)
    order_status_sync = max(wanted.order_status_sync, shortest)
    if reconciliation >= order_status_sync:
        reconciliation = _multiple(order_status_sync, at_least=reconciliation)
    else:
        order_status_sync = _multiple(reconciliation, at_least=order_status_sync)
    return Intervals(reconciliation=reconciliation, order_status_sync=order_status_sync)


def _multiple(of: timedelta, *, at_least: timedelta) -> timedelta:
    return of * -(-at_least // of)


def look_failed(snapshot: Snapshot) -> bool:
    """Tell whether the venue answered nothing at all, or throttles us: asking on at the usual pace
    would help nobody. Where some scope was answered the others must not hold it back.
    """
    scopes = snapshot.scopes.values()
    nothing = bool(scopes) and all(s.completeness is Completeness.FAILED for s in scopes)
    return nothing or _is_throttled(snapshot.failures())


def _is_throttled(failures: Iterable[Failure]) -> bool:
    return any(failure.kind is AnswerKind.THROTTLED for failure in failures)


def back_off(*, failures: int, interval: timedelta, luck: float) -> timedelta:
    """Return how long an account is left alone after so many failed looks in a row: anything
    between nothing and twice as long each time ("full jitter"), `BACK_OFF_AT_MOST` at most.

    The first failure delays by one interval at most, and so no scheduled look. `luck` is a random
    number from 0 to 1.
    """
    if failures <= 0:
        return timedelta(0)
    longest = min(interval * (1 << min(failures - 1, MOST_DOUBLINGS)), BACK_OFF_AT_MOST)
    return longest * luck


def wait_asked_for(retry_after: timedelta, *, luck: float) -> timedelta:
    """Return how long we wait where the venue says how long: never less, a little more.

    `luck` is a random number from 0 to 1.
    """
    return retry_after + luck * (retry_after * PATIENT_SHARE.numerator / PATIENT_SHARE.denominator)
