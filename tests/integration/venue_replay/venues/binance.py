"""Binance: one class of ccxt has the samples of all its wallets."""

from decimal import Decimal
from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.binance import _market as spot_market
from tests.integration.venue_replay.facts import (
    FILLED,
    LIVE,
    FillFields,
    Instrument,
    OrderFields,
    PositionFields,
    Row,
)
from tests.integration.venue_replay.seats import Asked, Seat, VenueReplay

SPOT = {
    "LTCBTC": Instrument(symbol="LTC/BTC"),
    "BTCUSDT": Instrument(symbol="BTC/USDT"),
    "BNBBTC": Instrument(symbol="BNB/BTC"),
}
LINEAR = {
    "BTCUSDT": Instrument(symbol="BTC/USDT:USDT"),
    "WLDUSDT": Instrument(symbol="WLD/USDT:USDT"),
}
COIN = {
    "BTCUSD_PERP": Instrument(symbol="BTC/USD:BTC", size=Decimal(100), inverse=True),
    "ETHUSD_PERP": Instrument(symbol="ETH/USD:ETH", size=Decimal(10), inverse=True),
}
NOT_FOUND = {"code": -2013, "msg": "Order does not exist."}
_NOT_KNOWN = Canned(path="/(order|algoOrder)", body=NOT_FOUND, status=lambda _: 400)
NOWHERE = ("no such place",)
"""Samples that are lists of rows, served one row at a time."""


def _price(row: Row) -> Any:
    """Return the price; a market order has none but that of its fills."""
    return row["price"] if Decimal(row["price"]) else row["avgPrice"]


def _orders(instruments: dict[str, Instrument]) -> OrderFields:
    return OrderFields(
        order_id="orderId",
        client_order_id="clientOrderId",
        qty="origQty",
        filled="executedQty",
        status="status",
        price=_price,
        states={"NEW": LIVE, "FILLED": FILLED},
        instruments=instruments,
    )


ALGO_ORDERS = OrderFields(
    order_id="algoId",
    client_order_id="clientAlgoId",
    qty="quantity",
    filled=lambda _: 0,
    status="algoStatus",
    states={"NEW": LIVE},
    instruments=LINEAR,
)


def _fills(instruments: dict[str, Instrument], side: Any) -> FillFields:
    return FillFields(
        fill_id="id", order_id="orderId", qty="qty", side=side, instruments=instruments
    )


def _rows(rows: list[Any]) -> Any:
    return rows


def _one(rows: list[Any]) -> Any:
    return rows[0] if rows else NOT_FOUND


def _coin_market(symbol: str, size: int) -> dict[str, Any]:
    base = symbol[:3]
    return {
        **_linear_market(symbol),
        "pair": f"{base}USD",
        "contractStatus": "TRADING",
        "contractSize": size,
        "baseAsset": base,
        "quoteAsset": "USD",
        "marginAsset": base,
    }


def _linear_market(symbol: str) -> dict[str, Any]:
    base = symbol.removesuffix("USDT")
    return {
        "symbol": symbol,
        "pair": symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.01", "minPrice": "0.01"},
            {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001"},
        ],
    }


