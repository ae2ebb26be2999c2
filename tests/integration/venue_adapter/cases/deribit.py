"""Deribit: amounts that are no contracts, labels, flat rows, three errors of one ccxt class."""

from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params
from tests.integration.venue_adapter.cases.case import Ask, Expected, VenueCase


def _wrap(result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": result}


def _error(code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "error": {"message": message, "code": code}}


def _market(name: str, base: str, quote: str, settle: str, size: float) -> dict[str, Any]:
    return {
        "instrument_name": name,
        "kind": "future",
        "settlement_period": "perpetual",
        "base_currency": base,
        "counter_currency": quote,
        "settlement_currency": settle,
        "expiration_timestamp": 32_503_708_800_000,
        "contract_size": size,
        "min_trade_amount": size,
        "tick_size": 0.5,
        "taker_commission": 0.0005,
        "maker_commission": 0,
        "is_active": True,
        "creation_timestamp": 1_534_167_754_000,
    }


def order(order_id: str, name: str = "BTC_USDC-PERPETUAL", **changes: Any) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "label": f"bot-{order_id}",
        "instrument_name": name,
        "direction": "buy",
        "price": 50000,
        "amount": 0.5,
        "filled_amount": 0,
        "average_price": 0,
        "order_state": "open",
        "order_type": "limit",
        "time_in_force": "good_til_cancelled",
        "post_only": False,
        "creation_timestamp": 1_700_000_000_000,
        "last_update_timestamp": 1_700_000_000_000,
        **changes,
    }


OPEN = (
    order("USDC-1"),
    order("USDC-2", "ETH_USDC-PERPETUAL", filled_amount=0.2, average_price=3000),
    order("USDC-SLIS-3", order_state="untriggered", order_type="stop_market"),
    order("4", "BTC-PERPETUAL", amount=100),
)
ENDED = (
    order("USDC-8", order_state="cancelled", filled_amount=0.1, average_price=50000),
    order("USDC-9", order_state="cancelled"),
    order("USDC-10", order_state="filled", filled_amount=0.5, average_price=50000),
)
KNOWN = {row["order_id"]: row for row in (*OPEN, *ENDED)}
FILLS = [
    {
        "trade_id": f"t{number}",
        "instrument_name": "BTC_USDC-PERPETUAL",
        "order_id": order_id,
        "label": "",
        "direction": "buy",
        "amount": amount,
        "price": 50000,
        "timestamp": 1_700_000_000_000 + number,
        "order_type": "limit",
        "liquidity": "T",
        "fee": 0,
        "fee_currency": "USDC",
    }
    for number, (order_id, amount) in enumerate((("USDC-77", 0.1), ("USDC-77", 0.2), ("X", 9)))
]


def _state(params: Params) -> Any:
    known = KNOWN.get(params["order_id"])
    return _wrap(known) if known else _error(10004, "order_not_found")


def _by_label(params: Params) -> Any:
    return _wrap([row for row in KNOWN.values() if row["label"] == params["label"]])


def _position(name: str, size: float, direction: str) -> dict[str, Any]:
    return {
        "instrument_name": name,
        "size": size,
        "size_currency": 0.01,
        "direction": direction,
        "average_price": 60000,
        "mark_price": 61000,
        "kind": "future",
    }


PERPETUAL = "BTC/USDC:USDC"
DERIBIT = VenueCase(
    venue="deribit",
    markets=(
        Canned(
            path="/public/get_instruments",
            body=_wrap(
                [
                    _market("BTC_USDC-PERPETUAL", "BTC", "USDC", "USDC", 0.001),
                    _market("ETH_USDC-PERPETUAL", "ETH", "USDC", "USDC", 0.01),
                    _market("BTC-PERPETUAL", "BTC", "USD", "BTC", 10),
                ]
            ),
        ),
    ),
    table=(
        Canned(path="/get_open_orders", scope="open_orders", body=_wrap(list(OPEN))),
        Canned(
            path="/get_positions",
            scope="positions",
            body=_wrap(
                [
                    _position("BTC_USDC-PERPETUAL", -0.5, "sell"),
                    _position("ETH_USDC-PERPETUAL", 0, "zero"),
                    _position("BTC-PERPETUAL", 300, "buy"),
                ]
            ),
        ),
        Canned(
            path="/get_order_state",
            body=_state,
            status=lambda body: 400 if "error" in body else 200,
        ),
        Canned(path="/get_order_state_by_label", body=_by_label),
        Canned(
            path="/get_user_trades_by_instrument_and_time",
            where={"historical": "false"},
            body=_wrap({"trades": FILLS[1:], "has_more": False}),
        ),
        Canned(
            path="/get_user_trades_by_instrument_and_time",
            where={"historical": "true"},
            body=_wrap({"trades": FILLS[:2], "has_more": False}),
        ),
    ),
    orders=frozenset(
        {
            (PERPETUAL, "USDC-1", "0.5", "open"),
            ("ETH/USDC:USDC", "USDC-2", "0.5", "partially_filled"),
            (PERPETUAL, "USDC-SLIS-3", "0.5", "open"),
            ("BTC/USD:BTC", "4", "0.002", "open"),
        }
    ),
    positions=frozenset(
        {(PERPETUAL, "short", "0.5", False), ("BTC/USD:BTC", "long", "0.005", False)}
    ),
    missing=(
        Ask(symbol=PERPETUAL, order_id="USDC-77", client_order_id="bot-77", type="stop_market"),
        Ask(symbol="BTC-PERPETUAL", client_order_id="bot-79"),
    ),
    fills={"USDC-77": Decimal("0.3")},
    found=(
        Expected(
            ask=Ask(symbol=PERPETUAL, order_id="USDC-1"), state="open", order_id="USDC-1", qty="0.5"
        ),
        Expected(
            ask=Ask(symbol=PERPETUAL, client_order_id="bot-USDC-8"),
            state="canceled",
            order_id="USDC-8",
            filled="0.1",
        ),
        Expected(
            ask=Ask(symbol=PERPETUAL, order_id="USDC-10"),
            state="filled",
            order_id="USDC-10",
            filled="0.5",
        ),
    ),
    errors=(
        (400, _error(13004, "invalid_credentials"), AnswerKind.AUTH),
        (400, _error(10028, "too_many_requests"), AnswerKind.THROTTLED),
        (400, _error(10029, "not_owner_of_order"), AnswerKind.NO_ANSWER),
        (400, _error(11051, "system_maintenance"), AnswerKind.NO_ANSWER),
        (200, {"jsonrpc": "2.0", "id": 1, "result": {}}, AnswerKind.NO_ANSWER),
    ),
    scopes=frozenset({"open_orders", "positions"}),
)
