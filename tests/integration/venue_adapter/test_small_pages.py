"""A venue that gives 20 rows a page, whatever it is asked for: all are seen, or it is said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.domain.snapshot import Completeness, ScopeName
from reconciler.venue.descriptions import DESCRIBED
from reconciler.venue.shared_connection import SharedConnections
from tests.integration.venue_adapter.accounts import now
from tests.integration.venue_adapter.canned import Canned, Fault, Params, serving
from tests.integration.venue_adapter.cases import bitget, bybit, gate, kucoin, mexc
from tests.integration.venue_adapter.cases.case import Rows, VenueCase
from tests.integration.venue_adapter.test_described_venues import Bench

A_PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """A case whose listing of open orders is cut into small pages."""

    case: VenueCase
    row: Callable[[int], Mapping[str, Any]]
    start: Callable[[Params, Rows], int]
    """The number of the first row of a page, by how this venue is asked for it."""
    wrap: Callable[[list[Any], str, int], Any]
    """The page's rows, where the next one starts and how many there are, as the venue says it."""
    path: str
    where: Mapping[str, str]
    scope: ScopeName = ScopeName.OPEN_ORDERS

    def entry(self, rows: Rows) -> Canned:
        def answer(params: Params) -> Any:
            start = self.start(params, rows)
            end = start + A_PAGE
            following = str(end) if end < len(rows) else ""
            return self.wrap(list(rows[start:end]), following, len(rows))

        return Canned(path=self.path, where=self.where, scope=self.scope, body=answer)


def _after(params: Params, rows: Rows) -> int:
    last = params.get("idLessThan")
    return [row["orderId"] for row in rows].index(last) + 1 if last else 0


def _by_number(param: str) -> Callable[[Params, Rows], int]:
    return lambda params, _: (int(params[param]) - 1) * A_PAGE


BY_CURSOR = Small(
    case=bybit.BYBIT,
    row=lambda number: bybit.order(f"p-{number}"),
    start=lambda params, _: int(params.get("cursor") or 0),
    wrap=lambda rows, following, _: {
        "retCode": 0,
        "retMsg": "OK",
        "result": {"category": "linear", "list": rows, "nextPageCursor": following},
        "time": 1,
    },
    path="/order/realtime",
    where={"category": "linear", "settleCoin": "USDT"},
)
BY_LAST_ROW = Small(
    case=bitget.BITGET,
    row=lambda number: bitget.order(f"{5000 + number}"),
    start=_after,
    wrap=lambda rows, *_: {"code": "00000", "msg": "success", "data": {"entrustedList": rows}},
    path="/orders-pending",
    where={"productType": "USDT-FUTURES"},
)
BY_NUMBER = Small(
    case=mexc.MEXC,
    row=lambda number: mexc.order(f"{5000 + number}"),
    start=_by_number("page_num"),
    wrap=lambda rows, *_: {"success": True, "code": 0, "data": rows},
    path="/order/list/open_orders",
    where={},
)
PLANS_BY_NUMBER = Small(
    case=mexc.MEXC,
    row=lambda number: {
        "id": f"{5000 + number}",
        "symbol": "BTC_USDT",
        "side": 4,
        "triggerPrice": 40000,
        "price": 0,
        "vol": 2000,
        "state": 1,
        "orderType": 5,
        "createTime": 1_700_000_000_000,
    },
    start=_by_number("page_num"),
    wrap=lambda rows, *_: {"success": True, "code": 0, "data": rows},
    path="/planorder/list/orders",
    where={"states": "1"},
    scope=ScopeName.TRIGGER_ORDERS,
)
BY_OFFSET = Small(
    case=gate.GATE,
    row=lambda number: gate.order(5000 + number),
    start=lambda params, _: int(params["offset"]),
    wrap=lambda rows, *_: rows,
    path="/futures/usdt/orders",
    where={},
)
COUNTED = Small(
    case=kucoin.KUCOIN,
    row=lambda number: kucoin.old_order(f"a{5000 + number}"),
    start=_by_number("currentPage"),
    wrap=lambda rows, _, total: {
        "code": "200000",
        "data": {"totalNum": total, "items": rows},
    },
    path="/api/v1/orders",
    where={"tradeType": "TRADE"},
)
SMALL = {
    "cursor": BY_CURSOR,
    "last_row": BY_LAST_ROW,
    "number": BY_NUMBER,
    "plans_by_number": PLANS_BY_NUMBER,
    "offset": BY_OFFSET,
    "counted": COUNTED,
}


async def _look(small: Small, count: int, fault: Fault | None = None) -> tuple[Any, Any, int]:
    entry = small.entry([small.row(number) for number in range(count)])
    async with serving() as server:
        shared = SharedConnections()
        bench = Bench(small.case, server, shared)
        label, account = bench.account(table=(entry, *small.case.table))
        if fault is not None:
            server.faults[label] = (entry, fault)
        seen = await account.snapshot(now=now())
        await account.close()
        await shared.close()
        pages = sum(1 for asked, _ in server.asked[label] if asked is entry)
    return seen, seen.scopes[small.scope], pages


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("count", [700, 690, 20, 0])
async def test_all_rows_of_small_pages_are_seen_once(kind: str, count: int) -> None:
    small = SMALL[kind]
    seen, scope, pages = await _look(small, count)
    gap = DESCRIBED[small.case.venue].gaps.get(small.scope)
    assert scope.completeness is (Completeness.PARTIAL if gap else Completeness.COMPLETE)
    # Nothing is said against the pages themselves.
    assert (scope.failure.detail if gap else None) == gap
    wanted = {str(row.get("orderId") or row.get("id")) for row in map(small.row, range(count))}
    listed = [o.venue_order_id for o in seen.orders if o.venue_order_id in wanted]
    assert len(listed) == len(set(listed)) == count
    assert pages >= max(count / A_PAGE, 1)


@pytest.mark.parametrize("kind", SMALL)
async def test_a_502_on_page_9_fails_the_scope(kind: str) -> None:
    seen, scope, pages = await _look(SMALL[kind], 700, Fault(status=502, body="", after=8))
    assert scope.completeness is Completeness.FAILED
    assert pages == 9
    assert not seen.orders_are_complete()
    is_trigger = SMALL[kind].scope is ScopeName.TRIGGER_ORDERS
    assert not [o for o in seen.orders if o.is_trigger is is_trigger]
