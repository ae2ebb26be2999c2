"""OKX v5, as its documentation and ccxt 4.5.90 have it.

Sources (okx.com/docs-v5):
- trade, GET /trade/orders-pending: live orders of all instrument types, 100 a page, `after` is the
  last row's ordId. Conditional orders are "algo" orders, listed per kind by
  GET /trade/orders-algo-pending (`conditional,oco` may be asked together), `after` is the algoId.
- account, GET /account/positions: all of them, one answer; `pos` is signed in net mode; MARGIN rows
  count the currency in `posCcy`, which may be the quote.
- account, GET /account/balance: the trading account, every currency in one row; `cashBal` is what
  there is of it, without the profit of open positions.
- trade, GET /trade/order and /trade/order-algo: 51603 is "order does not exist"; an order that was
  cancelled without a fill is kept for 2 hours. A triggered algo order names its order in `ordId`;
  a regular order that came of one names it in `algoId`, which ccxt would take for its id.
- trade, GET /trade/fills-history: 3 months, 100 a page, `after` is the billId, instType required.
- Ids are integers; a clOrdId has at most 32 of A-Z a-z 0-9.
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
    RowIds,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

_DATA = ("data",)
_COVERED = CONTRACTS | {MarketKind.SPOT}
_REGULAR = RowIds(order_id="ordId", client_order_id="clOrdId")
_ALGO = RowIds(order_id="algoId", client_order_id="algoClOrdId")
_ALGO_KINDS = ("conditional,oco", "trigger", "move_order_stop", "iceberg", "twap")
_OPTIONS = {"instType": frozenset({"OPTION"})}


def _pages(last: str) -> Paging:
    return Paging(size=100, limit_param="limit", cursor_param="after", cursor_row_at=last)


def _fills(kinds: frozenset[MarketKind], **inst_type: str) -> FillsCall:
    return FillsCall(
        kinds=kinds,
        method="privateGetTradeFillsHistory",
        params=inst_type,
        market_params={"instId": "id"} | ({} if inst_type else {"instType": "info.instType"}),
        rows_at=_DATA,
        paging=_pages("billId"),
        kept=timedelta(days=90),
        since_param="begin",
        until_param="end",
        order_id_param="ordId",
        client_order_id_at="clOrdId",
    )


OKX = VenueDescription(
    venue="okx",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="privateGetTradeOrdersPending",
            rows_at=_DATA,
            paging=_pages("ordId"),
            symbol_at="instId",
            ids=_REGULAR,
            uncountable=_OPTIONS,
        ),
        *(
            ListingCall(
                scope=ScopeName.TRIGGER_ORDERS,
                method="privateGetTradeOrdersAlgoPending",
                params={"ordType": kind},
                rows_at=_DATA,
                paging=_pages("algoId"),
                symbol_at="instId",
                ids=_ALGO,
                uncountable=_OPTIONS,
            )
            for kind in _ALGO_KINDS
        ),
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="privateGetAccountPositions",
            rows_at=_DATA,
            symbol_at="instId",
            uncountable={"instType": frozenset({"OPTION", "MARGIN"})},
        ),
        ListingCall(
            scope=ScopeName.BALANCES,
            method="privateGetAccountBalance",
            rows_at=_DATA,
            within="details",
        ),
    ),
    lookups=(
        LookupCall(
            method="privateGetTradeOrder",
            id_param="ordId",
            market_params={"instId": "id"},
            order_at=_DATA,
            kinds=_COVERED,
            ids=_REGULAR,
        ),
        LookupCall(
            by_client_order_id=True,
            method="privateGetTradeOrder",
            id_param="clOrdId",
            market_params={"instId": "id"},
            order_at=_DATA,
            kinds=_COVERED,
            ids=_REGULAR,
        ),
        LookupCall(
            trigger=True,
            method="privateGetTradeOrderAlgo",
            id_param="algoId",
            order_at=_DATA,
            kinds=_COVERED,
            ids=_ALGO,
        ),
        LookupCall(
            trigger=True,
            by_client_order_id=True,
            method="privateGetTradeOrderAlgo",
            id_param="algoClOrdId",
            order_at=_DATA,
            kinds=_COVERED,
            ids=_ALGO,
        ),
    ),
    order_id_form=r"\d{1,19}",
    client_order_id_form=r"[A-Za-z0-9]{1,32}",
    fills=(
        _fills(CONTRACTS),
        _fills(frozenset({MarketKind.SPOT}), instType="SPOT"),
        _fills(frozenset({MarketKind.SPOT}), instType="MARGIN"),
    ),
    shapes=(
        AnswerShape(path="/public/instruments", rows_at=_DATA, may_be_empty=False),
        AnswerShape(path="/trade/orders-pending", rows_at=_DATA),
        AnswerShape(path="/trade/orders-algo-pending", rows_at=_DATA),
        AnswerShape(path="/account/positions", rows_at=_DATA),
        AnswerShape(path="/account/balance", rows_at=_DATA, may_be_empty=False),
        # An order that is not known is an error: an empty list is no answer.
        AnswerShape(path="/trade/order", rows_at=_DATA, may_be_empty=False),
        AnswerShape(path="/trade/order-algo", rows_at=_DATA, may_be_empty=False),
        AnswerShape(path="/trade/fills-history", rows_at=_DATA),
    ),
    balance_row=BalanceRow(asset="ccy", parts=("cashBal",)),
    needs_market_to_count=True,
    success={"code": "0"},
    status=StatusWords(
        at=("state",),
        canceled=frozenset({"mmp_canceled"}),
        # A pause is taken back by hand; the order stays.
        meaning={"pause": "open", "order_failed": "rejected"},
        successor_at=("ordId",),
    ),
    not_found=(NotFoundWords(words="51603"),),
    options={
        "fetchMarkets": {"types": ["spot", "swap", "future"]},
        "adjustForTimeDifference": False,
    },
    # overview, rate limits: private calls are counted by user id (a subaccount has its own).
    budget_per_account=True,
    retention=retention_of("okx"),
    not_covered=(
        "balances where no spot market is traded, and the funding account",
        "options and margin positions (rows of them make the scope partial)",
        "spread orders, chase orders, and orders of OKX's own trading bots",
    ),
)
