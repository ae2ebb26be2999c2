"""KuCoin's classic accounts: spot orders have no status word, futures count contracts."""

from decimal import Decimal
from typing import Any

from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_adapter.cases.kucoin import NOT_FOUND
from tests.integration.venue_adapter.cases.kucoinfutures import NOT_FOUND as NO_CONTRACT_ORDER
from tests.integration.venue_adapter.cases.kucoinfutures import _contract as contract
from tests.integration.venue_adapter.cases.kucoinfutures import mode, wrap
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

BASES = ("BTC", "USDC", "LTC")
SPOT = {f"{base}-USDT": Instrument(symbol=f"{base}/USDT") for base in BASES}
SIZES = {"XBT": "0.001", "ETH": "0.01", "DOGE": "100"}
CONTRACTS = {
    "XBTUSDTM": Instrument(symbol="BTC/USDT:USDT", size=Decimal("0.001")),
    "ETHUSDTM": Instrument(symbol="ETH/USDT:USDT", size=Decimal("0.01")),
    "DOGEUSDTM": Instrument(symbol="DOGE/USDT:USDT", size=Decimal(100)),
    "XBTUSDM": Instrument(symbol="BTC/USD:BTC", inverse=True),
}
_ITEMS = ("data", "items")
_DATA = ("data",)
NOWHERE = ("no such place",)


def _page(rows: list[Any]) -> Any:
    count = len(rows)
    return wrap(
        {"currentPage": 1, "pageSize": 50, "totalNum": count, "totalPage": 1, "items": rows}
    )


def _one(rows: list[Any]) -> Any:
    return wrap(rows[0]) if rows else NOT_FOUND


def _spot_market(base: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}-USDT",
        "name": f"{base}-USDT",
        "baseCurrency": base,
        "quoteCurrency": "USDT",
        "feeCurrency": "USDT",
        "market": "USDS",
        "baseMinSize": "0.00001",
        "quoteMinSize": "0.1",
        "baseMaxSize": "10000",
        "quoteMaxSize": "99999999",
        "baseIncrement": "0.00001",
        "quoteIncrement": "0.000001",
        "priceIncrement": "0.1",
        "isMarginEnabled": True,
        "enableTrading": True,
    }


def _life(row: Row) -> str:
    """Return what the flags say: an order that is not active was filled, or it would be partly."""
    if row.get("isActive") or row.get("active") or row.get("status") == "NEW":
        return LIVE
    assert Decimal(row["size"]) == Decimal(row.get("dealSize", 0))
    return FILLED


def _orders(instruments: dict[str, Instrument], filled: Any = "dealSize") -> OrderFields:
    return OrderFields(
        order_id="id",
        client_order_id="clientOid",
        qty="size",
        filled=filled,
        status=_life,
        states={LIVE: LIVE, FILLED: FILLED},
        instruments=instruments,
    )


def _fills(instruments: dict[str, Instrument]) -> FillFields:
    return FillFields(
        fill_id="tradeId",
        order_id="orderId",
        qty="size",
        at_ms="createdAt",
        instruments=instruments,
    )


def _seat(asked: Asked, path: str, *samples: str, **more: Any) -> Seat:
    return Seat(
        asked=asked,
        path=path,
        samples=samples,
        **{"wrap": _page, "rows_at": _ITEMS, "cursor": "currentPage", **more},
    )


