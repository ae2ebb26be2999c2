"""Rule 5: what the bot has just touched explains a difference, and never for ever."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.rules.grace import MAX_WINDOWS, explained_until, explains
from tests.unit.builders import NOW

GRACE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)
durations = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2))


@pytest.mark.parametrize(
    ("changed", "explained"),
    [
        (None, False),
        (timedelta(0), True),
        (GRACE - SECOND, True),
        (GRACE, False),
        (GRACE + SECOND, False),
        (-GRACE, True),  # the row changed after the pass began
        (-GRACE - SECOND, False),  # a time in the future is an anomaly
        (timedelta(days=-1), False),
    ],
)
def test_a_change_explains_until_its_window_ends(
    changed: timedelta | None, *, explained: bool
) -> None:
    at = None if changed is None else NOW - changed
    assert explains(changed_at=at, first_seen_at=None, now=NOW, grace=GRACE) is explained


@pytest.mark.parametrize(
    ("first_seen", "explained"),
    [
        (timedelta(0), True),
        (MAX_WINDOWS * GRACE - SECOND, True),
        (MAX_WINDOWS * GRACE, False),
        (timedelta(days=3), False),
    ],
)
def test_a_row_touched_at_every_tick_explains_for_five_windows_only(
    first_seen: timedelta, *, explained: bool
) -> None:
    first = NOW - first_seen
    assert explains(changed_at=NOW, first_seen_at=first, now=NOW, grace=GRACE) is explained


def test_no_grace_explains_nothing() -> None:
    assert not explains(changed_at=NOW, first_seen_at=None, now=NOW, grace=timedelta(0))


def test_five_windows_are_what_the_design_says() -> None:
    assert MAX_WINDOWS == 5


@given(changed=durations, first_seen=durations, grace=durations)
def test_an_explanation_never_outlives_either_limit(
    changed: timedelta, first_seen: timedelta, grace: timedelta
) -> None:
    explained = explains(
        changed_at=NOW - changed, first_seen_at=NOW - first_seen, now=NOW, grace=grace
    )
    assert explained is (changed < grace and first_seen < 5 * grace)


@given(changed=durations, first_seen=st.none() | durations)
def test_what_explains_does_until_its_end_and_no_longer(
    changed: timedelta, first_seen: timedelta | None
) -> None:
    seen_at = None if first_seen is None else NOW - first_seen
    ends = explained_until(changed_at=NOW - changed, first_seen_at=seen_at, grace=GRACE)
    explained = explains(changed_at=NOW - changed, first_seen_at=seen_at, now=NOW, grace=GRACE)
    assert explained is (ends > NOW)
