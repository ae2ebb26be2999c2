"""Kraken Futures, as its documentation and ccxt 4.5.90 have it.

Sources (docs.kraken.com/api/docs/futures-api/trading):
- get-open-orders, get-open-positions: all of them in one answer each, stops too; positions net.
- get-order-status: orders that are open, or ended in the last 5 seconds; an empty list otherwise.
  So a missing order is proved by the listing and the fills, and is nearly always `forgotten`.
- get-fills: the last 100 before `lastFillTime`, newest first, all symbols; no filter by order.
  ccxt leaves out the quantity of an inverse contract's fill, and the price of an order, without
  which an inverse one has no base units.
- Statuses: FILLED, REJECTED and EXPIRED are not in ccxt's table.
"""

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    AnswerShape,
    CursorForm,
    FillsCall,
    ListingCall,
    LookupCall,
    Paging,
    PositionRow,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

KRAKENFUTURES = VenueDescription(
    venue="krakenfutures",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="privateGetOpenorders",
            rows_at=("openOrders",),
            symbol_at="symbol",
        ),
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="privateGetOpenpositions",
            rows_at=("openPositions",),
            symbol_at="symbol",
        ),
    ),
    lookups=(
        LookupCall(
            method="privateGetOrdersStatus",
            id_param="orderIds",
            as_list=True,
            order_at=("orders",),
        ),
        LookupCall(
            by_client_order_id=True,
            method="privateGetOrdersStatus",
            id_param="cliOrdIds",
            as_list=True,
            order_at=("orders",),
        ),
    ),
    order_id_form=r"[0-9a-fA-F-]{36}",
    client_order_id_form=r".{1,100}",
    fills=(
        FillsCall(
            method="privateGetFills",
            rows_at=("fills",),
            paging=Paging(
                size=100,
                cursor_param="lastFillTime",
                cursor_row_at="fillTime",
                cursor_form=CursorForm.NEXT_MILLISECOND,
                row_id_at="fill_id",
            ),
            newest_first_by="fillTime",
            client_order_id_at="cliOrdId",
            qty_at="size",
        ),
    ),
    shapes=(
        AnswerShape(path="/instruments", rows_at=("instruments",), may_be_empty=False),
        AnswerShape(path="/openorders", rows_at=("openOrders",)),
        AnswerShape(path="/openpositions", rows_at=("openPositions",)),
        AnswerShape(path="/orders/status", rows_at=("orders",)),
        AnswerShape(path="/fills", rows_at=("fills",)),
    ),
    position_row=PositionRow(
        symbol="symbol",
        qty="size",
        side="side",
        sides={"long": "long", "short": "short"},
        entry_price="price",
        mark_price=None,
    ),
    success={"result": "success"},
    status=StatusWords(
        meaning={
            "FILLED": "closed",
            "REJECTED": "rejected",
            "EXPIRED": "expired",
            "TRIGGER_ACTIVATION_FAILURE": "rejected",
        },
    ),
    price_at=("limitPrice", "order.limitPrice"),
    # What is not known is an empty list, never an error.
    not_found=(),
    # guides/futures-rate-limits: private calls are counted by account.
    budget_per_account=True,
    retention=retention_of("krakenfutures"),
    not_covered=("balances", "Kraken spot and margin (venue kraken)"),
)
