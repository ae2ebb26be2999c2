"""Table 2.1: the venue shows the order."""

from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.snapshot import AnswerKind, Found
from reconciler.domain.verdicts import OrderVerdictKind as Kind
from reconciler.rules.vocabulary import state_of as word_means
from reconciler.venue.description import StatusWords
from reconciler.venue.translate import state_of
from tests.unit.builders import A_DAY, NOW, book_order, unanswered, venue_order
from tests.unit.rules.decision_rows import NOTHING, OrderCase, Outcome, outcome_of
from tests.unit.rules.judging import ORDER_LIMITS

S = OrderState
SECOND = timedelta(seconds=1)
SLA = ORDER_LIMITS.stale_after
IN_SYNC: Outcome = (Kind.IN_SYNC, None, None)
IN_GRACE: Outcome = (Kind.IN_GRACE, None, None)
INCONCLUSIVE: Outcome = (Kind.INCONCLUSIVE, None, None)
STUCK: Outcome = (Kind.STUCK, None, None)
ORPHAN: Outcome = (Kind.ORPHAN, None, None)
LIVE = (S.IN_FLIGHT, S.OPEN, S.PARTIALLY_FILLED, S.CANCELING)
ENDED_BADLY = (S.CANCELED, S.EXPIRED)
TERMINAL = (S.FILLED, *ENDED_BADLY, S.REJECTED)
PART = {"state": S.PARTIALLY_FILLED, "filled": "0.4"}


def _ended(state: OrderState, filled: str) -> Outcome:
    return Kind.ENDED, state, Decimal(filled)


def _advanced(state: OrderState, filled: str) -> Outcome:
    return Kind.ADVANCED, state, Decimal(filled)


def _found(order: VenueOrder, by: str = "venue_order_id") -> Found:
    return Found(order=order, by=by)


def _row(**more: object) -> BookOrder:
    return book_order(**more)  # type: ignore[arg-type]


def _case(
    row: str,
    what: str,
    book: BookOrder | None,
    shown: VenueOrder | Found | None,
    outcome: Outcome,
    *,
    first_seen: timedelta | None = None,
) -> OrderCase:
    """`shown`: in the listing, or by a lookup."""
    return OrderCase(
        row=row,
        what=what,
        book=book,
        listed=(shown,) if isinstance(shown, VenueOrder) else (),
        lookup=shown if isinstance(shown, Found) else None,
        first_seen=first_seen,
        outcome=outcome,
    )


def _consumed_parent(word: str) -> VenueOrder:
    """A stop that was triggered, as ccxt tells it: closed, its quantity filled or not."""
    state = state_of(
        status="closed",
        raw=word,
        filled=Decimal(1),
        qty=Decimal(1),
        is_trigger=True,
        words=StatusWords(),
    )
    return venue_order(state=state, filled="1")


