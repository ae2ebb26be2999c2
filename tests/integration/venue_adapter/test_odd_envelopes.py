"""Answers whose rows have the right shape and whose envelope does not say that they are right."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import Completeness, NotFound, ScopeName, Unanswered
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.bitget import BITGET
from tests.integration.venue_adapter.cases.bybit import BYBIT
from tests.integration.venue_adapter.cases.case import Ask, VenueCase
from tests.integration.venue_adapter.cases.coinbase import COINBASE
from tests.integration.venue_adapter.cases.kraken import KRAKEN
from tests.integration.venue_adapter.cases.krakenfutures import KRAKENFUTURES
from tests.integration.venue_adapter.cases.kucoinfutures import KUCOINFUTURES
from tests.integration.venue_adapter.cases.okx import OKX
from tests.integration.venue_adapter.test_described_details import account_of
from tests.integration.venue_adapter.test_described_venues import look, look_at


def _entry(case: VenueCase, path: str) -> Canned:
    return next(entry for entry in case.table if entry.path.endswith(path))


async def _scope_with(case: VenueCase, entry: Canned, body: Any) -> Completeness:
    async with account_of(case, replace(entry, body=body)) as account:
        return (await look_at(account, case)).scopes[ScopeName(entry.scope)].completeness


@pytest.mark.parametrize(
    ("case", "path", "body"),
    [
        (BITGET, "/trade/unfilled-orders", {"data": None}),
        (BITGET, "/all-position", {"data": []}),
        (BITGET, "/all-position", {"code": 0, "data": []}),
        (OKX, "/account/positions", {"data": []}),
        (BYBIT, "/position/list", {"result": {"list": [], "nextPageCursor": ""}}),
        (KRAKENFUTURES, "/openpositions", {"result": "error", "openPositions": []}),
        (KRAKENFUTURES, "/openorders", {"openOrders": []}),
        (KUCOINFUTURES, "/positions", {"data": []}),
    ],
)
async def test_rows_without_the_word_of_success_are_no_answer(
    case: VenueCase, path: str, body: Mapping[str, Any]
) -> None:
    assert await _scope_with(case, _entry(case, path), body) is Completeness.FAILED


@pytest.mark.parametrize("more", [{"cursor": ""}, {}, {"cursor": None}])
async def test_more_without_a_way_to_it_is_partial(more: Mapping[str, Any]) -> None:
    body = {"orders": [], "has_next": True, **more}
    entry = _entry(COINBASE, "/historical/batch")
    assert await _scope_with(COINBASE, entry, body) is Completeness.PARTIAL


async def test_a_position_on_two_pages_is_one_position() -> None:
    entry = _entry(BYBIT, "/position/list")
    right = entry.answer("", {})
    rows = right["result"]["list"]

    def overlapping(params: Params) -> Any:
        page = {"list": rows, "nextPageCursor": "x"}
        if "cursor" in params:
            # The price has moved between the pages.
            page = {"list": [{**rows[-1], "markPrice": "1"}], "nextPageCursor": ""}
        return {**right, "result": {**right["result"], **page}}

    async with account_of(BYBIT, replace(entry, body=overlapping)) as account:
        seen = await look_at(account, BYBIT)
    assert seen.positions_are_complete()
    shown = [(p.symbol, p.side, p.qty) for p in seen.positions]
    assert len(set(shown)) == len(shown) == len(BYBIT.positions)
    assert ("ETH/USDT:USDT", PositionSide.SHORT, Decimal(2)) in shown


@pytest.mark.parametrize(
    ("case", "path", "body", "is_not_found"),
    [
        # Its documentation: "100001: invalid parameters", which ccxt takes for one of them.
        (KUCOINFUTURES, "/orders/", {"code": "100001", "msg": "symbol must not be empty"}, False),
        (KUCOINFUTURES, "/orders/", {"code": "100001", "msg": "symbol not exist"}, False),
        (KRAKEN, "/private/QueryOrders", {"error": ["EOrder:Unknown order"]}, True),
        (KRAKEN, "/private/QueryOrders", {"error": ["EOrder:Rate limit exceeded"]}, False),
    ],
)
async def test_only_the_words_of_it_are_not_found(
    case: VenueCase,
    path: str,
    body: Mapping[str, Any],
    is_not_found: bool,
) -> None:
    ask: Ask = next(ask for ask in case.missing if ask.order_id)
    instead = Canned(path=path + (r"\w+" if path.endswith("/") else ""), body=body)
    async with account_of(case, instead) as account:
        await account.prepare()
        said = await look(account, ask)
    assert isinstance(said, NotFound if is_not_found else Unanswered), said
