"""Coinbase Advanced, as its documentation and ccxt 4.5.90 have it.

Sources (docs.cdp.coinbase.com/api-reference/advanced-trade-api):
- orders/list-orders (historical/batch): OPEN cannot be asked for together with other statuses, so
  what is queued is a second listing; `cursor` and `has_next`. Stops and brackets are inline.
- futures/list-futures-positions: CFM positions, one answer; sizes in contracts. Perpetuals of
  INTX portfolios are other calls, which want a portfolio.
- orders/get-order: 404 or 400 "order with this orderID was not found", ExchangeError to ccxt, whose
  own table says "with self orderID". No lookup by client order id. No purge is published.
- accounts/list-accounts: one for each currency, `cursor` and `has_next`.
- orders/list-fills: by order ids, `cursor`.
- Statuses: ccxt calls EXPIRED cancelled, and does not know the queued ones.
"""

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

_PAGES = Paging(
    size=100,
    limit_param="limit",
    cursor_param="cursor",
    cursor_at=("cursor",),
    more_at=("has_next",),
)
_NOT_FOUND = "order with this orderID was not found"

COINBASE = VenueDescription(
    venue="coinbase",
    listings=(
        *(
            ListingCall(
                scope=ScopeName.OPEN_ORDERS,
                method="v3PrivateGetBrokerageOrdersHistoricalBatch",
                params={"order_status": statuses},
                rows_at=("orders",),
                paging=_PAGES,
                symbol_at="product_id",
            )
            for statuses in ("OPEN", ["PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"])
        ),
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="v3PrivateGetBrokerageCfmPositions",
            rows_at=("positions",),
            symbol_at="product_id",
        ),
        ListingCall(
            scope=ScopeName.BALANCES,
            method="v3PrivateGetBrokerageAccounts",
            rows_at=("accounts",),
            paging=_PAGES,
        ),
    ),
    lookups=(
        LookupCall(
            method="v3PrivateGetBrokerageOrdersHistoricalOrderId",
            id_param="order_id",
            order_at=("order",),
        ),
    ),
    order_id_form=r"[0-9a-fA-F-]{36}",
    fills=(
        FillsCall(
            method="v3PrivateGetBrokerageOrdersHistoricalFills",
            market_params={"product_ids": "id"},
            rows_at=("fills",),
            paging=Paging(
                size=100, limit_param="limit", cursor_param="cursor", cursor_at=("cursor",)
            ),
            order_id_param="order_ids",
            since_param="start_sequence_timestamp",
            time_form=TimeForm.ISO,
        ),
    ),
    shapes=(
        AnswerShape(path="/market/products", rows_at=("products",)),
        AnswerShape(path="/orders/historical/batch", rows_at=("orders",)),
        AnswerShape(path="/orders/historical/fills", rows_at=("fills",)),
        AnswerShape(
            path="/orders/historical/*",
            keys=("order.order_id", "order.product_id", "order.status"),
        ),
        AnswerShape(path="/cfm/positions", rows_at=("positions",)),
        AnswerShape(path="/brokerage/accounts", rows_at=("accounts",)),
    ),
    needs_market_to_count=True,
    position_row=PositionRow(
        symbol="product_id",
        qty="number_of_contracts",
        side="side",
        sides={"LONG": "long", "SHORT": "short"},
        entry_price="avg_entry_price",
        mark_price="current_price",
    ),
    balance_row=BalanceRow(asset="currency", parts=("available_balance.value", "hold.value")),
    balances_always=True,
    status=StatusWords(
        in_flight=frozenset({"PENDING", "QUEUED"}),
        meaning={
            "PENDING": "open",
            "QUEUED": "open",
            "CANCEL_QUEUED": "canceling",
            "EDIT_QUEUED": "open",
            "EXPIRED": "expired",
        },
    ),
    not_found=(
        NotFoundWords(error="ExchangeError", words=_NOT_FOUND),
        NotFoundWords(error="OrderNotFound", words=_NOT_FOUND),
    ),
    options={"adjustForTimeDifference": False},
    retention=retention_of("coinbase"),
    not_covered=("perpetuals of INTX portfolios, and portfolios other than the key's",),
)
