"""Rule 9: when half the account seems gone, a wrong key is likelier than reality."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.rules.blast_radius import (
    BlastLimits,
    why_not_contain,
    why_not_infer_absence,
    why_not_quarantine,
)

LIMITS = BlastLimits(max_share=0.5, max_count=20)
counts = st.integers(min_value=0, max_value=10_000)


@pytest.mark.parametrize(
    ("live", "absent", "trips"),
    [
        (0, 0, False),
        (0, 21, True),  # more than there are: something is very wrong
        (20, 20, False),  # the whole account, and no more than the count
        (21, 21, True),
        (40, 21, True),
        (42, 21, False),  # exactly the share
        (41, 21, True),
        (100_000, 21, False),
        (100_000, 50_001, True),
    ],
)
def test_absence_is_not_inferred_when_both_limits_are_exceeded(
    live: int, absent: int, *, trips: bool
) -> None:
    assert bool(why_not_infer_absence(live=live, absent=absent, limits=LIMITS)) is trips


@given(
    live=st.integers(min_value=1, max_value=5000),
    percent=st.integers(min_value=0, max_value=100),
    max_count=st.integers(min_value=0, max_value=200),
    data=st.data(),
)
def test_both_limits_are_exact(
    live: int, percent: int, max_count: int, data: st.DataObject
) -> None:
    absent = data.draw(st.integers(min_value=0, max_value=live))
    limits = BlastLimits(max_share=percent / 100, max_count=max_count)
    beyond = absent > max_count and Fraction(absent, live) > Fraction(percent, 100)
    assert bool(why_not_infer_absence(live=live, absent=absent, limits=limits)) is beyond


def test_a_share_is_met_not_exceeded_by_its_own_quotient() -> None:
    limits = BlastLimits(max_share=0.29, max_count=20)  # 0.29 * 100 is 28.999999999999996
    assert why_not_infer_absence(live=100, absent=29, limits=limits) is None
    assert why_not_infer_absence(live=100, absent=30, limits=limits) is not None


@pytest.mark.parametrize(
    ("live", "before", "candidates", "trips"),
    [
        (40, 0, 20, False),
        (40, 0, 21, True),
        (30, 15, 6, False),  # 21 of 45 in the hour
        (26, 15, 6, True),  # 21 of 41 in the hour
        (1, 40, 1, True),
        (1, 40, 0, True),  # the hour's limit is spent already
        (0, 5, 0, False),
    ],
)
def test_the_rolling_hour_counts_what_was_quarantined_before(
    live: int, before: int, candidates: int, *, trips: bool
) -> None:
    why = why_not_quarantine(
        live=live, quarantined_last_hour=before, candidates=candidates, limits=LIMITS
    )
    assert bool(why) is trips


@given(live=counts, before=counts, drips=st.lists(st.integers(0, 50), max_size=20))
def test_a_drip_is_stopped_where_a_flood_would_be(live: int, before: int, drips: list[int]) -> None:
    def why(total_before: int, candidates: int, left: int) -> str | None:
        return why_not_quarantine(
            live=left, quarantined_last_hour=total_before, candidates=candidates, limits=LIMITS
        )

    left, done = live, before
    for drip in (min(d, live) for d in drips):
        if drip > left or why(done, drip, left) is not None:
            continue
        left, done = left - drip, done + drip
    assert done == before or why(before, done - before, live) is None


def test_a_guard_says_why_with_its_numbers() -> None:
    why = why_not_infer_absence(live=30, absent=25, limits=LIMITS)
    assert why is not None
    assert all(number in why for number in ("25", "30", "20", "50%"))


def _accounts(count: int) -> frozenset[str]:
    return frozenset(f"account-{n}" for n in range(count))


@pytest.mark.parametrize(
    ("turned", "judged", "held"),
    [
        (1, 1, False),
        (3, 3, False),  # fewer than four say nothing about a common cause
        (2, 4, False),  # half is not most
        (3, 4, True),
        (4, 4, True),
        (3, 6, False),
        (3, 5, True),
        (1, 1000, False),
    ],
)
def test_containing_is_held_back_only_when_most_of_four_accounts_turn(
    turned: int, judged: int, *, held: bool
) -> None:
    why = why_not_contain(turned=_accounts(turned), judged=_accounts(judged))
    assert bool(why) is held
