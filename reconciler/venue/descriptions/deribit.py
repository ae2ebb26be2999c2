"""Deribit (futures, perpetuals, options, spot), as its documentation and ccxt 4.5.90 have it.

Sources (docs.deribit.com):
- private/get_open_orders: all currencies, all kinds, trigger orders too, one answer. (ccxt's
  fetch_open_orders asks for one currency, BTC by default.)
- private/get_positions: any currency, one answer; `size` is signed, flat ones have direction zero.
- `amount` and `size` are no contracts: base units for linear contracts and options, USD for
  inverse ones. The client's id is the `label`, which ccxt leaves out; several orders may share it.
- private/get_order_state: 10004 order_not_found. 10010 (already closed) and 10029 (not the owner)
  are OrderNotFound to ccxt too, and prove nothing. Cancelled orders are kept for 30 minutes.
- private/get_user_trades_by_instrument_and_time: 24 hours, older ones by `historical`; 1000 a page.
"""

from datetime import timedelta

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import (
    CONTRACTS,
    AnswerShape,
    FillsCall,
    InverseUnit,
    ListingCall,
    LookupCall,
    MarketKind,
    NotFoundWords,
    Paging,
    PositionRow,
    RowIds,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

_RESULT = ("result",)
_IDS = RowIds(order_id="order_id", client_order_id="label")


def _fills(historical: str) -> FillsCall:
    return FillsCall(
        method="privateGetGetUserTradesByInstrumentAndTime",
        params={"historical": historical, "sorting": "asc"},
        market_params={"instrument_name": "id"},
        rows_at=("result", "trades"),
        paging=Paging(
            size=1000,
            limit_param="count",
            cursor_param="start_timestamp",
            cursor_row_at="timestamp",
            row_id_at="trade_id",
            more_at=("result", "has_more"),
        ),
        window=timedelta(days=30),
        since_param="start_timestamp",
        until_param="end_timestamp",
        last_until_param="end_timestamp",
        client_order_id_at="label",
    )


DERIBIT = VenueDescription(
    venue="deribit",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="privateGetGetOpenOrders",
            rows_at=_RESULT,
            ids=_IDS,
            symbol_at="instrument_name",
        ),
        ListingCall(
            scope=ScopeName.POSITIONS,
            method="privateGetGetPositions",
            params={"currency": "any"},
            rows_at=_RESULT,
            symbol_at="instrument_name",
        ),
    ),
    lookups=(
        LookupCall(
            method="privateGetGetOrderState", id_param="order_id", order_at=_RESULT, ids=_IDS
        ),
        LookupCall(
            by_client_order_id=True,
            kinds=CONTRACTS | {MarketKind.OPTION},
            method="privateGetGetOrderStateByLabel",
            id_param="label",
            market_params={"currency": "settleId"},
            order_at=_RESULT,
            ids=_IDS,
        ),
    ),
    order_id_form=r"[A-Za-z0-9_-]{1,64}",
    client_order_id_form=r".{1,64}",
    fills=(_fills("false"), _fills("true")),
    shapes=(
        AnswerShape(path="/public/get_instruments", rows_at=_RESULT, may_be_empty=False),
        AnswerShape(path="/private/get_open_orders", rows_at=_RESULT),
        AnswerShape(path="/private/get_positions", rows_at=_RESULT),
        AnswerShape(
            path="/private/get_order_state",
            keys=("result.order_id", "result.instrument_name", "result.order_state"),
        ),
        AnswerShape(path="/private/get_order_state_by_label", rows_at=_RESULT),
        AnswerShape(
            path="/private/get_user_trades_by_instrument_and_time", rows_at=("result", "trades")
        ),
    ),
    counts_contracts=False,
    inverse_in=InverseUnit.QUOTE,
    position_row=PositionRow(
        symbol="instrument_name",
        qty="size",
        entry_price="average_price",
        mark_price="mark_price",
    ),
    status=StatusWords(at=("order_state",)),
    not_found=(NotFoundWords(words="order_not_found"),),
    options={"fetchMarkets": {"fetchAllMarkets": True}, "adjustForTimeDifference": False},
    # articles/deribit-rate-limits: credits of each subaccount.
    budget_per_account=True,
    retention=retention_of("deribit"),
    not_covered=(
        "balances",
        "subaccounts other than the key's, and block trades that are not settled",
    ),
)
