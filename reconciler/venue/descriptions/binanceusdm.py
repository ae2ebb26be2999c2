"""Binance USD-M futures, as its documentation and ccxt 4.5.90 have it.

Sources (developers.binance.com/docs/derivatives/usds-margined-futures):
- trade/rest-api/Current-All-Open-Orders, …/Current-All-Algo-Open-Orders: weight 40 without a
  symbol, no paging: one answer holds every order. Conditional orders are "algo" orders there.
- trade/rest-api/Position-Information-V3: weight 5, one row per position or leg.
- trade/rest-api/Query-Order, …/Query-Algo-Order: an order that was CANCELED or EXPIRED without a
  fill is not found 3 days after its creation, any other after 90 days; -2013 is "not found".
- trade/rest-api/New-Order: ids are integers; a client id has at most 36 of A-Z a-z 0-9 . : / _ -
- trade/rest-api/Account-Trade-List: windows of 7 days, 1000 rows, the past 6 months.
- general-info: 2400 weight a minute and IP, X-MBX-USED-WEIGHT-1M, 429 and 418 with Retry-After.
"""

from datetime import timedelta

from reconciler.domain.snapshot import AnswerKind, ScopeName
from reconciler.venue.description import (
    AnswerShape,
    FillsCall,
    ListingCall,
    LookupCall,
    NotFoundWords,
    PositionRow,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

BINANCEUSDM = VenueDescription(
    venue="binanceusdm",
    listings=(
        ListingCall(scope=ScopeName.OPEN_ORDERS, method="fapiPrivateGetOpenOrders", rows_at=()),
        ListingCall(
            scope=ScopeName.TRIGGER_ORDERS, method="fapiPrivateGetOpenAlgoOrders", rows_at=()
        ),
        # Not ccxt's fetch_positions: it drops rows whose entry price is 0, takes the side from
        # `notional`, and asks for the leverage brackets besides.
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="fapiPrivateV3GetPositionRisk",
            rows_at=(),
            weight=5,  # ccxt takes it for 1
        ),
    ),
    lookups=(
        LookupCall(),
        LookupCall(by_client_order_id=True),
        LookupCall(trigger=True, params={"trigger": True}),
        LookupCall(
            trigger=True,
            by_client_order_id=True,
            client_order_id_param="clientAlgoId",
            params={"trigger": True},
        ),
    ),
    order_id_form=r"\d{1,19}",
    client_order_id_form=r"[.A-Z:/a-z0-9_-]{1,36}",
    fills=(
        FillsCall(
            window=timedelta(days=7), page=1000, kept=timedelta(days=180), order_id_param="orderId"
        ),
    ),
    shapes=(
        AnswerShape(path="/exchangeInfo", rows_at=("symbols",), may_be_empty=False),
        AnswerShape(path="/openOrders", rows_at=()),
        AnswerShape(path="/openAlgoOrders", rows_at=()),
        AnswerShape(path="/positionRisk", rows_at=()),
        AnswerShape(path="/userTrades", rows_at=()),
        AnswerShape(path="/order", keys=("orderId", "symbol", "status")),
        AnswerShape(path="/algoOrder", keys=("algoId", "symbol", "algoStatus")),
    ),
    position_row=PositionRow(
        symbol="symbol",
        qty="positionAmt",
        leg="positionSide",
        legs={"BOTH": None, "LONG": "long", "SHORT": "short"},
        entry_price="entryPrice",
        mark_price="markPrice",
    ),
    status=StatusWords(
        at=("status", "algoStatus"),
        in_flight=frozenset({"PENDING_NEW"}),
        successor_at=("actualOrderId",),
    ),
    not_found=(NotFoundWords(words="-2013"),),
    error_words={
        # After one private success ccxt reads "invalid API key" as a temporary ban; it is no ban.
        '"code":-2015': AnswerKind.AUTH,
        # "Path …, Method GET is invalid"
        '"code":-5000': AnswerKind.UNSUPPORTED,
    },
    options={
        "fetchOpenOrders": {"warnWithoutSymbol": False},
        "fetchMarkets": {"types": ["linear"]},
        "adjustForTimeDifference": False,
    },
    weight_per_minute=2400,
    used_weight_header="X-MBX-USED-WEIGHT-1M",
    used_weight_limit=2400,
    retention=retention_of("binanceusdm"),
    not_covered=(
        "balances",
        "wallets other than USD-M futures (spot, margin, COIN-M, options, portfolio margin)",
    ),
)
