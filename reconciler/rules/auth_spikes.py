"""Spikes: more 401s, 403s and refused handshakes within a time than are normal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionSample:
    """Counters at one time; they only grow while a process lives."""

    at: timedelta
    """By a monotonic clock."""
    totals: Mapping[str, int]
    """By surface."""


def samples_within(
    samples: Sequence[RejectionSample], *, now: timedelta, within: timedelta
) -> tuple[RejectionSample, ...]:
    """Those that are young enough, and the youngest of the others: it is where the time begins."""
    young = [s for s in samples if now - s.at < within]
    old = [s for s in samples if now - s.at >= within]
    return (*old[-1:], *young)


def rejections_over(samples: Sequence[RejectionSample]) -> dict[str, int]:
    """How many were added from the first sample to the last, by surface."""
    if not samples:
        return {}
    first, last = samples[0].totals, samples[-1].totals
    grown = {surface: total - first.get(surface, 0) for surface, total in last.items()}
    return {surface: n for surface, n in grown.items() if n > 0}


def summed(*counts: Mapping[str, int]) -> dict[str, int]:
    """Refusals of several sources, by surface."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return {surface: n for surface, n in total.items() if n > 0}


def why_a_spike(rejections: Mapping[str, int], *, limit: int, within: timedelta) -> str | None:
    """Why people are to look, or None."""
    total = sum(rejections.values())
    if total <= limit:
        return None
    by = ", ".join(f"{surface} {n}" for surface, n in sorted(rejections.items()))
    return f"{total} requests were refused within {within.total_seconds() / 60:.0f} min ({by})"
