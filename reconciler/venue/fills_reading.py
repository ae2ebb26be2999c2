"""The last rung: executions since an order's creation. Venues keep these longest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.domain.orders import BookOrder, Fill
from reconciler.domain.snapshot import AnswerKind
from reconciler.venue.calls import VenueCalls
from reconciler.venue.classify import VenueCallError, refused_locally, says_one_of
from reconciler.venue.connection import Exchange
from reconciler.venue.description import CallName, FillsCall, TimeForm, VenueDescription
from reconciler.venue.markets import field_of, place_of
from reconciler.venue.paging import Page, read_pages
from reconciler.venue.raw_calls import account_params, asking
from reconciler.venue.raw_json import keyed_rows, rows_in
from reconciler.venue.translate import NotUnderstoodError
from reconciler.venue.translator import Translator

BEFORE_CREATION = timedelta(seconds=60)
"""The book may have written its row after the venue filled the order."""

MOST_WINDOWS = 14
"""Of 7 days: 98 days. An older order is looked for in its first 13 windows, where orders fill, and
in the latest: reading each of a year's weeks would cost the venue's budget and decide nothing, as
an order that filled is known by its id for longer than it is likely to fill."""

MOST_PAGES = 20
"""Per window. With the venue's own filter by order one page is the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsRead:
    """What the rung said."""

    rungs: tuple[str, ...]
    fills: tuple[Fill, ...] = ()


def windows_of(
    *, since: datetime, now: datetime, window: timedelta | None
) -> list[tuple[datetime, datetime | None]]:
    """Return the spans to ask for, oldest first; the last is open, so that clocks may differ."""
    if window is None or now - since <= window:
        return [(since, None)]
    count = math.ceil((now - since) / window)
    starts = [since + window * number for number in range(count)]
    if count > MOST_WINDOWS:
        starts = [*starts[: MOST_WINDOWS - 1], starts[-1]]
    spans: list[tuple[datetime, datetime | None]] = [(at, at + window) for at in starts[:-1]]
    return [*spans, (starts[-1], None)]


