"""MEXC (spot and perpetual contracts), as its documentation and ccxt 4.5.90 have it.

Sources (mexc.com/api-docs):
- futures: order/list/open_orders and planorder/list/orders (states 1: untriggered), 100 a page,
  `page_num`; position/open_positions, one answer, a row per leg, volumes in contracts.
- futures, what keeps the trigger orders from being complete, though their pages are read to the
  end: planorder/list/orders is by time (`start_time` and `end_time`, 90 days apart at most in
  ccxt's `maxTimeTillEnd`; which span it takes where none is sent is not documented), while a plan
  order may live for ten years (`executeCycle`: 87600 hours in the documentation's example); and
  stoporder/open_orders, trackorder/list/orders have rows that are no order by themselves (a pair of
  prices of a position, without a side), which ccxt cannot read.
- spot: openOrders wants a symbol, so that no call shows all of an account's spot orders.
- futures: order/get/{id} and order/external/{symbol}/{external_oid}: 2040 is "order does not
  exist"; spot: order, -2013. Both are plain ExchangeErrors to ccxt, which ignores a client order
  id for contracts without a word.
- futures: sides are 1 open long, 2 close short, 3 open short, 4 close long; ccxt takes 2 for a sale
  and knows no 3 and 4.
- futures: order/list/order_deals, 100 a page; spot: myTrades, by order id, 100 rows.
"""

from datetime import timedelta

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    CONTRACTS,
    AnswerShape,
    BalanceRow,
    FillsCall,
    ListingCall,
    LookupCall,
    MarketKind,
    NotFoundWords,
    Paging,
    PositionRow,
    RowIds,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

_SPOT = frozenset({MarketKind.SPOT})
_DATA = ("data",)
_IDS = RowIds(order_id="orderId", client_order_id="externalOid")
_PAGES = Paging(size=100, limit_param="page_size", page_param="page_num")

MEXC = VenueDescription(
    venue="mexc",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="contractPrivateGetOrderListOpenOrders",
            rows_at=_DATA,
            paging=_PAGES,
            symbol_at="symbol",
            ids=_IDS,
        ),
        ListingCall(
            scope=ScopeName.TRIGGER_ORDERS,
            method="contractPrivateGetPlanorderListOrders",
            params={"states": "1"},
            rows_at=_DATA,
            paging=_PAGES,
            symbol_at="symbol",
            ids=RowIds(order_id="id", client_order_id="externalOid"),
        ),
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="contractPrivateGetPositionOpenPositions",
            rows_at=_DATA,
            symbol_at="symbol",
        ),
        ListingCall(
            scope=ScopeName.BALANCES, method="spotPrivateGetAccount", rows_at=("balances",)
        ),
    ),
    lookups=(
        LookupCall(kinds=_SPOT),
        LookupCall(kinds=_SPOT, by_client_order_id=True),
        LookupCall(
            kinds=CONTRACTS,
            method="contractPrivateGetOrderGetOrderId",
            id_param="order_id",
            order_at=_DATA,
            ids=_IDS,
        ),
        LookupCall(
            by_client_order_id=True,
            kinds=CONTRACTS,
            method="contractPrivateGetOrderExternalSymbolExternalOid",
            id_param="external_oid",
            market_params={"symbol": "id"},
            order_at=_DATA,
            ids=_IDS,
        ),
    ),
    order_id_form=r"[A-Za-z0-9_]{1,40}",
    client_order_id_form=r"[A-Za-z0-9_-]{1,32}",
    fills=(
        FillsCall(
            kinds=_SPOT,
            method="spotPrivateGetMyTrades",
            market_params={"symbol": "id"},
            rows_at=(),
            paging=Paging(size=100, limit_param="limit"),
            order_id_param="orderId",
            client_order_id_at="clientOrderId",
        ),
        FillsCall(
            kinds=CONTRACTS,
            method="contractPrivateGetOrderListOrderDeals",
            market_params={"symbol": "id"},
            rows_at=_DATA,
            paging=_PAGES,
            window=timedelta(days=7),
            since_param="start_time",
            until_param="end_time",
            last_until_param="end_time",
        ),
    ),
    shapes=(
        AnswerShape(path="/exchangeInfo", rows_at=("symbols",), may_be_empty=False),
        AnswerShape(path="/contract/detail", rows_at=_DATA, may_be_empty=False),
        AnswerShape(path="/order/list/open_orders", rows_at=_DATA),
        AnswerShape(path="/planorder/list/orders", rows_at=_DATA),
        AnswerShape(path="/position/open_positions", rows_at=_DATA),
        AnswerShape(path="/api/v3/account", rows_at=("balances",)),
        AnswerShape(path="/api/v3/order", keys=("orderId", "symbol", "status")),
        AnswerShape(
            path="/order/get/*", keys=("data.orderId", "data.symbol", "data.state", "data.dealVol")
        ),
        AnswerShape(
            path="/order/external/*/*",
            keys=("data.orderId", "data.symbol", "data.state", "data.dealVol"),
        ),
        AnswerShape(path="/myTrades", rows_at=()),
        AnswerShape(path="/order/list/order_deals", rows_at=_DATA),
    ),
    balance_row=BalanceRow(asset="asset", parts=("free", "locked")),
    needs_market_to_count=True,
    position_row=PositionRow(
        symbol="symbol",
        qty="holdVol",
        leg="positionType",
        legs={"1": "long", "2": "short"},
        entry_price="holdAvgPrice",
        mark_price=None,
    ),
    side_words={"1": "buy", "2": "buy", "3": "sell", "4": "sell"},
    # State 5 is an order that the venue took for invalid.
    status=StatusWords(at=("status", "state"), meaning={"5": "rejected"}),
    not_found=tuple(
        NotFoundWords(error="ExchangeError", words=f'"code":{blank}{code}')
        for code in ("-2013", "2040")
        for blank in ("", " ")
    ),
    options={"adjustForTimeDifference": False},
    retention=retention_of("mexc"),
    gaps={
        ScopeName.OPEN_ORDERS: "spot orders are listed for one symbol at a time only",
        ScopeName.TRIGGER_ORDERS: (
            "plan orders are listed by time, and may be older than any span; "
            "stop-loss, take-profit and trailing orders cannot be read"
        ),
    },
    not_covered=(
        "balances where no spot market is traded",
        "open spot orders, and contracts' stop-loss, take-profit, trailing and old plan orders",
    ),
)
