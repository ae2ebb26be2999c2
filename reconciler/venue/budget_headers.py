"""What a venue says in its headers of how much of its request budget is left, whoever used it.

On one address, or on one account, the bot's calls count too: only the venue knows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.venue.description import VenueDescription

LIMIT, REMAINING, RESET = "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"
"""Alpaca's (reset: seconds since 1970), and others' that follow the same draft: seconds from now.
A venue that tells only two of them tells nothing."""
MILLISECONDS_FROM = 10**11
EPOCH_FROM = 10**8
"""Numbers from here are times, not spans: years from now, or since 1970."""
LONGEST_NUMBER = 15
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLeft:
    """How much of the venue's present window nobody used yet."""

    share: float
    """Of the whole budget; below 0 where it is overdrawn."""
    resets_in: timedelta


def used_weight(said: Mapping[str, str], description: VenueDescription) -> int | None:
    """Return the weight that this minute has used, None where the venue does not tell.

    `said`: headers by their names in lower case.
    """
    header = description.used_weight_header
    return _number(said.get(header.lower())) if header else None


def budget_left(
    said: Mapping[str, str], description: VenueDescription, *, venue_now: datetime
) -> BudgetLeft | None:
    """Return what is left, None where the venue does not tell all that is needed to know it.

    `said`: headers by their names in lower case. `venue_now`: the venue's clock.
    """
    used, most = used_weight(said, description), description.used_weight_limit
    if used is not None and most is not None:
        into = timedelta(seconds=venue_now.second, microseconds=venue_now.microsecond)
        return BudgetLeft(share=1 - used / most, resets_in=MINUTE - into)
    limit, left, reset = (_number(said.get(name)) for name in (LIMIT, REMAINING, RESET))
    if not limit or left is None or reset is None:
        return None
    return BudgetLeft(share=left / limit, resets_in=_until(reset, venue_now))


def _until(reset: int, now: datetime) -> timedelta:
    if reset < EPOCH_FROM:
        return timedelta(seconds=reset)
    seconds = reset / 1000 if reset >= MILLISECONDS_FROM else reset
    return max(timedelta(seconds=seconds - now.timestamp()), timedelta(0))


def _number(value: str | None) -> int | None:
    if value is None or not value.isdecimal() or len(value) > LONGEST_NUMBER:
        return None
    return int(value)
