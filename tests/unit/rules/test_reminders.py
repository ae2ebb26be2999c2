"""When people are told again of a SEV-1 that nobody has acknowledged."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.rules.reminders import is_due, last_reminder_at

SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("minutes", "last"),
    [
        (0, None),
        (14, None),
        (15, 15),
        (44, 15),
        (45, 45),
        (104, 45),
        (105, 105),
        (225, 225),
        (464, 225),
        (465, 465),
        (704, 465),
        (705, 705),
        (10_000, 225 + 240 * 40),
    ],
)
def test_the_gaps_grow_to_four_hours(minutes: int, last: int | None) -> None:
    due_at = last_reminder_at(since=SINCE, now=SINCE + minutes * MINUTE)
    assert due_at == (None if last is None else SINCE + last * MINUTE)


def test_a_reminder_is_due_once() -> None:
    assert is_due(since=SINCE, told_at=None, now=SINCE + 15 * MINUTE)
    assert not is_due(since=SINCE, told_at=SINCE + 15 * MINUTE, now=SINCE + 44 * MINUTE)
    assert is_due(since=SINCE, told_at=SINCE + 16 * MINUTE, now=SINCE + 45 * MINUTE)


def test_what_was_told_of_the_last_time_it_was_open_does_not_count() -> None:
    assert is_due(since=SINCE, told_at=SINCE - 5 * MINUTE, now=SINCE + 15 * MINUTE)


@given(st.lists(st.integers(1, 600), max_size=40))
def test_however_often_one_looks_each_reminder_is_told_once(steps: list[int]) -> None:
    now, told_at, told = SINCE, None, []
    for step in steps:
        now += step * MINUTE
        if is_due(since=SINCE, told_at=told_at, now=now):
            told_at = now
            told.append(last_reminder_at(since=SINCE, now=now))
    assert None not in told
    assert len(set(told)) == len(told)
    assert not is_due(since=SINCE, told_at=told_at or SINCE, now=now)
