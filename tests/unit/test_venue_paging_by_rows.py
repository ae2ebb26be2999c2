"""Listings whose next page is named by the last row, or by a number of rows."""

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.venue.description import CursorForm, Paging
from reconciler.venue.paging import Page, read_pages

BY_ROW = Paging(size=20, cursor_param="after", cursor_row_at="id")
BY_OFFSET = Paging(size=20, limit_param="limit", offset_param="offset")
BY_TIME = Paging(
    size=20,
    cursor_param="until",
    cursor_row_at="at",
    cursor_form=CursorForm.NEXT_MILLISECOND,
    row_id_at="id",
)


class Venue:
    """Lists rows newest first; several share each moment."""

    def __init__(self, count: int, *, fails_at: int | None = None, share: int = 1) -> None:
        self.rows = [
            {"id": str(count - n), "at": f"2026-01-01T00:00:00.{999 - n // share:03d}456Z"}
            for n in range(count)
        ]
        self.fails_at = fails_at
        self.asked: list[Mapping[str, Any]] = []

    async def ask(self, params: Mapping[str, Any]) -> Page:
        self.asked.append(params)
        if len(self.asked) == self.fails_at:
            raise ConnectionError
        rows = self.rows
        if "after" in params:
            rows = [row for row in rows if int(row["id"]) < int(params["after"])]
        if "until" in params:
            rows = [row for row in rows if row["at"].rstrip("Z") < params["until"].rstrip("Z")]
        start = int(params.get("offset", 0))
        return Page(rows=rows[start : start + 20], document=None)


@pytest.mark.parametrize("paging", [BY_ROW, BY_OFFSET, BY_TIME])
@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 690, 700])
async def test_all_rows_once(paging: Paging, count: int) -> None:
    venue = Venue(count)
    pages = await read_pages(venue.ask, paging)
    assert pages.rows == venue.rows
    assert pages.why_not_all is None


@pytest.mark.parametrize("paging", [BY_ROW, BY_OFFSET, BY_TIME])
async def test_a_failed_page_fails_the_listing(paging: Paging) -> None:
    with pytest.raises(ConnectionError):
        await read_pages(Venue(700, fails_at=9).ask, paging)


async def test_rows_of_one_moment_are_not_lost_between_pages() -> None:
    venue = Venue(700, share=7)
    pages = await read_pages(venue.ask, BY_TIME)
    assert pages.rows == venue.rows
    assert pages.why_not_all is None


async def test_more_rows_of_one_moment_than_a_page_holds_are_suspect() -> None:
    pages = await read_pages(Venue(100, share=50).ask, BY_TIME)
    assert pages.why_not_all == "a full page shows nothing new"


async def test_a_venue_that_ignores_the_offset_is_suspect() -> None:
    rows = [{"id": str(number)} for number in range(20)]

    async def ask(_: Mapping[str, Any]) -> Page:
        return Page(rows=rows, document=None)

    for paging in (BY_OFFSET, Paging(size=20, page_param="page")):
        pages = await read_pages(ask, paging)
        assert pages.why_not_all == "the venue shows the same page twice"


async def test_a_last_row_without_a_cursor_is_suspect() -> None:
    async def ask(_: Mapping[str, Any]) -> Page:
        return Page(rows=[{"name": "x"}] * 20, document=None)

    pages = await read_pages(ask, BY_ROW)
    assert pages.why_not_all == "the last row has no id"
    assert len(pages.rows) == 20


async def test_a_venue_that_says_so_has_no_more() -> None:
    paging = Paging(size=2, cursor_param="cursor", cursor_at=("cursor",), more_at=("has_next",))

    async def ask(_: Mapping[str, Any]) -> Page:
        return Page(rows=[1, 2], document={"cursor": "x", "has_next": False})

    pages = await read_pages(ask, paging)
    assert (pages.rows, pages.why_not_all) == ([1, 2], None)


MORE_OR_NOT = Paging(size=50, cursor_param="cursor", cursor_at=("cursor",), more_at=("has_next",))


@pytest.mark.parametrize(
    ("document", "rows", "says"),
    [
        ({"cursor": "", "has_next": True}, 3, "no way to it"),
        ({"has_next": True}, 3, "no way to it"),
        ({"cursor": "x", "has_next": True}, 0, "no way to it"),
        ({"cursor": "", "has_next": "true"}, 3, "no way to it"),
        ({"cursor": "", "has_next": False}, 50, None),
        # Where the venue says nothing of more, a page of a usual size needs its end to be named.
        ({}, 20, "the place of the next cursor is missing"),
        ({}, 19, None),
        ({"cursor": ""}, 20, None),
        ({"cursor": ""}, 50, "names no next one"),
    ],
)
async def test_an_end_that_is_not_named(
    document: Mapping[str, Any], rows: int, says: str | None
) -> None:
    async def ask(_: Mapping[str, Any]) -> Page:
        return Page(rows=[1] * rows, document=document)

    why = (await read_pages(ask, MORE_OR_NOT)).why_not_all
    assert why is None if says is None else says in (why or "")


async def test_a_listing_by_its_last_row_ends_where_the_venue_says_so() -> None:
    paging = Paging(size=1000, cursor_param="from", cursor_row_at="at", row_id_at="id",
                    more_at=("has_more",))  # fmt: skip
    asked = 0

    async def ask(_: Mapping[str, Any]) -> Page:
        nonlocal asked
        asked += 1
        return Page(rows=[{"at": 1, "id": n} for n in range(10)], document={"has_more": False})

    pages = await read_pages(ask, paging)
    assert (len(pages.rows), pages.why_not_all, asked) == (10, None, 1)
