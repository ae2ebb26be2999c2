"""What ccxt's words mean once filled and remaining are looked at too."""

from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import Symbol
from reconciler.domain.orders import InverseAmount, OrderState
from reconciler.domain.positions import Conversion
from reconciler.venue.account_reader import not_converted
from reconciler.venue.description import StatusWords
from reconciler.venue.descriptions import DESCRIBED
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
            # in quote currency
            Decimal(100),
        ),
    ],
)
def test_quantity_steps(market: dict[str, Any], mode: int, step: Decimal | None) -> None:
    assert qty_step_of(market, precision_mode=mode) == step


def test_markets_of_unlisted_symbols_are_left_out() -> None:
    known = {"A/B": {"id": "ab", "precision": {"amount": Decimal(1)}}}
    found = markets_of(
        [Symbol("A/B"), Symbol("CD")], known, precision_mode=4, description=DESCRIBED["okx"]
    )
    assert [market.venue_id for market in found.values()] == ["ab"]


CONTRACTS_OF_100 = {"id": "x", "base": "BTC", "settle": "BTC", "contract": True, "inverse": True}


@pytest.mark.parametrize(
    ("venue", "size", "qty_step", "inverse_step"),
    [
        ("okx", 100, None, Decimal(100)),
        ("krakenfutures", 1, None, Decimal(1)),
        ("binancecoinm", 100, None, Decimal(100)),
        ("gate", 1, None, Decimal(1)),
        # in quote currency already, whatever ccxt says of the contract's size
        ("bybit", 5, None, Decimal(1)),
        ("deribit", 10, None, Decimal(1)),
        # in base units
        ("bitget", 1, Decimal(1), None),
    ],
)
def test_steps_of_inverse_contracts(
    venue: str, size: int, qty_step: Decimal | None, inverse_step: Decimal | None
) -> None:
    symbol = Symbol("BTC/USD:BTC")
    market = {**CONTRACTS_OF_100, "contractSize": size, "precision": {"amount": 1}}
    found = markets_of([symbol], {symbol: market}, precision_mode=4, description=DESCRIBED[venue])[
        symbol
    ]
    assert (found.qty_step, found.inverse_step) == (qty_step, inverse_step)
    assert (found.base, found.settle, found.held_as_balance) == ("BTC", "BTC", False)


@pytest.mark.parametrize(("venue", "coins"), [("binance", True), ("alpaca", False)])
def test_spot_is_held_as_a_balance_but_where_the_venue_has_positions_of_it(
    venue: str, *, coins: bool
) -> None:
    symbol = Symbol("BTC/USD")
    market = {"id": "x", "base": "BTC", "spot": True}
    found = markets_of([symbol], {symbol: market}, precision_mode=4, description=DESCRIBED[venue])
    assert found[symbol].held_as_balance is coins


def inverse(row: dict[str, Any], *, size: str = "100") -> Any:
    return order_of(
        row,
        is_trigger=False,
        words=WORDS,
        symbol_of=Symbol,
        size_of=lambda _: Decimal(size),
        is_inverse=lambda _: True,
    )


def test_an_inverse_order_is_judged_in_contracts_and_told_in_base_units() -> None:
    row = parsed_order(price=Decimal(50000), average=Decimal(40000))
    order = inverse(row)
    assert (order.qty, order.filled) == (Decimal("0.02"), Decimal("0.01"))
    assert order.inverse == InverseAmount(qty=Decimal(1000), filled=Decimal(400), step=Decimal(100))
    full = inverse({**row, "status": "closed", "filled": Decimal(10), "average": Decimal(60000)})
    assert full.state is OrderState.FILLED
    assert full.filled < full.qty


def test_an_inverse_order_without_a_price_has_no_size_and_one_filled_at_none_is_refused() -> None:
    market = parsed_order(price=None, average=None, filled=Decimal(0))
    order = inverse(market)
    assert (order.qty, order.filled, order.state) == (None, Decimal(0), OrderState.OPEN)
    assert order.inverse is not None
    with pytest.raises(NotUnderstoodError, match="price"):
        inverse({**market, "filled": Decimal(4)})


@pytest.mark.parametrize(
    ("entry", "mark", "qty", "conversion"),
    [
        (50000, 40000, "0.02", Conversion.BY_ENTRY_PRICE),
        (None, 40000, "0.025", Conversion.BY_MARK_PRICE),
        (0, 40000, "0.025", Conversion.BY_MARK_PRICE),
        (None, None, "1000", Conversion.UNKNOWN),
    ],
)
def test_an_inverse_position_by_the_best_price_there_is(
    entry: int | None, mark: int | None, qty: str, conversion: Conversion
) -> None:
    said = position_of(
        {"symbol": "X", "contracts": 10, "side": "long", "entryPrice": entry, "markPrice": mark},
        symbol_of=Symbol,
        size_of=lambda _: Decimal(100),
        is_inverse=lambda _: True,
    )
    assert said is not None
    assert (said.qty, said.conversion) == (Decimal(qty), conversion)
    assert bool(not_converted([said])) is (conversion is not Conversion.BY_ENTRY_PRICE)


def test_a_fill_of_inverse_contracts_has_its_own_price() -> None:
    row = {
        "id": "1",
        "symbol": "X",
        "side": "buy",
        "amount": Decimal(4),
        "price": Decimal(40000),
        "info": {},
    }
    told = fill_of(
        row,
        client_order_id_at=None,
        symbol_of=Symbol,
        size_of=lambda _: Decimal(100),
        is_inverse=lambda _: True,
    )
    assert told.qty == Decimal("0.01")
    assert told.inverse is not None
    assert told.inverse.filled == Decimal(400)
