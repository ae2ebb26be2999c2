"""OKX: contracts of 0.01 BTC, net and hedge legs, a stop that was triggered, algo orders."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, Rows, VenueCase, by


def _wrap(rows: list[Any]) -> Any:
    return {"code": "0", "msg": "", "data": rows}


def _one(rows: list[Any]) -> Any:
    if rows:
        return _wrap(rows)
    return {"code": "51603", "msg": "Order does not exist", "data": []}


def _market(inst_id: str, kind: str, settle: str = "", value: str = "") -> dict[str, Any]:
    base, quote = inst_id.split("-")[:2]
    spot = kind == "SPOT"
    return {
        "instType": kind,
        "instId": inst_id,
        "instFamily": "" if spot else f"{base}-{quote}",
        "uly": "" if spot else f"{base}-{quote}",
        "baseCcy": base if spot else "",
        "quoteCcy": quote if spot else "",
        "settleCcy": settle,
        "ctVal": value,
        "ctMult": "1",
        "ctType": "" if spot else ("linear" if settle == quote else "inverse"),
        "tickSz": "0.1",
        "lotSz": "0.01",
        "minSz": "0.01",
        "lever": "10",
        "state": "live",
        "listTime": "1597026383085",
        "expTime": "1806048000000" if kind == "FUTURES" else "",
    }


def order(order_id: str, inst_id: str = "BTC-USDT-SWAP", **changes: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP" if inst_id.endswith("SWAP") else "SPOT",
        "instId": inst_id,
        "ordId": order_id,
        "algoId": "",
        "clOrdId": "",
        "px": "50000",
        "sz": "100",
        "side": "buy",
        "ordType": "limit",
        "state": "live",
        "accFillSz": "0",
        "avgPx": "",
        "fee": "0",
        "feeCcy": "USDT",
        "tgtCcy": "",
        "reduceOnly": "false",
        "cTime": "1700000000000",
        "uTime": "1700000000000",
        **changes,
    }


def algo(algo_id: str, kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP",
        "instId": "BTC-USDT-SWAP",
        "algoId": algo_id,
        "algoClOrdId": "",
        "clOrdId": "",
        "ordId": "",
        "sz": "50",
        "side": "sell",
        "ordType": kind,
        "state": "live",
        "slTriggerPx": "40000",
        "ordPx": "-1",
        "actualSz": "",
        "cTime": "1700000000000",
        "uTime": "1700000000000",
        **changes,
    }


def _position(inst_id: str, pos: str, leg: str) -> dict[str, Any]:
    return {
        "instType": "SWAP",
        "instId": inst_id,
        "pos": pos,
        "posSide": leg,
        "posCcy": "",
        "mgnMode": "cross",
        "avgPx": "60000",
        "markPx": "61000",
        "notionalUsd": "300",
        "lever": "10",
        "imr": "10",
        "mmr": "1",
        "upl": "0",
        "uplRatio": "0",
        "liqPx": "",
        "cTime": "1700000000000",
        "uTime": "1700000000000",
    }


PENDING = (
    order("1001", clOrdId="bot1"),
    order("1002", state="partially_filled", accFillSz="25"),
    # It came of an algo order, whose id ccxt would take.
    order("1003", algoId="5003"),
    order("1004", "BTC-USDT", sz="0.5"),
)
ENDED = (
    order("1008", clOrdId="bot8", state="canceled", accFillSz="40", avgPx="50000"),
    order("1009", state="canceled"),
    order("1010", state="filled", accFillSz="100", avgPx="50000", algoId="5010"),
)
ALGOS = (algo("5001", "conditional", algoClOrdId="stop1"), algo("5002", "trigger"))
TRIGGERED = (algo("5010", "conditional", state="effective", ordId="1010"),)
FILLS = tuple(
    {
        "instType": "SWAP",
        "instId": "BTC-USDT-SWAP",
        "ordId": "1077",
        "clOrdId": "",
        "tradeId": f"t{number}",
        "billId": f"{number}",
        "fillPx": "50000",
        "fillSz": size,
        "side": "buy",
        "execType": "T",
        "fee": "0",
        "feeCcy": "USDT",
        "ts": "1700000000000",
    }
    for number, size in enumerate(("10", "20"))
)


def _paged(rows: Rows) -> Canned:
    def answer(params: Params) -> Any:
        ids = [row["ordId"] for row in rows]
        start = ids.index(params["after"]) + 1 if "after" in params else 0
        return _wrap(list(rows[start : start + int(params["limit"])]))

    return Canned(path="/trade/orders-pending", scope="open_orders", body=answer)


def _algos(kind: str) -> Canned:
    rows = [row for row in ALGOS if row["ordType"] in kind.split(",")]
    return Canned(
        path="/trade/orders-algo-pending",
        where={"ordType": kind},
        scope="trigger_orders",
        body=_wrap(rows),
    )


SWAP = "BTC/USDT:USDT"
OKX = VenueCase(
    venue="okx",
    credentials={"password": "word"},
    markets=(
        Canned(
            path="/public/instruments",
            where={"instType": "SPOT"},
            body=_wrap([_market("BTC-USDT", "SPOT")]),
        ),
        Canned(
            path="/public/instruments",
            where={"instType": "SWAP"},
            body=_wrap(
                [
                    _market("BTC-USDT-SWAP", "SWAP", "USDT", "0.01"),
                    _market("ETH-USDT-SWAP", "SWAP", "USDT", "0.1"),
                    _market("BTC-USD-SWAP", "SWAP", "BTC", "100"),
                ]
            ),
        ),
        Canned(
            path="/public/instruments",
            where={"instType": "FUTURES"},
            body=_wrap([_market("BTC-USDT-270326", "FUTURES", "USDT", "0.01")]),
        ),
    ),
    table=(
        Canned(
            path="/account/balance",
            scope="balances",
            body=_wrap(
                [
                    {
                        "totalEq": "1",
                        "details": [
                            {"ccy": "BTC", "cashBal": "0.6", "eq": "0.7", "frozenBal": "0.1"},
                            {"ccy": "USDT", "cashBal": "0", "eq": "0", "frozenBal": "0"},
                        ],
                    }
                ]
            ),
        ),
        Canned(path="/trade/orders-pending", scope="open_orders", body=_wrap(list(PENDING))),
        *map(_algos, ("conditional,oco", "trigger", "move_order_stop", "iceberg", "twap")),
        Canned(
            path="/account/positions",
            scope="positions",
            body=_wrap(
                [
                    _position("BTC-USDT-SWAP", "-150", "net"),
                    _position("ETH-USDT-SWAP", "20", "long"),
                    _position("ETH-USDT-SWAP", "5", "short"),
                    _position("BTC-USD-SWAP", "0", "net"),
                ]
            ),
        ),
        Canned(
            path="/trade/order",
            body=by(
                (*PENDING, *ENDED),
                _one,
                same={"ordId": "ordId", "clOrdId": "clOrdId", "instId": "instId"},
            ),
        ),
        Canned(
            path="/trade/order-algo",
            body=by(
                (*ALGOS, *TRIGGERED),
                _one,
                same={"algoId": "algoId", "algoClOrdId": "algoClOrdId"},
            ),
        ),
        Canned(
            path="/trade/fills-history",
            where={"instType": "SWAP"},
            body=by(FILLS, _wrap, same={"ordId": "ordId"}),
        ),
        Canned(path="/trade/fills-history", where={"instType": "SPOT"}, body=_wrap([])),
        Canned(path="/trade/fills-history", where={"instType": "MARGIN"}, body=_wrap([])),
    ),
    orders=frozenset(
        {
            (SWAP, "1001", "1", "open"),
            (SWAP, "1002", "1", "partially_filled"),
            (SWAP, "1003", "1", "open"),
            ("BTC/USDT", "1004", "0.5", "open"),
            (SWAP, "5001", "0.5", "open"),
            (SWAP, "5002", "0.5", "open"),
        }
    ),
    sells=frozenset({"5001", "5002"}),
    positions=frozenset(
        {
            (SWAP, "short", "1.5", False),
            ("ETH/USDT:USDT", "long", "2", True),
            ("ETH/USDT:USDT", "short", "0.5", True),
        }
    ),
    spot=("BTC/USDT",),
    balances=frozenset({("BTC", "0.6")}),
    missing=(
        Ask(symbol=SWAP, order_id="1077", client_order_id="bot77", type="stop_market"),
        Ask(symbol="BTC/USDT", order_id="1088"),
    ),
    fills={"1077": Decimal("0.3")},
    found=(
        Expected(ask=Ask(symbol=SWAP, order_id="1001"), state="open", order_id="1001", qty="1"),
        Expected(
            ask=Ask(symbol=SWAP, client_order_id="bot8"),
            state="canceled",
            order_id="1008",
            filled="0.4",
        ),
        Expected(
            ask=Ask(symbol=SWAP, order_id="5010", type="stop_market"),
            state="filled",
            order_id="1010",
            filled="1",
        ),
        Expected(
            ask=Ask(symbol=SWAP, client_order_id="stop1", type="stop_market"),
            state="open",
            order_id="5001",
        ),
    ),
    paged=Paged(entry=_paged, row=lambda number: order(f"{2000 + number}"), pages=8),
    errors=(
        (401, {"code": "50111", "msg": "Invalid OK-ACCESS-KEY", "data": []}, AnswerKind.AUTH),
        (401, {"code": "50102", "msg": "Timestamp expired", "data": []}, AnswerKind.CLOCK),
        (429, {"code": "50011", "msg": "Too Many Requests", "data": []}, AnswerKind.THROTTLED),
        (200, {"code": "50001", "msg": "Service unavailable", "data": []}, AnswerKind.NO_ANSWER),
        (200, {"code": "0", "msg": ""}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "trigger_orders", "positions", "balances"}),
)
