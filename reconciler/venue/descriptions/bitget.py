"""Bitget's classic accounts (v2), as its documentation and ccxt 4.5.90 have it.

Sources (bitget.com/api-doc):
- spot/trade/Get-Unfilled-Orders, spot/plan/Get-Current-Plan-Order,
  contract/trade/Get-Orders-Pending, contract/plan/get-orders-plan-pending: 100 rows at most,
  `idLessThan` is the last row's orderId; contracts are listed per product type, plan (trigger)
  orders per kind of plan besides. A list of contracts' orders that is empty is `null`.
- contract/position/get-all-position: per product type, one answer, one row per leg.
- spot/account/Get-Account-Assets: every coin that is held, one answer.
- Quantities of coin-margined contracts are in the base coin, unlike elsewhere.
- spot/trade/Get-Order-Info: an empty list where the order is not known;
  contract/trade/Get-Order-Details: 40109. Plan orders are asked for by their own listings' and
  histories' filter; spot plan orders cannot be asked for by an id.
- contract/trade/Get-Order-Fills: a week between the times; 90 days.
- ccxt asks once whether the account is a unified one, and remembers any failure as "no" for good:
  `uta` is set. A unified account refuses these calls (40085), so that it is seen, not misread.
"""

from datetime import timedelta

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    AnswerShape,
    BalanceRow,
    FillsCall,
    InverseUnit,
    ListingCall,
    LookupCall,
    MarketKind,
    NotFoundWords,
    Paging,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

_DATA = ("data",)
_ENTRUSTED = ("data", "entrustedList")
_PRODUCTS: tuple[tuple[str, MarketKind, str | None], ...] = (
    ("USDT-FUTURES", MarketKind.LINEAR, "USDT"),
    ("USDC-FUTURES", MarketKind.LINEAR, "USDC"),
    ("COIN-FUTURES", MarketKind.INVERSE, None),
)
_PLANS = ("normal_plan", "track_plan", "profit_loss")
_SPOT = frozenset({MarketKind.SPOT})
_IDS = ((False, "orderId"), (True, "clientOid"))


def _pages(last: str) -> Paging:
    return Paging(size=100, limit_param="limit", cursor_param="idLessThan", cursor_row_at=last)


def _spot_listing(scope: ScopeName, method: str, *rows_at: str) -> ListingCall:
    return ListingCall(
        scope=scope,
        method=method,
        rows_at=rows_at,
        null_is_none=True,
        paging=_pages("orderId"),
        symbol_at="symbol",
        market_type="spot",
    )


def _contract_listing(scope: ScopeName, method: str, **params: str) -> ListingCall:
    is_positions = scope is ScopeName.POSITIONS
    return ListingCall(
        scope=scope,
        method=method,
        params=params,
        rows_at=_DATA if is_positions else _ENTRUSTED,
        null_is_none=not is_positions,
        paging=None if is_positions else _pages("orderId"),
        symbol_at="symbol",
        market_type="contract",
    )


def _plan_lookups(
    product: str, kind: MarketKind, settle: str | None, *, by_client_order_id: bool, id_param: str
) -> tuple[LookupCall, ...]:
    return tuple(
        LookupCall(
            trigger=True,
            by_client_order_id=by_client_order_id,
            kinds=frozenset({kind}),
            settle=settle,
            method=method,
            id_param=id_param,
            params={"productType": product, "planType": plan},
            order_at=_ENTRUSTED,
            null_is_none=True,
        )
        for plan in _PLANS
        for method in (
            "privateMixGetV2MixOrderOrdersPlanPending",
            "privateMixGetV2MixOrderOrdersPlanHistory",
        )
    )


