"""Positions, orders, positions: which discrepancies the second reading repeats."""

import pytest

from reconciler.domain.positions import VenuePosition
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.ghost_positions import mark_moved
from tests.unit.builders import LONG, SHORT, book_position, venue_position
from tests.unit.rules.judging import judge


@pytest.mark.parametrize(
    ("again", "kind", "moved"),
    [
        ([venue_position(LONG)], Kind.GHOST_POSITION, False),
        ([venue_position(LONG, qty="7")], Kind.GHOST_POSITION, False),  # it grows, and is a ghost
        ([venue_position(SHORT)], Kind.GHOST_POSITION, True),
        ([], Kind.GHOST_POSITION, True),
    ],
)
def test_a_ghost_counts_only_if_it_is_repeated(
    again: list[VenuePosition], kind: Kind, *, moved: bool
) -> None:
    first = judge([], [venue_position(LONG)])
    [marked] = mark_moved(first=first, again=judge([], again), failed=None)
    assert (marked.kind, marked.moved) == (kind, moved)


def test_without_a_second_reading_a_discrepancy_is_not_judged_and_parity_stays() -> None:
    ghost = judge([], [venue_position(LONG)])
    parity = judge([book_position(LONG)], [venue_position(LONG)])
    marked = mark_moved(first=(*ghost, *parity), again=(), failed="HTTP 502")
    assert [v.kind for v in marked] == [Kind.NOT_JUDGED, Kind.IN_PARITY]
    assert "HTTP 502" in marked[0].reason
    assert not any(v.moved for v in marked)


def test_what_a_failed_second_reading_shows_in_part_counts() -> None:
    ghost = judge([], [venue_position(LONG)])
    [marked] = mark_moved(first=ghost, again=ghost, failed="one row was not understood")
    assert marked == ghost[0]
