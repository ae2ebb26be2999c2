"""Where rows are, and what is no place of rows."""

from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.identity import Symbol
from reconciler.venue.answer_guard import why_not_an_answer
from reconciler.venue.description import AnswerShape, MarketKind, PositionRow
from reconciler.venue.descriptions import DESCRIBED
from reconciler.venue.descriptions.hyperliquid import HYPERLIQUID
from reconciler.venue.markets import field_of, kind_of, place_of
from reconciler.venue.raw_json import keyed_rows, rows_in, rows_within
from reconciler.venue.translate import NotUnderstoodError, position_of_row

AT = ("data", "list")


def test_null_means_none_only_where_the_venue_says_so_and_in_its_place() -> None:
    said = {"data": {"list": None}}
    assert rows_in(said, AT) is None
    assert rows_in(said, AT, null_is_none=True) == []
    others: list[Any] = [{"data": {}}, {"data": None}, {}, [], None, {"data": {"list": "x"}}]
    for other in others:
        assert rows_in(other, AT, null_is_none=True) is None


def test_keyed_rows_carry_their_keys() -> None:
    document = {"result": {"open": {"A": {"vol": "1"}, "B": {"vol": "2"}}}}
    rows = keyed_rows(document, ("result", "open"), keyed_as="id")
    assert rows == [{"id": "A", "vol": "1"}, {"id": "B", "vol": "2"}]
    assert keyed_rows({"result": {}}, ("result",), keyed_as="id") == []
    assert keyed_rows({"result": {"A": 1}}, ("result",), keyed_as="id") is None
    assert keyed_rows({"result": "x"}, ("result",), keyed_as="id") is None


def test_groups_without_rows_are_no_answer() -> None:
    assert rows_within([{"orders": [1, 2]}, {"orders": []}], "orders") == [1, 2]
    assert rows_within([{"orders": [1]}, {"total": 3}], "orders") is None


@pytest.mark.parametrize(
    ("document", "is_right"),
    [
        ({"order": {"order": {"oid": 1}, "status": "open"}}, True),
        ({"order": {"order": {"oid": 1}}}, False),
        ({"order": {"status": "open"}}, False),
        ({"status": "unknownOid"}, False),
    ],
)
def test_keys_inside_an_answer_are_looked_for(document: Any, *, is_right: bool) -> None:
    shape = AnswerShape(path="/info", keys=("order.order.oid", "order.status"))
    assert (why_not_an_answer(200, document, "{}", shape) is None) is is_right


def test_one_path_has_a_shape_for_each_question() -> None:
    orders = HYPERLIQUID.shape_of("/info", '{"type":"frontendOpenOrders","user":"0x"}')
    positions = HYPERLIQUID.shape_of("/info", '{"type":"clearinghouseState","user":"0x"}')
    assert orders is not None
    assert orders.rows_at == ()
    assert positions is not None
    assert positions.rows_at == ("assetPositions",)


def test_every_raw_listing_has_a_shape_and_every_venue_says_what_it_leaves_out() -> None:
    for description in DESCRIBED.values():
        assert description.not_covered, description.venue
        assert description.shapes, description.venue
        assert all(call.rows_at is not None for call in description.listings), description.venue


MARKETS: dict[str, dict[str, Any]] = {
    "spot": {"spot": True},
    "linear": {"contract": True, "linear": True, "settle": "USDT", "info": {"instType": "SWAP"}},
    "inverse": {"contract": True, "inverse": True},
    "option": {"contract": True, "option": True, "inverse": True},
}


@pytest.mark.parametrize("kind", MARKETS)
def test_kinds_of_markets(kind: str) -> None:
    assert kind_of(MARKETS[kind]) is MarketKind(kind)
    assert field_of(MARKETS[kind], "kind") == kind


def test_a_call_is_for_its_settle_currency_alone() -> None:
    linear = place_of(MARKETS["linear"])
    bitget = DESCRIBED["bitget"]
    products = {call.params["productType"] for call in bitget.lookups_of(linear)}
    assert products == {"USDT-FUTURES"}
    assert field_of(MARKETS["linear"], "info.instType") == "SWAP"
    assert len(bitget.lookups_of(place_of(None))) > 1


PARTLY_CLOSED = PositionRow(
    symbol="pair",
    qty="vol",
    closed="vol_closed",
    side="type",
    sides={"buy": "long", "sell": "short"},
    entry_price=None,
    mark_price=None,
)


def _held(**row: Any) -> Any:
    return position_of_row(
        {"pair": "X", "vol": "3", "vol_closed": "1", "type": "sell", **row},
        fields=PARTLY_CLOSED,
        symbol_of=Symbol,
        size_of=lambda _: Decimal(1),
    )


def test_what_is_closed_of_a_position_is_not_held() -> None:
    assert (_held().qty, _held().side, _held().hedged) == (Decimal(2), "short", False)
    assert _held(vol_closed="3") is None
    for broken in ({"type": "?"}, {"vol": ""}, {"vol_closed": None}):
        with pytest.raises(NotUnderstoodError):
            _held(**broken)
