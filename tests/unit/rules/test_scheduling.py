"""How often an account is looked at: what the budget holds, and what an outage leaves of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.identity import AccountName
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Failure,
    Scope,
    ScopeName,
    Snapshot,
)
from reconciler.rules.scheduling import (
    BACK_OFF_AT_MOST,
    SCHEDULED_SHARE,
    Intervals,
    LookCost,
    back_off,
    intervals_that_hold,
    look_failed,
    shortest_interval,
    wait_asked_for,
)

BINANCE = LookCost(weight=85, requests=3, weight_per_minute=2400, rate_share=0.5)
ALPACA = LookCost(weight=2, requests=2, weight_per_minute=200, rate_share=0.5, per_account=True)
BYBIT = LookCost(
    weight=35,
    requests=7,
    weight_per_minute=3000,
    rate_share=0.5,
    per_account=True,
    requests_per_minute=7200,
)
SECOND = timedelta(seconds=1)

costs = st.builds(
    LookCost,
    weight=st.floats(min_value=0.1, max_value=1000),
    requests=st.integers(min_value=1, max_value=40),
    weight_per_minute=st.floats(min_value=10, max_value=100_000),
    rate_share=st.floats(min_value=0.01, max_value=1),
    per_account=st.booleans(),
    requests_per_minute=st.none() | st.floats(min_value=10, max_value=100_000),
)
accounts = st.integers(min_value=1, max_value=2000)
spans = st.integers(min_value=1, max_value=7200).map(lambda tenths: tenths * SECOND / 10)
luck = st.floats(min_value=0, max_value=1)


@pytest.mark.parametrize(
    ("cost", "count", "one_key", "seconds"),
    [
        # 85 of (2400 / 2 * 3/4 =) 900 a minute, for each account.
        (BINANCE, 1, 1, 5.667),
        (BINANCE, 10, 1, 56.667),
        (BINANCE, 1000, 1, 5666.667),
        (replace(BINANCE, rate_share=1.0), 10, 1, 28.334),
        # 2 of (200 / 2 * 3/4 =) 75 a minute, each account for itself.
        (ALPACA, 1, 1, 1.6),
        (ALPACA, 1000, 1, 1.6),
        (ALPACA, 1000, 2, 3.2),
        # By account 35 of 1125 a minute; by address 7 of 2700 requests.
        (BYBIT, 1, 1, 1.867),
        (BYBIT, 1000, 1, 155.556),
        # One account and a huge budget: bounded by nothing that anybody would configure.
        (replace(BINANCE, weight_per_minute=10**9), 1, 1, 0.001),
    ],
)
def test_the_shortest_interval(cost: LookCost, count: int, one_key: int, seconds: float) -> None:
    found = shortest_interval(cost, accounts=count, of_one_key=one_key)
    assert found == timedelta(seconds=seconds)


@given(cost=costs, count=accounts)
def test_more_accounts_never_shorten_it(cost: LookCost, count: int) -> None:
    assert shortest_interval(cost, accounts=count) <= shortest_interval(cost, accounts=count + 1)


@given(cost=costs, count=accounts)
def test_it_holds_every_budget_and_leaves_the_headroom(cost: LookCost, count: int) -> None:
    minutes = shortest_interval(cost, accounts=count) / timedelta(minutes=1)
    ours = cost.rate_share * SCHEDULED_SHARE * (1 + 1e-9)
    sharing = 1 if cost.per_account else count
    assert sharing * cost.weight <= minutes * cost.weight_per_minute * ours
    if cost.requests_per_minute is not None:
        assert count * cost.requests <= minutes * cost.requests_per_minute * ours


@pytest.mark.parametrize(
    ("wanted", "shortest", "held"),
    [
        ((60, 60), 57, (60, 60)),
        ((60, 60), 70, (70, 70)),
        # Multiples fall together: a look every 20 s.
        ((60, 20), 20, (60, 20)),
        ((60, 20), 25, (75, 25)),
        ((20, 60), 25, (25, 75)),
        # 60 and 45 do not: a look every 25.7 s.
        ((60, 45), 25, (60, 45)),
        ((60, 45), 30, (90, 45)),
        ((60, 45), 100, (100, 100)),
    ],
)
def test_intervals_are_stretched_only_where_they_must(
    wanted: tuple[int, int], shortest: int, held: tuple[int, int]
) -> None:
    assert intervals_that_hold(_every(*wanted), shortest=shortest * SECOND) == _every(*held)


def _every(reconciliation: int, order_status_sync: int) -> Intervals:
    return Intervals(
        reconciliation=reconciliation * SECOND, order_status_sync=order_status_sync * SECOND
    )


@given(reconciliation=spans, order_status_sync=spans, shortest=spans)
def test_held_intervals_hold_and_are_never_shorter_than_wanted(
    reconciliation: timedelta, order_status_sync: timedelta, shortest: timedelta
) -> None:
    wanted = Intervals(reconciliation=reconciliation, order_status_sync=order_status_sync)
    held = intervals_that_hold(wanted, shortest=shortest)
    assert held.between_looks >= shortest
    assert held.reconciliation >= wanted.reconciliation
    assert held.order_status_sync >= wanted.order_status_sync
    assert intervals_that_hold(held, shortest=shortest) == held


@pytest.mark.parametrize(
    ("failures", "chance", "seconds"),
    [
        (0, 1.0, 0),
        (1, 1.0, 60),
        (2, 1.0, 120),
        (3, 1.0, 240),
        (4, 1.0, 300),
        (5000, 1.0, 300),
        (3, 0.25, 60),
        (3, 0.0, 0),
    ],
)
def test_back_off_doubles_up_to_the_limit(failures: int, chance: float, seconds: int) -> None:
    found = back_off(failures=failures, interval=timedelta(minutes=1), luck=chance)
    assert found == seconds * SECOND


@given(failures=st.integers(min_value=0, max_value=10**6), interval=spans, chance=luck)
def test_back_off_is_bounded_and_the_first_failure_skips_no_look(
    failures: int, interval: timedelta, chance: float
) -> None:
    found = back_off(failures=failures, interval=interval, luck=chance)
    assert timedelta(0) <= found <= BACK_OFF_AT_MOST
    assert back_off(failures=1, interval=interval, luck=chance) <= interval


@given(asked=spans, chance=luck)
def test_what_the_venue_asks_for_is_never_cut_short(asked: timedelta, chance: float) -> None:
    assert asked <= wait_asked_for(asked, luck=chance) <= asked * 1.11


FAILED, PARTIAL, COMPLETE = Completeness.FAILED, Completeness.PARTIAL, Completeness.COMPLETE
NO_ANSWER, AUTH, THROTTLED = AnswerKind.NO_ANSWER, AnswerKind.AUTH, AnswerKind.THROTTLED


@pytest.mark.parametrize(
    ("scopes", "failed"),
    [
        ([(COMPLETE, None), (COMPLETE, None)], False),
        ([(FAILED, NO_ANSWER), (COMPLETE, None)], False),
        ([(FAILED, AUTH), (COMPLETE, None)], False),
        ([(FAILED, NO_ANSWER), (PARTIAL, NO_ANSWER)], False),
        ([(FAILED, NO_ANSWER), (FAILED, NO_ANSWER)], True),
        ([(FAILED, AUTH), (FAILED, AUTH)], True),
        ([(COMPLETE, None), (FAILED, THROTTLED)], True),
        ([], False),
    ],
)
def test_a_look_fails_as_a_whole_or_by_throttling(
    scopes: list[tuple[Completeness, AnswerKind | None]], *, failed: bool
) -> None:
    names = (ScopeName.TRIGGER_ORDERS, ScopeName.POSITIONS)
    snapshot = Snapshot(
        account=AccountName("main"),
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
        scopes={
            name: Scope(
                name=name,
                completeness=completeness,
                failure=Failure(kind=kind, call="x", detail="x") if kind else None,
            )
            for name, (completeness, kind) in zip(names, scopes, strict=False)
        },
    )
    assert look_failed(snapshot) is failed
