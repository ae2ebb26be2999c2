"""Binance COIN-M futures, as its documentation and ccxt 4.5.90 have it: USD-M's twin.

Sources (developers.binance.com/docs/derivatives/coin-margined-futures):
- trade/rest-api/Current-All-Open-Orders: weight 40 without a symbol, no paging: one answer holds
  every order. Conditional orders are "algo" orders, in a list of their own (openAlgoOrders exists
  here as for USD-M, in ccxt's words "verified live", though the documentation leaves it out).
- trade/rest-api/Position-Information: one row per position or leg, quantities in contracts.
- trade/rest-api/Query-Order: an order that was CANCELED or EXPIRED without a fill is not found 3
  days after its creation; -2013 is "not found".
- trade/rest-api/Account-Trade-List: windows of 7 days, 1000 rows.
- general-info: 2400 weight a minute and IP, X-MBX-USED-WEIGHT-1M.
"""

from dataclasses import replace
from datetime import timedelta

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.description import FillsCall, ListingCall
from reconciler.venue.descriptions.binanceusdm import BINANCEUSDM
from reconciler.venue.descriptions.retention import retention_of

BINANCECOINM = replace(
    BINANCEUSDM,
    venue="binancecoinm",
    listings=tuple(
        ListingCall(
            scope=scope,
            method=method,
            rows_at=(),
            symbol_at="symbol",
            market_type="contract",
            weight=weight,
        )
        for scope, method, weight in (
            # ccxt takes it for 5.
            (ScopeName.OPEN_ORDERS, "dapiPrivateGetOpenOrders", 40),
            (ScopeName.TRIGGER_ORDERS, "dapiPrivateGetOpenAlgoOrders", None),
            (ScopeName.POSITIONS, "dapiPrivateGetPositionRisk", None),
        )
    ),
    fills=(FillsCall(window=timedelta(days=7), page=1000, order_id_param="orderId"),),
    needs_market_to_count=True,
    options={
        "fetchOpenOrders": {"warnWithoutSymbol": False},
        "fetchMarkets": {"types": ["inverse"]},
        "adjustForTimeDifference": False,
    },
    retention=retention_of("binancecoinm"),
    not_covered=(
        "balances",
        "wallets other than COIN-M futures (spot, margin, USD-M, options, portfolio margin)",
    ),
)
