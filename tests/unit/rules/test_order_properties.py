"""What holds for every order and every answer (rules 1, 2, 4, 6, 8)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.snapshot import AnswerKind, Found, Lookup, NotFound
from reconciler.domain.verdicts import OrderVerdict
from reconciler.domain.verdicts import OrderVerdictKind as Kind
from reconciler.rules.order_status import find_absent, judge_order
from tests.unit.builders import (
    BTC,
    BUY,
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
from tests.unit.rules.scaling import growth

quantities = st.decimals(min_value=0, max_value=10, places=4)
ages = st.timedeltas(timedelta(0), timedelta(days=10))
states = st.sampled_from(OrderState)
sides = st.sampled_from([BUY, SELL])
symbols = st.sampled_from([BTC, ETH])
rows = st.builds(
    book_order,
    state=states,
    qty=quantities,
    filled=quantities,
    age=ages,
    touched=ages,
    venue_id=st.sampled_from([None, "v1"]),
    client_id=st.sampled_from([None, "c1"]),
)
venue_orders = st.builds(
    venue_order, state=states, filled=quantities, side=sides, symbol=symbols, avg_price=st.none()
)
own_orders = st.builds(venue_order, state=states, filled=quantities)
fills = st.builds(fill, quantities, fill_id=st.sampled_from("abcd"), side=sides, symbol=symbols)
misses = st.lists(fills, max_size=4).map(lambda found: not_found(*found))
lookups: st.SearchStrategy[Lookup | None] = st.one_of(
    st.none(),
    st.builds(unanswered, st.sampled_from(AnswerKind)),
    st.builds(Found, order=venue_orders, by=st.just("venue_order_id")),
    misses,
)
reasons = st.sampled_from([None, "it is not complete"])
limits = st.sampled_from([ORDER_LIMITS, replace(ORDER_LIMITS, why_not_age="clocks differ")])
situations = st.fixed_dictionaries(
    {
        "row": rows,
        "listed": st.one_of(st.none(), own_orders),
        "incomplete": reasons,
        "lookup": lookups,
        "first_seen": st.one_of(st.none(), ages),
        "limits": limits,
    }
)
ABSENCE = {Kind.MISSING, Kind.QUARANTINE}


def _judge(situation: dict[str, object]) -> OrderVerdict:
    return judge_row(**situation)  # type: ignore[arg-type]


@given(situations)
def test_judging_twice_gives_the_same(situation: dict[str, object]) -> None:
    assert _judge(situation) == _judge(situation)


@given(situations)
def test_absence_follows_from_nothing_but_a_complete_listing_and_a_full_ladder(
    situation: dict[str, object],
) -> None:
    if _judge(situation).kind in ABSENCE:
        assert situation["listed"] is None
        assert situation["incomplete"] is None
        assert isinstance(situation["lookup"], NotFound)


@given(situations)
def test_nothing_younger_than_a_day_or_of_doubtful_age_is_quarantined(
    situation: dict[str, object],
) -> None:
    verdict = _judge(situation)
    if verdict.kind is Kind.QUARANTINE:
        row = situation["row"]
        assert isinstance(row, BookOrder)
        assert NOW - row.created_at > timedelta(hours=24)
        assert situation["limits"] is ORDER_LIMITS
        assert verdict.quarantine_reason in {"forgotten", "never_seen", "unidentifiable"}


@given(situations)
def test_a_filled_quantity_is_never_lowered_or_invented(situation: dict[str, object]) -> None:
    verdict, row = _judge(situation), situation["row"]
    assert isinstance(row, BookOrder)
    if verdict.filled is None:
        return
    assert verdict.filled >= row.filled
    seen = {row.filled}
    if verdict.venue_order is not None:
        seen.add(verdict.venue_order.filled)
    if isinstance(situation["lookup"], NotFound):
        ours = {f.id: f.qty for f in situation["lookup"].fills if (f.symbol, f.side) == (BTC, BUY)}
        seen.add(sum(ours.values(), Decimal(0)))
    assert verdict.filled in seen


@given(situations)
def test_only_live_rows_are_ever_written(situation: dict[str, object]) -> None:
    verdict, row = _judge(situation), situation["row"]
    assert isinstance(row, BookOrder)
    if verdict.state is not None:
        assert row.state.is_live
        assert verdict.kind in {Kind.ENDED, Kind.ADVANCED, Kind.QUARANTINE}
    if verdict.kind in {Kind.ENDED, Kind.ADVANCED, Kind.QUARANTINE}:
        assert verdict.state is not None
        assert verdict.filled is not None


@given(situations)
def test_an_end_is_told_by_the_venue_or_by_fills_that_make_it_whole(
    situation: dict[str, object],
) -> None:
    verdict, row = _judge(situation), situation["row"]
    assert isinstance(row, BookOrder)
    if verdict.kind is not Kind.ENDED:
        return
    if verdict.venue_order is not None:
        assert verdict.state is verdict.venue_order.state
        assert verdict.state.is_terminal
    else:
        assert verdict.state is OrderState.FILLED
        assert verdict.filled is not None
        assert verdict.filled >= row.qty > 0


@given(situations)
def test_money_is_decimal_end_to_end(situation: dict[str, object]) -> None:
    verdict = _judge(situation)
    assert isinstance(verdict.filled, Decimal | None)
    assert isinstance(verdict.avg_price, Decimal | None)


@given(situations)
def test_every_verdict_says_why_and_of_whom(situation: dict[str, object]) -> None:
    verdict = _judge(situation)
    assert verdict.reason
    assert verdict.subject == "o1"
    assert verdict.age is not None


@given(row=rows, first_seen=st.one_of(st.none(), ages))
def test_what_is_looked_up_is_what_a_lookup_can_settle(
    row: BookOrder, first_seen: timedelta | None
) -> None:
    """`find_absent` and the judge agree on who is live, absent and past its grace."""
    times = {} if first_seen is None else {row.id: NOW - first_seen}
    absent = find_absent(rows=[row], listed={}, now=NOW, limits=ORDER_LIMITS, first_seen=times)
    verdict = judge_row(row, first_seen=first_seen)
    assert bool(absent) is (verdict.kind is Kind.UNCHECKED)


def test_time_is_linear() -> None:
    listed: VenueOrder = venue_order(filled="0.5")

    def judging(count: int) -> Callable[[], object]:
        rows = [book_order(f"o{n}", age=timedelta(days=2)) for n in range(count)]
        found = {row.id: listed for row in rows[::2]}

        def run() -> None:
            find_absent(rows=rows, listed=found, now=NOW, limits=ORDER_LIMITS, first_seen={})
            for row in rows:
                judge_order(
                    row=row,
                    listed=found.get(row.id),
                    why_incomplete=None,
                    lookup=not_found(),
                    first_seen_at=None,
                    now=NOW,
                    limits=ORDER_LIMITS,
                )

        return run

    assert growth(judging) < 3