BINANCE = VenueReplay(
    venue="binance",
    source="binance",
    least=4,
    markets=(
        Canned(
            path="/exchangeInfo",
            body={"symbols": [spot_market(name, name[:3], name[3:]) for name in SPOT]},
        ),
    ),
    empty=(
        Canned(path="/openOrders", body=[]),
        _NOT_KNOWN,
        Canned(path="/myTrades", body=[]),
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/openOrders",
            samples=("fetch_orders#1", "parse_order#1"),
            fields=_orders(SPOT),
            wrap=_rows,
        ),
        Seat(
            asked=Asked.ORDER,
            path="/order",
            samples=("fetch_orders#1", "parse_order#1"),
            fields=_orders(SPOT),
            by_client_order_id=True,
            wrap=_one,
            rows_at=NOWHERE,
            also_at=((),),
        ),
        Seat(
            asked=Asked.FILLS,
            path="/myTrades",
            samples=("fetch_my_trades#1", "parse_trade#4"),
            fields=_fills(SPOT, lambda row: "buy" if row["isBuyer"] else "sell"),
            wrap=_rows,
        ),
    ),
    not_used={
        "an order's creation, change or cancellation": (
            "parse_order#2",
            "parse_order#3",
            "parse_order#5",
            "parse_order#8",
            "parse_order#13",
            "parse_order#15",
            "parse_order#23",
            "parse_order#24",
            "parse_order#25",
            "parse_trade#7",
            "parse_trade#8",
        ),
        "of wallets that are not covered: portfolio margin": (
            "fetch_my_trades#4",
            "fetch_my_trades#5",
            "fetch_my_trades#6",
            "fetch_open_order#3",
            "fetch_open_order#4",
            "fetch_open_order#5",
            "fetch_open_order#6",
            "fetch_orders#4",
            "fetch_orders#5",
            "fetch_orders#6",
            "fetch_orders#7",
            "fetch_positions_risk#4",
            "fetch_positions_risk#5",
            "parse_order#9",
            "parse_order#10",
            "parse_order#11",
            "parse_order#12",
            "parse_order#14",
            "parse_order#16",
            "parse_order#19",
            "parse_order#20",
            "parse_order#21",
            "parse_position_risk#3",
            "parse_position_risk#4",
            "parse_trade#11",
            "parse_trade#12",
            "parse_trade#13",
        ),
        "options, which are not covered": (
            "fetch_my_trades#3",
            "fetch_orders#3",
            "fetch_position#1",
            "parse_order#7",
            "parse_trade#9",
            "parse_trade#10",
        ),
        "tokenized equities, which are not covered": (
            "fetch_my_trades#7",
            "fetch_orders#8",
            "parse_order#26",
            "parse_order#27",
            "parse_order#28",
            "parse_trade#14",
        ),
        "public trades": ("parse_trade#1", "parse_trade#2", "parse_trade#3"),
        "its closing bracket is missing; fetch_positions_risk#1 is the same row": (
            "parse_position_risk#1",
        ),
    },
)
BINANCEUSDM = VenueReplay(
    venue="binanceusdm",
    source="binance",
    least=10,
    markets=(
        Canned(
            path="/exchangeInfo",
            body={"symbols": [_linear_market(name) for name in LINEAR]},
        ),
    ),
    empty=(
        Canned(path="/(openOrders|openAlgoOrders|positionRisk|userTrades)", body=[]),
        _NOT_KNOWN,
    ),
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/openOrders",
            samples=("fetch_open_order#1", "fetch_orders#2", "parse_order#4", "parse_order#17"),
            fields=_orders(LINEAR),
            wrap=_rows,
        ),
        Seat(
            asked=Asked.TRIGGER_ORDERS,
            path="/openAlgoOrders",
            samples=("parse_order#22",),
            fields=ALGO_ORDERS,
            wrap=_rows,
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/positionRisk",
            samples=("fetch_positions_risk#1", "fetch_positions_risk#2", "fetch_positions_risk#3"),
            fields=PositionFields(qty="positionAmt", instruments=LINEAR),
            wrap=_rows,
        ),
        Seat(
            asked=Asked.ORDER,
            path="/order",
            samples=("fetch_open_order#1", "fetch_orders#2", "parse_order#17"),
            fields=_orders(LINEAR),
            by_client_order_id=True,
            wrap=_one,
            rows_at=NOWHERE,
            also_at=((),),
        ),
        Seat(
            asked=Asked.TRIGGER_ORDER,
            path="/algoOrder",
            samples=("parse_order#22",),
            fields=ALGO_ORDERS,
            by_client_order_id=True,
            wrap=_one,
            rows_at=NOWHERE,
        ),
        Seat(
            asked=Asked.FILLS,
            path="/userTrades",
            samples=("fetch_my_trades#2", "parse_trade#5", "parse_trade#6"),
            fields=_fills(LINEAR, "side"),
            wrap=_rows,
        ),
    ),
    not_used={},
)
BINANCECOINM = VenueReplay(
    venue="binancecoinm",
    source="binance",
    least=4,
    markets=(
        Canned(
            path="/exchangeInfo",
            body={"symbols": [_coin_market("BTCUSD_PERP", 100), _coin_market("ETHUSD_PERP", 10)]},
        ),
    ),
    empty=BINANCEUSDM.empty,
    seats=(
        Seat(
            asked=Asked.OPEN_ORDERS,
            path="/openOrders",
            samples=("fetch_open_order#2", "parse_order#18"),
            fields=_orders(COIN),
            wrap=_rows,
        ),
        Seat(
            asked=Asked.POSITIONS,
            path="/positionRisk",
            samples=("parse_position_risk#2",),
            fields=PositionFields(qty="positionAmt", instruments=COIN),
            wrap=_rows,
        ),
        Seat(
            asked=Asked.ORDER,
            path="/order",
            samples=("fetch_open_order#2", "parse_order#6", "parse_order#18"),
            fields=_orders(COIN),
            by_client_order_id=True,
            wrap=_one,
            rows_at=NOWHERE,
        ),
    ),
    not_used={},
)
