"""Kraken: rows by their ids, user references, margin positions that are partly closed."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, VenueCase

INVALID = {"error": ["EOrder:Invalid order"]}


def txid(number: int) -> str:
    return f"OABCDE-FGHIJ-{number:06d}"


def _wrap(result: Any) -> dict[str, Any]:
    return {"error": [], "result": result}


def _pair(altname: str, base: str, quote: str) -> dict[str, Any]:
    return {
        "altname": altname,
        "wsname": altname,
        "base": base,
        "quote": quote,
        "pair_decimals": 1,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [2, 3],
        "leverage_sell": [2, 3],
        "fees": [[0, 0.26]],
        "fees_maker": [[0, 0.16]],
        "ordermin": "0.0001",
        "status": "online",
    }


def order(pair: str = "XBTUSD", kind: str = "limit", **changes: Any) -> dict[str, Any]:
    return {
        "refid": None,
        "userref": 0,
        "status": "open",
        "opentm": 1_700_000_000.5,
        "descr": {
            "pair": pair,
            "type": "buy",
            "ordertype": kind,
            "price": "50000.0",
            "price2": "0",
            "leverage": "none",
            "order": f"buy 0.5 {pair} @ {kind} 50000.0",
        },
        "vol": "0.50000000",
        "vol_exec": "0.00000000",
        "cost": "0",
        "fee": "0",
        "price": "0",
        "misc": "",
        "oflags": "fciq",
        **changes,
    }


OPEN = {
    txid(1): order(cl_ord_id="bot-1"),
    txid(2): order("ETHUSD", vol_exec="0.20000000", userref=4711),
    txid(3): order(kind="stop-loss"),
    txid(4): order(status="pending"),
}
CLOSED = {
    txid(8): order(status="canceled", vol_exec="0.1", cl_ord_id="bot-8"),
    txid(9): order(status="expired"),
    txid(10): order(status="closed", vol_exec="0.5", price="50000"),
}
TRADES = {
    f"T{number}": {
        "ordertxid": txid(order_number),
        "postxid": "TKH2SE",
        "pair": "XXBTZUSD",
        "time": 1_700_000_001.5,
        "type": "buy",
        "ordertype": "limit",
        "price": "50000",
        "cost": "5000",
        "fee": "0",
        "vol": vol,
        "margin": "0",
        "misc": "",
    }
    for number, (order_number, vol) in enumerate(((77, "0.1"), (77, "0.2"), (78, "9")))
}


def _filtered(rows: dict[str, dict[str, Any]], place: str) -> Any:
    def answer(params: Params) -> Any:
        shown = {
            key: row
            for key, row in rows.items()
            if all(
                str(row.get(name)) == params[name]
                for name in ("cl_ord_id", "userref")
                if name in params
            )
        }
        return _wrap({place: shown, "count": len(shown)})

    return answer


def _query(params: Params) -> Any:
    known = (OPEN | CLOSED).get(params["txid"])
    if params["txid"] == txid(79):
        return _wrap({})
    return _wrap({params["txid"]: known}) if known else INVALID


KRAKEN = VenueCase(
    venue="kraken",
    markets=(
        Canned(
            path="/AssetPairs",
            body=_wrap(
                {
                    "XXBTZUSD": _pair("XBTUSD", "XXBT", "ZUSD"),
                    "XETHZUSD": _pair("ETHUSD", "XETH", "ZUSD"),
                }
            ),
        ),
    ),
    table=(
        Canned(
            path="/private/BalanceEx",
            scope="balances",
            body={
                "error": [],
                "result": {
                    "XXBT": {"balance": "0.5000000000", "hold_trade": "0.1"},
                    "XBT.F": {"balance": "0.2500000000", "hold_trade": "0"},
                    "ZUSD": {"balance": "100.0000", "hold_trade": "0"},
                    "ADA.S": {"balance": "7", "hold_trade": "0"},
                    "XETH": {"balance": "0.0", "hold_trade": "0"},
                },
            },
        ),
        Canned(path="/OpenOrders", scope="open_orders", body=_filtered(OPEN, "open")),
        Canned(path="/ClosedOrders", body=_filtered(CLOSED, "closed")),
        Canned(path="/QueryOrders", body=_query),
        Canned(
            path="/OpenPositions",
            scope="positions",
            body=_wrap(
                [
                    {"pair": "XXBTZUSD", "type": "sell", "vol": "0.8", "vol_closed": "0.3"},
                    {"pair": "XETHZUSD", "type": "buy", "vol": "2", "vol_closed": "2"},
                ]
            ),
        ),
        Canned(path="/TradesHistory", body=_wrap({"trades": TRADES, "count": 3})),
    ),
    orders=frozenset(
        {
            ("BTC/USD", txid(1), "0.5", "open"),
            ("ETH/USD", txid(2), "0.5", "partially_filled"),
            ("BTC/USD", txid(3), "0.5", "open"),
            ("BTC/USD", txid(4), "0.5", "in_flight"),
        }
    ),
    positions=frozenset({("BTC/USD", "short", "0.5", False)}),
    spot=("BTC/USD",),
    balances=frozenset({("BTC", "0.75"), ("USD", "100"), ("ADA.S", "7")}),
    missing=(
        Ask(symbol="BTC/USD", order_id=txid(77), client_order_id="bot-77"),
        Ask(symbol="BTC/USD", order_id=txid(79)),
        Ask(symbol="BTC/USD", client_order_id="4712"),
    ),
    fills={txid(77): Decimal("0.3")},
    found=(
        Expected(
            ask=Ask(symbol="BTC/USD", order_id=txid(1)), state="open", order_id=txid(1), qty="0.5"
        ),
        Expected(
            ask=Ask(symbol="ETHUSD", client_order_id="4711"),
            state="partially_filled",
            order_id=txid(2),
            filled="0.2",
        ),
        Expected(
            ask=Ask(symbol="BTC/USD", client_order_id="bot-8"),
            state="canceled",
            order_id=txid(8),
            filled="0.1",
        ),
        Expected(ask=Ask(symbol="BTC/USD", order_id=txid(9)), state="expired", order_id=txid(9)),
        Expected(
            ask=Ask(symbol="BTC/USD", order_id=txid(10)),
            state="filled",
            order_id=txid(10),
            filled="0.5",
        ),
    ),
    errors=(
        (200, {"error": ["EAPI:Invalid key"]}, AnswerKind.AUTH),
        (200, {"error": ["EAPI:Invalid nonce"]}, AnswerKind.CLOCK),
        (200, {"error": ["EAPI:Rate limit exceeded"]}, AnswerKind.THROTTLED),
        (200, {"error": ["EService:Unavailable"]}, AnswerKind.NO_ANSWER),
        (200, {"error": [], "result": {}}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "positions", "balances"}),
)