class FillsReading:
    """Reads the executions of one account's orders."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        description: VenueDescription,
        calls: VenueCalls,
        translator: Translator,
    ) -> None:
        self._exchange = exchange
        self._description = description
        self._calls = calls
        self._translator = translator

    async def read(self, order: BookOrder, *, now: datetime) -> FillsRead:
        """Return the executions that carry one of the order's ids.

        Raises:
            VenueCallError: some window was not answered, or cannot be read to its end.

        """
        market = (self._exchange.markets or {}).get(order.symbol)
        lists = self._description.fills_of(place_of(market))
        if not lists:
            raise _no_answer(f"ccxt cannot list fills of {self._exchange.id}", unsupported=True)
        rungs: list[str] = []
        found: dict[str, Fill] = {}
        for fills in lists:
            rung, rows = await self._list(order, fills, now=now)
            rungs += [rung] if rung not in rungs else []
            found |= {fill.id: fill for fill in rows if _is_of(fill, order)}
        return FillsRead(rungs=tuple(rungs), fills=tuple(found.values()))

    async def _list(
        self, order: BookOrder, fills: FillsCall, *, now: datetime
    ) -> tuple[str, list[Fill]]:
        since = order.created_at - BEFORE_CREATION
        if fills.kept is not None:
            earliest = now - fills.kept + self._margin
            if since < earliest and not self._description.is_described:
                # ccxt's claim may be a day: then most of the order's life is not listed.
                detail = f"fills are listed for {fills.kept}, the order is older"
                raise _no_answer(detail, unsupported=True)
            since = max(since, earliest)
        windows = windows_of(since=since, now=now, window=fills.window)
        rung = _rung_of(windows)
        if not _attributable(order, fills):
            # No fill can be told to be this order's; the call shows that the account answers.
            windows, rung = windows[-1:], "fills"
        found: list[Fill] = []
        for start, end in windows:
            if fills.method is None:
                found += await self._window(order, fills, start=start, end=end)
            else:
                found += await self._raw(order, fills, fills.method, start=start, end=end)
        return rung, found

    async def _raw(
        self,
        order: BookOrder,
        fills: FillsCall,
        method: str,
        *,
        start: datetime,
        end: datetime | None,
    ) -> list[Fill]:
        market = (self._exchange.markets or {}).get(order.symbol)
        filters = _filters(order, fills, start=start, end=end)
        filters |= {name: field_of(market or {}, at) for name, at in fills.market_params.items()}
        filters |= account_params(self._exchange, fills.account_params)
        call = asking(self._exchange, method)

        async def ask(params: Mapping[str, Any]) -> Page:
            asked = {**fills.params, **filters, **params}
            answer, _ = await self._calls.make(CallName.FILLS, lambda: call(asked))
            if fills.keyed_as is not None:
                rows = keyed_rows(answer, fills.rows_at, keyed_as=fills.keyed_as)
            else:
                rows = rows_in(answer, fills.rows_at, null_is_none=fills.null_is_none)
            if rows is None:
                raise _no_answer("the answer holds no list of fills")
            return Page(rows=_since(rows, fills.newest_first_by, start), document=answer)

        try:
            if not _attributable(order, fills):
                await ask({})
                return []
            pages = await read_pages(ask, fills.paging)
        except VenueCallError as error:
            if says_one_of(error.__cause__, fills.none_words):
                return []
            raise
        if pages.why_not_all:
            raise _no_answer(pages.why_not_all)
        try:
            return [
                self._translator.fill_of_row(row, market=market, fills=fills) for row in pages.rows
            ]
        except NotUnderstoodError as error:
            raise _no_answer(f"the answer cannot be read: {error}") from error

    @property
    def _margin(self) -> timedelta:
        return timedelta(hours=1)

    async def _window(
        self, order: BookOrder, fills: FillsCall, *, start: datetime, end: datetime | None
    ) -> list[Fill]:
        params: dict[str, Any] = {"until": _milliseconds(end)} if end else {}
        if fills.order_id_param and order.venue_order_id:
            params[fills.order_id_param] = order.venue_order_id
        since = _milliseconds(start)
        found: list[Fill] = []
        for _ in range(MOST_PAGES):
            rows = await self._page(order, fills, since=since, params=params)
            found += rows
            if len(rows) < fills.page and len(rows) in fills.looks_full_at:
                raise _no_answer(f"{len(rows)} fills look like a full page")
            if len(rows) < fills.page or not _attributable(order, fills):
                return found
            last = max((_milliseconds(fill.at) for fill in rows if fill.at), default=since)
            if last <= since:
                raise _no_answer(f"{len(rows)} fills share one moment, the page ends among them")
            since = last
        raise _no_answer(f"more than {MOST_PAGES} pages of fills in one window")

    async def _page(
        self, order: BookOrder, fills: FillsCall, *, since: int, params: dict[str, Any]
    ) -> list[Fill]:
        parsed, heard = await self._calls.make(
            CallName.FILLS,
            lambda: self._exchange.fetch_my_trades(order.symbol, since, fills.page, dict(params)),
        )
        if not isinstance(parsed, list):
            raise _no_answer("the answer holds no list of fills")
        if heard.rows is None or len(parsed) < heard.rows:
            raise _no_answer(f"{heard.rows} fills were sent, ccxt tells of {len(parsed)}")
        try:
            return [self._translator.fill_of(row, fills) for row in parsed]
        except NotUnderstoodError as error:
            raise _no_answer(f"the answer cannot be read: {error}") from error


def _filters(
    order: BookOrder, fills: FillsCall, *, start: datetime, end: datetime | None
) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    if fills.since_param:
        filters[fills.since_param] = _time(start, fills.time_form)
    if fills.until_param and end:
        filters[fills.until_param] = _time(end, fills.time_form)
    if fills.last_until_param and end is None:
        ahead = datetime.now(UTC) + timedelta(days=1)
        filters[fills.last_until_param] = _time(ahead, fills.time_form)
    if fills.order_id_param and order.venue_order_id:
        filters[fills.order_id_param] = order.venue_order_id
    return filters


def _since(rows: list[Any], field: str | None, start: datetime) -> list[Any]:
    """Leave out what is older than `start`, which makes the page the last one."""
    if field is None:
        return rows
    try:
        return [row for row in rows if _moment(row[field]) >= start]
    except (KeyError, TypeError, ValueError) as error:
        raise _no_answer(f"a fill without {field}") from error


def _moment(value: Any) -> datetime:
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC)
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _time(at: datetime, form: TimeForm) -> int | str:
    match form:
        case TimeForm.MILLISECONDS:
            return _milliseconds(at)
        case TimeForm.SECONDS:
            return int(at.timestamp())
        case TimeForm.ISO:
            return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _attributable(order: BookOrder, fills: FillsCall) -> bool:
    by_client_id = order.client_order_id and fills.client_order_id_at
    return bool(order.venue_order_id or by_client_id)


def _is_of(fill: Fill, order: BookOrder) -> bool:
    if order.venue_order_id and fill.venue_order_id == order.venue_order_id:
        return True
    return bool(order.client_order_id) and fill.client_order_id == order.client_order_id


def _rung_of(windows: list[tuple[datetime, datetime | None]]) -> str:
    if len(windows) < MOST_WINDOWS or windows[-2][1] == windows[-1][0]:
        return "fills"
    return f"fills (not between {windows[-2][1]:%Y-%m-%d} and {windows[-1][0]:%Y-%m-%d})"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _no_answer(detail: str, *, unsupported: bool = False) -> VenueCallError:
    kind = AnswerKind.UNSUPPORTED if unsupported else AnswerKind.NO_ANSWER
    return refused_locally(kind, CallName.FILLS, detail)
