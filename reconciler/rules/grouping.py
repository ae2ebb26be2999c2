"""Which notices are one message: an outage of fifty accounts wakes a person once."""

from dataclasses import dataclass
from datetime import timedelta

from reconciler.domain.incidents import IncidentKind, Severity

ALIKE_WITHIN = timedelta(seconds=2)
"""What one look or one moment turned up. SEV-1 waits no longer than this."""

OF_THE_VENUE = frozenset(
    {IncidentKind.VENUE_UNREACHABLE, IncidentKind.VENUE_AUTH, IncidentKind.CLOCK_SKEW}
)
OF_THE_BOOK = frozenset({IncidentKind.BOOK_UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Notices with the same `key` that fall within `hold` of the first are told as one."""

    key: str
    hold: timedelta
    whose: str | None = None
    """`venue …` or `book …` where the cause reaches all accounts of it: once it has reached them
    all, or left them all, there is nothing more to wait for."""


def cause_of(
    *,
    event: str,
    kind: str,
    severity: str,
    account: str,
    book: str,
    place: str,
    outage_within: timedelta,
) -> Cause:
    """What is behind a notice: the venue, the book, or the one account.

    `place` is the venue and host of the account. `outage_within` is how long an outage needs until
    every account has confirmed it.
    """
    shared = None
    if kind in OF_THE_VENUE:
        whose, hold = f"venue {place}", outage_within
        shared = whose
    elif kind in OF_THE_BOOK:
        whose, hold = f"book {book}", outage_within
        shared = whose
    elif severity == Severity.SEV_1:
        # Ghosts at fifty accounts have one cause: a wrong key, a restored database, a bot gone mad.
        whose, hold = f"venue {place}", ALIKE_WITHIN
    else:
        whose, hold = f"account {account}", ALIKE_WITHIN
    if severity == Severity.SEV_1:
        hold = min(hold, ALIKE_WITHIN)
    return Cause(key=f"{event}|{severity}|{kind}|{whose}", hold=hold, whose=shared)
