"""Tables 2.2 and 2.3: the venue does not show the order, and orders in flight."""

from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.cycle.suspicion_book import ORDER_FAMILY, SuspicionBook
from reconciler.domain.identity import BookOrderId
from reconciler.domain.orders import OrderState
from reconciler.domain.snapshot import Found
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.domain.verdicts import OrderVerdictKind as Kind
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.order_status import find_absent
from reconciler.rules.vocabulary import state_of as word_means
from tests.unit.builders import (
    A_DAY,
    ACCOUNT,
    BOOK,
    NOW,
    book_order,
    fill,
    not_found,
    unanswered,
    venue_order,
)
from tests.unit.rules.decision_rows import OrderCase, Outcome, outcome_of
from tests.unit.rules.judging import ORDER_LIMITS

S = OrderState
SECOND = timedelta(seconds=1)
SPACING = timedelta(seconds=30)
CONFIRMATIONS = 2
OLD, YOUNG, NEW = A_DAY + SECOND, A_DAY, ORDER_LIMITS.grace - SECOND
ID = BookOrderId("o1")


def _missing(filled: str = "0") -> Outcome:
    return Kind.MISSING, None, Decimal(filled)


def _quarantine(filled: str = "0") -> Outcome:
    return Kind.QUARANTINE, S.UNKNOWN, Decimal(filled)


def _by_age(row: str, word: str, *, filled: str = "0") -> list[OrderCase]:
    """Proven missing: a suspicion up to 24 h, quarantined after, whatever its word."""
    return [
        OrderCase(
            row=row,
            what=f"{word}, {what}",
            book=book_order(state=word_means(word), raw_status=word, age=age, filled=filled),
            lookup=not_found(),
            outcome=outcome,
        )
        for what, age, outcome in (
            ("24 h old", YOUNG, _missing(filled)),
            ("older", OLD, _quarantine(filled)),
        )
    ]


CASES = (
    *_by_age("2.2-1", "submitted"),
    *_by_age("2.2-1", "pending_new"),
    *_by_age("2.2-2", "accepted"),
    *_by_age("2.2-3", "partially_filled", filled="0.4"),
    OrderCase(
        row="2.2-3",
        what="and more of its fills are known",
        book=book_order(state=S.PARTIALLY_FILLED, filled="0.4", age=OLD),
        lookup=not_found(fill("0.4", fill_id="a"), fill("0.3", fill_id="b")),
        outcome=_quarantine("0.7"),
    ),
    OrderCase(
        row="2.2-3",
        what="and its fills make it whole",
        book=book_order(state=S.PARTIALLY_FILLED, filled="0.4", age=OLD),
        lookup=not_found(fill("0.4", fill_id="a"), fill("0.6", fill_id="b")),
        outcome=(Kind.ENDED, S.FILLED, Decimal(1)),
    ),
    *_by_age("2.2-4", "triggered"),
    *_by_age("2.2-5", "pending_update"),
    *_by_age("2.2-5", "pending_cancel"),
    *[
        OrderCase(
            row=row,
            what=state,
            book=book_order(state=state, age=OLD),
            lookup=not_found(),
            outcome=(Kind.IN_SYNC, None, None),
        )
        for row, state in (
            ("2.2-6", S.FILLED),
            ("2.2-7", S.CANCELED),
            ("2.2-7", S.EXPIRED),
            ("2.2-7", S.REJECTED),
        )
    ],
    OrderCase(
        row="2.2-8",
        what="how it ended",
        book=book_order(age=OLD),
        lookup=Found(order=venue_order(state=S.CANCELED), by="venue_order_id"),
        outcome=(Kind.ENDED, S.CANCELED, Decimal(0)),
    ),
    OrderCase(
        row="2.2-8",
        what="that it lives",
        book=book_order(age=OLD),
        lookup=Found(order=venue_order(), by="venue_order_id"),
        outcome=(Kind.INCONCLUSIVE, None, None),
    ),
    OrderCase(
        row="2.2-9",
        what="however old",
        book=book_order(age=90 * A_DAY),
        lookup=unanswered(),
        outcome=(Kind.INCONCLUSIVE, None, None),
    ),
    OrderCase(
        row="2.2-11",
        what="the listing lacks it, however old",
        book=book_order(age=90 * A_DAY),
        outcome=(Kind.UNCHECKED, None, None),
    ),
    OrderCase(
        row="2.3-1",
        what="young",
        book=book_order(state=S.IN_FLIGHT, age=NEW),
        lookup=not_found(),
        outcome=(Kind.IN_GRACE, None, None),
    ),
    *_by_age("2.3-5", "in_flight"),
    *_by_age("2.3-6", "PENDING_CANCEL"),
    OrderCase(
        row="2.3-7",
        what="filled meanwhile",
        book=book_order(state=S.FILLED, filled="1"),
        lookup=not_found(),
        outcome=(Kind.IN_SYNC, None, None),
    ),
)
STAGED = ("2.2-8", "2.2-9", "2.2-10", *(f"2.3-{n}" for n in range(1, 9)))
"""Rows that also (or only) concern what is remembered from look to look: the tests below."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_row(case: OrderCase) -> None:
    assert outcome_of(case) == case.outcome


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_absence_never_ends_an_order(case: OrderCase) -> None:
    """That engine rejects or cancels here. Ours ends by the venue's word, or by all its fills."""
    _, state, filled = outcome_of(case)
    if state in {S.REJECTED, S.CANCELED, S.EXPIRED}:
        assert isinstance(case.lookup, Found)
    if state is S.FILLED:
        assert case.book is not None
        assert filled == case.book.qty


