"""Run by freqtrade's own Python: its schema, and trades and orders through its own classes.

`python freqtrade_writes.py URL < TRADES`: starts its database as the bot does (create, check
migrations), writes each trade of the JSON list as `execute_entry` and `update_trade_state` would,
and prints what freqtrade then says of every trade and order. With an empty list it only starts.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from freqtrade.enums import TradingMode  # type: ignore[import-not-found]  # in another environment
from freqtrade.persistence import Order, Trade, init_db  # type: ignore[import-not-found]

FEE = 0.0005


def main() -> None:
    """Start, write, tell."""
    init_db(sys.argv[1])
    for told in json.load(sys.stdin):
        _write(told)
    Trade.session.expire_all()
    found = [_said(trade) for trade in Trade.get_trades().all()]
    json.dump(found, sys.stdout)


def _write(told: dict[str, Any]) -> None:
    trade = Trade(
        pair=told["pair"],
        base_currency=told["pair"].partition("/")[0],
        stake_currency="USDT",
        stake_amount=100.0,
        amount=0,
        is_open=True,
        amount_requested=told["orders"][0]["amount"],
        fee_open=FEE,
        fee_close=FEE,
        open_rate=told["orders"][0]["price"],
        open_date=_ago(told["orders"][0]["hours"]),
        exchange="binance",
        strategy="Sample",
        leverage=1.0,
        is_short=told.get("is_short", False),
        trading_mode=TradingMode(told.get("mode", "futures")),
        amount_precision=0.001,
        price_precision=0.01,
        precision_mode=4,
        precision_mode_price=4,
        contract_size=told.get("contract_size", 1.0),
    )
    Trade.session.add(trade)
    for order in told["orders"]:
        answer = {
            "id": order["id"],
            "symbol": told["pair"],
            "status": order["status"],
            "type": order.get("type", "limit"),
            "side": None if order["side"] == "stoploss" else order["side"],
            "price": None if "stop" in order else order["price"],
            "stopPrice": order.get("stop"),
            "amount": order["amount"],
            "filled": order.get("filled"),
            "average": order["price"] if order.get("filled") else None,
            "remaining": None,
            "timestamp": int(_ago(order["hours"]).timestamp() * 1000),
            "lastTradeTimestamp": None,
        }
        made = Order.parse_from_ccxt_object(
            answer, told["pair"], order["side"], order["amount"], order["price"]
        )
        made.order_update_date = _ago(order["hours"])
        if made.order_filled_date is not None:
            made.order_filled_date = _ago(order["hours"])
        trade.orders.append(made)
        trade.recalc_trade_from_orders()
        Trade.commit()
        if order["status"] not in {"open", None} and order.get("filled"):
            trade.update_trade(made)
    Trade.commit()


def _ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


def _said(trade: Any) -> dict[str, Any]:
    return {
        "id": trade.id,
        "pair": trade.pair,
        "is_open": trade.is_open,
        "is_short": trade.is_short,
        "amount": trade.amount,
        "open_timestamp": trade.open_date_utc.timestamp(),
        "has_open_orders": trade.has_open_orders,
        "orders": [[o.order_id, o.ft_is_open, o.status] for o in trade.orders],
    }


if __name__ == "__main__":
    main()
