"""Which book row is which venue order: by ids, never by (symbol, side, quantity)."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.orders import BookOrder, OrderSide, OrderState, VenueOrder
from reconciler.rules.matching import match_orders, why_another_rows
from tests.unit.builders import A_MINUTE, BTC, BUY, ETH, NOW, SELL, book_order, venue_order
from tests.unit.rules.scaling import growth


def _paired(rows: Sequence[BookOrder], listed: Sequence[VenueOrder]) -> dict[str, str]:
    matching = match_orders(rows=rows, listed=listed)
    return {str(row): str(order.venue_order_id) for row, order in matching.by_order.items()}


@pytest.mark.parametrize(
    ("row", "order", "same"),
    [
        (book_order(), venue_order(), True),
        (book_order(venue_id=None), venue_order(), True),
        (book_order(client_id=None), venue_order(), True),
        (book_order(), venue_order(client_id=None), True),
        (book_order(client_id="c1"), venue_order(client_id="x-broker-c1"), True),
        (book_order(venue_id="v0"), venue_order("v1"), True),  # cancel-replace
        (book_order(venue_id=None, client_id=None), venue_order(client_id=None), False),
        (book_order(venue_id="v2", client_id=None), venue_order(), False),
        (book_order(venue_id=None, client_id="c2"), venue_order(), False),
        (book_order(side=SELL), venue_order(side=BUY), False),  # a reused id
        (book_order(symbol=ETH), venue_order(symbol=BTC), False),  # ids are unique per symbol only
        (book_order(venue_id="c1", client_id=None), venue_order("v1", client_id="c1"), False),
        (book_order(venue_id="", client_id=""), venue_order("v1", client_id=""), False),
    ],
)
def test_one_row_and_one_order(row: BookOrder, order: VenueOrder, *, same: bool) -> None:
    matching = match_orders(rows=[row], listed=[order])
    assert matching.by_order == ({row.id: order} if same else {})
    assert matching.unmatched == (() if same else (order,))


def test_equal_size_and_side_is_no_match() -> None:
    row = book_order(venue_id="v1", client_id="c1", qty="1")
    twin = venue_order("v2", client_id="c2", qty="1")
    assert match_orders(rows=[row], listed=[twin]).unmatched == (twin,)


def test_after_cancel_replace_the_client_id_speaks_first() -> None:
    row = book_order(venue_id="v1", client_id="c1")
    replaced = venue_order("v2", client_id="c1")
    other = venue_order("v1", client_id="c9")
    assert _paired([row], [other, replaced]) == {"o1": "v2"}


def test_a_client_id_of_the_other_side_does_not_hide_the_venue_id() -> None:
    row = book_order(venue_id="v1", client_id="c1", side=BUY)
    listed = [venue_order("v1", client_id=None), venue_order("v2", client_id="c1", side=SELL)]
    assert _paired([row], listed) == {"o1": "v1"}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_client_id_used_again_belongs_to_the_row_that_has_both_ids(*, reverse: bool) -> None:
    ended = book_order("old", venue_id="v1", client_id="stop", state=OrderState.CANCELED)
    live = book_order("new", venue_id="v2", client_id="stop")
    rows = [live, ended] if reverse else [ended, live]
    assert _paired(rows, [venue_order("v2", client_id="stop")]) == {"new": "v2"}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_row_with_both_ids_leaves_nothing_to_one_with_the_client_id(*, reverse: bool) -> None:
    rows = [
        book_order("lost", venue_id="v1", client_id="stop"),
        book_order("new", venue_id="v2", client_id="stop"),
    ]
    listed = [venue_order("v2", client_id="stop")]
    assert _paired(rows[::-1] if reverse else rows, listed) == {"new": "v2"}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_client_id_used_again_belongs_to_the_row_that_has_not_ended(*, reverse: bool) -> None:
    ended = book_order("old", venue_id="v1", client_id="stop", state=OrderState.CANCELED)
    live = book_order("new", venue_id=None, client_id="stop", state=OrderState.IN_FLIGHT)
    rows = [live, ended] if reverse else [ended, live]
    assert _paired(rows, [venue_order("v2", client_id="stop")]) == {"new": "v2"}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("other", "owner"),
    [
        # by its venue id, though the client id is another
        (book_order("new", venue_id="v2", client_id="c9"), "new"),
        # sent under a client id that an order had before
        (book_order("new", venue_id=None, client_id="stop", state=OrderState.IN_FLIGHT), "new"),
        (book_order("new", venue_id="v2", client_id=None, state=OrderState.CANCELED), "lost"),
    ],
)
def test_an_order_has_one_row(other: BookOrder, owner: str, *, reverse: bool) -> None:
    rows = [book_order("lost", venue_id="v1", client_id="stop"), other]
    listed = [venue_order("v2", client_id="stop", filled="0.4")]
    assert _paired(rows[::-1] if reverse else rows, listed) == {owner: "v2"}


LOST = book_order("lost", venue_id="v1", client_id="stop")


@pytest.mark.parametrize("state", [OrderState.OPEN, OrderState.FILLED, OrderState.CANCELED])
@pytest.mark.parametrize(
    ("row", "others", "another"),
    [
        (LOST, [], False),  # cancel-replace
        (LOST, [book_order("new", venue_id="v2", client_id="stop")], True),
        (LOST, [book_order("new", venue_id="v2", client_id=None)], True),
        (LOST, [book_order("x", venue_id="v2", client_id="stop", state=OrderState.FILLED)], True),
        (LOST, [book_order("new", venue_id="v3", client_id="c9")], False),
        (LOST, [book_order("new", venue_id="v2", client_id="stop", side=SELL)], False),
        (book_order("sent", venue_id=None, client_id="stop"), [LOST], False),
        (book_order("twin", venue_id="v2", client_id="c9"), [LOST], False),
    ],
)
def test_whose_order_a_lookup_shows(
    row: BookOrder, others: list[BookOrder], state: OrderState, *, another: bool
) -> None:
    found = venue_order("v2", client_id="stop", state=state)
    why = why_another_rows(row=row, found=found, rows=[row, *others])
    assert (why is not None) is another
    assert why is None or f"row {others[0].id}" in why


def test_an_ended_row_alone_still_names_its_order() -> None:
    ended = book_order(venue_id="v1", client_id="c1", state=OrderState.CANCELED)
    assert _paired([ended], [venue_order("v1", client_id="c1")]) == {"o1": "v1"}


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_orders_under_one_id_the_live_one_counts(*, reverse: bool) -> None:
    row = book_order(venue_id=None, client_id="c1")
    listed = [
        venue_order("v1", client_id="c1", state=OrderState.CANCELED, created_at=NOW),
        venue_order("v2", client_id="c1"),
    ]
    assert _paired([row], listed[::-1] if reverse else listed) == {"o1": "v2"}


@pytest.mark.parametrize("reverse", [False, True])
def test_of_a_cancel_replace_the_half_that_lives_counts(*, reverse: bool) -> None:
    row = book_order(venue_id="v1", client_id="c1")
    listed = [venue_order("v1", state=OrderState.CANCELED), venue_order("v2")]
    assert _paired([row], listed[::-1] if reverse else listed) == {"o1": "v2"}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_row_whose_client_id_was_used_again_keeps_its_own_ended_order(*, reverse: bool) -> None:
    rows = [
        book_order("lost", venue_id="v1", client_id="stop"),
        book_order("new", venue_id="v2", client_id="stop"),
    ]
    listed = [
        venue_order("v1", client_id="stop", state=OrderState.CANCELED),
        venue_order("v2", client_id="stop"),
    ]
    assert _paired(rows[::-1] if reverse else rows, listed) == {"lost": "v1", "new": "v2"}


@pytest.mark.parametrize(
    ("row", "paired"),
    [
        (book_order(venue_id="v2", client_id="c1"), {}),  # its cancelled earlier half
        (book_order(venue_id=None, client_id="c1"), {"o1": "v1"}),
        (book_order(venue_id="v1", client_id=None), {"o1": "v1"}),
        (book_order(venue_id="v1", client_id="c1", state=OrderState.CANCELED), {"o1": "v1"}),
    ],
)
def test_an_ended_order_is_that_of_its_own_venue_id(row: BookOrder, paired: dict[str, str]) -> None:
    assert _paired([row], [venue_order("v1", state=OrderState.CANCELED)]) == paired


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("older", [None, NOW - A_MINUTE])
def test_of_two_live_orders_under_one_id_the_younger_counts(
    older: datetime | None, *, reverse: bool
) -> None:
    row = book_order(venue_id=None, client_id="c1")
    listed = [
        venue_order("v9", client_id="c1", created_at=older),
        venue_order("v2", client_id="c1", created_at=NOW),
    ]
    assert _paired([row], listed[::-1] if reverse else listed) == {"o1": "v2"}


def test_an_order_listed_twice_is_no_second_order() -> None:
    listed = [venue_order(filled="0"), venue_order(filled="0.5")]
    matching = match_orders(rows=[book_order()], listed=listed)
    assert matching.by_order[book_order().id].filled == listed[1].filled
    assert matching.unmatched == ()


names = st.sampled_from([None, "a", "b", "c"])
sides = st.sampled_from(OrderSide)
symbols = st.sampled_from([BTC, ETH])
rows = st.lists(
    st.builds(
        book_order,
        st.uuids().map(str),
        venue_id=names,
        client_id=names,
        side=sides,
        symbol=symbols,
        state=st.sampled_from([OrderState.OPEN, OrderState.CANCELED]),
    ),
    max_size=6,
)
orders = st.lists(
    st.builds(
        venue_order,
        st.sampled_from(["a", "b", "c", "d"]),
        client_id=names,
        side=sides,
        symbol=symbols,
    ),
    max_size=6,
    unique_by=lambda o: (o.symbol, o.side, o.venue_order_id),
)


@given(rows=rows, listed=orders, data=st.data())
def test_the_order_of_rows_and_listing_never_matters(
    rows: list[BookOrder], listed: list[VenueOrder], data: st.DataObject
) -> None:
    one = match_orders(rows=rows, listed=listed)
    other = match_orders(
        rows=data.draw(st.permutations(rows)), listed=data.draw(st.permutations(listed))
    )
    assert one.by_order == other.by_order
    assert set(one.unmatched) == set(other.unmatched)


@given(rows=rows, listed=orders)
def test_a_pair_shares_an_id_and_every_order_is_paired_or_left_over(
    rows: list[BookOrder], listed: list[VenueOrder]
) -> None:
    matching = match_orders(rows=rows, listed=listed)
    by_id = {row.id: row for row in rows}
    for row_id, order in matching.by_order.items():
        row = by_id[row_id]
        assert (row.symbol, row.side) == (order.symbol, order.side)
        assert row.venue_order_id == order.venue_order_id or (
            row.client_order_id is not None and row.client_order_id == order.client_order_id
        )
    paired = set(matching.by_order.values())
    assert paired | set(matching.unmatched) == set(listed)
    assert not paired & set(matching.unmatched)


def test_time_is_linear() -> None:
    def match(count: int) -> Callable[[], object]:
        rows = [book_order(f"o{n}", venue_id=f"v{n}", client_id=f"c{n}") for n in range(count)]
        listed = [venue_order(f"v{n}", client_id=f"c{n}") for n in range(0, 2 * count, 2)]
        return lambda: match_orders(rows=rows, listed=listed)

    assert growth(match) < 3
