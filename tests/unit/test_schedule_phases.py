"""When jobs run: spread over the interval, and together where they can share a look."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.schedule.in_process import first_run

NOW = datetime(2026, 11, 23, 12, 0, 7, 123_456, tzinfo=UTC)
seconds = st.integers(min_value=1, max_value=7200).map(lambda n: timedelta(seconds=n))
later = st.integers(min_value=0, max_value=10**6).map(lambda n: timedelta(milliseconds=n))


@given(interval=seconds, subject=st.text(max_size=20))
def test_the_first_run_is_within_one_interval(interval: timedelta, subject: str) -> None:
    assert NOW <= first_run(NOW, interval, subject) < NOW + interval


@given(shorter=seconds, times=st.integers(min_value=1, max_value=60), passed=later)
def test_every_run_of_a_multiple_is_one_of_the_shorter(
    shorter: timedelta, times: int, passed: timedelta
) -> None:
    """However much later the second job was added."""
    one = first_run(NOW, shorter, "main")
    other = first_run(NOW + passed, shorter * times, "main")
    assert (other - one) % shorter == timedelta(0)


def test_subjects_are_spread() -> None:
    minute = timedelta(minutes=1)
    runs = [first_run(NOW, minute, f"account-{n}") for n in range(1000)]
    in_tenths = [sum((run - NOW) // (minute / 10) == tenth for run in runs) for tenth in range(10)]
    assert min(in_tenths) > 60, in_tenths
