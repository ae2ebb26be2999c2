"""KuCoin's futures, which `kucoin` has beside its spot account and `kucoinfutures` alone.

Sources (kucoin.com/docs-new, rest/futures-trading, and ccxt 4.5.90):
- orders/get-order-list (status=active) and get-stop-order-list: 50 rows by default, 1000 at most,
  `currentPage`, and `totalNum` to count against. An untriggered stop has its own list, and keeps
  its id when it is triggered.
- positions/get-position-list: one answer; `currentQty` is signed contracts, `positionSide` the leg
  (BOTH in one-way mode).
- orders/get-order-by-orderld, get-order-by-clientoid: stops too; 100001 is "not exist".
- orders/get-trade-history: 1000 rows a page; by order id, whatever the time. Kept for three months.
- An order has no status word of its own but `isActive`, `cancelExist` and `filledSize`; `status` is
  open or done. ccxt takes `cancelExist` (something of it was cancelled) for the end, although the
  order is still active.
- rate-limit: pools of 4000 (spot and margin) and 2000 (futures, management) per 30 s and user.
  ccxt's weights count in the spot pool's, at 8000 a minute: it doubles those of the others. The
  older request-rate-limit page names 500 requests in 10 seconds and address besides.
- ua/get-account-mode: CLASSIC or UNIFIED. The calls here are for classic accounts; what they answer
  to a unified one is not documented, so that the kind is asked for.
"""

from reconciler.domain.snapshot import AnswerKind, ScopeName
from reconciler.venue.description import (
    CONTRACTS,
    AnswerShape,
    FillsCall,
    ListingCall,
    LookupCall,
    NotFoundWords,
    Paging,
    PositionRow,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of
from reconciler.venue.questions import AccountMode

DATA = ("data",)
ITEMS = ("data", "items")
ORDER_KEYS = ("data.id", "data.symbol", "data.side")
NO_MARGIN = NotFoundWords(error="PermissionDenied", words='"101030"')
"""You haven't yet enabled the margin trading: nothing can be there."""
NO_HIGH_FREQUENCY = NotFoundWords(error="NotSupported", words='"126001"')
"""Users currently do not support high frequency: nothing can be there."""


def pages(size: int) -> Paging:
    """Return the paging of lists that count their rows."""
    return Paging(
        size=size,
        limit_param="pageSize",
        page_param="currentPage",
        total_at=("data", "totalNum"),
    )


def _listing(scope: ScopeName, method: str, **params: str) -> ListingCall:
    is_positions = scope is ScopeName.POSITIONS
    return ListingCall(
        scope=scope,
        method=method,
        params=params,
        rows_at=DATA if is_positions else ITEMS,
        paging=None if is_positions else pages(1000),
        symbol_at="symbol",
        market_type="contract",
    )


OPEN_ORDERS = _listing(ScopeName.OPEN_ORDERS, "futuresPrivateGetOrders", status="active")
STOP_ORDERS = _listing(ScopeName.TRIGGER_ORDERS, "futuresPrivateGetStopOrders")
POSITIONS = _listing(ScopeName.POSITIONS, "futuresPrivateGetPositions")
LOOKUPS = tuple(
    LookupCall(
        trigger=trigger,
        by_client_order_id=by_client_order_id,
        kinds=CONTRACTS,
        method=method,
        id_param=id_param,
        order_at=DATA,
    )
    for trigger in (False, True)
    for by_client_order_id, method, id_param in (
        (False, "futuresPrivateGetOrdersOrderId", "orderId"),
        (True, "futuresPrivateGetOrdersByClientOid", "clientOid"),
    )
)
FILLS = FillsCall(
    kinds=CONTRACTS,
    method="futuresPrivateGetFills",
    market_params={"symbol": "id"},
    rows_at=ITEMS,
    paging=pages(1000),
    order_id_param="orderId",
)
MARKET_SHAPES = (
    AnswerShape(path="/contracts/active", rows_at=DATA, may_be_empty=False),
    AnswerShape(path="/margin/symbols", rows_at=ITEMS),
    AnswerShape(path="/isolated/symbols", rows_at=DATA),
    AnswerShape(path="/account/mode", keys=("data.selfAccountMode",)),
)
SHAPES = (
    *MARKET_SHAPES,
    AnswerShape(path="/stopOrders", rows_at=ITEMS),
    AnswerShape(path="/positions", rows_at=DATA),
    AnswerShape(path="/fills", rows_at=ITEMS),
    AnswerShape(path="/v1/orders", rows_at=ITEMS),
    AnswerShape(path="/orders/byClientOid", keys=(*ORDER_KEYS, "data.filledSize")),
    AnswerShape(path="/orders/*", keys=ORDER_KEYS),
)
POSITION_ROW = PositionRow(
    symbol="symbol",
    qty="currentQty",
    entry_price="avgEntryPrice",
    mark_price="markPrice",
    leg="positionSide",
    # Rows from before hedge mode came do not tell a leg.
    legs={"BOTH": None, "None": None, "LONG": "long", "SHORT": "short"},
)
STATUS = StatusWords(
    at=("status", "active", "isActive"),
    # "True" is a raw `active` or `isActive`. A stop that was triggered is no longer one.
    meaning={
        "True": "open",
        "open": "open",
        "NEW": "open",
        "TRIGGERED": "closed",
        "cancelled": "canceled",
    },
)
SUCCESS = {"code": "200000"}
NOT_FOUND = tuple(
    NotFoundWords(words=words)
    for words in ("rderNotExist", "rder not exist", "rder_not_exist", "rder does not exist")
)
"""To ccxt 100001 is "order not found" whatever its text: it is every "invalid parameter" too."""
ERROR_WORDS = {
    # Too many requests of one user to one endpoint, in the words of the older limit.
    '"code":"200002"': AnswerKind.THROTTLED,
    # "The interface has been deprecated"
    '"code":"401000"': AnswerKind.UNSUPPORTED,
    # "Invalid Unified Account user"
    '"code":"112010"': AnswerKind.UNSUPPORTED,
}
CLASSIC = AccountMode(
    method="utaPrivateGetAccountMode", at=("data", "selfAccountMode"), word="CLASSIC"
)
OPTIONS = {
    # ccxt would ask for these, and remember the answer for good.
    "uta": False,
    "hf": False,
    "adjustForTimeDifference": False,
}
REQUESTS_PER_MINUTE_AND_ADDRESS = 3000
ORDER_ID_FORM = r"[0-9A-Za-z]{1,40}"
CLIENT_ORDER_ID_FORM = r"[A-Za-z0-9_-]{1,40}"

KUCOINFUTURES = VenueDescription(
    venue="kucoinfutures",
    listings=(OPEN_ORDERS, STOP_ORDERS, POSITIONS),
    lookups=LOOKUPS,
    order_id_form=ORDER_ID_FORM,
    client_order_id_form=CLIENT_ORDER_ID_FORM,
    fills=(FILLS,),
    shapes=SHAPES,
    needs_market_to_count=True,
    position_row=POSITION_ROW,
    success=SUCCESS,
    status=STATUS,
    not_found=NOT_FOUND,
    error_words=ERROR_WORDS,
    account_mode=CLASSIC,
    options=OPTIONS,
    budget_per_account=True,
    requests_per_minute_and_address=REQUESTS_PER_MINUTE_AND_ADDRESS,
    retention=retention_of("kucoinfutures"),
    not_covered=(
        "balances",
        "the spot and margin accounts (venue `kucoin` has them), copy trading",
        "unified accounts (told from classic ones by their kind, and not read)",
    ),
)