KUCOIN = VenueReplay(
    venue="kucoin",
    source="kucoin",
    least=11,
    credentials={"password": "passphrase"},
    markets=(
        Canned(path="/v2/symbols", body=wrap([_spot_market(base) for base in BASES])),
        Canned(
            path="/contracts/active",
            body=wrap(
                [
                    *(contract(f"{base}USDTM", base, float(size)) for base, size in SIZES.items()),
                    contract(
                        "XBTUSDM",
                        "XBT",
                        -1.0,
                        quoteCurrency="USD",
                        settleCurrency="XBT",
                        isInverse=True,
                    ),
                ]
            ),
        ),
        Canned(path="/margin/symbols", body=_page([])),
        Canned(path="/isolated/symbols", body=wrap([])),
    ),
    empty=(
        mode(),
        Canned(path="/hf/orders/active/symbols", body=wrap({"symbols": list(SPOT)})),
        Canned(path="/hf/margin/order/active/symbols", body=wrap({"symbols": []})),
        Canned(path="/hf/(margin/)?orders/active", body=wrap([])),
        *(
            Canned(path="/v1/orders", where={"tradeType": kind}, body=_page([]))
            for kind in ("TRADE", "MARGIN_TRADE", "MARGIN_ISOLATED_TRADE")
        ),
        Canned(path="/v1/fills", where={"tradeType": "TRADE"}, body=_page([])),
        Canned(path="/(v1/orders|stop-order|hf/margin/stop-orders|oco/orders)", body=_page([])),
        Canned(path="/(stopOrders|fills)", body=_page([])),
        Canned(path="/v1/positions", body=wrap([])),
        Canned(path="/orders/byClientOid", body=NO_CONTRACT_ORDER, status=lambda _: 400),
        Canned(path="/(client-)?orders?/[^/]+", body=NOT_FOUND, status=lambda _: 400),
    ),
    partial={
        # One row, of so many.
        "fetch_spot_orders_by_status#1": "153408",
        "fetch_contract_orders_by_status#1": "4",
    },
    seats=(
        _seat(
            Asked.OPEN_ORDERS,
            "/hf/orders/active",
            "parse_spot_order#5",
            fields=_orders(SPOT),
            where={"symbol": "LTC-USDT"},
            wrap=wrap,
            rows_at=_DATA,
        ),
        _seat(
            Asked.OPEN_ORDERS,
            "/v1/orders",
            "fetch_spot_orders_by_status#1",
            "parse_spot_order#3",
            fields=_orders(SPOT),
            where={"tradeType": "TRADE"},
        ),
        _seat(
            Asked.OPEN_ORDERS,
            "/v1/orders",
            "fetch_contract_orders_by_status#1",
            "parse_contract_order#1",
            fields=_orders(CONTRACTS, "filledSize"),
        ),
        _seat(
            Asked.TRIGGER_ORDERS,
            "/stop-order",
            "parse_spot_order#4",
            fields=_orders(SPOT, lambda _: 0),
            where={"tradeType": "TRADE"},
        ),
        _seat(
            Asked.POSITIONS,
            "/v1/positions",
            "fetch_positions#1",
            "parse_position#1",
            fields=PositionFields(qty="currentQty", instruments=CONTRACTS),
            wrap=wrap,
            rows_at=_DATA,
        ),
        _seat(
            Asked.POSITIONS,
            "/v1/positions",
            # One, and flat.
            "fetch_position#2",
            fields=PositionFields(qty="currentQty", instruments=CONTRACTS),
            wrap=wrap,
            rows_at=NOWHERE,
            also_at=(_DATA,),
        ),
        _seat(
            Asked.ORDER,
            "/v1/orders/[^/]+",
            "fetch_spot_orders_by_status#1",
            "parse_spot_order#3",
            fields=_orders(SPOT),
            wrap=_one,
            rows_at=NOWHERE,
            also_at=(_ITEMS,),
        ),
        _seat(
            Asked.ORDER,
            "/v1/orders/[^/]+",
            "fetch_contract_order#1",
            "parse_contract_order#1",
            fields=_orders(CONTRACTS, "filledSize"),
            wrap=_one,
            rows_at=_DATA,
        ),
        _seat(
            Asked.FILLS,
            "/v1/hf/fills",
            "parse_contract_trade#2",
            "parse_spot_or_uta_trade#3",
            fields=_fills(SPOT),
            cursor="lastId",
        ),
        _seat(
            Asked.FILLS,
            "/v1/fills",
            "fetch_my_contract_trades#1",
            "parse_contract_trade#3",
            fields=_fills(CONTRACTS),
            rows_at=NOWHERE,
            also_at=(_ITEMS,),
        ),
    ),
    not_used={
        "an order's creation or cancellation": (
            "parse_contract_order#2",
            "parse_contract_order#3",
            "parse_spot_order#1",
            "parse_spot_order#2",
            "parse_uta_order#1",
        ),
        "of unified accounts, which are not covered": (
            "fetch_my_uta_trades#1",
            "fetch_position#1",
            "fetch_uta_order#1",
            "fetch_uta_orders_by_status#1",
            "parse_my_uta_trade#1",
            "parse_position#3",
            "parse_position#4",
            "parse_spot_or_uta_trade#6",
            "parse_uta_order#2",
        ),
        "rows of forms that the venue no longer sends": (
            "fetch_my_spot_trades#1",
            "parse_spot_or_uta_trade#4",
            "parse_spot_or_uta_trade#5",
        ),
        "positions that ended": ("parse_position#2",),
        "public trades, and the websocket's": (
            "parse_contract_trade#1",
            "parse_contract_trade#4",
            "parse_spot_or_uta_trade#1",
            "parse_spot_or_uta_trade#2",
        ),
    },
)
