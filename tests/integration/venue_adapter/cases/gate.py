"""Gate: orders in groups, contracts of 0.0001 BTC, signed sizes, fired trigger orders."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, Paged, Rows, VenueCase

NOT_FOUND = {"label": "ORDER_NOT_FOUND", "message": "Order not found"}


def spot_order(order_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(order_id),
        "text": f"t-{order_id}",
        "create_time_ms": 1_700_000_000_000,
        "update_time_ms": 1_700_000_000_000,
        "status": "open",
        "finish_as": "open",
        "currency_pair": "BTC_USDT",
        "type": "limit",
        "account": "spot",
        "side": "buy",
        "amount": "0.5",
        "price": "50000",
        "time_in_force": "gtc",
        "left": "0.5",
        "filled_total": "0",
        "avg_deal_price": "",
        "fee": "0",
        "fee_currency": "BTC",
        **changes,
    }


def order(order_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": order_id,
        "text": f"t-{order_id}",
        "contract": "BTC_USDT",
        "status": "open",
        "size": 5000,
        "left": 5000,
        "price": "50000",
        "fill_price": "0",
        "tif": "gtc",
        "is_reduce_only": False,
        "create_time": 1_700_000_000.123,
        **changes,
    }


def trigger(order_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": order_id,
        "initial": {
            "contract": "BTC_USDT",
            "size": -2000,
            "price": "0",
            "tif": "ioc",
            "text": f"t-stop{order_id}",
        },
        "trigger": {"strategy_type": 0, "price_type": 0, "price": "40000", "rule": 2},
        "status": "open",
        "trade_id": 0,
        "create_time": 1_700_000_000,
        **changes,
    }


def _position(contract: str, size: int, mode: str) -> dict[str, Any]:
    return {
        "contract": contract,
        "size": size,
        "leverage": "0",
        "value": "100",
        "margin": "10",
        "entry_price": "60000",
        "mark_price": "61000",
        "unrealised_pnl": "1",
        "maintenance_rate": "0.005",
        "mode": mode,
    }


def _contract(name: str, multiplier: str) -> dict[str, Any]:
    return {
        "name": name,
        "quanto_multiplier": multiplier,
        "order_price_round": "0.1",
        "order_price_deviate": "0.5",
        "mark_price": "60000",
        "order_size_min": 1,
        "order_size_max": 1_000_000,
        "leverage_min": "1",
        "leverage_max": "100",
        "status": "trading",
    }


SPOT = {str(row["id"]): row for row in (spot_order(101), spot_order(102, left="0.3"))}
OPEN = {str(row["id"]): row for row in (order(201), order(202, size=-4000, left=-1000))}
ENDED = {
    "208": order(208, status="finished", finish_as="cancelled", left=1000, fill_price="50000"),
    "209": order(209, status="finished", finish_as="reduce_only"),
    "210": order(210, status="finished", finish_as="filled", left=0, fill_price="50000"),
}
TRIGGERS = {
    "301": trigger(301),
    "310": trigger(310, status="finished", finish_as="succeeded", trade_id=210),
}
SPOT_TRIGGERS = {
    "401": {
        "id": 401,
        "market": "BTC_USDT",
        "trigger": {"price": "40000", "rule": "<=", "expiration": 3600},
        "put": {
            "type": "limit",
            "side": "sell",
            "price": "39000",
            "amount": "0.2",
            "account": "normal",
            "time_in_force": "gtc",
        },
        "status": "open",
        "fired_order_id": 0,
        "ctime": 1_700_000_000,
    }
}
FILLS = [
    {
        "id": number,
        "create_time": 1_700_000_000.5,
        "contract": "BTC_USDT",
        "order_id": "277",
        "size": size,
        "price": "50000",
        "role": "taker",
        "text": "t-277",
        "fee": 0,
    }
    for number, size in enumerate((1000, 2000))
]


def _by_id(rows: dict[str, dict[str, Any]]) -> Any:
    texts = {row.get("text"): row for row in rows.values()}

    def answer(params: Params) -> Any:
        asked = params["path"].rsplit("/", 1)[1]
        return rows.get(asked) or texts.get(asked) or NOT_FOUND

    return answer


def _status(body: Any) -> int:
    return 404 if body == NOT_FOUND else 200


def _paged(rows: Rows) -> Canned:
    def answer(params: Params) -> Any:
        start = int(params["offset"])
        return list(rows[start : start + int(params["limit"])])

    return Canned(path="/futures/usdt/orders", scope="open_orders", body=answer)


SWAP = "BTC/USDT:USDT"
GATE = VenueCase(
    venue="gate",
    markets=(
        Canned(
            path="/spot/currency_pairs",
            body=[
                {
                    "id": "BTC_USDT",
                    "base": "BTC",
                    "quote": "USDT",
                    "fee": "0.2",
                    "amount_precision": 4,
                    "precision": 2,
                    "trade_status": "tradable",
                }
            ],
        ),
        Canned(path="/margin/currency_pairs", body=[]),
        Canned(
            path="/futures/usdt/contracts",
            body=[_contract("BTC_USDT", "0.0001"), _contract("ETH_USDT", "0.01")],
        ),
        Canned(path="/futures/btc/contracts", body=[_contract("BTC_USD", "0")]),
    ),
    table=(
        Canned(
            path="/spot/accounts",
            scope="balances",
            body=[
                {"currency": "BTC", "available": "0.5", "locked": "0.1"},
                {"currency": "USDT", "available": "0", "locked": "0"},
            ],
        ),
        Canned(
            path="/spot/open_orders",
            scope="open_orders",
            body=[{"currency_pair": "BTC_USDT", "total": 2, "orders": list(SPOT.values())}],
        ),
        Canned(path="/futures/usdt/orders", scope="open_orders", body=list(OPEN.values())),
        Canned(path="/futures/btc/orders", scope="open_orders", body=[]),
        Canned(
            path="/spot/price_orders", scope="trigger_orders", body=list(SPOT_TRIGGERS.values())
        ),
        Canned(path="/futures/usdt/price_orders", scope="trigger_orders", body=[TRIGGERS["301"]]),
        Canned(path="/futures/btc/price_orders", scope="trigger_orders", body=[]),
        Canned(
            path="/futures/usdt/positions",
            scope="positions",
            body=[
                _position("BTC_USDT", 5000, "dual_long"),
                _position("BTC_USDT", -2000, "dual_short"),
                _position("ETH_USDT", -300, "single"),
            ],
        ),
        Canned(
            path="/futures/btc/positions",
            scope="positions",
            body=[_position("BTC_USD", 0, "single")],
        ),
        Canned(path="/spot/orders/[^/]+", body=_by_id(SPOT), status=_status),
        Canned(path="/futures/usdt/orders/[^/]+", body=_by_id(OPEN | ENDED), status=_status),
        Canned(path="/futures/usdt/price_orders/[^/]+", body=_by_id(TRIGGERS), status=_status),
        Canned(path="/spot/price_orders/[^/]+", body=_by_id(SPOT_TRIGGERS), status=_status),
        Canned(path="/spot/my_trades", body=[]),
        Canned(
            path="/futures/usdt/my_trades",
            body=lambda params: [
                fill for fill in FILLS if params.get("order", "277") == fill["order_id"]
            ],
        ),
    ),
    orders=frozenset(
        {
            ("BTC/USDT", "101", "0.5", "open"),
            ("BTC/USDT", "102", "0.5", "partially_filled"),
            (SWAP, "201", "0.5", "open"),
            (SWAP, "202", "0.4", "partially_filled"),
            (SWAP, "301", "0.2", "open"),
            ("BTC/USDT", "401", "0.2", "open"),
        }
    ),
    sells=frozenset({"202", "301", "401"}),
    positions=frozenset(
        {
            (SWAP, "long", "0.5", True),
            (SWAP, "short", "0.2", True),
            ("ETH/USDT:USDT", "short", "3", False),
        }
    ),
    spot=("BTC/USDT",),
    balances=frozenset({("BTC", "0.6")}),
    missing=(
        Ask(symbol=SWAP, order_id="277", client_order_id="t-277", type="stop_market"),
        Ask(symbol="BTC/USDT", order_id="177", client_order_id="t-177", type="stop"),
    ),
    fills={"277": Decimal("0.3")},
    found=(
        Expected(ask=Ask(symbol=SWAP, order_id="201"), state="open", order_id="201", qty="0.5"),
        Expected(
            ask=Ask(symbol="BTC/USDT", client_order_id="t-102"),
            state="partially_filled",
            order_id="102",
            filled="0.2",
        ),
        Expected(
            ask=Ask(symbol=SWAP, client_order_id="t-208"),
            state="canceled",
            order_id="208",
            filled="0.4",
        ),
        Expected(ask=Ask(symbol=SWAP, order_id="209"), state="canceled", order_id="209"),
        Expected(
            ask=Ask(symbol=SWAP, order_id="310", type="stop_market"),
            state="filled",
            order_id="210",
            filled="0.5",
        ),
    ),
    paged=Paged(entry=_paged, row=lambda number: order(5000 + number), pages=8),
    errors=(
        (401, {"label": "INVALID_KEY", "message": "Invalid key provided"}, AnswerKind.AUTH),
        (429, {"label": "TOO_MANY_REQUESTS", "message": "slow down"}, AnswerKind.THROTTLED),
        (500, {"label": "SERVER_ERROR", "message": "Internal"}, AnswerKind.NO_ANSWER),
        (200, {"label": "OK"}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "trigger_orders", "positions", "balances"}),
)