def _suspicion(count: int = 1, *, ago: timedelta = SPACING) -> Suspicion:
    key = SuspicionKey(book=BOOK, account=ACCOUNT, kind=Kind.MISSING, subject=ID)
    at = NOW - ago
    return Suspicion(key=key, first_seen_at=at, last_seen_at=at, count=count, counted_at=at)


def _remembering(*suspicions: Suspicion) -> SuspicionBook:
    memory = {(s.key.kind, s.key.subject): s for s in suspicions}
    return SuspicionBook(memory, book=BOOK, account=ACCOUNT, now=NOW)


def test_2_2_8_what_a_lookup_finds_starts_the_count_over() -> None:
    suspicions = _remembering(_suspicion(count=9))
    seen = suspicions.see(Kind.ENDED, ID, spacing=SPACING, saying="canceled 0")
    assert seen.count == 1
    keep, drop = suspicions.changes(settled=ORDER_FAMILY)
    assert [s.key.kind for s in keep] == [Kind.ENDED]
    assert [key.kind for key in drop] == [Kind.MISSING]


def test_2_2_9_a_lookup_that_raises_neither_counts_nor_ages() -> None:
    before = _suspicion()
    suspicions = _remembering(before)
    suspicions.leave(ORDER_FAMILY, ID)
    assert suspicions.changes(settled=ORDER_FAMILY) == ((), ())


def test_2_2_10_a_row_that_is_gone_takes_its_suspicion_along() -> None:
    before = _suspicion()
    assert _remembering(before).changes(settled=ORDER_FAMILY) == ((), (before.key,))


@pytest.mark.parametrize(("age", "asked"), [(NEW, False), (ORDER_LIMITS.grace, True)])
def test_2_3_1_and_3_an_order_is_asked_for_after_its_grace(age: timedelta, *, asked: bool) -> None:
    row = book_order(state=S.IN_FLIGHT, age=age)
    found = find_absent(rows=[row], listed={}, now=NOW, limits=ORDER_LIMITS, first_seen={})
    assert found == ((row,) if asked else ())


@pytest.mark.parametrize(("ago", "count"), [(SPACING - SECOND, 1), (SPACING, 2), (2 * SPACING, 2)])
def test_2_3_2_and_3_looks_count_when_they_are_apart(ago: timedelta, count: int) -> None:
    seen = _remembering(_suspicion(ago=ago)).see(Kind.MISSING, ID, spacing=SPACING)
    assert seen.count == count


def test_2_3_4_an_order_without_a_turn_is_deferred() -> None:
    """Our backlog is that of lookups: who had no turn is not judged, counted or forgotten."""
    suspicions = _remembering(_suspicion(count=1))
    suspicions.stand(ORDER_FAMILY, ID)
    assert suspicions.changes(settled=ORDER_FAMILY) == ((), ())


def test_2_3_7_an_order_that_left_is_tracked_no_more() -> None:
    """Its verdict is `in_sync`, which remembers nothing."""
    before = _suspicion(count=9)
    _, drop = _remembering(before).changes(settled=ORDER_FAMILY)
    assert drop == (before.key,)


@pytest.mark.parametrize(("looks", "confirmed"), [(1, False), (2, True), (3, True)])
def test_2_3_8_the_last_look_confirms(looks: int, *, confirmed: bool) -> None:
    """On the look that makes the number full, not on the one after it."""
    remembered: tuple[Suspicion, ...] = ()
    for look in range(looks):
        memory = {(s.key.kind, s.key.subject): s for s in remembered}
        at = NOW + look * SPACING
        suspicions = SuspicionBook(memory, book=BOOK, account=ACCOUNT, now=at)
        seen = suspicions.see(Kind.MISSING, ID, spacing=SPACING)
        remembered = (seen,)
    assert is_confirmed(seen, confirmations=CONFIRMATIONS) is confirmed
