"""Alpaca (equities, options' underlyings and crypto), as its documentation and ccxt 4.5.90 have it.

Sources (docs.alpaca.markets):
- reference/getallorders: `status=open`, 50 rows by default and 500 at most, newest first, paged by
  `until` (exclusive) on submitted_at, so that the cursor is rounded up and pages overlap. Legs of
  a bracket are rows of their own where `nested` is false. Conditional orders are listed inline.
- reference/getallopenpositions: all of them in one answer; a short quantity is negative. A crypto
  position is `BTCUSD` where its order is `BTC/USD`. ccxt has no unified call.
- reference/getorderbyorderid, orders:by_client_order_id (ccxt has no call of it): 404 with code
  40410000 is "order not found", InvalidOrder to ccxt. No purge of old orders is published.
- docs/orders-at-alpaca: statuses; a replaced order names its successor in `replaced_by`;
  `calculated` is done for the day, its settlement pending: what is filled tells.
- reference/getaccountactivitiesbyactivitytype: FILL, 100 a page, `page_token` is the last id.
- ccxt's issue 72 of Alpaca-API aside, paper trading is another host (`sandbox = true`).
ccxt loads crypto markets only; ten thousand equities would cost 100 MiB, and need no loading: their
symbol is their key, and their quantity is in base units.
"""

from reconciler.domain.snapshot import AnswerKind, ScopeName
from reconciler.venue.description import (
    AnswerShape,
    CursorForm,
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

ALPACA = VenueDescription(
    venue="alpaca",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="traderPrivateGetV2Orders",
            params={"status": "open", "direction": "desc", "nested": "false"},
            rows_at=(),
            paging=Paging(
                size=500,
                limit_param="limit",
                cursor_param="until",
                cursor_row_at="submitted_at",
                cursor_form=CursorForm.NEXT_MILLISECOND,
                row_id_at="id",
            ),
            uncountable={"asset_class": frozenset({"us_option"})},
        ),
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="traderPrivateGetV2Positions",
            rows_at=(),
            uncountable={"asset_class": frozenset({"us_option"})},
        ),
    ),
    lookups=(
        LookupCall(method="traderPrivateGetV2OrdersOrderId", id_param="order_id"),
        LookupCall(
            by_client_order_id=True,
            method="GET trader/private v2/orders:by_client_order_id",
            id_param="client_order_id",
        ),
    ),
    order_id_form=r"[0-9a-fA-F-]{36}",
    client_order_id_form=r".{1,128}",
    fills=(
        FillsCall(
            method="traderPrivateGetV2AccountActivitiesActivityType",
            params={"activity_type": "FILL", "direction": "asc"},
            rows_at=(),
            paging=Paging(
                size=100, limit_param="page_size", cursor_param="page_token", cursor_row_at="id"
            ),
            since_param="after",
            time_form=TimeForm.ISO,
        ),
    ),
    shapes=(
        AnswerShape(path="/v2/assets", rows_at=(), may_be_empty=False),
        AnswerShape(path="/v2/orders", rows_at=()),
        AnswerShape(path="/v2/positions", rows_at=()),
        AnswerShape(path="/account/activities/FILL", rows_at=()),
        AnswerShape(path="/v2/orders/*", keys=("id", "symbol", "status", "filled_qty")),
        AnswerShape(
            path="/v2/orders:by_client_order_id", keys=("id", "symbol", "status", "filled_qty")
        ),
    ),
    position_row=PositionRow(
        symbol="symbol", qty="qty", entry_price="avg_entry_price", mark_price="current_price"
    ),
    status=StatusWords(
        in_flight=frozenset({"pending_new", "accepted_for_bidding", "pending_review"}),
        successor_at=("replaced_by",),
        meaning={"pending_review": "open"},
    ),
    not_found=(NotFoundWords(error="InvalidOrder", words="40410000"),),
    error_words={
        # A refusal of a request, which ccxt takes for an outage: HTTP 403.
        '"code":40310000': AnswerKind.REFUSED,
    },
    # ccxt's own request limit, 333 ms, is the free plan's 200 a minute and account.
    budget_per_account=True,
    retention=retention_of("alpaca"),
    lists_all_markets=False,
    spot_in_positions=True,
    implied_quote="USD",
    not_covered=(
        "balances",
        "options (rows of them make the scope partial)",
        "orders of accounts beneath a broker account",
    ),
)
