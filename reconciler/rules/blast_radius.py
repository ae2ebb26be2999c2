"""Rule 9: when half the account seems gone, a wrong key is likelier than reality."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastLimits:
    """Both must be exceeded for a guard to trip."""

    max_share: float
    max_count: int


def why_not_infer_absence(*, live: int, absent: int, limits: BlastLimits) -> str | None:
    """Why no order of this account may be quarantined, or None.

    `live`: judged, not terminal rows of the book. `absent`: those of them that the complete
    listing lacks, before any lookup.
    """
    if _is_too_many(absent, of=live, limits=limits):
        return (
            f"the venue's complete listing lacks {absent} of the book's {live} live orders "
            f"(limits: {limits.max_count} and {limits.max_share:.0%}): wrong key, wrong "
            "sub-account, testnet or a restored database are likelier than reality"
        )
    return None


def why_not_quarantine(
    *, live: int, quarantined_last_hour: int, candidates: int, limits: BlastLimits
) -> str | None:
    """Why these candidates may not be quarantined now, or None: the rolling hour's limit."""
    total, before = quarantined_last_hour + candidates, live + quarantined_last_hour
    if _is_too_many(total, of=before, limits=limits):
        return (
            f"{total} orders would be quarantined within one hour, of {before} live ones "
            f"(limits: {limits.max_count} and {limits.max_share:.0%})"
        )
    return None


def _is_too_many(count: int, *, of: int, limits: BlastLimits) -> bool:
    """Both limits are exceeded. A quotient, since 0.29 * 100 is less than 29."""
    return count > limits.max_count and (of <= 0 or count / of > limits.max_share)


MIN_ACCOUNTS_TO_COMPARE = 4
"""Fewer accounts say nothing about a common cause."""


def why_not_contain(*, turned: Collection[str], judged: Collection[str]) -> str | None:
    """Why a ghost may not be contained now, or None: most accounts turned at once.

    `turned`: accounts whose ghost (or side mismatch) appeared within the same window; `judged`:
    accounts under watch. The size of one account's trouble never holds a containment back.
    """
    if len(judged) >= MIN_ACCOUNTS_TO_COMPARE and len(turned) > len(judged) / 2:
        return (
            f"{len(turned)} of {len(judged)} accounts show positions unknown to the book at once: "
            "a wrong database or a wrong key set is likelier than that many ghosts"
        )
    return None
