"""Position verdicts, row by row: what the venue holds against what the book has open."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from reconciler.domain.book import Profile
from reconciler.domain.identity import Symbol
from reconciler.domain.positions import BookPosition, PositionSide, VenuePosition
from reconciler.domain.snapshot import Completeness
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.ghost_positions import pin_on_profiles
from reconciler.rules.grace import MAX_WINDOWS
from reconciler.rules.ownership import Ownership
from tests.unit.builders import (
    BTC,
    ETH,
    LONG,
    NOW,
    SHORT,
    book_order,
    book_position,
    profile,
    reading,
    venue_position,
)
from tests.unit.rules.judging import GRACE, judge

PARITY, GHOST, PHANTOM = Kind.IN_PARITY, Kind.GHOST_POSITION, Kind.PHANTOM_POSITION
QUANTITY, SIDE, NOT_JUDGED = Kind.QUANTITY_MISMATCH, Kind.SIDE_MISMATCH, Kind.NOT_JUDGED
PARTIAL, FAILED = Completeness.PARTIAL, Completeness.FAILED
Book = Sequence[BookPosition]
Venue = Sequence[VenuePosition]


def _verdicts(book: Book, venue: Venue, **more: object) -> dict[PositionSide, Kind]:
    verdicts = judge(book, venue, **more)  # type: ignore[arg-type]
    assert len({v.side for v in verdicts}) == len(verdicts)
    return {v.side: v.kind for v in verdicts}


@pytest.mark.parametrize(
    ("book", "venue", "expected"),
    [
        ([], [], {}),
        ([], [venue_position(LONG)], {LONG: GHOST}),
        ([], [venue_position(SHORT)], {SHORT: GHOST}),
        ([book_position(LONG)], [], {LONG: PHANTOM}),
        ([book_position(SHORT)], [], {SHORT: PHANTOM}),
        ([book_position(is_open=False)], [], {}),
        ([book_position(qty="0")], [], {LONG: PARITY}),
        ([book_position(is_open=False)], [venue_position()], {LONG: GHOST}),
        # an entry under way has its row: no ghost
        ([book_position(qty="0")], [venue_position()], {LONG: QUANTITY}),
        ([book_position()], [venue_position()], {LONG: PARITY}),
        ([book_position(SHORT)], [venue_position(SHORT)], {SHORT: PARITY}),
        ([book_position(LONG)], [venue_position(SHORT)], {SHORT: SIDE}),
        ([book_position(SHORT)], [venue_position(LONG)], {LONG: SIDE}),
        ([book_position(qty="2")], [venue_position(qty="1")], {LONG: QUANTITY}),
        ([book_position(qty="1")], [venue_position(qty="2")], {LONG: QUANTITY}),
        # rows of one symbol add up, whoever's they are
        (
            [book_position(row_id="a"), book_position(row_id="b", profile="p2")],
            [venue_position(qty="2")],
            {LONG: PARITY},
        ),
    ],
)
def test_one_way_mode(book: Book, venue: Venue, expected: dict[PositionSide, Kind]) -> None:
    assert _verdicts(book, venue) == expected


BOTH_OF_ONE = [book_position(LONG, row_id="a"), book_position(SHORT, row_id="b")]
BOTH_OF_TWO = [book_position(LONG, row_id="a"), book_position(SHORT, row_id="b", profile="p2")]


def _legs(*, hedged: bool | None) -> list[VenuePosition]:
    return [venue_position(LONG, hedged=hedged), venue_position(SHORT, hedged=hedged)]


@pytest.mark.parametrize(
    ("book", "venue", "expected"),
    [
        # equal legs are not flat
        ([], _legs(hedged=True), {LONG: GHOST, SHORT: GHOST}),
        (BOTH_OF_ONE, _legs(hedged=True), {LONG: PARITY, SHORT: PARITY}),
        (BOTH_OF_TWO, _legs(hedged=True), {LONG: PARITY, SHORT: PARITY}),
        (
            [book_position(LONG)],
            [venue_position(SHORT, hedged=True)],
            {LONG: PHANTOM, SHORT: GHOST},
        ),
        # one way: the venue holds the net of all profiles
        (BOTH_OF_TWO, [], {LONG: PARITY}),
        (
            [book_position(LONG, "3", row_id="a"), book_position(SHORT, "1", profile="p2")],
            [venue_position(LONG, "2")],
            {LONG: PARITY},
        ),
        # the venue does not say: two legs of one profile are hedge mode, of two profiles they net
        (BOTH_OF_ONE, [], {LONG: PHANTOM, SHORT: PHANTOM}),
        (BOTH_OF_ONE, _legs(hedged=None), {LONG: PARITY, SHORT: PARITY}),
        (BOTH_OF_ONE, [venue_position(LONG, hedged=None)], {LONG: PARITY, SHORT: PHANTOM}),
    ],
)
def test_hedge_mode(book: Book, venue: Venue, expected: dict[PositionSide, Kind]) -> None:
    assert _verdicts(book, venue) == expected


def test_an_account_in_hedge_mode_is_so_for_symbols_that_it_does_not_hold() -> None:
    eth = venue_position(symbol=ETH, hedged=True)
    verdicts = judge(BOTH_OF_TWO, [eth])
    assert [v.kind for v in verdicts if v.symbol == BTC] == [PHANTOM, PHANTOM]


def test_a_symbols_own_mode_outweighs_that_of_the_account() -> None:
    """Bybit's mode is set per symbol."""
    eth = venue_position(symbol=ETH, hedged=True)
    book = [book_position(LONG, "3", row_id="a"), book_position(SHORT, "1", profile="p2")]
    verdicts = judge(book, [eth, venue_position(LONG, "2", hedged=False)])
    assert [v.kind for v in verdicts if v.symbol == BTC] == [PARITY]


