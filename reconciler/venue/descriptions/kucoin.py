"""KuCoin's classic accounts (spot, margin and futures), as its documentation and ccxt have it.

ccxt's (4.5.90) fetch_open_orders() asks for the old spot account's orders alone (or, where it takes
the user for a high-frequency one, wants a symbol). Here every kind of account is asked for.

Sources (kucoin.com/docs and docs-new, rest; futures: see `kucoinfutures`):
- spot-trading/orders/get-open-orders (hf/orders/active), margin-trading/orders/get-open-orders: of
  one symbol, all in one answer (200 at most may be open); get-symbols-with-open-order tells which.
- get-order-list of the old account (orders, status=active): 500 a page, `totalNum`, per trade type.
- spot-trading/orders/get-stop-orders-list (stop-order: the trade type is TRADE where none is
  asked for), margin-trading/orders/get-stop-order-list (hf/margin/stop-orders): 500 a page.
- get-oco-order-list (oco/orders): ended ones too; a row has neither side nor quantity, so that a
  live one makes the scope partial.
- An order is asked for by id or client id in the high-frequency, the old and the margin account;
  400100 "order not exist." A stop is asked for in its own two lists: by client id in a list.
- get-account-list-spot (accounts): main and trading account of each currency, one answer.
- ua/get-order-details: a cancelled spot order can be asked for, for two days.
- get-trade-history: by order id, whatever the time; `lastId` is the last row's id.
- A spot order has no status word: `active` (old: `isActive`), `cancelExist` and `dealSize` tell.
"""

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    AnswerShape,
    BalanceRow,
    FillsCall,
    ListingCall,
    LookupCall,
    MarketKind,
    NotFoundWords,
    Paging,
    VenueDescription,
)
from reconciler.venue.descriptions.kucoinfutures import (
    CLASSIC,
    CLIENT_ORDER_ID_FORM,
    DATA,
    ERROR_WORDS,
    FILLS,
    ITEMS,
    LOOKUPS,
    NO_HIGH_FREQUENCY,
    NO_MARGIN,
    NOT_FOUND,
    OPEN_ORDERS,
    OPTIONS,
    ORDER_ID_FORM,
    ORDER_KEYS,
    POSITION_ROW,
    POSITIONS,
    REQUESTS_PER_MINUTE_AND_ADDRESS,
    SHAPES,
    STATUS,
    STOP_ORDERS,
    SUCCESS,
    pages,
)
from reconciler.venue.descriptions.retention import retention_of
from reconciler.venue.questions import EachOf

_SPOT = frozenset({MarketKind.SPOT})
_MARGIN_TYPES = ("MARGIN_TRADE", "MARGIN_ISOLATED_TRADE")
_BY_LAST_ID = Paging(size=100, limit_param="limit", cursor_param="lastId", cursor_row_at="id")


def _listing(
    scope: ScopeName,
    method: str,
    *,
    none_words: tuple[NotFoundWords, ...] = (),
    each: EachOf | None = None,
    **params: str,
) -> ListingCall:
    return ListingCall(
        scope=scope,
        method=method,
        params=params,
        # What is asked for one symbol at a time comes without pages.
        rows_at=DATA if each else ITEMS,
        null_is_none=each is not None,
        paging=None if each else pages(500),
        each=each,
        none_words=none_words,
        symbol_at="symbol",
        market_type="spot",
    )


def _symbols(method: str, **params: str) -> EachOf:
    return EachOf(
        param="symbol",
        method=method,
        params=params,
        values_at=("data", "symbols"),
        null_is_none=True,
    )


def _lookup(
    method: str, id_param: str, *, trigger: bool = False, needs_symbol: bool = False
) -> LookupCall:
    return LookupCall(
        trigger=trigger,
        by_client_order_id=id_param == "clientOid",
        kinds=_SPOT,
        method=method,
        id_param=id_param,
        market_params={"symbol": "id"} if needs_symbol else {},
        order_at=DATA,
    )


def _fills(
    method: str, paging: Paging, *, none_words: tuple[NotFoundWords, ...] = (), **params: str
) -> FillsCall:
    return FillsCall(
        none_words=none_words,
        kinds=_SPOT,
        method=method,
        params=params,
        market_params={"symbol": "id"},
        rows_at=ITEMS,
        paging=paging,
        order_id_param="orderId",
    )


