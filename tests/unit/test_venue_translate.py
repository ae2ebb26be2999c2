"""What ccxt's words mean once filled and remaining are looked at too."""

from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import Symbol
from reconciler.domain.orders import OrderState
from reconciler.venue.description import StatusWords
from reconciler.venue.markets import markets_of, qty_step_of
from reconciler.venue.translate import (
    NotUnderstoodError,
    fill_of,
    number_of,
    order_of,
    position_of,
    state_of,
)

WORDS = StatusWords(
    in_flight=frozenset({"PENDING_NEW"}),
    canceled=frozenset({"DONE_CANCELED"}),
    successor_at=("actualOrderId", "replaced_by"),
)


@pytest.mark.parametrize(
    ("status", "raw", "filled", "qty", "state"),
    [
        ("open", "NEW", "0", "1", OrderState.OPEN),
        ("open", "PARTIALLY_FILLED", "0.4", "1", OrderState.PARTIALLY_FILLED),
        ("open", "NEW", "0", None, OrderState.OPEN),
        ("closed", "FILLED", "1", "1", OrderState.FILLED),
        ("closed", "FILLED", "2", None, OrderState.FILLED),
        # Bybit PartiallyFilledCanceled, KuCoin "6".
        ("closed", "PartiallyFilledCanceled", "0.4", "1", OrderState.CANCELED),
        # OKX algo "effective", Coinbase Exchange "done": nothing filled proves nothing.
        ("closed", "effective", "0", "1", OrderState.UNMAPPED),
        ("closed", "DONE_CANCELED", "0", "1", OrderState.CANCELED),
        ("closed", "FILLED", "0", None, OrderState.UNMAPPED),
        ("canceled", "CANCELED", "0", "1", OrderState.CANCELED),
        ("canceled", "CANCELED", "0.4", "1", OrderState.CANCELED),
        ("canceled", "CANCELED", "1", "1", OrderState.FILLED),
        ("canceled", "CANCELED", "0", None, OrderState.CANCELED),
        ("expired", "EXPIRED", "0", "1", OrderState.EXPIRED),
        ("expired", "EXPIRED", "0.4", "1", OrderState.EXPIRED),
        ("expired", "EXPIRED_IN_MATCH", "1", "1", OrderState.FILLED),
        ("rejected", "REJECTED", "0", "1", OrderState.REJECTED),
        ("canceling", "PENDING_CANCEL", "0", "1", OrderState.CANCELING),
        ("PENDING_NEW", "PENDING_NEW", "0", "1", OrderState.IN_FLIGHT),
        # Kraken Futures passes raw words on, Coinbase says None.
        ("FILLED", "FILLED", "1", "1", OrderState.UNMAPPED),
        ("pending_review", "pending_review", "0", "1", OrderState.UNMAPPED),
        (None, "", "0", "1", OrderState.UNMAPPED),
    ],
)
def test_state_of_a_regular_order(
    status: str | None, raw: str, filled: str, qty: str | None, state: OrderState
) -> None:
    said = state_of(
        status=status,
        raw=raw,
        filled=Decimal(filled),
        qty=Decimal(qty) if qty else None,
        is_trigger=False,
        words=WORDS,
    )
    assert said is state


@pytest.mark.parametrize("raw", ["TRIGGERED", "FINISHED"])
@pytest.mark.parametrize("filled", ["0", "1"])
def test_a_triggered_parent_is_no_proof_of_a_fill(raw: str, filled: str) -> None:
    said = state_of(
        status="closed",
        raw=raw,
        filled=Decimal(filled),
        qty=Decimal(1),
        is_trigger=True,
        words=WORDS,
    )
    assert said is OrderState.UNMAPPED


def parsed_order(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "clientOrderId": "c",
        "symbol": "BTC/USDT:USDT",
        "side": "buy",
        "status": "open",
        "amount": Decimal(10),
        "filled": Decimal(4),
        "average": Decimal(100),
        "price": Decimal(101),
        "timestamp": 1_700_000_000_000,
        "info": {"status": "PARTIALLY_FILLED"},
        **changes,
    }


def read(row: dict[str, Any], *, size: str = "1") -> Any:
    return order_of(
        row,
        is_trigger=False,
        words=WORDS,
        symbol_of=Symbol,
        size_of=lambda _: Decimal(size),
    )


def test_contracts_become_base_units() -> None:
    order = read(parsed_order(), size="0.01")
    assert (order.qty, order.filled) == (Decimal("0.10"), Decimal("0.04"))
    assert order.raw_status == "PARTIALLY_FILLED"


