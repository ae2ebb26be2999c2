"""Binance spot, as its documentation and ccxt 4.5.90 have it.

Sources (developers.binance.com/docs/binance-spot-api-docs):
- rest-api/account-endpoints: openOrders without a symbol has a weight of 80 and no paging: one
  answer holds every order, stops and the legs of order lists too. `order` takes orderId or
  origClientOrderId; -2013 is "does not exist", and -2026 "archived": it was cancelled or expired
  without a fill over 90 days ago. myTrades takes an orderId without a time, 1000 rows.
- rest-api/account-endpoints: `account` has every balance that is not 0, weight 20.
- enums: PENDING_NEW is a leg that waits for the working order of its list, however long.
- rest-api/limits: 6000 weight a minute and IP, X-MBX-USED-WEIGHT-1M, 429 and 418 with
  Retry-After. ccxt counts a fifth of it, at 1200 a minute.
ccxt's `binance` reaches the other wallets too; this is the spot wallet alone, `binanceusdm` is the
one for USD-M futures.
"""

from reconciler.domain.snapshot import AnswerKind, ScopeName
from reconciler.venue.description import (
    AnswerShape,
    BalanceRow,
    FillsCall,
    ListingCall,
    LookupCall,
    MarketKind,
    NotFoundWords,
    Paging,
    StatusWords,
    VenueDescription,
)
from reconciler.venue.descriptions.retention import retention_of

_SPOT = frozenset({MarketKind.SPOT})

BINANCE = VenueDescription(
    venue="binance",
    listings=(
        ListingCall(
            scope=ScopeName.OPEN_ORDERS,
            method="privateGetOpenOrders",
            rows_at=(),
            symbol_at="symbol",
            market_type="spot",
        ),
        ListingCall(
            scope=ScopeName.BALANCES,
            method="privateGetAccount",
            params={"omitZeroBalances": "true"},
            rows_at=("balances",),
        ),
    ),
    lookups=(
        LookupCall(kinds=_SPOT),
        LookupCall(kinds=_SPOT, by_client_order_id=True),
    ),
    order_id_form=r"\d{1,19}",
    client_order_id_form=r"[.A-Z:/a-z0-9_-]{1,36}",
    fills=(
        FillsCall(
            kinds=_SPOT,
            method="privateGetMyTrades",
            market_params={"symbol": "id"},
            rows_at=(),
            paging=Paging(size=1000, limit_param="limit"),
            order_id_param="orderId",
        ),
    ),
    shapes=(
        AnswerShape(path="/exchangeInfo", rows_at=("symbols",), may_be_empty=False),
        AnswerShape(path="/openOrders", rows_at=()),
        AnswerShape(path="/account", rows_at=("balances",)),
        AnswerShape(path="/myTrades", rows_at=()),
        AnswerShape(path="/order", keys=("orderId", "symbol", "status")),
    ),
    balance_row=BalanceRow(asset="asset", parts=("free", "locked")),
    balances_always=True,
    status=StatusWords(meaning={"PENDING_NEW": "open"}),
    not_found=(
        NotFoundWords(words="-2013"),
        NotFoundWords(error="InvalidOrder", words="-2026"),
        NotFoundWords(error="ExchangeError", words="-2026"),
    ),
    error_words={
        # After one private success ccxt reads "invalid API key" as a temporary ban; it is no ban.
        '"code":-2015': AnswerKind.AUTH,
    },
    options={
        "defaultType": "spot",
        "fetchOpenOrders": {"warnWithoutSymbol": False},
        # Margin pairs want rights that a key may not have.
        "fetchMargins": False,
        "fetchMarkets": {"types": ["spot"]},
        "adjustForTimeDifference": False,
    },
    used_weight_header="X-MBX-USED-WEIGHT-1M",
    used_weight_limit=6000,
    retention=retention_of("binance"),
    not_covered=(
        "coins in Earn products",
        "wallets other than spot (margin, USD-M and COIN-M futures, options, portfolio margin)",
    ),
)
