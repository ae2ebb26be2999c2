"""The suspicions of one account during one pass, and from one pass to the next."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cycle.suspicion_book import (
    ORDER_FAMILY,
    POSITION_FAMILY,
    REWRITE_AFTER,
    SuspicionBook,
)
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.domain.verdicts import OrderVerdictKind as Order
from reconciler.domain.verdicts import PositionVerdictKind as Position
from reconciler.rules.confirmation import FORGET_AFTER
from reconciler.rules.grace import MAX_WINDOWS, explains
from tests.unit.builders import ACCOUNT, BOOK, NOW

SPACING = timedelta(seconds=10)
SECOND = timedelta(seconds=1)
GHOST = Position.GHOST_POSITION
LONG = "BTC/USDT:USDT|long"
Memory = dict[tuple[str, str], Suspicion]


def _book(memory: Memory, at: datetime = NOW) -> SuspicionBook:
    return SuspicionBook(memory, book=BOOK, account=ACCOUNT, now=at)


def _remembered(
    kind: str,
    subject: str = LONG,
    *,
    count: int = 1,
    first: datetime = NOW,
    last: datetime | None = None,
    tried: datetime | None = None,
) -> Suspicion:
    return Suspicion(
        key=SuspicionKey(book=BOOK, account=ACCOUNT, kind=kind, subject=subject),
        first_seen_at=first,
        last_seen_at=last or first,
        count=count,
        counted_at=first if count else None,
        tried_at=tried,
    )


def _memory(*suspicions: Suspicion) -> Memory:
    return {(s.key.kind, s.key.subject): s for s in suspicions}


def _after(memory: Memory, book: SuspicionBook, settled: Iterable[str] = ()) -> Memory:
    """What the store holds after this pass: drop, then keep."""
    keep, drop = book.changes(settled=settled)
    dropped = {(key.kind, key.subject) for key in drop}
    return {k: s for k, s in memory.items() if k not in dropped} | _memory(*keep)


def test_families_share_no_kind() -> None:
    assert not ORDER_FAMILY & POSITION_FAMILY


def test_a_verdict_counts_from_one_pass_to_the_next() -> None:
    memory: Memory = {}
    counts = []
    for look in range(3):
        book = _book(memory, NOW + look * SPACING)
        counts.append(book.see(GHOST, LONG, spacing=SPACING).count)
        memory = _after(memory, book, POSITION_FAMILY)
    assert counts == [1, 2, 3]
    assert memory[GHOST, LONG].first_seen_at == NOW


def test_one_pass_counts_once_however_often_it_looks() -> None:
    book = _book(_memory(_remembered(GHOST)), NOW + SPACING)
    counts = {book.see(GHOST, LONG, spacing=timedelta(0)).count for _ in range(3)}
    assert counts == {2}


def test_what_grace_explains_starts_the_count_anew_and_keeps_its_first_sight() -> None:
    memory = _memory(_remembered(GHOST, count=2))
    book = _book(memory, NOW + SPACING)
    seen = book.see(GHOST, LONG, spacing=SPACING, counts=False)
    assert (seen.count, seen.counted_at, seen.first_seen_at) == (0, None, NOW)


def test_another_verdict_about_the_same_starts_over_and_keeps_the_first_sight() -> None:
    memory = _memory(_remembered(Position.QUANTITY_MISMATCH, count=2))
    book = _book(memory, NOW + SPACING)
    seen = book.see(GHOST, LONG, spacing=SPACING)
    assert (seen.count, seen.first_seen_at) == (1, NOW)
    assert set(_after(memory, book)) == {(GHOST, LONG)}


@pytest.mark.parametrize(
    ("other", "subject"),
    [
        (GHOST, "BTC/USDT:USDT|short"),
        (GHOST, "ETH/USDT:USDT|long"),
        (Order.MISSING, LONG),
        (IncidentKind.CLOCK_SKEW, LONG),
    ],
)
def test_families_and_subjects_do_not_mix(other: str, subject: str) -> None:
    memory = _memory(_remembered(other, subject))
    book = _book(memory, NOW + SPACING)
    seen = book.see(GHOST, LONG, spacing=SPACING)
    assert (seen.count, seen.first_seen_at) == (1, NOW + SPACING)
    assert book.first_seen_at(POSITION_FAMILY, LONG) in {None, NOW}
    assert len(_after(memory, book)) == 2


@pytest.mark.parametrize(
    ("later", "first"),
    [(FORGET_AFTER, NOW), (FORGET_AFTER + SECOND, NOW + FORGET_AFTER + SECOND)],
)
def test_first_sight_is_forgotten_with_the_suspicion(later: timedelta, first: datetime) -> None:
    book = _book(_memory(_remembered(Position.QUANTITY_MISMATCH)), NOW + later)
    assert book.see(GHOST, LONG, spacing=SPACING).first_seen_at == first


def test_kinds_outside_both_families_stand_alone() -> None:
    memory = _memory(_remembered(IncidentKind.VENUE_AUTH, ""))
    book = _book(memory, NOW + SPACING)
    book.see(IncidentKind.VENUE_UNREACHABLE, "", spacing=SPACING)
    assert len(_after(memory, book)) == 2


@pytest.mark.parametrize(
    ("first", "second"), [(Order.IN_GRACE, Order.ORPHAN), (Order.ORPHAN, Order.IN_GRACE)]
)
def test_of_two_verdicts_in_one_pass_the_last_waits(first: Order, second: Order) -> None:
    memory = _memory(_remembered(first, "v1"))
    book = _book(memory, NOW + SPACING)
    book.see(first, "v1", spacing=SPACING, counts=False)
    book.see(second, "v1", spacing=SPACING)
    assert set(_after(memory, book)) == {(second, "v1")}


def test_an_orphan_without_a_time_is_confirmed_though_its_grace_is_watched() -> None:
    """The order stage sees IN_GRACE, then ORPHAN, of one subject in each pass."""
    memory: Memory = {}
    counts = []
    for look in range(4):
        book = _book(memory, NOW + look * SPACING)
        kept = book.see(Order.IN_GRACE, "v1", spacing=SPACING, counts=False)
        assert kept.first_seen_at == NOW
        counts.append(book.see(Order.ORPHAN, "v1", spacing=SPACING).count)
        memory = _after(memory, book, ORDER_FAMILY)
    assert counts == [1, 2, 3, 4]


@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_of_memory_never_matters(*, reverse: bool) -> None:
    """Two of one family can stand in the table of an older version."""
    stored = [
        _remembered(Order.IN_GRACE, "v1", count=0, last=NOW),
        _remembered(Order.ORPHAN, "v1", count=1, last=NOW),
    ]
    book = _book(_memory(*(stored[::-1] if reverse else stored)), NOW + SPACING)
    assert book.see(Order.ORPHAN, "v1", spacing=SPACING).count == 2


def test_what_was_not_seen_again_is_over_only_where_all_was_judged() -> None:
    memory = _memory(_remembered(GHOST), _remembered(Order.MISSING, "o1"))
    assert set(_after(memory, _book(memory))) == set(memory)
    assert set(_after(memory, _book(memory), POSITION_FAMILY)) == {(Order.MISSING, "o1")}
    assert _after(memory, _book(memory), POSITION_FAMILY | ORDER_FAMILY) == {}


def test_what_taught_nothing_neither_ages_nor_counts() -> None:
    memory = _memory(_remembered(Order.MISSING, "o1", count=1))
    book = _book(memory, NOW + 10 * SPACING)
    book.leave(ORDER_FAMILY, "o1")
    assert book.changes(settled=ORDER_FAMILY) == ((), ())


def test_looks_before_and_after_a_long_silence_are_not_in_a_row() -> None:
    memory = _memory(_remembered(Order.MISSING, "o1", count=1))
    at = NOW + FORGET_AFTER + SECOND
    book = _book(memory, at)
    assert book.first_seen_at(ORDER_FAMILY, "o1") is None
    book.leave(ORDER_FAMILY, "o1")
    assert _after(memory, book, ORDER_FAMILY) == {}
    assert _book(memory, at).see(Order.MISSING, "o1", spacing=SPACING).count == 1


def test_what_waits_for_its_turn_is_not_forgotten_and_does_not_count() -> None:
    memory = _memory(_remembered(Order.MISSING, "o1", count=1, tried=NOW))
    for minute in range(1, 180):
        book = _book(memory, NOW + timedelta(minutes=minute))
        book.stand(ORDER_FAMILY, "o1")
        memory = _after(memory, book, ORDER_FAMILY)
        assert memory[Order.MISSING, "o1"].count == 1
    book = _book(memory, NOW + timedelta(hours=3))
    assert book.see(Order.MISSING, "o1", spacing=SPACING).count == 2
    assert book.tried_at("o1") == NOW


def test_nothing_stands_that_was_never_seen() -> None:
    book = _book({})
    book.stand(ORDER_FAMILY, "o1")
    book.leave(ORDER_FAMILY, "o1")
    book.note_tried("o1")
    assert book.tried_at("o1") is None
    assert book.changes(settled=()) == ((), ())


def test_whose_turn_it_was_outlives_a_count_that_starts_over() -> None:
    """Else a backlog that takes over an hour to look up never gets past its first orders."""
    memory = _memory(_remembered(Order.MISSING, "o1", tried=NOW))
    book = _book(memory, NOW + 3 * FORGET_AFTER)
    assert book.tried_at("o1") == NOW
    assert book.see(Order.MISSING, "o1", spacing=SPACING, counts=False).tried_at == NOW


def test_a_lookup_is_noted_on_the_order_only() -> None:
    book = _book({})
    book.see(Order.MISSING, "o1", spacing=SPACING)
    book.see(Order.MISSING, "o2", spacing=SPACING)
    book.see(GHOST, "o1", spacing=SPACING)
    book.note_tried("o1")
    keep, _ = book.changes(settled=())
    tried = {(s.key.kind, s.key.subject) for s in keep if s.tried_at == NOW}
    assert tried == {(Order.MISSING.value, "o1")}


@pytest.mark.parametrize(
    ("later", "writes"),
    [(REWRITE_AFTER - SECOND, False), (REWRITE_AFTER, True)],
)
def test_a_steady_state_is_written_no_more_often_than_it_must(
    later: timedelta, *, writes: bool
) -> None:
    book = _book(_memory(_remembered(GHOST, count=0)), NOW + later)
    book.see(GHOST, LONG, spacing=SPACING, counts=False)
    keep, drop = book.changes(settled=POSITION_FAMILY)
    assert (bool(keep), drop) == (writes, ())


def test_rule_five_a_row_touched_at_every_tick_hides_a_ghost_for_five_windows_only() -> None:
    """The clock belongs to the difference, whatever it is called; only parity stops it."""
    grace = timedelta(seconds=30)
    memory: Memory = {}
    counted_after = None
    for second in range(0, 600, 5):
        now = NOW + second * SECOND
        kind = GHOST if (second // 5) % 2 or second > 100 else Position.QUANTITY_MISMATCH
        book = _book(memory, now)
        explained = explains(
            changed_at=now,
            first_seen_at=book.first_seen_at(POSITION_FAMILY, LONG),
            now=now,
            grace=grace,
        )
        seen = book.see(kind, LONG, spacing=SPACING, counts=not explained)
        if counted_after is None and seen.count:
            counted_after = second * SECOND
        memory = _after(memory, book, POSITION_FAMILY)
    assert counted_after == MAX_WINDOWS * grace
    assert _after(memory, _book(memory, NOW + timedelta(minutes=10)), POSITION_FAMILY) == {}


kinds = st.sampled_from([GHOST, Position.SIDE_MISMATCH, Order.MISSING, Order.ENDED, "clock_skew"])
sights = st.lists(st.tuples(kinds, st.sampled_from(["a", "b"]), st.booleans()), max_size=5)


@given(
    passes=st.lists(
        st.tuples(st.timedeltas(timedelta(0), timedelta(hours=2)), sights, st.booleans()),
        max_size=12,
    )
)
def test_after_every_pass_one_verdict_waits_for_each_subject_of_a_family(
    passes: Sequence[tuple[timedelta, list[tuple[str, str, bool]], bool]],
) -> None:
    memory: Memory = {}
    now = NOW
    for step, seen, complete in passes:
        now += step
        book = _book(memory, now)
        for kind, subject, counts in seen:
            before = memory.get((kind, subject))
            after = book.see(kind, subject, spacing=SPACING, counts=counts)
            assert after.count <= (before.count if before is not None else 0) + counts
            assert after.first_seen_at <= now
        memory = _after(memory, book, ORDER_FAMILY | POSITION_FAMILY if complete else ())
        for family in (ORDER_FAMILY, POSITION_FAMILY):
            waiting = [subject for kind, subject in memory if kind in family]
            assert len(set(waiting)) == len(waiting)
