"""What the venue's answer means for an order, row by row."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.snapshot import AnswerKind, Found, Lookup
from reconciler.domain.verdicts import OrderVerdictKind as Kind
from reconciler.rules.order_status import find_absent, is_stale, judge_orphans
from tests.unit.builders import (
    A_DAY,
    A_MINUTE,
    BTC,
    ETH,
    NOW,
    SELL,
    book_order,
    fill,
    not_found,
    unanswered,
    venue_order,
)
from tests.unit.rules.judging import ORDER_LIMITS, judge_row

S = OrderState
GRACE, SLA = ORDER_LIMITS.grace, ORDER_LIMITS.stale_after
SECOND = timedelta(seconds=1)
LIVE = [S.IN_FLIGHT, S.OPEN, S.PARTIALLY_FILLED, S.CANCELING]
TERMINAL = [S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED]
SKEWED = replace(ORDER_LIMITS, why_not_age="clocks differ by 90 s")


def _found(order: VenueOrder) -> Found:
    return Found(order=order, by="venue_order_id")


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize(
    ("age", "kind"),
    [
        (timedelta(seconds=59), Kind.IN_GRACE),
        (timedelta(minutes=5), Kind.MISSING),
        (A_DAY, Kind.MISSING),
        (A_DAY + SECOND, Kind.QUARANTINE),
        (30 * A_DAY, Kind.QUARANTINE),
    ],
)
def test_a_proven_missing_order_is_quarantined_by_age_whatever_its_state(
    state: OrderState, age: timedelta, kind: Kind
) -> None:
    verdict = judge_row(book_order(state=state, age=age), lookup=not_found())
    assert verdict.kind is kind
    assert verdict.state is (S.UNKNOWN if kind is Kind.QUARANTINE else None)


@pytest.mark.parametrize("age", [timedelta(hours=2), 30 * A_DAY])
@pytest.mark.parametrize(
    ("incomplete", "lookup", "kind"),
    [
        ("the trigger orders were not answered", None, Kind.INCONCLUSIVE),
        ("the trigger orders were not answered", not_found(), Kind.INCONCLUSIVE),
        (None, None, Kind.UNCHECKED),
        *[(None, unanswered(answer), Kind.INCONCLUSIVE) for answer in AnswerKind],
        (None, _found(venue_order()), Kind.INCONCLUSIVE),
        (None, _found(venue_order(state=S.UNMAPPED)), Kind.INCONCLUSIVE),
        (None, _found(venue_order(state=S.UNKNOWN)), Kind.INCONCLUSIVE),
    ],
)
def test_absence_that_is_not_proven_is_nothing(
    age: timedelta, incomplete: str | None, lookup: Lookup | None, kind: Kind
) -> None:
    verdict = judge_row(book_order(age=age), incomplete=incomplete, lookup=lookup)
    assert (verdict.kind, verdict.state, verdict.filled) == (kind, None, None)


@pytest.mark.parametrize(
    ("row", "retention", "reason"),
    [
        (book_order(age=2 * A_DAY), timedelta(hours=2), "forgotten"),
        (book_order(age=2 * A_DAY), 3 * A_DAY, "never_seen"),
        (book_order(age=2 * A_DAY), None, "never_seen"),
        (book_order(age=2 * A_DAY, venue_id=None), timedelta(hours=2), "forgotten"),
        (book_order(age=2 * A_DAY, client_id=None), timedelta(hours=2), "forgotten"),
        (
            book_order(age=2 * A_DAY, venue_id=None, client_id=None),
            timedelta(hours=2),
            "unidentifiable",
        ),
    ],
)
def test_a_quarantine_says_why(row: BookOrder, retention: timedelta | None, reason: str) -> None:
    limits = replace(ORDER_LIMITS, retention=retention)
    verdict = judge_row(row, lookup=not_found(), limits=limits)
    assert (verdict.kind, verdict.quarantine_reason) == (Kind.QUARANTINE, reason)


def test_ages_that_cannot_be_trusted_quarantine_nothing() -> None:
    verdict = judge_row(book_order(age=9 * A_DAY), lookup=not_found(), limits=SKEWED)
    assert verdict.kind is Kind.MISSING
    assert "clocks differ by 90 s" in verdict.reason


@pytest.mark.parametrize("state", TERMINAL)
@pytest.mark.parametrize("before", ["0.1", "0.4"])
@pytest.mark.parametrize("listed", [False, True])
def test_a_proven_end_is_learnt_with_its_fills(
    state: OrderState, before: str, *, listed: bool
) -> None:
    shown = venue_order(state=state, filled="0.4", avg_price="101")
    row = book_order(filled=before, state=S.PARTIALLY_FILLED)
    verdict = judge_row(row, listed=shown) if listed else judge_row(row, lookup=_found(shown))
    assert (verdict.kind, verdict.state) == (Kind.ENDED, state)
    assert (verdict.filled, verdict.avg_price) == (Decimal("0.4"), Decimal(101))


@pytest.mark.parametrize("state", [*TERMINAL, *LIVE])
@pytest.mark.parametrize("listed", [False, True])
def test_a_venue_that_shows_less_filled_than_the_book_teaches_nothing(
    state: OrderState, *, listed: bool
) -> None:
    shown = venue_order(state=state, filled="0.1")
    row = book_order(filled="0.4", state=S.PARTIALLY_FILLED)
    verdict = judge_row(row, listed=shown) if listed else judge_row(row, lookup=_found(shown))
    assert (verdict.kind, verdict.state) == (Kind.INCONCLUSIVE, None)


@pytest.mark.parametrize(
    "other",
    [venue_order(state=S.CANCELED, side=SELL), venue_order(state=S.CANCELED, symbol=ETH)],
)
def test_another_order_under_a_reused_id_ends_nothing(other: VenueOrder) -> None:
    assert judge_row(book_order(), lookup=_found(other)).kind is Kind.INCONCLUSIVE


@pytest.mark.parametrize(
    ("row", "shown", "learnt"),
    [
        (book_order(), venue_order(), None),  # resting: normal at any age
        (book_order(age=90 * A_DAY), venue_order(), None),
        (book_order(state=S.OPEN), venue_order(filled="0.3"), S.PARTIALLY_FILLED),
        (book_order(state=S.IN_FLIGHT), venue_order(filled="0.3"), S.PARTIALLY_FILLED),
        (book_order(state=S.CANCELING), venue_order(filled="0.3"), S.CANCELING),
        (
            book_order(state=S.OPEN),
            venue_order(state=S.CANCELING, filled="0.3"),
            S.PARTIALLY_FILLED,
        ),
        (
            book_order(state=S.PARTIALLY_FILLED, filled="0.3"),
            venue_order(state=S.PARTIALLY_FILLED, filled="0.3"),
            None,
        ),
        (book_order(state=S.IN_FLIGHT, age=SLA), venue_order(), None),
        (book_order(state=S.IN_FLIGHT, age=SLA + SECOND), venue_order(), S.OPEN),
        (
            book_order(state=S.IN_FLIGHT, age=SLA + SECOND),
            venue_order(state=S.IN_FLIGHT),
            None,
        ),
    ],
)
def test_what_a_live_listing_teaches(
    row: BookOrder, shown: VenueOrder, learnt: OrderState | None
) -> None:
    verdict = judge_row(row, listed=shown)
    assert verdict.kind is (Kind.IN_SYNC if learnt is None else Kind.ADVANCED)
    assert verdict.state is learnt
    assert verdict.filled == (None if learnt is None else shown.filled)


@pytest.mark.parametrize(
    "shown",
    [
        venue_order(filled="0.3"),
        venue_order(state=S.CANCELED, filled="0.1"),
        venue_order(state=S.UNMAPPED, filled="0.1"),
        venue_order(filled="0.05"),
    ],
)
def test_a_row_just_touched_is_not_judged(shown: VenueOrder) -> None:
    row = book_order(filled="0.1", state=S.PARTIALLY_FILLED, touched=GRACE / 2)
    assert judge_row(row, listed=shown).kind is Kind.IN_GRACE
    assert judge_row(row, listed=shown, first_seen=5 * GRACE).kind is not Kind.IN_GRACE


@pytest.mark.parametrize(
    ("age", "touched", "kind"),
    [
        (GRACE / 2, -A_DAY, Kind.IN_GRACE),
        (timedelta(hours=2), -A_DAY, Kind.UNCHECKED),
        (timedelta(hours=2), -GRACE, Kind.IN_GRACE),
        (timedelta(hours=2), -GRACE - SECOND, Kind.UNCHECKED),
    ],
)
def test_a_time_in_the_future_gives_no_grace(
    age: timedelta, touched: timedelta, kind: Kind
) -> None:
    assert judge_row(book_order(age=age, touched=touched)).kind is kind


def test_a_resting_order_just_touched_is_in_sync() -> None:
    assert judge_row(book_order(touched=SECOND), listed=venue_order()).kind is Kind.IN_SYNC


@pytest.mark.parametrize(
    ("row_state", "venue_state", "touched", "first_seen", "kind"),
    [
        (S.CANCELING, S.OPEN, GRACE, None, Kind.IN_GRACE),
        (S.IN_FLIGHT, S.CANCELING, A_DAY, None, Kind.IN_GRACE),
        (S.CANCELING, S.OPEN, SLA, None, Kind.IN_GRACE),
        (S.CANCELING, S.OPEN, SLA + SECOND, None, Kind.STUCK),
        (S.CANCELING, S.CANCELING, SLA + SECOND, None, Kind.STUCK),
        # touched at every tick: counts from when it was first seen so
        (S.CANCELING, S.OPEN, SECOND, 4 * GRACE, Kind.IN_GRACE),
        (S.CANCELING, S.OPEN, SECOND, SLA, Kind.IN_GRACE),
        (S.CANCELING, S.OPEN, SECOND, SLA + SECOND, Kind.STUCK),
        # only the venue says so: the row's own time is of another event
        (S.OPEN, S.CANCELING, 3 * A_DAY, None, Kind.IN_GRACE),
        (S.OPEN, S.CANCELING, 3 * A_DAY, SLA, Kind.IN_GRACE),
        (S.OPEN, S.CANCELING, 3 * A_DAY, SLA + SECOND, Kind.STUCK),
    ],
)
def test_an_order_being_cancelled_is_stuck_after_its_sla(
    row_state: OrderState,
    venue_state: OrderState,
    touched: timedelta,
    first_seen: timedelta | None,
    kind: Kind,
) -> None:
    row = book_order(state=row_state, age=5 * A_DAY, touched=touched)
    verdict = judge_row(row, listed=venue_order(state=venue_state), first_seen=first_seen)
    assert verdict.kind is kind


def test_ages_that_cannot_be_trusted_call_nothing_stuck() -> None:
    row = book_order(state=S.CANCELING, age=A_DAY)
    verdict = judge_row(row, listed=venue_order(), limits=SKEWED)
    assert verdict.kind is Kind.INCONCLUSIVE
    assert "clocks differ by 90 s" in verdict.reason


def test_fills_that_make_an_order_whole_prove_its_end() -> None:
    fills = (fill("0.4", fill_id="a", price="100"), fill("0.6", fill_id="b", price="110"))
    verdict = judge_row(book_order(), lookup=not_found(*fills, fills[0]))
    assert (verdict.kind, verdict.state) == (Kind.ENDED, S.FILLED)
    assert (verdict.filled, verdict.avg_price) == (Decimal(1), Decimal(106))


@pytest.mark.parametrize(
    ("row", "qty", "filled", "avg_price"),
    [
        (book_order(age=2 * A_DAY), "0.4", "0.4", "100"),
        (book_order(age=2 * A_DAY, filled="0.4"), "0.4", "0.4", "100"),
        # fills of a part are no average of the whole, and lower nothing
        (book_order(age=2 * A_DAY, filled="0.6"), "0.4", "0.6", None),
        # a close-position order has no size that fills could reach
        (book_order(age=2 * A_DAY, qty="0"), "0.4", "0.4", "100"),
    ],
)
def test_fills_of_a_part_are_kept_in_quarantine(
    row: BookOrder, qty: str, filled: str, avg_price: str | None
) -> None:
    verdict = judge_row(row, lookup=not_found(fill(qty)))
    assert (verdict.kind, verdict.state) == (Kind.QUARANTINE, S.UNKNOWN)
    assert verdict.filled == Decimal(filled)
    assert verdict.avg_price == (None if avg_price is None else Decimal(avg_price))


@pytest.mark.parametrize("other", [fill("1", side=SELL), fill("1", symbol=ETH)])
def test_fills_of_another_side_or_symbol_prove_nothing(other: object) -> None:
    verdict = judge_row(book_order(age=2 * A_DAY), lookup=not_found(other))  # type: ignore[arg-type]
    assert (verdict.kind, verdict.filled) == (Kind.QUARANTINE, Decimal(0))


@pytest.mark.parametrize("state", TERMINAL)
@pytest.mark.parametrize(
    ("shown", "touched", "kind"),
    [
        (None, SECOND, Kind.IN_SYNC),
        (venue_order(state=S.CANCELED), None, Kind.IN_SYNC),
        (venue_order(state=S.UNMAPPED), None, Kind.IN_SYNC),
        (venue_order(), SECOND, Kind.IN_GRACE),
        (venue_order(), None, Kind.ORPHAN),
    ],
)
def test_an_order_that_the_book_ended_is_at_most_an_orphan(
    state: OrderState, shown: VenueOrder | None, touched: timedelta | None, kind: Kind
) -> None:
    verdict = judge_row(book_order(state=state, touched=touched), listed=shown)
    assert (verdict.kind, verdict.state) == (kind, None)


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (None, Kind.QUARANTINED),
        (venue_order(), Kind.REAPPEARED),
        (venue_order(state=S.FILLED, filled="1"), Kind.REAPPEARED),
    ],
)
def test_a_quarantined_order_is_never_released(shown: VenueOrder | None, kind: Kind) -> None:
    verdict = judge_row(book_order(state=S.UNKNOWN, age=9 * A_DAY), listed=shown)
    assert (verdict.kind, verdict.state) == (kind, None)


@pytest.mark.parametrize("shown", [None, venue_order(), venue_order(state=S.FILLED)])
def test_a_word_outside_the_vocabulary_is_reported_only(shown: VenueOrder | None) -> None:
    row = book_order(state=S.UNMAPPED, raw_status="zonked", age=9 * A_DAY)
    verdict = judge_row(row, listed=shown, lookup=not_found())
    assert (verdict.kind, verdict.state) == (Kind.UNMAPPED, None)
    assert "zonked" in verdict.reason


def test_to_look_up_are_live_rows_past_their_grace_that_the_listing_lacks() -> None:
    rows = [
        book_order("absent"),
        book_order("shown"),
        book_order("young", age=GRACE / 2),
        book_order("touched", touched=GRACE / 2),
        book_order("touched for ever", touched=GRACE / 2),
        *[book_order(state, state=state) for state in [*TERMINAL, S.UNKNOWN, S.UNMAPPED]],
    ]
    absent = find_absent(
        rows=rows,
        listed={rows[1].id: venue_order()},
        now=NOW,
        limits=ORDER_LIMITS,
        first_seen={rows[4].id: NOW - 5 * GRACE},
    )
    assert [row.id for row in absent] == ["absent", "touched for ever"]


def test_orphans_are_live_orders_only() -> None:
    orders = [venue_order(state, state=state) for state in [*LIVE, *TERMINAL, S.UNMAPPED]]
    orphans = judge_orphans(unmatched=orders)
    assert {v.subject for v in orphans} == {f"{BTC}|{state}" for state in LIVE}
    assert {v.kind for v in orphans} == {Kind.ORPHAN}


@pytest.mark.parametrize(
    ("state", "age", "touched", "shown", "stale"),
    [
        (S.IN_FLIGHT, SLA, None, True, False),
        (S.IN_FLIGHT, SLA + SECOND, None, True, True),
        (S.CANCELING, SLA + SECOND, None, True, True),
        (S.CANCELING, 9 * A_DAY, A_MINUTE, True, False),  # being cancelled for a minute
        (S.CANCELING, 9 * A_DAY, A_MINUTE, False, True),
        (S.CANCELING, 9 * A_DAY, SLA, True, False),
        (S.OPEN, 9 * A_DAY, None, True, False),  # resting
        (S.OPEN, SLA + SECOND, None, False, True),
        (S.OPEN, SLA, None, False, False),
        (S.PARTIALLY_FILLED, 9 * A_DAY, None, True, False),
        (S.UNKNOWN, 9 * A_DAY, None, False, False),
        (S.FILLED, 9 * A_DAY, None, False, False),
    ],
)
def test_stale_is_over_its_sla_in_transit_or_not_shown(
    state: OrderState, age: timedelta, touched: timedelta | None, *, shown: bool, stale: bool
) -> None:
    row = book_order(state=state, age=age, touched=touched, symbol=BTC)
    assert is_stale(row, shown_live=shown, now=NOW, stale_after=SLA) is stale


def test_a_cancel_touched_at_every_tick_is_stale_since_it_was_first_seen() -> None:
    row = book_order(state=S.CANCELING, age=A_DAY, touched=SECOND)
    first = NOW - SLA - SECOND
    assert is_stale(row, shown_live=True, now=NOW, stale_after=SLA, first_seen_at=first)


def test_a_resting_order_is_not_stale_whatever_was_seen_of_it() -> None:
    first = NOW - A_DAY
    row = book_order(state=S.OPEN, age=9 * A_DAY)
    assert not is_stale(row, shown_live=True, now=NOW, stale_after=SLA, first_seen_at=first)


@pytest.mark.parametrize(
    ("age", "span"),
    [
        (timedelta(hours=26, minutes=5), "26 h 5 min old"),
        (timedelta(minutes=59, seconds=59), "59 min old"),
        (timedelta(minutes=1), "1 min old"),
    ],
)
def test_a_reason_tells_the_age_as_people_do(age: timedelta, span: str) -> None:
    assert span in judge_row(book_order(age=age), lookup=not_found()).reason
