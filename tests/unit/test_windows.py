"""Maintenance windows: cron as crontab(5) has it, in UTC."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.schedule.windows import Windows
from reconciler.service.assembly import NotConfiguredError, windows_of
from reconciler.settings import load_settings

HOUR = timedelta(hours=1)
SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)
"""Midnight of a Sunday."""


def _until(cron: str, span: timedelta, at: datetime) -> datetime | None:
    return Windows({"okx": [(cron, span)]}).open_until("okx", at)


@pytest.mark.parametrize("weekday", ["0", "7", "sun", "SUN", "0,3", "5-7", "0/7"])
def test_sunday_is_what_cron_calls_it(weekday: str) -> None:
    cron = f"0 3 * * {weekday}"
    assert _until(cron, HOUR, SUNDAY + 3 * HOUR) == SUNDAY + 4 * HOUR
    monday = SUNDAY + 27 * HOUR
    assert _until(cron, HOUR, monday) is None


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("2", {2}),
        ("1-5", {1, 2, 3, 4, 5}),
        ("*", set(range(7))),
        ("*/2", {0, 2, 4, 6}),
        ("mon-wed", {1, 2, 3}),
        ("fri-mon", {5, 6, 0, 1}),
        ("5-1", {5, 6, 0, 1}),
        ("sat-sun", {6, 0}),
        ("sun-tue", {0, 1, 2}),
        ("7-2", {0, 1, 2}),
        ("FRI-mon/2", {5, 0}),
    ],
)
def test_weekdays_count_from_sunday(weekday: str, days: set[int]) -> None:
    windows = Windows({"okx": [(f"0 3 * * {weekday}", HOUR)]})
    at = [SUNDAY + timedelta(days=n, hours=3) for n in range(7)]
    assert {n for n, time in enumerate(at) if windows.open_until("okx", time)} == days


def test_open_from_the_minute_until_before_the_end() -> None:
    cron, opens_at = "30 3 * * *", SUNDAY + timedelta(hours=3, minutes=30)
    assert _until(cron, HOUR, opens_at - timedelta(microseconds=1)) is None
    assert _until(cron, HOUR, opens_at) == opens_at + HOUR
    assert _until(cron, HOUR, opens_at + HOUR - timedelta(microseconds=1)) == opens_at + HOUR
    assert _until(cron, HOUR, opens_at + HOUR) is None


def test_over_midnight_and_longer_than_its_own_interval() -> None:
    assert _until("0 23 * * 6", 4 * HOUR, SUNDAY + HOUR) == SUNDAY + 3 * HOUR
    assert _until("0 * * * *", 3 * HOUR, SUNDAY + HOUR) == SUNDAY + 4 * HOUR


@pytest.mark.timeout(5)
def test_a_window_that_opens_each_minute_costs_no_more_than_another() -> None:
    year = timedelta(days=365)
    assert _until("* * * * *", year, SUNDAY) == SUNDAY + year
    assert _until("0 3 1 1 *", year, SUNDAY) == datetime(2026, 1, 1, 3, tzinfo=UTC) + year


def test_a_day_of_the_month_or_a_weekday() -> None:
    """Where both are given cron takes either."""
    first = datetime(2026, 12, 1, 3, tzinfo=UTC)  # a Tuesday
    assert _until("0 3 1 * 0", HOUR, first) == first + HOUR
    assert _until("0 3 1 * 0", HOUR, SUNDAY + 3 * HOUR) == SUNDAY + 4 * HOUR
    assert _until("0 3 1 * 0", HOUR, SUNDAY + 27 * HOUR) is None


def test_the_latest_end_of_several_windows() -> None:
    windows = Windows({"okx": [("0 3 * * *", HOUR), ("30 3 * * *", HOUR)]})
    at = SUNDAY + timedelta(hours=3, minutes=45)
    assert windows.open_until("okx", at) == SUNDAY + timedelta(hours=4, minutes=30)
    assert windows.open_until("bybit", at) is None


@pytest.mark.parametrize(
    "cron",
    [
        "a b c d e",
        "61 * * * *",
        "* * * * 9",
        "0 25 * * *",
        "* * * * mon-",
        "* * * * -1",
        "* * * * mon-foo",
        "* * * * 1/0",
    ],
)
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        Windows({"okx": [(cron, HOUR)]})


CONFIGURED = """
[[maintenance.binanceusdm]]
cron = "{cron}"
duration = "2h"
"""


def test_windows_as_they_are_configured(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.toml"
    file.write_text(CONFIGURED.format(cron="0 3 * * 0"))
    windows = windows_of(load_settings(file, environ={}))
    assert windows.open_until("binanceusdm", SUNDAY + 4 * HOUR) == SUNDAY + 5 * HOUR
    assert windows.open_until("okx", SUNDAY + 4 * HOUR) is None


def test_a_window_that_is_none_ends_the_command_and_names_the_venue(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.toml"
    file.write_text(CONFIGURED.format(cron="0 33 * * 0"))
    with pytest.raises(NotConfiguredError, match=r"maintenance\.binanceusdm: cron"):
        windows_of(load_settings(file, environ={}))
