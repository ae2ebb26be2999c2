"""Listings are read to their end, or said not to be."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.venue.description import Paging
from reconciler.venue.fills_reading import MOST_WINDOWS, windows_of
from reconciler.venue.paging import Page, read_pages

BY_CURSOR = Paging(size=20, limit_param="limit", cursor_param="cursor", cursor_at=("next",))
BY_NUMBER = Paging(size=20, page_param="page")


class Venue:
    """Lists `count` rows, 20 at a time; page 9 may fail."""

    def __init__(self, count: int, *, fails_at: int | None = None) -> None:
        self.rows = list(range(count))
        self.fails_at = fails_at
        self.asked: list[Mapping[str, Any]] = []

    async def ask(self, params: Mapping[str, Any]) -> Page:
        self.asked.append(params)
        if len(self.asked) == self.fails_at:
            raise ConnectionError
        start = int(params.get("cursor") or (params.get("page", 1) - 1) * 20)
        rows = self.rows[start : start + 20]
        more = start + 20 < len(self.rows)
        return Page(rows=rows, document={"next": str(start + 20) if more else ""})


@pytest.mark.parametrize("paging", [BY_CURSOR, BY_NUMBER])
@pytest.mark.parametrize("count", [0, 1, 19, 21, 690, 711])
async def test_all_rows_once(paging: Paging, count: int) -> None:
    venue = Venue(count)
    pages = await read_pages(venue.ask, paging)
    assert pages.rows == venue.rows
    assert pages.why_not_all is None


@pytest.mark.parametrize("paging", [BY_CURSOR, BY_NUMBER])
async def test_a_failed_page_fails_the_listing(paging: Paging) -> None:
    with pytest.raises(ConnectionError):
        await read_pages(Venue(700, fails_at=9).ask, paging)


async def test_a_full_last_page_without_a_cursor_is_suspect() -> None:
    pages = await read_pages(Venue(700).ask, BY_CURSOR)
    assert pages.why_not_all is not None
    # Numbered pages go on until one is not full.
    assert (await read_pages(Venue(700).ask, BY_NUMBER)).why_not_all is None
    single = Paging(size=20, limit_param="limit")
    assert (await read_pages(Venue(20).ask, single)).why_not_all is not None
    assert (await read_pages(Venue(19).ask, single)).why_not_all is None


async def test_a_cursor_that_leads_in_a_circle_ends() -> None:
    async def ask(_params: Mapping[str, Any]) -> Page:
        return Page(rows=[1], document={"next": "again"})

    pages = await read_pages(ask, BY_CURSOR)
    assert pages.why_not_all == "the venue names the same next page twice"


NOW = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("days", "count"), [(0.1, 1), (7, 1), (8, 2), (97, 14), (98, 14), (99, 14), (179, 14)]
)
def test_windows_are_whole_and_bounded(days: float, count: int) -> None:
    since = NOW - timedelta(days=days)
    windows = windows_of(since=since, now=NOW, window=WEEK)
    assert len(windows) == count <= MOST_WINDOWS
    assert windows[0][0] == since
    assert windows[-1][1] is None
    assert NOW - windows[-1][0] <= WEEK
    assert all(end is None or end - start == WEEK for start, end in windows)


def test_a_venue_without_windows_is_asked_once() -> None:
    since = NOW - timedelta(days=900)
    assert windows_of(since=since, now=NOW, window=None) == [(since, None)]
