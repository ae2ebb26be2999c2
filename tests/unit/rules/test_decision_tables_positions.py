"""Table 2.4: positions."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from reconciler.cycle.suspicion_book import POSITION_FAMILY, SuspicionBook
from reconciler.domain.positions import BookPosition, VenuePosition
from reconciler.domain.snapshot import Completeness
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.domain.verdicts import PositionVerdict
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.ownership import Ownership
from tests.unit.builders import (
    ACCOUNT,
    BOOK,
    BTC,
    ETH,
    NOW,
    SHORT,
    book_position,
    venue_position,
)
from tests.unit.rules.judging import GRACE, judge

SPACING = timedelta(seconds=10)
SUBJECT = f"{BTC}|long"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionCase:
    """One row of the table: what is given, and the kinds that we conclude, short side last."""

    row: str
    what: str
    book: tuple[BookPosition, ...] = ()
    venue: tuple[VenuePosition, ...] = ()
    scope: Completeness = Completeness.COMPLETE
    touched: bool = False
    """The book's rows of the symbol changed just now."""
    ownership: Ownership = field(default_factory=Ownership)
    outcome: tuple[Kind, ...]

    @property
    def name(self) -> str:
        """`2.4-8 opposite sides`."""
        return f"{self.row} {self.what}"

    def judged(self) -> tuple[PositionVerdict, ...]:
        """As a look does, with a quantity step of 0.01."""
        return judge(
            self.book,
            self.venue,
            scope=self.scope,
            step="0.01",
            tolerance="0",
            ownership=self.ownership,
            changed_at={BTC: NOW - GRACE / 2} if self.touched else {},
        )


