"""The records in Binance's JSON: decimals as strings, times in milliseconds, ids as integers."""

from decimal import Decimal

from reconciler.simulation.venue.clock import milliseconds
from reconciler.simulation.venue.markets import Market
from reconciler.simulation.venue.records import Fill, Order, Position, TriggerOrder, TriggerStatus

Row = dict[str, object]

# Perpetuals have no delivery; Binance says 25 December 2100.
NO_DELIVERY_MS = 4133404800000
ONBOARD_MS = 1569398400000
ORDER_TYPES = [
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
]
LEVERAGE = 20
INITIAL_MARGIN_RATE = Decimal(1) / LEVERAGE
MAINTENANCE_MARGIN_RATE = Decimal("0.005")


POSITION_RISK_V2 = 2
"""The version of positionRisk that carries a few fields more."""


def text(value: Decimal) -> str:
    """Return a decimal without an exponent."""
    return format(value, "f") if value else "0"


def order_row(order: Order) -> Row:
    """Return an order as openOrders, order and allOrders show it."""
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status.value,
        "clientOrderId": order.client_order_id,
        "price": text(order.price),
        "avgPrice": f"{order.average_price:.10f}" if order.executed_qty else "0.00000",
        "origQty": text(order.qty),
        "executedQty": text(order.executed_qty),
        "cumQuote": text(order.executed_quote),
        "timeInForce": order.time_in_force,
        "type": order.order_type,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side.value,
        "positionSide": order.position_side.value,
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order.order_type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": milliseconds(order.created_at),
        "updateTime": milliseconds(order.updated_at),
    }


def trigger_order_row(order: TriggerOrder) -> Row:
    """Return a trigger order as openAlgoOrders, algoOrder and allAlgoOrders show it."""
    triggered = order.status in {TriggerStatus.TRIGGERED, TriggerStatus.FINISHED}
    return {
        "algoId": order.algo_id,
        "clientAlgoId": order.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": order.order_type,
        "symbol": order.symbol,
        "side": order.side.value,
        "positionSide": order.position_side.value,
        "timeInForce": "GTC",
        "quantity": text(order.qty),
        "algoStatus": order.status.value,
        "actualOrderId": str(order.child_order_id or ""),
        "actualPrice": text(order.price) if triggered else "0.00000",
        "triggerPrice": text(order.trigger_price),
        "price": text(order.price),
        "icebergQuantity": None,
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": "CONTRACT_PRICE",
        "priceMatch": "NONE",
        "closePosition": order.close_position,
        "priceProtect": False,
        "reduceOnly": order.reduce_only,
        "createTime": milliseconds(order.created_at),
        "updateTime": milliseconds(order.updated_at),
        "triggerTime": milliseconds(order.triggered_at) if order.triggered_at else 0,
        "goodTillDate": 0,
    }


def fill_row(fill: Fill) -> Row:
    """Return a fill as userTrades shows it."""
    return {
        "symbol": fill.symbol,
        "id": fill.fill_id,
        "orderId": fill.order_id,
        "side": fill.side.value,
        "price": text(fill.price),
        "qty": text(fill.qty),
        "realizedPnl": text(fill.realized_pnl),
        "quoteQty": text(fill.qty * fill.price),
        "commission": text(fill.commission),
        "commissionAsset": "USDT",
        "time": milliseconds(fill.filled_at),
        "positionSide": fill.position_side.value,
        "buyer": fill.side.sign > 0,
        "maker": fill.maker,
    }


def unrealized_pnl(position: Position, mark_price: Decimal) -> Decimal:
    """Return the open profit of a leg at `mark_price`, in quote currency."""
    return (mark_price - position.entry_price) * position.qty


def position_row(position: Position, mark_price: Decimal, *, version: int) -> Row:
    """Return a leg as positionRisk shows it, in version 2 or 3 of that endpoint."""
    notional = position.qty * mark_price
    initial_margin = text(abs(notional) * INITIAL_MARGIN_RATE)
    row: Row = {
        "symbol": position.symbol,
        "positionSide": position.position_side.value,
        "positionAmt": text(position.qty),
        "entryPrice": text(position.entry_price),
        "breakEvenPrice": text(position.entry_price),
        "markPrice": text(mark_price),
        "unRealizedProfit": text(unrealized_pnl(position, mark_price)),
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": text(notional),
        "isolatedWallet": "0",
        "updateTime": milliseconds(position.updated_at) if position.qty else 0,
    }
    if version == POSITION_RISK_V2:
        return row | {
            "maxNotionalValue": "40000000",
            "marginType": "cross",
            "isAutoAddMargin": "false",
            "leverage": str(LEVERAGE),
        }
    return row | {
        "marginAsset": "USDT",
        "initialMargin": initial_margin,
        "maintMargin": text(abs(notional) * MAINTENANCE_MARGIN_RATE),
        "positionInitialMargin": initial_margin,
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
    }


def market_row(market: Market) -> Row:
    """Return a market as exchangeInfo shows it."""
    step, tick = text(market.step_size), text(market.tick_size)
    lot = {"maxQty": "100000000", "minQty": step, "stepSize": step}
    return {
        "symbol": market.symbol,
        "pair": market.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": NO_DELIVERY_MS,
        "onboardDate": ONBOARD_MS,
        "status": market.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": market.base,
        "quoteAsset": market.quote,
        "marginAsset": market.quote,
        "pricePrecision": _places(market.tick_size),
        "quantityPrecision": _places(market.step_size),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "10000000",
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": text(market.min_notional)},
        ],
        "orderTypes": ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def bracket_row(market: Market) -> Row:
    """Return a market's leverage brackets, the same single one for all."""
    bracket = {
        "bracket": 1,
        "initialLeverage": LEVERAGE,
        "notionalCap": 40000000,
        "notionalFloor": 0,
        "maintMarginRatio": float(MAINTENANCE_MARGIN_RATE),
        "cum": 0.0,
    }
    return {"symbol": market.symbol, "brackets": [bracket]}


def _places(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
