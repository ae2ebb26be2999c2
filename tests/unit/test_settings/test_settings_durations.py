"""Durations: what is read, what is refused, and that writing one keeps it."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.settings.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500ms", 0.5),
        ("60s", 60),
        ("15m", 900),
        ("24h", 86_400),
        ("2d", 172_800),
        ("1h30m", 5_400),
        ("1d2h3m4s5ms", 93_784.005),
        ("1.5h", 5_400),
        (" 60s ", 60),
        ("0", 0),
        ("0s", 0),
        ("90", 90),
        (90, 90),
        (0.25, 0.25),
        (timedelta(seconds=7), 7),
    ],
)
def test_reads(written: object, seconds: float) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "s", "60x", "30m1h", "1h 30m", "-5s", "5S", "1e3s", "1h1h", "٣s", "inf", "nan"),
        *(-1, True, None, [], float("nan"), float("inf"), timedelta(seconds=-1)),
    ],
)
def test_refuses(written: object) -> None:
    with pytest.raises(ValueError, match="a duration such as"):
        parse_duration(written)


@pytest.mark.parametrize("written", ["36501d", "999999999999999d", 1e300, 10**30])
def test_refuses_more_than_a_century(written: object) -> None:
    with pytest.raises(ValueError, match="at most 36500d"):
        parse_duration(written)


@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST))
def test_what_is_written_reads_the_same(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(st.text() | st.floats() | st.integers())
def test_any_value_is_a_duration_or_a_value_error(written: object) -> None:
    with suppress(ValueError):
        assert timedelta(0) <= parse_duration(written) <= LONGEST


@pytest.mark.parametrize(
    ("duration", "written"),
    [
        (timedelta(0), "0s"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(hours=24), "1d"),
        (timedelta(milliseconds=500), "500ms"),
        (timedelta(microseconds=1_500), "1.5ms"),
    ],
)
def test_writes(duration: timedelta, written: str) -> None:
    assert format_duration(duration) == written