@pytest.mark.parametrize(
    ("book", "venue", "mark", "step", "kind"),
    [
        ("1", "1.01", "100", None, PARITY),  # a notional of 1 is within, above is not
        ("1", "1.0101", "100", None, QUANTITY),
        ("1", "1.0101", None, None, QUANTITY),  # no price, no notional
        ("1", "1.0009", None, "0.001", PARITY),
        ("1", "1.001", None, "0.001", QUANTITY),  # a whole step is a difference
        ("1", "1.00000001", None, None, QUANTITY),
        ("0", "0.01", "100", None, PARITY),  # dust is none
        ("0", "0.0101", "100", None, GHOST),
        ("0", "0.0009", None, "0.001", PARITY),
        ("0.01", "0", "100", None, PHANTOM),  # the venue holds none: it gives no price
        ("0.0009", "0", None, "0.001", PARITY),
        ("0.001", "0", None, "0.001", PHANTOM),
        ("1", "0.01", "100", None, PHANTOM),  # dust at the venue is none
        ("0.01", "1", "100", None, QUANTITY),  # an open row, however small, is one
    ],
)
def test_tolerance_is_a_step_and_a_notional(
    book: str, venue: str, mark: str | None, step: str | None, kind: Kind
) -> None:
    rows = [book_position(qty=book)] if book != "0" else []
    verdicts = judge(rows, [venue_position(qty=venue, mark=mark)], step=step)
    assert [v.kind for v in verdicts] == [kind]


@pytest.mark.parametrize(
    ("book", "venue", "expected"),
    [
        ([], [venue_position(SHORT, "0.005")], {SHORT: PARITY}),
        ([], [venue_position(SHORT, "0.005", hedged=True)], {SHORT: PARITY}),
        ([book_position(SHORT)], [venue_position(LONG, "0.005")], {SHORT: PHANTOM}),
        (
            [book_position(LONG), book_position(SHORT, "0.005", row_id="b")],
            [venue_position(LONG, hedged=True)],
            {LONG: PARITY, SHORT: PARITY},
        ),
    ],
)
def test_dust_has_its_own_side(
    book: Book, venue: Venue, expected: dict[PositionSide, Kind]
) -> None:
    assert _verdicts(book, venue) == expected