BITGET = VenueDescription(
    venue="bitget",
    listings=(
        _spot_listing(ScopeName.OPEN_ORDERS, "privateSpotGetV2SpotTradeUnfilledOrders", "data"),
        *(
            _contract_listing(
                ScopeName.OPEN_ORDERS, "privateMixGetV2MixOrderOrdersPending", productType=product
            )
            for product, _, _ in _PRODUCTS
        ),
        _spot_listing(
            ScopeName.TRIGGER_ORDERS,
            "privateSpotGetV2SpotTradeCurrentPlanOrder",
            "data",
            "orderList",
        ),
        *(
            _contract_listing(
                ScopeName.TRIGGER_ORDERS,
                "privateMixGetV2MixOrderOrdersPlanPending",
                productType=product,
                planType=plan,
            )
            for product, _, _ in _PRODUCTS
            for plan in _PLANS
        ),
        *(
            _contract_listing(
                ScopeName.POSITIONS, "privateMixGetV2MixPositionAllPosition", productType=product
            )
            for product, _, _ in _PRODUCTS
        ),
        ListingCall(
            scope=ScopeName.BALANCES,
            method="privateSpotGetV2SpotAccountAssets",
            params={"assetType": "hold_only"},
            rows_at=_DATA,
        ),
    ),
    lookups=tuple(
        call
        for by_client_order_id, id_param in _IDS
        for call in (
            LookupCall(
                by_client_order_id=by_client_order_id,
                kinds=_SPOT,
                method="privateSpotGetV2SpotTradeOrderInfo",
                id_param=id_param,
                order_at=_DATA,
            ),
            *(
                LookupCall(
                    by_client_order_id=by_client_order_id,
                    kinds=frozenset({kind}),
                    settle=settle,
                    method="privateMixGetV2MixOrderDetail",
                    id_param=id_param,
                    params={"productType": product},
                    market_params={"symbol": "id"},
                    order_at=_DATA,
                )
                for product, kind, settle in _PRODUCTS
            ),
            *(
                plan
                for product in _PRODUCTS
                for plan in _plan_lookups(
                    *product, by_client_order_id=by_client_order_id, id_param=id_param
                )
            ),
        )
    ),
    order_id_form=r"\d{1,20}",
    client_order_id_form=r".{1,64}",
    fills=(
        FillsCall(
            kinds=_SPOT,
            method="privateSpotGetV2SpotTradeFills",
            market_params={"symbol": "id"},
            rows_at=_DATA,
            null_is_none=True,
            paging=_pages("tradeId"),
            window=timedelta(days=7),
            kept=timedelta(days=90),
            since_param="startTime",
            until_param="endTime",
            order_id_param="orderId",
        ),
        *(
            FillsCall(
                kinds=frozenset({kind}),
                settle=settle,
                method="privateMixGetV2MixOrderFills",
                params={"productType": product},
                market_params={"symbol": "id"},
                rows_at=("data", "fillList"),
                null_is_none=True,
                paging=_pages("tradeId"),
                window=timedelta(days=7),
                kept=timedelta(days=90),
                since_param="startTime",
                until_param="endTime",
                order_id_param="orderId",
            )
            for product, kind, settle in _PRODUCTS
        ),
    ),
    shapes=(
        AnswerShape(path="/market/contracts", rows_at=_DATA),
        AnswerShape(path="/public/symbols", rows_at=_DATA, may_be_empty=False),
        AnswerShape(path="/trade/unfilled-orders", rows_at=_DATA, null_is_none=True),
        AnswerShape(
            path="/trade/current-plan-order", rows_at=("data", "orderList"), null_is_none=True
        ),
        AnswerShape(path="/order/orders-pending", rows_at=_ENTRUSTED, null_is_none=True),
        AnswerShape(path="/order/orders-plan-pending", rows_at=_ENTRUSTED, null_is_none=True),
        AnswerShape(path="/order/orders-plan-history", rows_at=_ENTRUSTED, null_is_none=True),
        AnswerShape(path="/position/all-position", rows_at=_DATA),
        AnswerShape(path="/account/assets", rows_at=_DATA),
        AnswerShape(path="/trade/orderInfo", rows_at=_DATA),
        AnswerShape(path="/order/detail", keys=("data.orderId", "data.symbol", "data.state")),
        AnswerShape(path="/trade/fills", rows_at=_DATA, null_is_none=True),
        AnswerShape(path="/order/fills", rows_at=("data", "fillList"), null_is_none=True),
    ),
    balance_row=BalanceRow(asset="coin", parts=("available", "frozen", "locked")),
    inverse_in=InverseUnit.IN_BASE,
    success={"code": "00000"},
    status=StatusWords(
        at=("status", "state", "planStatus"),
        meaning={"executing": "open", "fail_trigger": "rejected", "fail_execute": "rejected"},
        successor_at=("executeOrderId",),
    ),
    not_found=tuple(NotFoundWords(words=f'"{code}"') for code in ("40109", "40768", "43001")),
    options={
        "uta": False,
        "fetchMarkets": {"types": ["spot", "swap"]},
        "adjustForTimeDifference": False,
    },
    retention=retention_of("bitget"),
    not_covered=(
        "balances where no spot market is traded",
        "margin orders, copy trading, and unified trading accounts (their venue refuses the calls)",
    ),
)