@pytest.mark.parametrize("nothing", [None, "", "0", 0])
def test_client_ids_of_nothing_are_none(nothing: Any) -> None:
    assert read(parsed_order(clientOrderId=nothing)).client_order_id is None


@pytest.mark.parametrize("qty", [None, Decimal(0), ""])
def test_an_order_without_quantity_is_kept(qty: Any) -> None:
    assert read(parsed_order(amount=qty)).qty is None


@pytest.mark.parametrize("nothing", [None, "", "0", 0])
def test_successors(nothing: Any) -> None:
    assert read(parsed_order(info={"actualOrderId": nothing})).successor_ids == ()
    assert read(parsed_order(info={"replaced_by": 77})).successor_ids == ("77",)


def test_filled_that_is_not_told_is_zero_only_while_open() -> None:
    assert read(parsed_order(filled=None)).filled == 0
    for status in ("closed", "canceled", "weird", None):
        with pytest.raises(NotUnderstoodError):
            read(parsed_order(filled=None, status=status))


def test_no_average_price_without_a_fill() -> None:
    assert read(parsed_order(filled=Decimal(0))).avg_price is None
    assert read(parsed_order(average=Decimal(0))).avg_price is None


@pytest.mark.parametrize(
    "missing",
    [{"id": None}, {"id": ""}, {"symbol": None}, {"side": None}, {"filled": Decimal(-1)}],
)
def test_an_order_that_cannot_be_read_is_said_to_be(missing: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstoodError):
        read(parsed_order(**missing))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0.10", Decimal("0.10")),
        (0.1, Decimal("0.1")),
        (Decimal(3), Decimal(3)),
        ("", None),
        (None, None),
        ("many", None),
        ("NaN", None),
        (Decimal("Infinity"), None),
        (True, None),
    ],
)
def test_numbers(value: Any, number: Decimal | None) -> None:
    assert number_of(value) == number


def parsed_position(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTC/USDT:USDT",
        "side": "short",
        "contracts": Decimal(5),
        "hedged": None,
        **changes,
    }


def test_unified_positions() -> None:
    def of(**changes: Any) -> Any:
        return position_of(
            parsed_position(**changes), symbol_of=Symbol, size_of=lambda _: Decimal("0.001")
        )

    assert of().qty == Decimal("0.005")
    assert of().hedged is None
    # Bybit's empty rows and Deribit's "zero" have no side that means anything.
    assert of(contracts=Decimal(0), side=None) is None
    assert of(contracts=Decimal(-5)).qty == Decimal("0.005")
    for missing in ({"contracts": None}, {"side": None}, {"symbol": None}):
        with pytest.raises(NotUnderstoodError):
            of(**missing)


@pytest.mark.parametrize("missing", ["id", "symbol", "side", "amount", "price"])
def test_a_fill_of_nonsense_is_refused(missing: str) -> None:
    row = {
        "id": "1",
        "order": "7",
        "symbol": "BTC/USDT:USDT",
        "side": "buy",
        "amount": Decimal(1),
        "price": Decimal(2),
        "timestamp": 1_700_000_000_000,
        "info": {},
    }

    def fill(content: dict[str, Any]) -> Any:
        return fill_of(
            content, client_order_id_at=None, symbol_of=Symbol, size_of=lambda _: Decimal(1)
        )

    assert fill(row).venue_order_id == "7"
    with pytest.raises(NotUnderstoodError):
        fill({**row, missing: None})


@pytest.mark.parametrize(
    ("market", "mode", "step"),
    [
        ({"precision": {"amount": Decimal("0.001")}}, 4, Decimal("0.001")),
        ({"precision": {"amount": Decimal(3)}}, 2, Decimal("0.001")),
        ({"precision": {"amount": 5}}, 3, None),
        ({"precision": {"amount": None}}, 4, None),
        ({}, 4, None),
        (
            {"precision": {"amount": 1}, "contract": True, "contractSize": Decimal("0.01")},
            4,
            Decimal("0.01"),
        ),
        (
            {"precision": {"amount": 1}, "contract": True, "inverse": True, "contractSize": 100},
            4,
            Decimal(1),
        ),
    ],
)
def test_quantity_steps(market: dict[str, Any], mode: int, step: Decimal | None) -> None:
    assert qty_step_of(market, precision_mode=mode) == step


def test_markets_of_unlisted_symbols_are_left_out() -> None:
    known = {"A/B": {"id": "ab", "precision": {"amount": Decimal(1)}}}
    found = markets_of([Symbol("A/B"), Symbol("CD")], known, precision_mode=4)
    assert [market.venue_id for market in found.values()] == ["ab"]
