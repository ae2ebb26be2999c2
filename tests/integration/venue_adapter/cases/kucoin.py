"""KuCoin: open orders of one symbol at a time, margin that may not be opened, OCO orders."""

from decimal import Decimal
from typing import Any

from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases import kucoinfutures as futures
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, VenueCase
from tests.integration.venue_adapter.cases.kucoinfutures import (
    AT,
    known,
    mode,
    page,
    paged,
    refused,
    wrap,
)

NOT_FOUND = {"code": "400100", "msg": "order not exist."}
NO_MARGIN = {"code": "101030", "msg": "You haven't yet enabled the margin trading"}
NO_HIGH_FREQUENCY = {"code": "126001", "msg": "Users currently do not support high frequency"}


def order(order_id: str, symbol: str = "BTC-USDT", **changes: Any) -> dict[str, Any]:
    """Return an order of the high-frequency or margin account."""
    return {
        "id": order_id,
        "symbol": symbol,
        "opType": "DEAL",
        "type": "limit",
        "side": "buy",
        "price": "50000",
        "size": "0.5",
        "funds": "25000",
        "dealSize": "0",
        "dealFunds": "0",
        "fee": "0",
        "feeCurrency": "USDT",
        "stp": None,
        "timeInForce": "GTC",
        "channel": "API",
        "clientOid": f"bot-{order_id}",
        "tags": None,
        "cancelExist": False,
        "createdAt": AT,
        "lastUpdatedAt": AT,
        "tradeType": "TRADE",
        "inOrderBook": True,
        "cancelledSize": "0",
        "remainSize": "0.5",
        "active": True,
        **changes,
    }


def old_order(order_id: str, **changes: Any) -> dict[str, Any]:
    """Return an order of the old spot account."""
    row = order(order_id, stop="", stopTriggered=False, stopPrice="0", isActive=True, **changes)
    return {key: value for key, value in row.items() if key != "active"}


def stop(order_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": order_id,
        "symbol": "BTC-USDT",
        "userId": "u1",
        "status": "NEW",
        "type": "limit",
        "side": "sell",
        "price": "39000",
        "size": "0.20000000000000000000",
        "funds": None,
        "timeInForce": "GTC",
        "cancelAfter": -1,
        "clientOid": f"bot-{order_id}",
        "relatedNo": None,
        "orderTime": AT * 1_000_000,
        "tradeType": "TRADE",
        "feeCurrency": "USDT",
        "createdAt": AT,
        "stop": "loss",
        "stopTriggerTime": None,
        "stopPrice": "40000.00000000000000000000",
        **changes,
    }


def oco(order_id: str, status: str) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "symbol": "BTC-USDT",
        "clientOid": f"bot-{order_id}",
        "orderTime": AT,
        "status": status,
    }


def symbols(*names: str) -> Any:
    return wrap({"symbolSize": len(names), "symbols": list(names)})


def fill(order_id: str, number: int, size: str) -> dict[str, Any]:
    return {
        "id": number,
        "symbol": "BTC-USDT",
        "tradeId": 9000 + number,
        "orderId": order_id,
        "counterOrderId": "c",
        "side": "buy",
        "liquidity": "taker",
        "price": "50000",
        "size": size,
        "funds": "1",
        "fee": "0",
        "feeRate": "0.001",
        "feeCurrency": "USDT",
        "stop": "",
        "tradeType": "TRADE",
        "type": "limit",
        "createdAt": AT,
    }


HF = (
    order("h101"),
    order("h102", dealSize="0.2", dealFunds="10000", side="sell"),
    # Part of it was cancelled: it is no less active.
    order("h103", cancelExist=True, cancelledSize="0.1"),
    order("h104", "ETH-USDT"),
)
HF_ENDED = (
    order("h108", active=False, cancelExist=True, dealSize="0.2", dealFunds="10000"),
    order("h110", active=False, dealSize="0.5", dealFunds="25000"),
)
OLD = (old_order("a201"),)
CROSS = (order("m301", tradeType="MARGIN_TRADE", side="sell"),)
STOPS = (stop("vs401"),)
CROSS_STOPS = (stop("vs402", tradeType="MARGIN_TRADE"),)
FILLS = [fill("h177", 1, "0.1"), fill("h177", 2, "0.2")]


