"""What holds for every book and every venue (rules 1, 5 and 14)."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.identity import Symbol
from reconciler.domain.positions import BookPosition, PositionSide, VenuePosition
from reconciler.domain.snapshot import Completeness
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.grace import MAX_WINDOWS
from tests.unit.builders import (
    BTC,
    ETH,
    LONG,
    NOW,
    SHORT,
    book_position,
    venue_position,
)
from tests.unit.rules.judging import GRACE, judge
from tests.unit.rules.scaling import growth

quantities = st.decimals(min_value=0, max_value=10, places=3)
prices = st.one_of(st.none(), st.decimals(min_value=0, max_value=1000, places=1))
modes = st.sampled_from([True, False, None])
sides = st.sampled_from(PositionSide)
steps = st.sampled_from([None, "0.001", "0.01", "1"])
tolerances = st.sampled_from(["0", "1", "1000000"])
books = st.lists(
    st.builds(
        book_position,
        sides,
        quantities,
        symbol=st.sampled_from([BTC, ETH]),
        profile=st.sampled_from(["p1", "p2"]),
        is_open=st.booleans(),
    ),
    max_size=6,
)
venues = st.lists(
    st.builds(
        venue_position,
        sides,
        quantities,
        symbol=st.sampled_from([BTC, ETH]),
        hedged=modes,
        mark=prices,
        entry=prices,
    ),
    max_size=6,
)
Book = Sequence[BookPosition]
Venue = Sequence[VenuePosition]


@given(book=books, venue=venues, step=steps, tolerance=tolerances, data=st.data())
def test_the_order_of_rows_never_matters(
    book: Book, venue: Venue, step: str | None, tolerance: str, data: st.DataObject
) -> None:
    shuffled = judge(
        data.draw(st.permutations(book)),
        data.draw(st.permutations(venue)),
        step=step,
        tolerance=tolerance,
    )
    assert judge(book, venue, step=step, tolerance=tolerance) == shuffled


@given(book=books, venue=venues, stray=books)
def test_no_absence_is_inferred_from_less_than_a_complete_listing(
    book: Book, venue: Venue, stray: Book
) -> None:
    for verdict in judge(book, venue, stray=stray, scope=Completeness.PARTIAL):
        assert verdict.kind is not Kind.PHANTOM_POSITION
        if verdict.kind is Kind.QUANTITY_MISMATCH:
            assert verdict.venue_qty > verdict.book_qty
    assert judge(book, venue, scope=Completeness.FAILED) == ()
    assert judge(book, venue, scope=None) == ()


@given(venue=venues, step=steps, tolerance=tolerances)
def test_equal_books_and_venues_are_in_parity_whatever_the_tolerance(
    venue: Venue, step: str | None, tolerance: str
) -> None:
    mirror = [book_position(held.side, held.qty, symbol=held.symbol) for held in venue]
    verdicts = judge(mirror, venue, step=step, tolerance=tolerance)
    assert {v.kind for v in verdicts} <= {Kind.IN_PARITY}


@given(book=books, venue=venues, step=steps)
def test_more_tolerance_never_makes_a_discrepancy(
    book: Book, venue: Venue, step: str | None
) -> None:
    strict = judge(book, venue, step=step, tolerance="0")
    loose = judge(book, venue, step=step, tolerance="1")
    agreed = {v.symbol for v in strict} - {v.symbol for v in strict if v.kind.is_discrepancy}
    assert not {v.symbol for v in loose if v.kind.is_discrepancy} & agreed


@given(
    long=st.tuples(quantities, quantities),
    short=st.tuples(quantities, quantities),
    profiles=st.sampled_from([("p1", "p1"), ("p1", "p2")]),
)
def test_legs_never_net_in_hedge_mode(
    long: tuple[Decimal, Decimal], short: tuple[Decimal, Decimal], profiles: tuple[str, str]
) -> None:
    """Each leg is judged as though the other were not there."""
    book = {
        LONG: book_position(LONG, long[0], profile=profiles[0]),
        SHORT: book_position(SHORT, short[0], profile=profiles[1]),
    }
    venue = {
        LONG: venue_position(LONG, long[1], hedged=True),
        SHORT: venue_position(SHORT, short[1], hedged=True),
    }
    mode = venue_position(symbol=ETH, hedged=True)
    both = judge(list(book.values()), [*venue.values(), mode], tolerance="0")
    for side in PositionSide:
        alone = judge([book[side]], [venue[side], mode], tolerance="0")
        mine = [
            (v.kind, v.venue_qty, v.book_qty) for v in both if (v.symbol, v.side) == (BTC, side)
        ]
        assert mine == [(v.kind, v.venue_qty, v.book_qty) for v in alone if v.symbol == BTC]


@given(book=books, venue=venues)
def test_one_verdict_for_each_symbol_and_side_of_what_either_side_has(
    book: Book, venue: Venue
) -> None:
    verdicts = judge(book, venue)
    subjects = [v.subject for v in verdicts]
    assert len(set(subjects)) == len(subjects)
    held = {h.symbol for h in venue if h.qty > 0}
    expected = held | {b.symbol for b in book if b.open and b.qty > 0}
    allowed = expected | {b.symbol for b in book if b.open}  # a row of quantity 0 may have one
    assert expected <= {v.symbol for v in verdicts} <= allowed


@given(book=books, venue=venues, step=steps)
def test_kinds_follow_from_the_quantities(book: Book, venue: Venue, step: str | None) -> None:
    for verdict in judge(book, venue, step=step, tolerance="0"):
        assert isinstance(verdict.venue_qty, Decimal)
        assert isinstance(verdict.book_qty, Decimal)
        assert isinstance(verdict.notional, Decimal | None)
        assert verdict.reason
        match verdict.kind:
            case Kind.GHOST_POSITION:
                assert verdict.venue_qty > 0 == verdict.book_qty
            case Kind.PHANTOM_POSITION:
                assert verdict.book_qty > verdict.venue_qty
            case Kind.SIDE_MISMATCH:
                assert verdict.venue_qty > 0 < verdict.book_qty
            case Kind.QUANTITY_MISMATCH:
                assert verdict.venue_qty > 0


@given(
    venue=venues,
    changed=st.timedeltas(timedelta(0), timedelta(hours=1)),
    first_seen=st.timedeltas(timedelta(0), timedelta(hours=1)),
)
def test_a_difference_is_explained_within_both_limits_only(
    venue: Venue, changed: timedelta, first_seen: timedelta
) -> None:
    subjects = [f"{symbol}|{side}" for symbol in (BTC, ETH) for side in PositionSide]
    verdicts = judge(
        [],
        venue,
        changed_at={BTC: NOW - changed, ETH: NOW - changed},
        first_seen=dict.fromkeys(subjects, NOW - first_seen),
    )
    explains = changed < GRACE and first_seen < MAX_WINDOWS * GRACE
    for verdict in verdicts:
        assert verdict.explained_by_change is (explains and verdict.kind.is_discrepancy)


def test_time_is_linear() -> None:
    def judging(count: int) -> Callable[[], object]:
        symbols = [Symbol(f"S{n}") for n in range(count // 4)]
        book = [book_position(symbol=s, profile=f"p{n}") for n, s in enumerate(symbols)]
        venue = [venue_position(symbol=s, qty="2", hedged=None) for s in symbols]
        return lambda: judge(book, venue)

    assert growth(judging) < 3


def test_time_is_linear_for_many_rows_of_one_symbol() -> None:
    def judging(count: int) -> Callable[[], object]:
        book = [book_position(profile=f"p{n}") for n in range(count)]
        return lambda: judge(book, [venue_position()])

    assert growth(judging) < 3
