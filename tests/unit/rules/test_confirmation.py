"""Nothing is done on one look: the same verdict, from looks spaced in time."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.rules.confirmation import FORGET_AFTER, is_confirmed, see_again
from tests.unit.builders import ACCOUNT, BOOK, NOW

KEY = SuspicionKey(book=BOOK, account=ACCOUNT, kind="ghost_position", subject="BTC|long")
SPACING = timedelta(seconds=10)
SECOND = timedelta(seconds=1)


def _see(
    previous: Suspicion | None, at: datetime, *, counts: bool = True, spacing: timedelta = SPACING
) -> Suspicion:
    return see_again(key=KEY, previous=previous, now=at, spacing=spacing, counts=counts)


def test_first_sight_counts_once() -> None:
    seen = _see(None, NOW)
    assert (seen.count, seen.first_seen_at, seen.last_seen_at, seen.counted_at) == (
        1,
        NOW,
        NOW,
        NOW,
    )


def test_explained_first_sight_is_remembered_and_does_not_count() -> None:
    seen = _see(None, NOW, counts=False)
    assert (seen.count, seen.first_seen_at, seen.counted_at) == (0, NOW, None)


@pytest.mark.parametrize(
    ("later", "count"),
    [
        (timedelta(0), 1),
        (SPACING - SECOND, 1),
        (SPACING, 2),
        (FORGET_AFTER, 2),
        (FORGET_AFTER + SECOND, 1),  # starts over
        (-SECOND, 1),  # a clock that went back counts nothing
        (-10 * SPACING, 1),
    ],
)
def test_the_second_look_counts_when_its_spacing_has_passed(later: timedelta, count: int) -> None:
    assert _see(_see(None, NOW), NOW + later).count == count


def test_three_confirmations_of_ten_seconds_take_twenty() -> None:
    seen = None
    confirmed_at = None
    for second in range(60):
        seen = _see(seen, NOW + second * SECOND)
        if confirmed_at is None and is_confirmed(seen, confirmations=3):
            confirmed_at = second
    assert confirmed_at == 20


def test_looks_that_come_too_soon_do_not_push_the_next_count_away() -> None:
    seen = _see(None, NOW)
    for second in range(1, 10):
        seen = _see(seen, NOW + second * SECOND)
    assert _see(seen, NOW + SPACING).count == 2


def test_a_suspicion_forgotten_starts_over_in_full() -> None:
    old = _see(_see(None, NOW), NOW + SPACING)
    at = NOW + SPACING + FORGET_AFTER + SECOND
    assert _see(old, at) == _see(None, at)


def test_a_suspicion_is_forgotten_after_an_hour() -> None:
    assert timedelta(hours=1) == FORGET_AFTER


def test_wide_spacing_is_not_forgotten_between_two_looks() -> None:
    spacing = timedelta(hours=2)
    first = _see(None, NOW, spacing=spacing)
    assert _see(first, NOW + spacing, spacing=spacing).count == 2


@pytest.mark.parametrize(("count", "confirmed"), [(0, False), (1, False), (2, True), (3, True)])
def test_confirmed_at_the_number_asked(count: int, *, confirmed: bool) -> None:
    seen = Suspicion(key=KEY, first_seen_at=NOW, last_seen_at=NOW, count=count, counted_at=NOW)
    assert is_confirmed(seen, confirmations=2) is confirmed


steps = st.lists(
    st.tuples(st.timedeltas(-2 * SPACING, timedelta(minutes=30)), st.booleans()), max_size=40
)


@given(steps)
def test_it_counts_at_most_once_per_spacing_and_never_while_explained(
    steps: list[tuple[timedelta, bool]],
) -> None:
    seen: Suspicion | None = None
    now = NOW
    counted: list[datetime] = []
    for step, counts in steps:
        now += step
        before = seen
        seen = _see(seen, now, counts=counts)
        if before is not None and seen.first_seen_at != before.first_seen_at:
            assert seen.count <= 1  # it started over: a clock was far ahead, or it was forgotten
            counted, before = [], None
        grown = seen.count - (before.count if before is not None else 0)
        assert grown <= 1
        if grown == 1:
            assert counts
            assert not counted or now - counted[-1] >= SPACING
            counted.append(now)
        assert seen.last_seen_at >= seen.first_seen_at


def test_one_look_by_a_clock_far_ahead_does_not_stop_the_count() -> None:
    ahead = _see(None, NOW + timedelta(hours=12))
    seen = _see(ahead, NOW)
    assert (seen.count, seen.first_seen_at) == (1, NOW)
    assert _see(seen, NOW + SPACING).count == 2


def test_another_saying_counts_from_the_start() -> None:
    first = see_again(key=KEY, previous=None, now=NOW, spacing=SPACING, saying="canceled 0")
    other = see_again(
        key=KEY, previous=first, now=NOW + SPACING, spacing=SPACING, saying="filled 1"
    )
    assert (other.count, other.first_seen_at) == (1, NOW)