def _active(params: Params) -> Any:
    return wrap([row for row in HF if row["symbol"] == params["symbol"]])


def _fills(params: Params) -> Any:
    assert "lastId" not in params, "a page that is not full is the last"
    rows = [row for row in FILLS if row["orderId"] == params.get("orderId", "h177")]
    return wrap({"items": rows, "lastId": rows[-1]["id"] if rows else 0})


def _stops_by_client(rows: tuple[dict[str, Any], ...]) -> Any:
    return lambda params: wrap([row for row in rows if row["clientOid"] == params["clientOid"]])


def _margin_stop(params: Params) -> Any:
    found = [row for row in CROSS_STOPS if row["id"] == params["orderId"]]
    return wrap(found[0]) if found else NOT_FOUND


SPOT_MARKETS = (
    Canned(
        path="/v2/symbols",
        body=wrap(
            [
                {
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
                for base in ("BTC", "ETH")
            ]
        ),
    ),
)
LISTINGS = (
    Canned(
        path="/hf/orders/active/symbols",
        scope="open_orders",
        body=symbols("BTC-USDT", "ETH-USDT"),
    ),
    Canned(path="/hf/orders/active", scope="open_orders", body=_active),
    Canned(
        path="/hf/margin/order/active/symbols",
        scope="open_orders",
        where={"tradeType": "MARGIN_TRADE"},
        body=symbols("BTC-USDT"),
    ),
    Canned(
        path="/hf/margin/order/active/symbols",
        scope="open_orders",
        where={"tradeType": "MARGIN_ISOLATED_TRADE"},
        body=symbols(),
    ),
    Canned(
        path="/hf/margin/orders/active",
        scope="open_orders",
        where={"tradeType": "MARGIN_TRADE", "symbol": "BTC-USDT"},
        body=wrap(list(CROSS)),
    ),
    paged("/api/v1/orders", OLD, scope="open_orders", status="active", tradeType="TRADE"),
    paged("/api/v1/orders", (), scope="open_orders", status="active", tradeType="MARGIN_TRADE"),
    paged(
        "/api/v1/orders",
        (),
        scope="open_orders",
        status="active",
        tradeType="MARGIN_ISOLATED_TRADE",
    ),
    paged("/api/v1/stop-order", STOPS, scope="trigger_orders", tradeType="TRADE"),
    paged("/hf/margin/stop-orders", CROSS_STOPS, scope="trigger_orders", tradeType="MARGIN_TRADE"),
    paged("/hf/margin/stop-orders", (), scope="trigger_orders", tradeType="MARGIN_ISOLATED_TRADE"),
    paged("/v3/oco/orders", (oco("oc501", "DONE"),), scope="trigger_orders"),
    Canned(
        path="/api/v1/accounts",
        scope="balances",
        body=wrap(
            [
                {"currency": "BTC", "type": "main", "balance": "0.1", "holds": "0"},
                {"currency": "BTC", "type": "trade", "balance": "0.5", "holds": "0.2"},
                {"currency": "USDT", "type": "trade", "balance": "0", "holds": "0"},
            ]
        ),
    ),
)
LOOKUPS = (
    Canned(path="/stop-order/queryOrderByClientOid", body=_stops_by_client(STOPS)),
    Canned(path="/hf/margin/stop-order/clientOid", body=_stops_by_client(CROSS_STOPS)),
    Canned(path="/hf/margin/stop-order/orderId", body=_margin_stop, status=refused),
    Canned(path="/v1/stop-order/[^/]+", body=known(STOPS, NOT_FOUND), status=refused),
    Canned(
        path="/v1/hf/orders/client-order/[^/]+",
        body=known((*HF, *HF_ENDED), NOT_FOUND, by="clientOid"),
        status=refused,
    ),
    Canned(path="/v1/hf/orders/[^/]+", body=known((*HF, *HF_ENDED), NOT_FOUND), status=refused),
    Canned(
        path="/v1/order/client-order/[^/]+",
        body=known(OLD, NOT_FOUND, by="clientOid"),
        status=refused,
    ),
    Canned(path="/v1/orders/[ahvm][^/]+", body=known(OLD, NOT_FOUND), status=refused),
    Canned(
        path="/v3/hf/margin/orders/client-order/[^/]+",
        body=known(CROSS, NOT_FOUND, by="clientOid"),
        status=refused,
    ),
    Canned(path="/v3/hf/margin/orders/[^/]+", body=known(CROSS, NOT_FOUND), status=refused),
    Canned(path="/v1/hf/fills", body=_fills),
    Canned(
        path="/api/v1/fills",
        where={"tradeType": "TRADE"},
        body=lambda params: page((), params),
    ),
    Canned(path="/v3/hf/margin/fills", body=wrap({"items": [], "lastId": 0})),
)

SPOT = "BTC/USDT"
KUCOIN = VenueCase(
    venue="kucoin",
    credentials=futures.CREDENTIALS,
    markets=(*SPOT_MARKETS, *futures.MARKETS),
    table=(mode(), *LISTINGS, *LOOKUPS, *futures.TABLE),
    orders=futures.ORDERS
    | {
        (SPOT, "h101", "0.5", "open"),
        (SPOT, "h102", "0.5", "partially_filled"),
        (SPOT, "h103", "0.5", "open"),
        ("ETH/USDT", "h104", "0.5", "open"),
        (SPOT, "a201", "0.5", "open"),
        (SPOT, "m301", "0.5", "open"),
        (SPOT, "vs401", "0.2", "open"),
        (SPOT, "vs402", "0.2", "open"),
    },
    sells=futures.SELLS | {"h102", "m301", "vs401", "vs402"},
    positions=futures.POSITIONS,
    spot=(SPOT,),
    balances=frozenset({("BTC", "0.6")}),
    missing=(
        *futures.MISSING,
        Ask(symbol=SPOT, order_id="h177", client_order_id="bot-177"),
        Ask(symbol=SPOT, order_id="vs477", client_order_id="bot-477", type="stop_limit"),
    ),
    fills=futures.MISSING_FILLS | {"h177": Decimal("0.3")},
    found=(
        *futures.FOUND,
        Expected(ask=Ask(symbol=SPOT, order_id="h103"), state="open", order_id="h103", qty="0.5"),
        Expected(
            ask=Ask(symbol=SPOT, client_order_id="bot-h108"),
            state="canceled",
            order_id="h108",
            filled="0.2",
        ),
        Expected(
            ask=Ask(symbol=SPOT, order_id="h110"), state="filled", order_id="h110", filled="0.5"
        ),
        Expected(ask=Ask(symbol=SPOT, order_id="a201"), state="open", order_id="a201"),
        Expected(ask=Ask(symbol=SPOT, client_order_id="bot-m301"), state="open", order_id="m301"),
        Expected(
            ask=Ask(symbol=SPOT, order_id="vs401", type="stop_limit"),
            state="open",
            order_id="vs401",
            qty="0.2",
        ),
        Expected(
            ask=Ask(symbol=SPOT, client_order_id="bot-vs402", type="stop_limit"),
            state="open",
            order_id="vs402",
        ),
    ),
    paged=Paged(
        entry=lambda rows: paged(
            "/api/v1/orders",
            rows,
            scope="open_orders",
            most=20,
            status="active",
            tradeType="TRADE",
        ),
        row=lambda number: old_order(f"a{5000 + number}"),
        pages=35,
    ),
    errors=futures.ERRORS,
    # The kind of account; symbols with orders, and the orders of each; the other listings.
    calls=1 + (1 + 2) + (1 + 1) + (1 + 0) + 11,
    scopes=frozenset({"open_orders", "trigger_orders", "positions", "balances"}),
)
