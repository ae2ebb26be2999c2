"""Bybit v5 (unified and classic accounts), as its documentation and ccxt 4.5.90 have it.

Sources (bybit-exchange.github.io/docs/v5):
- order/open-order: `order/realtime` shows open orders of all kinds (conditional ones too) of one
  category; linear wants a settle coin; 20 rows by default and 50 at most, `nextPageCursor`. It
  holds 500 recently ended orders besides, until the venue restarts.
- order/order-list: `order/history` keeps an order that was cancelled without a fill for 24 hours,
  one with fills for two years.
- position: 200 rows at most, a cursor, rows of size 0 where a symbol is asked for.
- account/wallet-balance: every coin of the unified account in one row.
- order/execution: windows of 7 days, 100 rows, two years; filters by order id.
- enum: order status; PartiallyFilledCanceled has fills but did not complete.
- An order that is not known is an empty list. Ids: uuid, or digits (spot); an orderLinkId has at
  most 36 of A-Z a-z 0-9 _ -
"""

from datetime import timedelta

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    CONTRACTS,
    AnswerShape,
    BalanceRow,
    FillsCall,
    InverseUnit,
    ListingCall,
    LookupCall,
    MarketKind,
    Paging,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

_LIST = ("result", "list")
_COVERED = CONTRACTS | {MarketKind.SPOT}
_BOOKS = (
    {"category": "spot"},
    {"category": "linear", "settleCoin": "USDT"},
    {"category": "linear", "settleCoin": "USDC"},
    {"category": "inverse"},
)


def _pages(size: int) -> Paging:
    return Paging(
        size=size,
        limit_param="limit",
        cursor_param="cursor",
        cursor_at=("result", "nextPageCursor"),
    )


def _lookup(method: str, id_param: str, *, by_client_order_id: bool = False) -> LookupCall:
    return LookupCall(
        by_client_order_id=by_client_order_id,
        kinds=_COVERED,
        method=method,
        id_param=id_param,
        market_params={"category": "kind", "symbol": "id"},
        order_at=_LIST,
    )


BYBIT = VenueDescription(
    venue="bybit",
    listings=(
        *(
            ListingCall(
                scope=ScopeName.OPEN_ORDERS,
                method="privateGetV5OrderRealtime",
                params=book,
                rows_at=_LIST,
                paging=_pages(50),
                symbol_at="symbol",
                market_type="spot" if book["category"] == "spot" else "contract",
            )
            for book in _BOOKS
        ),
        *(
            ListingCall(
                scope=ScopeName.POSITIONS,
                method="privateGetV5PositionList",
                params=book,
                rows_at=_LIST,
                paging=_pages(200),
                symbol_at="symbol",
                market_type="contract",
            )
            for book in _BOOKS
            if book["category"] != "spot"
        ),
        ListingCall(
            scope=ScopeName.BALANCES,
            method="privateGetV5AccountWalletBalance",
            params={"accountType": "UNIFIED"},
            rows_at=_LIST,
            within="coin",
        ),
    ),
    lookups=(
        _lookup("privateGetV5OrderRealtime", "orderId"),
        _lookup("privateGetV5OrderHistory", "orderId"),
        _lookup("privateGetV5OrderRealtime", "orderLinkId", by_client_order_id=True),
        _lookup("privateGetV5OrderHistory", "orderLinkId", by_client_order_id=True),
    ),
    order_id_form=r"[0-9A-Za-z-]{1,36}",
    client_order_id_form=r"[A-Za-z0-9_-]{1,36}",
    fills=(
        FillsCall(
            kinds=_COVERED,
            method="privateGetV5ExecutionList",
            market_params={"category": "kind", "symbol": "id"},
            rows_at=_LIST,
            paging=_pages(100),
            window=timedelta(days=7),
            kept=timedelta(days=730),
            since_param="startTime",
            until_param="endTime",
            order_id_param="orderId",
            client_order_id_at="orderLinkId",
        ),
    ),
    shapes=(
        AnswerShape(path="/market/instruments-info", rows_at=_LIST),
        AnswerShape(path="/order/realtime", rows_at=_LIST),
        AnswerShape(path="/order/history", rows_at=_LIST),
        AnswerShape(path="/position/list", rows_at=_LIST),
        AnswerShape(path="/account/wallet-balance", rows_at=_LIST, may_be_empty=False),
        AnswerShape(path="/execution/list", rows_at=_LIST),
    ),
    balance_row=BalanceRow(asset="coin", parts=("walletBalance",)),
    # ccxt takes the smallest order for the size of an inverse contract.
    inverse_in=InverseUnit.QUOTE,
    success={"retCode": "0"},
    status=StatusWords(
        at=("orderStatus",), canceled=frozenset({"PartiallyFilledCanceled", "Deactivated"})
    ),
    # What is not known is an empty list, never an error.
    not_found=(),
    options={
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
        "fetchMarkets": {"types": ["spot", "linear", "inverse"]},
        "adjustForTimeDifference": False,
    },
    # rate-limit: by UID; besides 600 requests in 5 seconds and address, or it is banned (403).
    budget_per_account=True,
    requests_per_minute_and_address=7200,
    retention=retention_of("bybit"),
    not_covered=(
        "balances where no spot market is traded, of classic accounts, and the funding account",
        "options, and contracts that settle in other coins than USDT, USDC and the base",
        "conditional spot orders of classic (not unified) accounts",
    ),
)