HELD = (book_position(),)
LEG = (venue_position(hedged=True),)
CASES = (
    PositionCase(
        row="2.4-1", what="equal", book=HELD, venue=(venue_position(),), outcome=(Kind.IN_PARITY,)
    ),
    PositionCase(
        row="2.4-1",
        what="within a step",
        book=HELD,
        venue=(venue_position(qty="1.009"),),
        outcome=(Kind.IN_PARITY,),
    ),
    PositionCase(
        row="2.4-2", what="query failed", book=HELD, scope=Completeness.FAILED, outcome=()
    ),
    PositionCase(
        row="2.4-2",
        what="query answered in part",
        book=HELD,
        scope=Completeness.PARTIAL,
        outcome=(Kind.NOT_JUDGED,),
    ),
    PositionCase(
        row="2.4-3", what="the venue holds none", book=HELD, outcome=(Kind.PHANTOM_POSITION,)
    ),
    PositionCase(
        row="2.4-3",
        what="the venue says flat",
        book=HELD,
        venue=(venue_position(qty="0"),),
        outcome=(Kind.PHANTOM_POSITION,),
    ),
    PositionCase(row="2.4-4", what="flat and flat", outcome=()),
    PositionCase(
        row="2.4-4",
        what="a row of quantity 0",
        book=(book_position(qty="0"),),
        outcome=(Kind.IN_PARITY,),
    ),
    PositionCase(
        row="2.4-5",
        what="the bot has just written",
        venue=(venue_position(),),
        touched=True,
        outcome=(Kind.GHOST_POSITION,),
    ),
    PositionCase(
        row="2.4-7",
        what="the venue holds more",
        book=HELD,
        venue=(venue_position(qty="3"),),
        outcome=(Kind.QUANTITY_MISMATCH,),
    ),
    PositionCase(
        row="2.4-7",
        what="the venue holds less",
        book=HELD,
        venue=(venue_position(qty="0.4"),),
        outcome=(Kind.QUANTITY_MISMATCH,),
    ),
    PositionCase(
        row="2.4-8",
        what="opposite sides",
        book=HELD,
        venue=(venue_position(SHORT),),
        outcome=(Kind.SIDE_MISMATCH,),
    ),
    PositionCase(
        row="2.4-9",
        what="less than a step",
        book=(book_position(qty="1.0000000001"),),
        venue=(venue_position(),),
        outcome=(Kind.IN_PARITY,),
    ),
    PositionCase(
        row="2.4-9",
        what="a whole step",
        book=(book_position(qty="1.01"),),
        venue=(venue_position(),),
        outcome=(Kind.QUANTITY_MISMATCH,),
    ),
    PositionCase(
        row="2.4-10",
        what="a ghost",
        venue=(venue_position(),),
        outcome=(Kind.GHOST_POSITION,),
    ),
    PositionCase(
        row="2.4-10",
        what="a ghost of which a listing in part tells",
        venue=(venue_position(),),
        scope=Completeness.PARTIAL,
        outcome=(Kind.GHOST_POSITION,),
    ),
    PositionCase(
        row="2.4-12",
        what="one leg differs, the other does not",
        book=(book_position(qty="2"), book_position(SHORT, row_id="b2")),
        venue=(*LEG, venue_position(SHORT, hedged=True)),
        outcome=(Kind.QUANTITY_MISMATCH, Kind.IN_PARITY),
    ),
    PositionCase(
        row="2.4-13",
        what="a leg that neither has",
        book=HELD,
        venue=(*LEG, venue_position(SHORT, "0", hedged=True)),
        outcome=(Kind.IN_PARITY,),
    ),
    PositionCase(
        row="2.4-13",
        what="a leg that the book has closed",
        book=(*HELD, book_position(SHORT, row_id="b2", is_open=False)),
        venue=LEG,
        outcome=(Kind.IN_PARITY,),
    ),
    *[
        PositionCase(
            row="2.4-14",
            what=what,
            book=book,
            venue=venue,
            ownership=Ownership(symbols=frozenset({ETH})),
            outcome=(),
        )
        for what, book, venue in (
            ("on the book's side", HELD, ()),
            ("on the venue's side", (), (venue_position(),)),
        )
    ],
)
STAGED = tuple(f"2.4-{n}" for n in (1, 2, 5, 6, 10, 11))
"""Rows that also (or only) concern what is remembered from look to look: the tests below."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_row(case: PositionCase) -> None:
    verdicts = sorted(case.judged(), key=lambda v: v.side is SHORT)
    assert tuple(v.kind for v in verdicts) == case.outcome
    assert {v.explained_by_change for v in verdicts} <= {case.touched}


def _suspicion(count: int = 1) -> Suspicion:
    key = SuspicionKey(book=BOOK, account=ACCOUNT, kind=Kind.GHOST_POSITION, subject=SUBJECT)
    at = NOW - SPACING
    return Suspicion(key=key, first_seen_at=at, last_seen_at=at, count=count, counted_at=at)


def _remembering(suspicion: Suspicion) -> SuspicionBook:
    memory = {(suspicion.key.kind, suspicion.key.subject): suspicion}
    return SuspicionBook(memory, book=BOOK, account=ACCOUNT, now=NOW)


def test_2_4_1_agreement_clears_the_count() -> None:
    before = _suspicion()
    suspicions = _remembering(before)
    suspicions.forget(POSITION_FAMILY, SUBJECT)
    assert suspicions.changes(settled=()) == ((), (before.key,))


def test_2_4_2_a_failed_query_leaves_the_count_as_it_was() -> None:
    assert _remembering(_suspicion()).changes(settled=()) == ((), ())


def test_2_4_5_what_the_bot_has_just_written_is_not_counted() -> None:
    seen = _remembering(_suspicion(count=2)).see(
        Kind.GHOST_POSITION, SUBJECT, spacing=SPACING, counts=False
    )
    assert (seen.count, seen.first_seen_at) == (0, NOW - SPACING)


def test_2_4_6_a_discrepancy_never_goes_silent() -> None:
    """There is no retry budget: it stays confirmed, and its incident open, while it stands."""
    seen = _remembering(_suspicion(count=1000)).see(Kind.GHOST_POSITION, SUBJECT, spacing=SPACING)
    assert is_confirmed(seen, confirmations=3)


@pytest.mark.parametrize(("before", "confirmed"), [(1, False), (2, True)])
def test_2_4_10_a_ghost_is_confirmed_by_the_third_look(before: int, *, confirmed: bool) -> None:
    seen = _remembering(_suspicion(before)).see(Kind.GHOST_POSITION, SUBJECT, spacing=SPACING)
    assert is_confirmed(seen, confirmations=3) is confirmed


def test_2_4_11_what_is_seen_no_more_is_forgotten_after_a_full_look() -> None:
    before = _suspicion()
    assert _remembering(before).changes(settled=POSITION_FAMILY) == ((), (before.key,))
