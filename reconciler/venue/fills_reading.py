"""The last rung: executions since an order's creation. Venues keep these longest."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.domain.orders import BookOrder, Fill
from reconciler.domain.snapshot import AnswerKind
from reconciler.venue.calls import VenueCalls
from reconciler.venue.classify import VenueCallError, refused_locally
from reconciler.venue.connection import Exchange
from reconciler.venue.description import CallName, FillsCall, VenueDescription
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
        self._fills = description.fills
        self._calls = calls
        self._translator = translator

    async def read(self, order: BookOrder, *, now: datetime) -> FillsRead:
        """Return the executions that carry one of the order's ids.

        Raises:
            VenueCallError: some window was not answered, or cannot be read to its end.

        """
        if self._fills is None:
            raise _no_answer(f"ccxt cannot list fills of {self._exchange.id}", unsupported=True)
        since = order.created_at - BEFORE_CREATION
        if self._fills.kept is not None:
            since = max(since, now - self._fills.kept + self._margin)
        windows = windows_of(since=since, now=now, window=self._fills.window)
        rungs = [_rung_of(windows)]
        if not _attributable(order, self._fills):
            # No fill can be told to be this order's; the call shows that the account answers.
            windows, rungs = windows[-1:], ["fills"]
        found: dict[str, Fill] = {}
        for start, end in windows:
            for fill in await self._window(order, self._fills, start=start, end=end):
                if _is_of(fill, order):
                    found[fill.id] = fill
        return FillsRead(rungs=tuple(rungs), fills=tuple(found.values()))

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
            rows = await self._page(order, since=since, limit=fills.page, params=params)
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
        self, order: BookOrder, *, since: int, limit: int, params: dict[str, Any]
    ) -> list[Fill]:
        parsed, heard = await self._calls.make(
            CallName.FILLS,
            lambda: self._exchange.fetch_my_trades(order.symbol, since, limit, dict(params)),
        )
        if not isinstance(parsed, list):
            raise _no_answer("the answer holds no list of fills")
        if heard.rows is None or len(parsed) < heard.rows:
            raise _no_answer(f"{heard.rows} fills were sent, ccxt tells of {len(parsed)}")
        try:
            return [self._translator.fill_of(row) for row in parsed]
        except NotUnderstoodError as error:
            raise _no_answer(f"the answer cannot be read: {error}") from error


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
