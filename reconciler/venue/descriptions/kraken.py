"""Kraken spot and margin, as its documentation and ccxt 4.5.90 have it.

Sources (docs.kraken.com/api/docs/rest-api):
- get-open-orders: all of them in one answer, stops too, in an object by their ids; `cl_ord_id` and
  `userref` filter. get-closed-orders: 50 a page, the same filters.
- get-orders-info (QueryOrders): an object by ids; an id that is not known is "EOrder:Invalid order"
  or an empty object. No purge of old orders is published.
- get-open-positions: margin only; consolidated by market a list. `vol` is what was opened,
  `vol_closed` what of it is closed, which ccxt leaves out.
- get-extended-balance (BalanceEx): an object by currencies.
- get-trade-history: 50 a page, `ofs`; no filter by order.
- An order without a client id has userref 0, which ccxt takes for one.
- Nonces are per key: the daemon needs a key of its own.
"""

from typing import Any

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    AnswerShape,
    BalanceRow,
    FillsCall,
    ListingCall,
    LookupCall,
    NotFoundWords,
    Paging,
    PositionRow,
    StatusWords,
    TimeForm,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of


def _by_client_id(method: str, place: str, id_param: str, **more: Any) -> LookupCall:
    return LookupCall(
        by_client_order_id=True,
        method=method,
        id_param=id_param,
        order_at=("result", place),
        keyed_as="id",
        **more,
    )


_USER_REFERENCE = r"\d{1,10}"

KRAKEN = VenueDescription(
    venue="kraken",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="privatePostOpenOrders",
            rows_at=("result", "open"),
            keyed_as="id",
        ),
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="privatePostOpenPositions",
            params={"consolidation": "market"},
            rows_at=("result",),
            keyed_as="id",
        ),
        ListingCall(
            scope=ScopeName.BALANCES,
            method="privatePostBalanceEx",
            rows_at=("result",),
            keyed_as="asset",
        ),
    ),
    lookups=(
        LookupCall(
            method="privatePostQueryOrders", id_param="txid", order_at=("result",), keyed_as="id"
        ),
        _by_client_id("privatePostOpenOrders", "open", "cl_ord_id"),
        _by_client_id("privatePostClosedOrders", "closed", "cl_ord_id"),
        _by_client_id("privatePostOpenOrders", "open", "userref", form=_USER_REFERENCE),
        _by_client_id("privatePostClosedOrders", "closed", "userref", form=_USER_REFERENCE),
    ),
    order_id_form=r"[A-Z0-9]{5,6}-[A-Z0-9]{5}-[A-Z0-9]{6}",
    client_order_id_form=r".{1,36}",
    fills=(
        FillsCall(
            method="privatePostTradesHistory",
            rows_at=("result", "trades"),
            keyed_as="id",
            paging=Paging(size=50, offset_param="ofs"),
            since_param="start",
            time_form=TimeForm.SECONDS,
        ),
    ),
    shapes=(
        AnswerShape(path="/public/AssetPairs", rows_at=("result",), keyed=True, may_be_empty=False),
        AnswerShape(path="/private/OpenOrders", rows_at=("result", "open"), keyed=True),
        AnswerShape(path="/private/ClosedOrders", rows_at=("result", "closed"), keyed=True),
        AnswerShape(path="/private/QueryOrders", rows_at=("result",), keyed=True),
        AnswerShape(path="/private/OpenPositions", rows_at=("result",), keyed=True),
        AnswerShape(path="/private/BalanceEx", rows_at=("result",), keyed=True),
        AnswerShape(path="/private/TradesHistory", rows_at=("result", "trades"), keyed=True),
    ),
    position_row=PositionRow(
        symbol="pair",
        qty="vol",
        closed="vol_closed",
        side="type",
        sides={"buy": "long", "sell": "short"},
        entry_price=None,
        mark_price=None,
    ),
    # What is on hold for orders is in `balance` too. `.F` earns where it lies, and can be sold.
    balance_row=BalanceRow(asset="asset", parts=("balance",), suffixes=(".F",)),
    balances_always=True,
    status=StatusWords(in_flight=frozenset({"pending"})),
    not_found=tuple(
        NotFoundWords(error="InvalidOrder", words=words)
        for words in ("EOrder:Invalid order", "EOrder:Unknown order")
    ),
    options={"adjustForTimeDifference": False},
    # guides/spot-rest-ratelimits: a counter for each key.
    budget_per_account=True,
    retention=retention_of("kraken"),
    not_covered=(
        "coins that are staked or in other products (.S, .M, .B)",
        "Kraken Futures (venue krakenfutures)",
    ),
)
