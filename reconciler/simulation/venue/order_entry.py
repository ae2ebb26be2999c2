"""Orders that arrive over HTTP: what Binance refuses, and what its matching engine does at once."""

from decimal import Decimal

from reconciler.simulation.venue.ledger import Ledger
from reconciler.simulation.venue.markets import Market
from reconciler.simulation.venue.netting import reducible_qty
from reconciler.simulation.venue.params import Params
from reconciler.simulation.venue.records import Order, PositionSide, Refused, Side
from reconciler.simulation.venue.rows import Row, order_row, trigger_order_row


def place_order(ledger: Ledger, params: Params) -> Row:
    """Accept a MARKET or LIMIT order; one that crosses the mark price fills at it, at once.

    Raises:
        Refused: as Binance does: precision, least notional, reduce-only, position side, client id.

    """
    market = ledger.markets.get(params.needed("symbol"))
    side = _side(params)
    order_type = params.needed("type")
    qty = _quantity(params, market)
    price = None if order_type == "MARKET" else _price(params, "price", market)
    reduce_only = params.flag("reduceOnly")
    if order_type not in {"MARKET", "LIMIT"}:
        raise Refused(-4120, "Order type not supported for this endpoint. Use the Algo Order API.")
    if not reduce_only and qty * (price or market.mark_price) < market.min_notional:
        raise Refused(
            -4164,
            f"Order's notional must be no smaller than {market.min_notional} "
            "(unless you choose reduce only).",
        )
    _check_client_order_id(ledger, params.text("newClientOrderId"))
    crosses = price is None or (market.mark_price - price) * side.sign <= 0
    time_in_force = params.text("timeInForce") or "GTC"
    if crosses and time_in_force == "GTX":
        raise Refused(-5022, "Due to the order could not be executed as maker, it is rejected.")
    order = ledger.place_order(
        market.symbol,
        side,
        qty,
        price,
        order_type=order_type,
        client_order_id=params.text("newClientOrderId"),
        reduce_only=reduce_only,
        position_side=_leg(ledger, params, side),
        time_in_force=time_in_force,
    )
    if crosses:
        ledger.fill_order(order.order_id, price=market.mark_price, maker=False)
    if (crosses or time_in_force in {"IOC", "FOK"}) and order.order_id in ledger.live_orders:
        ledger.expire_order(order.order_id)
    return order_row(ledger.orders[order.order_id])


def cancel_order(ledger: Ledger, params: Params) -> Row:
    """Cancel a live order by either id.

    Raises:
        Refused: -2011 when it is unknown or has ended.

    """
    symbol = ledger.markets.get(params.needed("symbol")).symbol
    order_id = params.integer("orderId")
    if order_id is None:
        client_order_id = params.needed("origClientOrderId")
        order_id = ledger.order_id_by_client_id.get(client_order_id, 0)
    order = ledger.orders.get(order_id)
    if order is None or order.symbol != symbol:
        raise Refused(-2011, "Unknown order sent.")
    return order_row(ledger.cancel_order(order_id))


def place_trigger_order(ledger: Ledger, params: Params) -> Row:
    """Accept a conditional order, which rests until the ledger triggers it.

    Raises:
        Refused: as Binance does.

    """
    market = ledger.markets.get(params.needed("symbol"))
    side = _side(params)
    order_type = params.needed("type")
    close_position = params.flag("closePosition")
    client_algo_id = params.text("clientAlgoId")
    if client_algo_id in ledger.algo_id_by_client_id:
        raise Refused(-4116, "ClientOrderId is duplicated.")
    order = ledger.place_trigger_order(
        market.symbol,
        side,
        Decimal(0) if close_position else _quantity(params, market),
        _price(params, "triggerPrice", market),
        price=_price(params, "price", market) if order_type in {"STOP", "TAKE_PROFIT"} else None,
        order_type=order_type,
        client_order_id=client_algo_id,
        reduce_only=params.flag("reduceOnly"),
        close_position=close_position,
        position_side=params.text("positionSide"),
    )
    return trigger_order_row(order)


def cancel_trigger_order(ledger: Ledger, params: Params) -> Row:
    """Cancel a waiting trigger order by either id.

    Raises:
        Refused: -2011 when it is unknown or has ended.

    """
    algo_id = params.integer("algoId")
    if algo_id is None:
        client_algo_id = params.needed("clientAlgoId")
        algo_id = ledger.algo_id_by_client_id.get(client_algo_id, 0)
    order = ledger.cancel_trigger_order(algo_id)
    return {
        "algoId": order.algo_id,
        "clientAlgoId": order.client_algo_id,
        "code": "200",
        "msg": "success",
    }


def _side(params: Params) -> Side:
    value = params.needed("side")
    if value not in set(Side):
        raise Refused(-1117, "Invalid side.")
    return Side(value)


def _leg(ledger: Ledger, params: Params, side: Side) -> PositionSide:
    """Return the leg the order is for; refuse a reduce-only order with nothing to reduce."""
    value = params.text("positionSide") or PositionSide.BOTH
    if value not in set(PositionSide):
        raise Refused(-1116, "Invalid positionSide.")
    leg = PositionSide(value)
    if (leg is PositionSide.BOTH) is ledger.hedge_mode:
        raise Refused(-4061, "Order's position side does not match user's setting.")
    closes = leg is not PositionSide.BOTH and (leg is PositionSide.LONG) != (side is Side.BUY)
    reduces = params.flag("reduceOnly") or closes
    if reduces and not reducible_qty(ledger.position(params.needed("symbol"), leg), side):
        raise Refused(-2022, "ReduceOnly Order is rejected.")
    return leg


def _quantity(params: Params, market: Market) -> Decimal:
    params.needed("quantity")
    qty = params.decimal("quantity") or Decimal(0)
    if qty <= 0:
        raise Refused(-4003, "Quantity less than or equal to zero.")
    if qty % market.step_size:
        raise Refused(-1111, "Precision is over the maximum defined for this asset.")
    return qty


def _price(params: Params, name: str, market: Market) -> Decimal:
    params.needed(name)
    price = params.decimal(name) or Decimal(0)
    if price <= 0:
        raise Refused(-4001, "Price less than 0.")
    if price % market.tick_size:
        raise Refused(-4014, "Price not increased by tick size.")
    return price


def _check_client_order_id(ledger: Ledger, client_order_id: str | None) -> None:
    order: Order | None = ledger.live_orders.get(
        ledger.order_id_by_client_id.get(client_order_id or "", 0)
    )
    if order is not None:
        raise Refused(-4116, "ClientOrderId is duplicated.")
