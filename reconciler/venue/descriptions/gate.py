"""Gate (spot and perpetual contracts), as its documentation and ccxt 4.5.90 have it.

Sources (gate.com/docs/developers/apiv4):
- spot/open_orders: grouped by pair, 100 of each pair a page, `page`; spot/price_orders and
  futures/{settle}/price_orders are the trigger orders, 100 a page, `offset`.
- futures/{settle}/orders and /positions: per settle currency (usdt, btc), 100 a page, `offset`;
  sizes are signed contracts, hedge legs are rows of `mode` dual_long and dual_short.
- spot/orders/{id}, futures/{settle}/orders/{id}: by id, or by the client id (`text`, which starts
  with `t-`) for an hour after the order's end; label ORDER_NOT_FOUND. A trigger order names the
  order that it sent in `fired_order_id` (spot) or `trade_id` (contracts).
- spot/my_trades: 30 days between the times, 1000 a page; futures/{settle}/my_trades: by order.
- spot/accounts: every currency, one answer.
- ccxt asks once whether the account is a unified one, and remembers any failure as "no" for good:
  `unifiedAccount` is set; the calls here are the same for both.
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
    StatusWords,
    TimeForm,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

_SPOT = frozenset({MarketKind.SPOT})
_SETTLES = ("usdt", "btc")
_OFFSET = Paging(size=100, limit_param="limit", offset_param="offset")
_CONTRACT_ORDER = {"settle": "settleId"}
_SPOT_ORDER = {"currency_pair": "id"}


def _per_settle(
    scope: ScopeName, method: str, *, symbol_at: str, **params: str
) -> tuple[ListingCall, ...]:
    return tuple(
        ListingCall(
            scope=scope,
            method=method,
            params={"settle": settle, **params},
            rows_at=(),
            paging=_OFFSET,
            symbol_at=symbol_at,
            market_type="contract",
        )
        for settle in _SETTLES
    )


def _lookup(method: str, *, is_spot: bool, by_client_order_id: bool = False) -> LookupCall:
    return LookupCall(
        by_client_order_id=by_client_order_id,
        kinds=_SPOT if is_spot else CONTRACTS,
        method=method,
        id_param="order_id",
        market_params=_SPOT_ORDER if is_spot else _CONTRACT_ORDER,
    )


GATE = VenueDescription(
    venue="gate",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="privateSpotGetOpenOrders",
            rows_at=(),
            within="orders",
            paging=Paging(size=100, limit_param="limit", page_param="page"),
            symbol_at="currency_pair",
            market_type="spot",
        ),
        *_per_settle(
            ScopeName.OPEN_ORDERS,
            "privateFuturesGetSettleOrders",
            symbol_at="contract",
            status="open",
        ),
        ListingCall(
            scope=ScopeName.TRIGGER_ORDERS,
            method="privateSpotGetPriceOrders",
            params={"status": "open"},
            rows_at=(),
            paging=_OFFSET,
            symbol_at="market",
            market_type="spot",
        ),
        *_per_settle(
            ScopeName.TRIGGER_ORDERS,
            "privateFuturesGetSettlePriceOrders",
            symbol_at="initial.contract",
            status="open",
        ),
        *_per_settle(
            ScopeName.POSITIONS,
            "privateFuturesGetSettlePositions",
            symbol_at="contract",
            holding="true",
        ),
        ListingCall(scope=ScopeName.BALANCES, method="privateSpotGetAccounts", rows_at=()),
    ),
    lookups=(
        _lookup("privateSpotGetOrdersOrderId", is_spot=True),
        _lookup("privateFuturesGetSettleOrdersOrderId", is_spot=False),
        _lookup("privateSpotGetOrdersOrderId", is_spot=True, by_client_order_id=True),
        _lookup("privateFuturesGetSettleOrdersOrderId", is_spot=False, by_client_order_id=True),
        LookupCall(
            trigger=True,
            kinds=_SPOT,
            method="privateSpotGetPriceOrdersOrderId",
            id_param="order_id",
        ),
        LookupCall(
            trigger=True,
            kinds=CONTRACTS,
            method="privateFuturesGetSettlePriceOrdersOrderId",
            id_param="order_id",
            market_params=_CONTRACT_ORDER,
        ),
    ),
    order_id_form=r"\d{1,20}",
    fills=(
        FillsCall(
            kinds=_SPOT,
            method="privateSpotGetMyTrades",
            market_params=_SPOT_ORDER,
            rows_at=(),
            paging=Paging(size=1000, limit_param="limit", page_param="page"),
            window=timedelta(days=30),
            since_param="from",
            until_param="to",
            time_form=TimeForm.SECONDS,
            order_id_param="order_id",
            client_order_id_at="text",
        ),
        FillsCall(
            kinds=CONTRACTS,
            method="privateFuturesGetSettleMyTrades",
            market_params={"settle": "settleId", "contract": "id"},
            rows_at=(),
            paging=Paging(size=1000, limit_param="limit", offset_param="offset"),
            order_id_param="order",
            client_order_id_at="text",
        ),
    ),
    shapes=(
        AnswerShape(path="/spot/currency_pairs", rows_at=(), may_be_empty=False),
        AnswerShape(path="/margin/currency_pairs", rows_at=()),
        AnswerShape(path="/contracts", rows_at=()),
        AnswerShape(path="/spot/open_orders", rows_at=()),
        AnswerShape(path="/spot/accounts", rows_at=()),
        AnswerShape(path="/futures/*/orders", rows_at=()),
        AnswerShape(path="/price_orders", rows_at=()),
        AnswerShape(path="/positions", rows_at=()),
        AnswerShape(path="/spot/orders/*", keys=("id", "currency_pair", "status")),
        AnswerShape(path="/futures/*/orders/*", keys=("id", "contract", "status")),
        AnswerShape(path="/price_orders/*", keys=("id", "status")),
        AnswerShape(path="/my_trades", rows_at=()),
    ),
    position_row=PositionRow(
        symbol="contract",
        qty="size",
        entry_price="entry_price",
        mark_price="mark_price",
        leg="mode",
        legs={"single": None, "dual_long": "long", "dual_short": "short"},
    ),
    balance_row=BalanceRow(asset="currency", parts=("available", "locked")),
    needs_market_to_count=True,
    status=StatusWords(
        at=("finish_as", "status"),
        meaning=dict.fromkeys(
            (
                "auto_deleveraged",
                "depth_not_enough",
                "fok",
                "liquidate_cancelled",
                "poc",
                "position_closed",
                "reduce_only",
                "reduce_out",
                "small",
                "stp",
                "trader_not_enough",
            ),
            "canceled",
        ),
        successor_at=("fired_order_id", "trade_id"),
    ),
    not_found=(
        NotFoundWords(words="ORDER_NOT_FOUND"),
        NotFoundWords(words="CLIENT_ID_NOT_FOUND"),
        NotFoundWords(error="ExchangeError", words="AUTO_ORDER_NOT_FOUND"),
    ),
    options={
        "unifiedAccount": False,
        "fetchMarkets": {"types": ["spot", "swap"]},
        "adjustForTimeDifference": False,
    },
    # rate limit rules: private calls are counted by UID.
    budget_per_account=True,
    retention=retention_of("gate"),
    not_covered=(
        "balances where no spot market is traded, and of margin and unified accounts",
        "cross margin orders, delivery contracts and options",
        "trailing orders, and positions in multi-currency settle accounts other than usdt and btc",
    ),
)