def test_the_entry_price_stands_in_for_a_mark_that_is_not_told() -> None:
    assert _verdicts([], [venue_position(qty="0.01", mark=None, entry="100")]) == {LONG: PARITY}
    assert _verdicts([], [venue_position(qty="0.01", mark="0", entry="100")]) == {LONG: PARITY}


def test_a_market_that_is_not_told_forgives_no_step() -> None:
    other = Symbol("XRP/USDT:USDT")
    venue = [venue_position(qty="0.0001", mark=None, symbol=other)]
    assert _verdicts([], venue, step="0.001") == {LONG: GHOST}


def test_dust_of_opposite_sides_is_no_ghost() -> None:
    verdicts = judge([book_position(SHORT, "0.008")], [venue_position(LONG, "0.008")])
    assert [v.kind for v in verdicts] == [PARITY]


def test_a_price_below_zero_forgives_nothing() -> None:
    assert _verdicts([], [venue_position(qty="5", mark="-37")]) == {LONG: GHOST}


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_prices_the_one_that_forgives_less_counts(*, reverse: bool) -> None:
    legs = [
        venue_position(LONG, "0.01", hedged=True, mark=None, entry="1"),
        venue_position(SHORT, "5", hedged=True, mark="200"),
    ]
    book = [book_position(SHORT, "5")]
    assert _verdicts(book, legs[::-1] if reverse else legs)[LONG] is GHOST


@pytest.mark.parametrize(
    ("book", "venue", "kinds"),
    [
        ([book_position()], [], [NOT_JUDGED]),
        ([book_position(qty="2")], [venue_position()], [NOT_JUDGED]),
        ([book_position()], [venue_position(qty="2")], [QUANTITY]),
        ([], [venue_position()], [GHOST]),
        ([book_position(LONG)], [venue_position(SHORT)], [SIDE]),
        ([book_position(LONG, "2")], [venue_position(SHORT)], [SIDE]),
        ([book_position()], [venue_position()], [PARITY]),
    ],
)
def test_a_partial_listing_proves_what_it_shows_and_no_absence(
    book: Book, venue: Venue, kinds: list[Kind]
) -> None:
    assert [v.kind for v in judge(book, venue, scope=PARTIAL)] == kinds


@pytest.mark.parametrize("scope", [FAILED, None])
def test_without_a_listing_there_is_no_verdict(scope: Completeness | None) -> None:
    assert judge([book_position()], [venue_position(qty="9")], scope=scope) == ()


@pytest.mark.parametrize(
    ("book", "venue", "stray", "kind"),
    [
        ([], [venue_position()], book_position(), NOT_JUDGED),
        ([], [venue_position(qty="1.005")], book_position(), NOT_JUDGED),  # within tolerance
        ([book_position()], [], book_position(SHORT), NOT_JUDGED),
        ([book_position()], [venue_position(qty="3")], book_position(qty="2"), NOT_JUDGED),
        # a row that could not make both sides agree hides nothing
        ([], [venue_position()], book_position(qty="2"), GHOST),
        ([], [venue_position()], book_position(SHORT), GHOST),
        ([book_position()], [], book_position(), PHANTOM),
        ([book_position()], [venue_position(qty="3")], book_position(), QUANTITY),
    ],
)
def test_a_row_of_an_unknown_profile_stands_against_what_it_could_explain(
    book: Book, venue: Venue, stray: BookPosition, kind: Kind
) -> None:
    assert [v.kind for v in judge(book, venue, stray=[stray])] == [kind]


def test_parity_is_parity_whatever_else_the_book_has() -> None:
    [verdict] = judge(
        [book_position()],
        [venue_position()],
        stray=[book_position(profile="gone")],
        changed_at={BTC: NOW},
    )
    assert (verdict.kind, verdict.explained_by_change) == (PARITY, False)


