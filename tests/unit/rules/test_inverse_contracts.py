"""Inverse contracts: what a price may be off by is forgiven, and nothing more."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.orders import BookOrder, Fill, InverseAmount, OrderState, VenueOrder
from reconciler.domain.positions import BookPosition, Conversion, Market, VenuePosition
from reconciler.domain.snapshot import Found, Snapshot
from reconciler.domain.verdicts import OrderVerdict, OrderVerdictKind, PositionVerdict
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.ghost_positions import PositionLimits, judge_positions
from reconciler.rules.inverse_contracts import as_the_row_counts, slack_of
from reconciler.rules.ownership import Ownership
from tests.unit.builders import (
    BTC,
    LONG,
    NOW,
    SHORT,
    book_order,
    book_position,
    fill,
    not_found,
    reading,
    snapshot,
    venue_order,
    venue_position,
)
from tests.unit.rules.judging import GRACE, judge_row

CONTRACT = Decimal(100)
PRICE = Decimal(60000)
BY_ENTRY, BY_MARK = Conversion.BY_ENTRY_PRICE, Conversion.BY_MARK_PRICE
MARKET = Market(symbol=BTC, venue_id="BTCUSD", qty_step=None, inverse_step=CONTRACT)


def held(
    contracts: int, *, by: Conversion = BY_ENTRY, price: Decimal = PRICE, short: bool = False
) -> VenuePosition:
    """A position of so many contracts of 100, as the venue adapter tells it."""
    quote = contracts * CONTRACT
    return replace(
        venue_position(SHORT if short else LONG, quote, mark=None),
        qty=quote if by is Conversion.UNKNOWN else quote / price,
        entry_price=price if by is BY_ENTRY else None,
        mark_price=price if by is BY_MARK else None,
        conversion=by,
    )


def judge(book: list[BookPosition], venue: list[VenuePosition]) -> list[PositionVerdict]:
    seen: Snapshot = replace(snapshot(positions=venue), markets={BTC: MARKET})
    verdicts = judge_positions(
        reading=reading(positions=book),
        snapshot=seen,
        ownership=Ownership(),
        changed_at={},
        first_seen={},
        now=NOW,
        limits=PositionLimits(grace=GRACE, tolerance_notional=Decimal(1)),
    )
    return list(verdicts)


def kind_of(book: list[BookPosition], venue: list[VenuePosition]) -> Kind:
    [verdict] = judge(book, venue)
    return verdict.kind


@pytest.mark.parametrize(
    ("book_qty", "kind"),
    [
        ("0.5", Kind.IN_PARITY),
        # the bot's own average price is another in the fourth digit
        ("0.50049", Kind.IN_PARITY),
        ("0.49951", Kind.IN_PARITY),
        # what it wanted is no whole number of contracts: one is 0.00167
        ("0.50160", Kind.IN_PARITY),
        ("0.49800", Kind.IN_PARITY),
        ("0.5030", Kind.QUANTITY_MISMATCH),
        ("0.4970", Kind.QUANTITY_MISMATCH),
        ("0.1", Kind.QUANTITY_MISMATCH),
        # the row is in contracts, or in quote currency: not in base units
        ("300", Kind.QUANTITY_MISMATCH),
    ],
)
def test_a_contract_and_a_thousandth_are_forgiven(book_qty: str, kind: Kind) -> None:
    assert kind_of([book_position(qty=book_qty)], [held(300)]) is kind


@pytest.mark.parametrize(
    ("book_qty", "kind"),
    [("0.5", Kind.IN_PARITY), ("0.3", Kind.IN_PARITY), ("0.8", Kind.QUANTITY_MISMATCH)],
)
def test_by_the_mark_price_only_half_as_much_again_differs(book_qty: str, kind: Kind) -> None:
    assert kind_of([book_position(qty=book_qty)], [held(300, by=BY_MARK)]) is kind


@pytest.mark.parametrize("by", Conversion)
def test_slack_never_hides_a_ghost_a_phantom_or_a_side(by: Conversion) -> None:
    one = held(1, by=by)
    assert kind_of([], [one]) is Kind.GHOST_POSITION
    assert kind_of([book_position(SHORT, "0.002")], [one]) is Kind.SIDE_MISMATCH
    assert kind_of([book_position(qty="0")], [one]) is Kind.QUANTITY_MISMATCH
    assert kind_of([book_position(qty="0.002")], []) is Kind.PHANTOM_POSITION


def test_a_size_without_any_price_is_not_judged() -> None:
    [verdict] = judge([book_position(qty="0.5")], [held(300, by=Conversion.UNKNOWN)])
    assert verdict.kind is Kind.NOT_JUDGED
    assert "price" in verdict.reason


def test_each_leg_has_its_own_slack() -> None:
    legs = [
        replace(held(1), hedged=True),
        replace(held(100_000, short=True), hedged=True),
    ]
    book = [book_position(qty="0.1"), book_position(SHORT, legs[1].qty, row_id="b2")]
    assert [v.kind for v in judge(book, legs)] == [Kind.QUANTITY_MISMATCH, Kind.IN_PARITY]


contracts = st.integers(1, 10**6)
prices = st.decimals("0.01", "1000000", places=2)


@given(count=contracts, price=prices, error=st.decimals("-0.0009", "0.0009", places=6))
def test_a_rounded_entry_price_is_no_discrepancy(
    count: int, price: Decimal, error: Decimal
) -> None:
    own_average = price * (1 + error)
    book = [book_position(qty=count * CONTRACT / own_average)]
    assert kind_of(book, [held(count, price=price)]) is Kind.IN_PARITY


@given(count=contracts, price=prices, more=st.decimals("1.01", "10", places=2))
def test_more_than_slack_is_a_discrepancy(count: int, price: Decimal, more: Decimal) -> None:
    position = held(count, price=price)
    beyond = position.qty + more * (slack_of(position, MARKET) + Decimal(2) / price)
    assert kind_of([book_position(qty=beyond)], [position]) is Kind.QUANTITY_MISMATCH


@given(count=contracts, price=prices, by=st.sampled_from(Conversion))
def test_a_ghost_is_one_at_any_price(count: int, price: Decimal, by: Conversion) -> None:
    assert kind_of([], [held(count, price=price, by=by)]) is Kind.GHOST_POSITION


# Orders.


def order(
    filled: int,
    *,
    of: int = 10,
    state: OrderState = OrderState.OPEN,
    price: str | None = "60000",
    average: str = "60000",
) -> VenueOrder:
    """An order of so many contracts, as the venue adapter tells it."""
    sent = InverseAmount(qty=of * CONTRACT, filled=filled * CONTRACT, step=CONTRACT)
    return replace(
        venue_order(state=state, filled=filled * CONTRACT / Decimal(average)),
        qty=of * CONTRACT / Decimal(price) if price else None,
        inverse=sent,
    )


def row(**changes: object) -> BookOrder:
    """0.0166… base units: ten contracts at 60000."""
    made = book_order(qty=of_contracts(10))
    return replace(made, **{"price": PRICE, **changes})  # type: ignore[arg-type]


def of_contracts(count: int) -> Decimal:
    """As a bot rounds it."""
    return (count * CONTRACT / PRICE).quantize(Decimal("0.00000001"))


@pytest.mark.parametrize("average", ["60000", "59000", "66000"])
def test_a_full_fill_is_a_full_fill_at_any_price(average: str) -> None:
    found = order(10, state=OrderState.FILLED, average=average)
    verdict = judge_row(row(), lookup=Found(order=found, by="venue_order_id"))
    assert (verdict.kind, verdict.state) == (OrderVerdictKind.ENDED, OrderState.FILLED)
    assert verdict.filled == row().qty


def test_a_part_is_the_same_share_of_the_row() -> None:
    verdict = judge_row(row(), listed=order(4, state=OrderState.PARTIALLY_FILLED, average="58000"))
    assert verdict.kind is OrderVerdictKind.ADVANCED
    assert verdict.filled == row().qty * 4 / 10


@pytest.mark.parametrize("written", ["0.00670", "0.00663"])
def test_what_the_bot_reckoned_with_another_price_stands(written: str) -> None:
    """Else both would write it over in turn."""
    mine = row(filled=Decimal(written), state=OrderState.PARTIALLY_FILLED)
    listed = order(4, state=OrderState.PARTIALLY_FILLED)
    assert judge_row(mine, listed=listed).kind is OrderVerdictKind.IN_SYNC


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (order(0, state=OrderState.CANCELED), OrderVerdictKind.ENDED),
        (order(0, state=OrderState.CANCELED, price=None), OrderVerdictKind.ENDED),
        (order(0, of=20, state=OrderState.CANCELED), OrderVerdictKind.INCONCLUSIVE),
    ],
)
def test_another_orders_size_under_the_same_client_id(
    found: VenueOrder, kind: OrderVerdictKind
) -> None:
    mine = row(venue_order_id=None)
    assert judge_row(mine, lookup=Found(order=found, by="client_order_id")).kind is kind


def _fills(*counts: int, price: str = "59000") -> list[Fill]:
    return [
        replace(
            fill(count * CONTRACT / Decimal(price), fill_id=f"f{number}", price=price),
            inverse=InverseAmount(qty=count * CONTRACT, filled=count * CONTRACT, step=CONTRACT),
        )
        for number, count in enumerate(counts)
    ]


def _by_fills(mine: BookOrder, *counts: int, price: str = "59000") -> OrderVerdict:
    return judge_row(mine, lookup=not_found(*_fills(*counts, price=price)))


def test_fills_make_an_order_whole_by_their_contracts() -> None:
    whole = _by_fills(row(), 4, 6)
    assert (whole.kind, whole.filled) == (OrderVerdictKind.ENDED, row().qty)
    assert whole.avg_price == pytest.approx(Decimal(59000))
    # at so low a price nine contracts are more base units than the row's ten
    part = _by_fills(row(), 4, 5, price="50000")
    assert part.kind is not OrderVerdictKind.ENDED
    assert part.filled == row().qty * 9 / 10


def test_without_the_rows_price_no_fills_make_it_whole() -> None:
    verdict = _by_fills(row(price=None), 4, 6, price="50000")
    assert verdict.kind is not OrderVerdictKind.ENDED
    assert verdict.filled is not None
    assert verdict.filled < row().qty


def test_other_orders_stay_as_they_are() -> None:
    plain = venue_order(filled="0.4")
    assert as_the_row_counts(book_order(), plain) is plain


def test_a_stray_row_closes_a_ghost_within_its_slack_and_no_further() -> None:
    def with_stray(stray: BookPosition, *, count: int = 300) -> Kind:
        seen = replace(snapshot(positions=[held(count)]), markets={BTC: MARKET})
        [verdict] = judge_positions(
            reading=reading(stray_positions=[stray]),
            snapshot=seen,
            ownership=Ownership(),
            changed_at={},
            first_seen={},
            now=NOW,
            limits=PositionLimits(grace=GRACE, tolerance_notional=Decimal(1)),
        )
        return verdict.kind

    assert with_stray(book_position(qty="0.5004")) is Kind.NOT_JUDGED
    assert with_stray(book_position(qty="0.3")) is Kind.GHOST_POSITION
    assert with_stray(book_position(SHORT, "0.5")) is Kind.GHOST_POSITION
    # one contract is within its own slack of nothing, and a ghost all the same
    assert with_stray(book_position(SHORT, "0.01"), count=1) is Kind.GHOST_POSITION
