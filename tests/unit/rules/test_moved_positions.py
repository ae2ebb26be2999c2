"""Positions, orders, positions: which discrepancies the second reading repeats."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from reconciler.domain.positions import VenuePosition
from reconciler.domain.verdicts import PositionVerdict
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.ghost_positions import mark_moved
from tests.unit.builders import LONG, NOW, SHORT, book_position, venue_position
from tests.unit.rules.judging import GRACE, judge


def _marked(
    first: Iterable[PositionVerdict],
    again: Iterable[PositionVerdict],
    failed: str | None,
    *,
    since: timedelta | None = None,
) -> tuple[PositionVerdict, ...]:
    seen = {} if since is None else {v.subject: NOW - since for v in first}
    return mark_moved(
        first=first, again=again, failed=failed, first_seen=seen, now=NOW, grace=GRACE
    )


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
    [marked] = _marked(first, judge([], again), None)
    assert (marked.kind, marked.moved) == (kind, moved)


def test_without_a_second_reading_a_discrepancy_is_not_judged_and_parity_stays() -> None:
    ghost = judge([], [venue_position(LONG)])
    parity = judge([book_position(LONG)], [venue_position(LONG)])
    marked = _marked((*ghost, *parity), (), "HTTP 502")
    assert [(v.kind, v.moved) for v in marked] == [
        (Kind.GHOST_POSITION, True),
        (Kind.IN_PARITY, False),
    ]
    assert "HTTP 502" in marked[0].reason


def test_a_venue_that_always_refuses_the_second_reading_hides_no_ghost() -> None:
    ghost = judge([], [venue_position(LONG)])
    [young] = _marked(ghost, (), "HTTP 502", since=timedelta(seconds=149))
    [old] = _marked(ghost, (), "HTTP 502", since=timedelta(seconds=150))
    assert (young.moved, old.moved) == (True, False)


def test_what_a_failed_second_reading_shows_in_part_counts() -> None:
    ghost = judge([], [venue_position(LONG)])
    [marked] = _marked(ghost, ghost, "one row was not understood")
    assert marked == ghost[0]
