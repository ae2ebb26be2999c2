"""Binance USD-M futures as HTTP endpoints: which there are, what they weigh, what they read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

from reconciler.simulation.venue.clock import VenueClock, milliseconds
from reconciler.simulation.venue.key_rights import rights_row
from reconciler.simulation.venue.ledger import Ledger
from reconciler.simulation.venue.markets import Markets
from reconciler.simulation.venue.order_entry import (
    cancel_order,
    cancel_trigger_order,
    place_order,
    place_trigger_order,
)
from reconciler.simulation.venue.params import Params
from reconciler.simulation.venue.records import Order, Position, PositionSide, Refused
from reconciler.simulation.venue.rows import (
    INITIAL_MARGIN_RATE,
    LEVERAGE,
    MAINTENANCE_MARGIN_RATE,
    Row,
    bracket_row,
    fill_row,
    market_row,
    order_row,
    position_row,
    text,
    trigger_order_row,
    unrealized_pnl,
)
from reconciler.simulation.venue.view import LedgerView, time_window

DEFAULT_ROWS = 500
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCall:
    """A request that needs no key."""

    markets: Markets
    clock: VenueClock


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCall:
    """A request whose key and signature were found good."""

    ledger: Ledger
    view: LedgerView
    params: Params
    page_limit: int | None = None
    rights: frozenset[str] = frozenset()
    """Of the key, in Binance's words."""

    def page(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that fit in the venue's page, where the test has set one."""
        return rows if self.page_limit is None else rows[: self.page_limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A name for faults and the request log, the IP weight, and what answers."""

    name: str
    weight: int = 1
    weight_without_symbol: int | None = None
    public: Callable[[PublicCall], object] | None = None
    signed: Callable[[SignedCall], object] | None = field(default=None)

    def weight_of(self, params: Params) -> int:
        """Return what a request costs of the 2,400 a minute."""
        if self.weight_without_symbol is not None and not params.text("symbol"):
            return self.weight_without_symbol
        return self.weight


def _time(call: PublicCall) -> Row:
    return {"serverTime": milliseconds(call.clock.told())}


def _exchange_info(call: PublicCall) -> Row:
    limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
    return {
        "timezone": "UTC",
        "serverTime": milliseconds(call.clock.told()),
        "futuresType": "U_MARGINED",
        "rateLimits": [limit | {"limit": 2400}],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [market_row(market) for market in call.markets],
    }


def _open_orders(call: SignedCall) -> Sequence[Row]:
    return call.page([order_row(order) for order in call.view.open_orders(_symbol(call))])


def _order(call: SignedCall) -> Row:
    symbol = call.ledger.markets.get(call.params.needed("symbol")).symbol
    order_id = call.params.integer("orderId")
    client_order_id = call.params.text("origClientOrderId")
    if order_id is None and client_order_id is None:
        raise Refused(-1102, "Param 'origClientOrderId' or 'orderId' must be sent.")
    return order_row(call.view.order(symbol, order_id=order_id, client_order_id=client_order_id))


def _all_orders(call: SignedCall) -> list[Row]:
    params = call.params
    limit = params.limit(default=DEFAULT_ROWS, most=MOST_ROWS)
    orders: Iterable[Order] = call.view.all_orders(params.needed("symbol"))
    from_id = params.integer("orderId")
    if from_id is not None:
        chosen = list(islice((order for order in orders if order.order_id >= from_id), limit))
    else:
        start_at, end_at = time_window(
            start_at=params.at("startTime"),
            end_at=params.at("endTime"),
            now=call.ledger.clock.now(),
        )
        chosen = [order for order in orders if start_at <= order.created_at <= end_at][-limit:]
    return [order_row(order) for order in chosen]


def _user_trades(call: SignedCall) -> list[Row]:
    """Return the last seven days by default, by order id too: Binance names no exception."""
    params = call.params
    limit = params.limit(default=DEFAULT_ROWS, most=MOST_ROWS)
    order_id, from_id = params.integer("orderId"), params.integer("fromId")
    start_at, end_at = params.at("startTime"), params.at("endTime")
    fills = [
        fill
        for fill in call.view.fills(call.ledger.markets.get(params.needed("symbol")).symbol)
        if order_id is None or fill.order_id == order_id
    ]
    if from_id is not None:
        if start_at or end_at:
            raise Refused(-1128, "Combination of optional parameters invalid.")
        return [fill_row(fill) for fill in fills if fill.fill_id >= from_id][:limit]
    since, until = time_window(start_at=start_at, end_at=end_at, now=call.ledger.clock.now())
    within = [fill_row(fill) for fill in fills if since <= fill.filled_at <= until]
    return within[:limit] if start_at else within[-limit:]


def _open_trigger_orders(call: SignedCall) -> Sequence[Row]:
    orders = call.view.open_trigger_orders(_symbol(call))
    return call.page([trigger_order_row(order) for order in orders])


def _trigger_order(call: SignedCall) -> Row:
    algo_id = call.params.integer("algoId")
    client_algo_id = call.params.text("clientAlgoId")
    if algo_id is None and client_algo_id is None:
        raise Refused(-1102, "Param 'algoId' or 'clientAlgoId' must be sent.")
    return trigger_order_row(
        call.view.trigger_order(algo_id=algo_id, client_algo_id=client_algo_id)
    )


def _all_trigger_orders(call: SignedCall) -> list[Row]:
    params = call.params
    limit = params.limit(default=DEFAULT_ROWS, most=MOST_ROWS)
    start_at, end_at = time_window(
        start_at=params.at("startTime"), end_at=params.at("endTime"), now=call.ledger.clock.now()
    )
    orders = call.view.all_trigger_orders(params.needed("symbol"))
    chosen = [order for order in orders if start_at <= order.created_at <= end_at]
    return [trigger_order_row(order) for order in chosen[-limit:]]


def _legs(call: SignedCall, symbols: Iterable[str]) -> list[Position]:
    """Return the legs of `symbols`, flat ones too, as positionRisk lists whole symbols."""
    held = {(leg.symbol, leg.position_side): leg for leg in call.view.positions(_symbol(call))}
    sides = (
        (PositionSide.LONG, PositionSide.SHORT) if call.ledger.hedge_mode else (PositionSide.BOTH,)
    )
    return [
        held.get((symbol, side)) or call.ledger.flat(symbol, side)
        for symbol in symbols
        for side in sides
    ]


def _position_risk_v2(call: SignedCall) -> Sequence[Row]:
    """Every market, with zeros where nothing is held."""
    wanted = _symbol(call)
    symbols = [wanted] if wanted else [market.symbol for market in call.ledger.markets]
    return call.page(_position_rows(call, symbols, version=2))


def _position_risk_v3(call: SignedCall) -> Sequence[Row]:
    """Only the symbols that have a position or an open order."""
    wanted = _symbol(call)
    symbols = {leg.symbol: None for leg in call.view.positions(wanted)}
    symbols |= {order.symbol: None for order in call.view.open_orders(wanted)}
    return call.page(_position_rows(call, symbols, version=3))


def _position_rows(call: SignedCall, symbols: Iterable[str], *, version: int) -> list[Row]:
    mark_price = call.ledger.markets.mark_price
    return [
        position_row(leg, mark_price(leg.symbol), version=version) for leg in _legs(call, symbols)
    ]


def _margins(call: SignedCall) -> tuple[Decimal, Decimal]:
    """Return the notional and the open profit of all that is held."""
    mark_price = call.ledger.markets.mark_price
    legs = call.view.positions()
    notional = sum((abs(leg.qty) * mark_price(leg.symbol) for leg in legs), Decimal(0))
    profit = sum((unrealized_pnl(leg, mark_price(leg.symbol)) for leg in legs), Decimal(0))
    return notional, profit


def _account(call: SignedCall) -> Row:
    notional, profit = _margins(call)
    wallet = call.ledger.wallet_balance
    initial, maintenance = notional * INITIAL_MARGIN_RATE, notional * MAINTENANCE_MARGIN_RATE
    margins: Row = {
        "initialMargin": text(initial),
        "maintMargin": text(maintenance),
        "walletBalance": text(wallet),
        "unrealizedProfit": text(profit),
        "marginBalance": text(wallet + profit),
        "positionInitialMargin": text(initial),
        "openOrderInitialMargin": "0",
        "crossWalletBalance": text(wallet),
        "crossUnPnl": text(profit),
    }
    free: Row = {
        "availableBalance": text(wallet + profit - initial),
        "maxWithdrawAmount": text(wallet + profit - initial),
    }
    names = {"crossWalletBalance": "totalCrossWalletBalance", "crossUnPnl": "totalCrossUnPnl"}
    totals: Row = {
        names.get(name, f"total{name[0].upper()}{name[1:]}"): value
        for name, value in margins.items()
    }
    updated_at = milliseconds(call.ledger.clock.now())
    asset: Row = {"asset": "USDT", **margins, **free, "updateTime": updated_at}
    legs = call.view.positions()
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "multiAssetsMargin": False,
        "updateTime": 0,
        **totals,
        **free,
        "assets": [asset],
        "positions": [_account_position(call, leg) for leg in legs],
    }


def _account_position(call: SignedCall, leg: Position) -> Row:
    row = position_row(leg, call.ledger.markets.mark_price(leg.symbol), version=3)
    return row | {
        "unrealizedProfit": row.pop("unRealizedProfit"),
        "leverage": str(LEVERAGE),
        "isolated": False,
    }


def _balance(call: SignedCall) -> list[Row]:
    account = _account(call)
    return [
        {
            "accountAlias": "sim",
            "asset": "USDT",
            "balance": account["totalWalletBalance"],
            "crossWalletBalance": account["totalCrossWalletBalance"],
            "crossUnPnl": account["totalCrossUnPnl"],
            "availableBalance": account["availableBalance"],
            "maxWithdrawAmount": account["maxWithdrawAmount"],
            "marginAvailable": True,
            "updateTime": milliseconds(call.ledger.clock.now()),
        }
    ]


def _leverage_brackets(call: SignedCall) -> list[Row]:
    wanted = _symbol(call)
    return [
        bracket_row(market) for market in call.ledger.markets if wanted in {None, market.symbol}
    ]


def _position_mode(call: SignedCall) -> Row:
    return {"dualSidePosition": call.ledger.hedge_mode}


def _symbol(call: SignedCall) -> str | None:
    symbol = call.params.text("symbol")
    return symbol and call.ledger.markets.get(symbol).symbol


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/fapi/v1/ping"): Endpoint(name="ping", public=lambda _: {}),
    ("GET", "/fapi/v1/time"): Endpoint(name="time", public=_time),
    ("GET", "/fapi/v1/exchangeInfo"): Endpoint(name="markets", public=_exchange_info),
    ("GET", "/fapi/v1/openOrders"): Endpoint(
        name="open_orders", weight_without_symbol=40, signed=_open_orders
    ),
    ("GET", "/fapi/v1/order"): Endpoint(name="order", signed=_order),
    ("POST", "/fapi/v1/order"): Endpoint(
        name="place_order", weight=0, signed=lambda call: place_order(call.ledger, call.params)
    ),
    ("DELETE", "/fapi/v1/order"): Endpoint(
        name="cancel_order", signed=lambda call: cancel_order(call.ledger, call.params)
    ),
    ("GET", "/fapi/v1/allOrders"): Endpoint(name="all_orders", weight=5, signed=_all_orders),
    ("GET", "/fapi/v1/userTrades"): Endpoint(name="fills", weight=5, signed=_user_trades),
    ("GET", "/fapi/v1/openAlgoOrders"): Endpoint(
        name="trigger_orders", weight_without_symbol=40, signed=_open_trigger_orders
    ),
    ("GET", "/fapi/v1/algoOrder"): Endpoint(name="trigger_order", signed=_trigger_order),
    ("POST", "/fapi/v1/algoOrder"): Endpoint(
        name="place_trigger_order",
        weight=0,
        signed=lambda call: place_trigger_order(call.ledger, call.params),
    ),
    ("DELETE", "/fapi/v1/algoOrder"): Endpoint(
        name="cancel_trigger_order",
        signed=lambda call: cancel_trigger_order(call.ledger, call.params),
    ),
    ("GET", "/fapi/v1/allAlgoOrders"): Endpoint(
        name="all_trigger_orders", weight=5, signed=_all_trigger_orders
    ),
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(
        name="key_rights", signed=lambda call: rights_row(call.rights)
    ),
    ("GET", "/fapi/v1/leverageBracket"): Endpoint(name="leverage", signed=_leverage_brackets),
    ("GET", "/fapi/v1/positionSide/dual"): Endpoint(
        name="position_mode", weight=30, signed=_position_mode
    ),
    ("GET", "/fapi/v2/positionRisk"): Endpoint(
        name="positions", weight=5, signed=_position_risk_v2
    ),
    ("GET", "/fapi/v3/positionRisk"): Endpoint(
        name="positions", weight=5, signed=_position_risk_v3
    ),
    ("GET", "/fapi/v2/account"): Endpoint(name="balances", weight=5, signed=_account),
    ("GET", "/fapi/v3/account"): Endpoint(name="balances", weight=5, signed=_account),
    ("GET", "/fapi/v2/balance"): Endpoint(name="balances", weight=5, signed=_balance),
    ("GET", "/fapi/v3/balance"): Endpoint(name="balances", weight=5, signed=_balance),
}