CASES = (
    *[
        _case(
            "2.1-R1",
            f"{state} rejected",
            _row(state=state),
            _found(venue_order(state=S.REJECTED)),
            _ended(S.REJECTED, "0"),
        )
        for state in LIVE
    ],
    _case(
        "2.1-R1",
        "ended in the book",
        _row(state=S.CANCELED),
        venue_order(state=S.REJECTED),
        IN_SYNC,
    ),
    _case("2.1-R2", "in flight", _row(state=S.IN_FLIGHT, age=SLA), venue_order(), IN_SYNC),
    _case(
        "2.1-R2",
        "in flight for too long",
        _row(state=S.IN_FLIGHT, age=SLA + SECOND),
        venue_order(),
        _advanced(S.OPEN, "0"),
    ),
    _case(
        "2.1-R2",
        "in flight for too long, of another quantity",
        _row(state=S.IN_FLIGHT, age=SLA + SECOND),
        venue_order(qty="2"),
        _advanced(S.OPEN, "0"),
    ),
    _case("2.1-R3", "of another quantity", _row(), venue_order(qty="2"), IN_SYNC),
    _case(
        "2.1-R4",
        "filled at once",
        _row(state=S.IN_FLIGHT),
        _found(venue_order(state=S.FILLED, filled="1")),
        _ended(S.FILLED, "1"),
    ),
    _case(
        "2.1-R4",
        "filled in part at once",
        _row(state=S.IN_FLIGHT, age=SLA),
        venue_order(filled="0.4"),
        _advanced(S.PARTIALLY_FILLED, "0.4"),
    ),
    *[
        _case("2.1-R5", f"parent {word}", _row(), _found(_consumed_parent(word)), INCONCLUSIVE)
        for word in ("TRIGGERED", "FINISHED", "effective")
    ],
    _case(
        "2.1-R5",
        "its order rests under the same id",
        _row(state=word_means("untriggered")),
        venue_order(state=word_means("triggered")),
        IN_SYNC,
    ),
    *[
        _case(
            row,
            f"{before} filled before",
            _row(state=S.PARTIALLY_FILLED, filled=before),
            _found(venue_order(state=state, filled="0.4")),
            _ended(state, "0.4"),
        )
        for row, state in (("2.1-R6", S.CANCELED), ("2.1-R7", S.EXPIRED))
        for before in ("0.1", "0.4")
    ],
    *[
        _case("2.1-R8", f"{book}, shown {state}", _row(state=book), shown, IN_SYNC)
        for book in TERMINAL
        for state in ENDED_BADLY
        for shown in [venue_order(state=state, filled="0.4")]
    ],
    _case(
        "2.1-R9", "in part", _row(), venue_order(filled="0.4"), _advanced(S.PARTIALLY_FILLED, "0.4")
    ),
    _case(
        "2.1-R9",
        "more of it",
        _row(**PART),
        venue_order(filled="0.7"),
        _advanced(S.PARTIALLY_FILLED, "0.7"),
    ),
    _case(
        "2.1-R9",
        "in full",
        _row(**PART),
        _found(venue_order(state=S.FILLED, filled="1")),
        _ended(S.FILLED, "1"),
    ),
    *[
        _case(
            "2.1-R10",
            f"{state} with less",
            _row(**PART),
            venue_order(state=state, filled="0.399"),
            INCONCLUSIVE,
        )
        for state in (S.OPEN, S.PARTIALLY_FILLED, *TERMINAL)
    ],
    *[
        _case(
            "2.1-R11",
            f"{state} in the book",
            _row(state=state, filled="0.4"),
            venue_order(state=S.FILLED, filled="1"),
            IN_SYNC,
        )
        for state in TERMINAL
    ],
    _case(
        "2.1-R12",
        "the rest was cancelled",
        _row(**PART),
        _found(venue_order(state=S.FILLED, qty="0.4", filled="0.4")),
        _ended(S.FILLED, "0.4"),
    ),
    _case(
        "2.1-R13",
        "only the status is behind",
        _row(state=S.PARTIALLY_FILLED, filled="1"),
        _found(venue_order(state=S.FILLED, filled="1")),
        _ended(S.FILLED, "1"),
    ),
    _case(
        "2.1-R14",
        "being cancelled",
        _row(age=A_DAY),
        venue_order(state=S.CANCELING),
        IN_GRACE,
        first_seen=SLA,
    ),
    _case(
        "2.1-R14",
        "being cancelled for hours",
        _row(age=A_DAY),
        venue_order(state=S.CANCELING),
        STUCK,
        first_seen=timedelta(hours=3),
    ),
    *[
        _case(
            "2.1-R14",
            f"{word} for hours in the book",
            _row(state=word_means(word), age=A_DAY, touched=timedelta(hours=3)),
            venue_order(),
            STUCK,
        )
        for word in ("pending_cancel", "PendingCancel", "PENDING_CANCEL")
    ],
    _case(
        "2.1-R14",
        "being changed: it rests",
        _row(age=A_DAY),
        venue_order(state=word_means("pending_replace")),
        IN_SYNC,
    ),
    _case("2.1-R15", "the same", _row(**PART), venue_order(state=S.OPEN, filled="0.4"), IN_SYNC),
    OrderCase(
        row="2.1-R16",
        what="both halves are shown",
        book=_row(venue_id="v2"),
        listed=(venue_order("v1", state=S.CANCELED), venue_order("v2")),
        outcome=IN_SYNC,
    ),
    OrderCase(
        row="2.1-R16",
        what="only the cancelled half is shown: it is looked up",
        book=_row(venue_id="v2"),
        listed=(venue_order("v1", state=S.CANCELED, filled="0.4"),),
        outcome=(Kind.UNCHECKED, None, None),
    ),
    OrderCase(
        row="2.1-R16",
        what="the book has the id of the cancelled half",
        book=_row(venue_id="v1"),
        listed=(venue_order("v1", state=S.CANCELED), venue_order("v2")),
        outcome=IN_SYNC,
    ),
    OrderCase(
        row="2.1-R16",
        what="the lookup found what stands now",
        book=_row(venue_id="v1"),
        lookup=_found(venue_order("v2", state=S.FILLED, filled="1"), "client_order_id"),
        outcome=_ended(S.FILLED, "1"),
    ),
    _case(
        "2.1-R17",
        "by its client id",
        _row(venue_id="v1"),
        _found(venue_order("v2", state=S.CANCELED, filled="0.2"), "client_order_id"),
        _ended(S.CANCELED, "0.2"),
    ),
    _case(
        "2.1-R17",
        "the book has no venue id",
        _row(venue_id=None),
        venue_order("v9", state=S.CANCELED),
        _ended(S.CANCELED, "0"),
    ),
    _case(
        "2.1-R17",
        "of an order that used the client id before",
        _row(venue_id=None),
        venue_order("v9", state=S.CANCELED, created_at=NOW - A_DAY),
        INCONCLUSIVE,
    ),
    *[
        _case(row, f"{state}", None, venue_order(state=state, filled=filled), outcome)
        for row, state, filled, outcome in (
            ("2.1-R18", S.OPEN, "0", ORPHAN),
            ("2.1-R18", S.IN_FLIGHT, "0", ORPHAN),
            ("2.1-R19", S.CANCELED, "0.4", NOTHING),
            ("2.1-R19", S.EXPIRED, "0", NOTHING),
            ("2.1-R20", S.PARTIALLY_FILLED, "0.4", ORPHAN),
            ("2.1-R20", S.FILLED, "1", NOTHING),
            ("2.1-R21", S.REJECTED, "0", NOTHING),
        )
    ],
    _case("2.1-R22", "without a quantity", None, venue_order(qty=None), ORPHAN),
    _case(
        "2.1-R23",
        "cancelled, of less than was filled",
        _row(state=S.PARTIALLY_FILLED, filled="0.5"),
        _found(venue_order(state=S.FILLED, qty="0.3", filled="0.3")),
        INCONCLUSIVE,
    ),
    _case(
        "2.1-R23",
        "live, of less than was filled",
        _row(state=S.PARTIALLY_FILLED, filled="0.5"),
        venue_order(qty="0.3", filled="0.5"),
        IN_SYNC,
    ),
    OrderCase(
        row="2.1-R24",
        what="its market is not known",
        book=_row(age=9 * A_DAY),
        lookup=unanswered(AnswerKind.UNSUPPORTED),
        outcome=INCONCLUSIVE,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_row(case: OrderCase) -> None:
    assert outcome_of(case) == case.outcome


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_no_row_lowers_or_invents_what_is_filled(case: OrderCase) -> None:
    """Inferred fills, synthetic orders and amended quantities are not ours."""
    _, _, filled = outcome_of(case)
    if filled is None:
        return
    assert case.book is not None
    shown = case.lookup.order if isinstance(case.lookup, Found) else case.listed[0]
    assert case.book.filled <= filled == shown.filled


@pytest.mark.parametrize("by", ["listing", "lookup"])
@pytest.mark.parametrize(
    ("word", "state", "filled", "outcome"),
    [
        # done for the day: a partly filled order trades again tomorrow
        ("calculated", S.CANCELED, "0.4", INCONCLUSIVE),
        ("calculated", S.FILLED, "1", _ended(S.FILLED, "1")),
        ("done_for_day", S.EXPIRED, "0.4", INCONCLUSIVE),
        ("pending_cancel", S.CANCELED, "0", INCONCLUSIVE),
        ("PartiallyFilledCanceled", S.CANCELED, "0.4", _ended(S.CANCELED, "0.4")),
        # by which order is not said
        ("replaced", S.CANCELED, "0.4", INCONCLUSIVE),
        ("replaced", S.FILLED, "1", _ended(S.FILLED, "1")),
        # a number, or a word that only its venue uses: the adapter knows it
        ("4", S.CANCELED, "0.4", _ended(S.CANCELED, "0.4")),
    ],
)
def test_a_word_of_a_living_order_ends_nothing_that_is_not_filled(
    word: str, state: OrderState, filled: str, outcome: Outcome, by: str
) -> None:
    order = venue_order(state=state, filled=filled, raw_status=word)
    shown = order if by == "listing" else _found(order)
    assert outcome_of(_case("", word, _row(), shown, outcome)) == outcome