@pytest.mark.parametrize(
    "stray",
    [
        book_position(symbol=ETH, profile="gone"),
        book_position(profile="gone", is_open=False),
        book_position(profile="gone", qty="0"),
    ],
)
def test_a_stray_row_that_could_not_explain_it_does_not(stray: BookPosition) -> None:
    assert [v.kind for v in judge([], [venue_position()], stray=[stray])] == [GHOST]


@pytest.mark.parametrize(
    "ownership",
    [Ownership(symbols=frozenset({ETH})), Ownership(ignored_symbols=frozenset({BTC}))],
)
def test_what_is_not_covered_is_not_judged(ownership: Ownership) -> None:
    assert judge([book_position()], [venue_position(SHORT)], ownership=ownership) == ()


@pytest.mark.parametrize(
    ("changed", "first_seen", "explained"),
    [
        (None, None, False),
        (GRACE / 2, None, True),
        (GRACE, None, False),
        (GRACE / 2, MAX_WINDOWS * GRACE - timedelta(seconds=1), True),
        (timedelta(0), MAX_WINDOWS * GRACE, False),
    ],
)
def test_a_change_of_the_book_explains_a_difference(
    changed: timedelta | None, first_seen: timedelta | None, *, explained: bool
) -> None:
    [verdict] = judge(
        [],
        [venue_position()],
        changed_at={} if changed is None else {BTC: NOW - changed},
        first_seen={} if first_seen is None else {f"{BTC}|long": NOW - first_seen},
    )
    assert (verdict.kind, verdict.explained_by_change) == (GHOST, explained)


def test_a_change_of_another_symbol_explains_nothing() -> None:
    [verdict] = judge([], [venue_position()], changed_at={ETH: NOW})
    assert not verdict.explained_by_change


def test_a_verdict_says_what_people_ask() -> None:
    book = [book_position(SHORT, "1", profile="p2"), book_position(SHORT, "2", profile="p1")]
    [verdict] = judge(book, [venue_position(LONG, "4", mark="50")])
    assert (str(verdict.venue_qty), str(verdict.book_qty), str(verdict.notional)) == (
        "4",
        "3",
        "350",
    )
    assert verdict.profile_ids == ("p1", "p2")
    assert verdict.subject == f"{BTC}|long"
    assert verdict.reason == "the venue holds long 4, the book has short 3"


def test_the_notional_is_that_of_the_difference() -> None:
    [verdict] = judge([book_position(qty="4")], [venue_position(qty="1", mark="50")])
    assert str(verdict.notional) == "150"


def test_profiles_are_named_in_one_order() -> None:
    names = [f"p{n}" for n in range(9)]
    [verdict] = judge([book_position(profile=name) for name in reversed(names)], [])
    assert list(verdict.profile_ids) == names


@pytest.mark.parametrize(
    ("profiles", "traders", "pinned"),
    [
        ([profile("p1"), profile("p2")], ["p2"], ["p2"]),
        ([profile("p1"), profile("p2"), profile("p3")], ["p1", "p2"], ["p1", "p2"]),
        ([profile("p1"), profile("p2")], [], ["p1", "p2"]),
        ([profile("p1"), profile("p2", "inactive")], [], ["p1"]),
        ([profile("p1", "paused")], [], []),
        ([], ["p9"], []),
    ],
)
def test_pinning(profiles: list[Profile], traders: list[str], pinned: list[str]) -> None:
    orders = [book_order(f"o-{name}", profile=name) for name in traders]
    others = [book_order("other", profile="p1", symbol=ETH)]
    found = pin_on_profiles(
        symbol=BTC, reading=reading(profiles=profiles, orders=[*orders, *others])
    )
    assert [p.id for p in found.profiles] == pinned
    assert found.certainty


def test_a_closed_position_pins_its_profile() -> None:
    book = reading(
        profiles=[profile("p1"), profile("p2")],
        positions=[
            book_position(profile="p2", is_open=False),
            book_position(profile="p1", symbol=ETH),
        ],
    )
    assert [p.id for p in pin_on_profiles(symbol=BTC, reading=book).profiles] == ["p2"]