KUCOIN = VenueDescription(
    venue="kucoin",
    listings=(
        _listing(
            ScopeName.OPEN_ORDERS,
            "privateGetHfOrdersActive",
            each=_symbols("privateGetHfOrdersActiveSymbols"),
            none_words=(NO_HIGH_FREQUENCY,),
        ),
        *(
            _listing(
                ScopeName.OPEN_ORDERS,
                "privateGetHfMarginOrdersActive",
                each=_symbols("privateGetHfMarginOrderActiveSymbols", tradeType=trade_type),
                none_words=(NO_MARGIN,),
                tradeType=trade_type,
            )
            for trade_type in _MARGIN_TYPES
        ),
        *(
            _listing(
                ScopeName.OPEN_ORDERS, "privateGetOrders", status="active", tradeType=trade_type
            )
            for trade_type in ("TRADE", *_MARGIN_TYPES)
        ),
        OPEN_ORDERS,
        _listing(ScopeName.TRIGGER_ORDERS, "privateGetStopOrder", tradeType="TRADE"),
        *(
            _listing(
                ScopeName.TRIGGER_ORDERS,
                "privateGetHfMarginStopOrders",
                none_words=(NO_MARGIN,),
                tradeType=trade_type,
            )
            for trade_type in _MARGIN_TYPES
        ),
        ListingCall(
            scope=ScopeName.TRIGGER_ORDERS,
            method="privateGetOcoOrders",
            rows_at=ITEMS,
            paging=pages(500),
            ended={"status": frozenset({"DONE", "TRIGGERED", "CANCELLED"})},
            symbol_at="symbol",
            market_type="spot",
        ),
        STOP_ORDERS,
        POSITIONS,
        ListingCall(scope=ScopeName.BALANCES, method="privateGetAccounts", rows_at=DATA),
    ),
    lookups=(
        _lookup("privateGetHfOrdersOrderId", "orderId", needs_symbol=True),
        _lookup("privateGetOrdersOrderId", "orderId"),
        _lookup("privateGetHfMarginOrdersOrderId", "orderId", needs_symbol=True),
        _lookup("privateGetHfOrdersClientOrderClientOid", "clientOid", needs_symbol=True),
        _lookup("privateGetOrderClientOrderClientOid", "clientOid"),
        _lookup("privateGetHfMarginOrdersClientOrderClientOid", "clientOid", needs_symbol=True),
        _lookup("privateGetStopOrderOrderId", "orderId", trigger=True),
        _lookup("privateGetHfMarginStopOrderOrderId", "orderId", trigger=True),
        _lookup(
            "privateGetStopOrderQueryOrderByClientOid",
            "clientOid",
            trigger=True,
            needs_symbol=True,
        ),
        _lookup("privateGetHfMarginStopOrderClientOid", "clientOid", trigger=True),
        *LOOKUPS,
    ),
    order_id_form=ORDER_ID_FORM,
    client_order_id_form=CLIENT_ORDER_ID_FORM,
    fills=(
        _fills("privateGetHfFills", _BY_LAST_ID, none_words=(NO_HIGH_FREQUENCY,)),
        _fills("privateGetFills", pages(500), tradeType="TRADE"),
        *(
            _fills(
                "privateGetHfMarginFills",
                _BY_LAST_ID,
                none_words=(NO_MARGIN,),
                tradeType=trade_type,
            )
            for trade_type in _MARGIN_TYPES
        ),
        FILLS,
    ),
    shapes=(
        AnswerShape(path="/v2/symbols", rows_at=DATA, may_be_empty=False),
        AnswerShape(
            path="/hf/orders/active/symbols", rows_at=("data", "symbols"), null_is_none=True
        ),
        AnswerShape(path="/order/active/symbols", rows_at=("data", "symbols"), null_is_none=True),
        AnswerShape(path="/orders/active", rows_at=DATA, null_is_none=True),
        AnswerShape(path="/stop-orders", rows_at=ITEMS),
        AnswerShape(path="/stop-order", rows_at=ITEMS),
        AnswerShape(path="/oco/orders", rows_at=ITEMS),
        AnswerShape(path="/v1/accounts", rows_at=DATA),
        AnswerShape(path="/client-order/*", keys=ORDER_KEYS),
        *SHAPES,
    ),
    balance_row=BalanceRow(asset="currency", parts=("balance",)),
    needs_market_to_count=True,
    position_row=POSITION_ROW,
    success=SUCCESS,
    status=STATUS,
    not_found=(*NOT_FOUND, NO_MARGIN, NO_HIGH_FREQUENCY),
    error_words=ERROR_WORDS,
    account_mode=CLASSIC,
    options={
        **OPTIONS,
        "fetchMarkets": {"types": ["spot", "swap", "future"], "fetchTickersFees": False},
    },
    budget_per_account=True,
    requests_per_minute_and_address=REQUESTS_PER_MINUTE_AND_ADDRESS,
    retention=retention_of("kucoin"),
    not_covered=(
        "balances where no spot market is traded, and of margin accounts",
        "one-cancels-other orders of margin, copy trading, convert and lending orders",
        "unified accounts (told from classic ones by their kind, and not read)",
    ),
)
