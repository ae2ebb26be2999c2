"""Reading a listing to its end.

ccxt's own paging ends after ten pages without a word and swallows failed ones. Here a failed page
fails the listing, and an end that cannot be told from a cut is said.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.venue.description import CursorForm, Paging
from reconciler.venue.raw_json import found_at

MOST_PAGES = 1000
"""An account with more rows than this many pages hold is not read to its end."""

USUAL_PAGES = frozenset({10, 20, 25, 30, 40, 50, 100, 200, 250, 500, 1000})
"""A venue may give fewer rows a page than it was asked for. A page of so many is not taken for the
last one because it is short: the next is asked for."""


MORE_UNNAMED = "the venue says that there is more, and shows no way to it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a listing."""

    rows: list[Any]
    document: Any
    """The raw answer, which may name the next page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """All answers of a listing."""

    rows: list[Any]
    why_not_all: str | None = None
    """Why there may be more rows than these."""


Ask = Callable[[Mapping[str, Any]], Awaitable[Page]]
"""Fetch the page of those parameters; raises what the call raises."""


async def read_pages(ask: Ask, paging: Paging | None) -> Pages:
    """Read a listing page by page until the venue says that there is no more."""
    if paging is None:
        return Pages(rows=(await ask({})).rows)
    if paging.cursor_row_at is not None:
        return await _by_last_row(ask, paging, paging.cursor_row_at)
    if paging.cursor_param is not None:
        return await _by_cursor(ask, paging, paging.cursor_param)
    if paging.page_param is not None:
        return await _by_number(ask, paging, paging.page_param)
    if paging.offset_param is not None:
        return await _by_offset(ask, paging, paging.offset_param)
    page = await ask(_limit(paging))
    return Pages(rows=page.rows, why_not_all=_why_suspect(len(page.rows), paging))


async def _by_cursor(ask: Ask, paging: Paging, param: str) -> Pages:
    rows: list[Any] = []
    seen: set[str] = set()
    params = _limit(paging)
    for _ in range(MOST_PAGES):
        page = await ask(params)
        rows += page.rows
        cursor = found_at(page.document, paging.cursor_at)
        says_more = _says_more(page, paging)
        if says_more is False:
            return Pages(rows=rows)
        if cursor is None or cursor == "" or not page.rows:
            # Some venues hand out a cursor with the last, empty page too.
            why = MORE_UNNAMED if says_more else _why_no_cursor(cursor, len(page.rows), paging)
            return Pages(rows=rows, why_not_all=why)
        if str(cursor) in seen:
            return Pages(rows=rows, why_not_all="the venue names the same next page twice")
        seen.add(str(cursor))
        params = {**_limit(paging), param: cursor}
    return Pages(rows=rows, why_not_all=f"more than {MOST_PAGES} pages")


async def _by_last_row(ask: Ask, paging: Paging, field: str) -> Pages:
    rows: dict[Any, Any] = {}
    params = _limit(paging)
    for _ in range(MOST_PAGES):
        page = await ask(params)
        known = len(rows)
        rows |= {_row_id(row, paging, field, known + at): row for at, row in enumerate(page.rows)}
        says_more = _says_more(page, paging)
        if says_more is False or not (says_more or _may_go_on(len(page.rows), paging)):
            return Pages(rows=list(rows.values()))
        if len(rows) == known:
            return Pages(rows=list(rows.values()), why_not_all="a full page shows nothing new")
        cursor = _cursor_of(page.rows[-1], paging, field)
        if cursor is None:
            return Pages(rows=list(rows.values()), why_not_all=f"the last row has no {field}")
        params = {**_limit(paging), str(paging.cursor_param): cursor}
    return Pages(rows=list(rows.values()), why_not_all=f"more than {MOST_PAGES} pages")


def _says_more(page: Page, paging: Paging) -> bool | None:
    """Return what the venue says of whether there is more, None where it says nothing."""
    said = str(found_at(page.document, paging.more_at)) if paging.more_at else ""
    return {"true": True, "false": False}.get(said.lower())


def _why_no_cursor(cursor: Any, rows: int, paging: Paging) -> str | None:
    """Return why a page that names no next one may not be the last, None where it is."""
    if cursor is None and rows in USUAL_PAGES:
        return f"{rows} rows look like a full page, and the place of the next cursor is missing"
    return _why_suspect(rows, paging)


def _row_id(row: Any, paging: Paging, field: str, number: int) -> Any:
    """Return what tells a row apart; a row that has nothing of the kind is kept as it is."""
    known = row.get(paging.row_id_at or field) if isinstance(row, dict) else None
    return ("row", number) if known in (None, "") else str(known)


def _cursor_of(row: Any, paging: Paging, field: str) -> Any:
    value = row.get(field) if isinstance(row, dict) else None
    if value in (None, "") or paging.cursor_form is CursorForm.AS_IT_IS:
        return value or None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    up = at.replace(microsecond=at.microsecond // 1000 * 1000) + timedelta(milliseconds=1)
    return up.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _by_number(ask: Ask, paging: Paging, param: str) -> Pages:
    return await _until_short(ask, paging, param, lambda number, _: number)


async def _by_offset(ask: Ask, paging: Paging, param: str) -> Pages:
    return await _until_short(ask, paging, param, lambda _, rows: rows)


async def _until_short(
    ask: Ask, paging: Paging, param: str, position: Callable[[int, int], int]
) -> Pages:
    """Read on until a page is not full; `position` is of the page's number and the rows so far."""
    rows: list[Any] = []
    before: list[Any] = []
    for number in range(1, MOST_PAGES + 1):
        page = await ask({**_limit(paging), param: position(number, len(rows))})
        if page.rows and page.rows == before:
            return Pages(rows=rows, why_not_all="the venue shows the same page twice")
        before = page.rows
        rows += page.rows
        if paging.total_at:
            total = found_at(page.document, paging.total_at)
            if not page.rows or not isinstance(total, int) or len(rows) >= total:
                return Pages(rows=rows, why_not_all=_why_not(total, len(rows)))
        elif not _may_go_on(len(page.rows), paging):
            return Pages(rows=rows)
    return Pages(rows=rows, why_not_all=f"more than {MOST_PAGES} pages")


def _may_go_on(rows: int, paging: Paging) -> bool:
    return rows >= paging.size or rows in USUAL_PAGES


def _why_not(total: Any, rows: int) -> str | None:
    """Return why rows are not all, of a listing that counts them."""
    if not isinstance(total, int):
        return "the answer does not say how many rows there are"
    return f"the venue counts {total} rows and lists {rows}" if rows < total else None


def _limit(paging: Paging) -> dict[str, Any]:
    return {paging.limit_param: paging.size} if paging.limit_param else {}


def _why_suspect(rows: int, paging: Paging) -> str | None:
    if rows < paging.size:
        return None
    return f"the last page is full ({rows} rows) and names no next one"
