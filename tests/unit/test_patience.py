"""Back-off of one account: it grows, it ends, and it is never confused with Retry-After."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.cycle.account_cycle import PassResult
from reconciler.cycle.facts import PassFacts
from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import Outcome, OutcomeState
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Failure,
    Scope,
    ScopeName,
    Snapshot,
)
from reconciler.jobs.patience import Patience

MAIN = AccountName("main")
MINUTE = timedelta(minutes=1)


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def patience(clock: _Clock) -> Patience:
    return Patience(interval=MINUTE, luck=lambda: 0.5, clock=clock)


def _result(
    state: OutcomeState,
    sentence: str = "x",
    *,
    retry_after: timedelta | None = None,
    scopes: dict[ScopeName, AnswerKind | None] | None = None,
) -> PassResult:
    outcome = Outcome(account=MAIN, state=state, sentence=sentence, retry_after=retry_after)
    return PassResult(
        outcome=outcome, facts=PassFacts(snapshot=_snapshot(scopes) if scopes else None)
    )


def _snapshot(scopes: dict[ScopeName, AnswerKind | None]) -> Snapshot:
    def scope(name: ScopeName, kind: AnswerKind | None) -> Scope:
        if kind is None:
            return Scope(name=name, completeness=Completeness.COMPLETE)
        failure = Failure(kind=kind, call="x", detail="x")
        return Scope(name=name, completeness=Completeness.FAILED, failure=failure)

    return Snapshot(
        account=MAIN,
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
        scopes={name: scope(name, kind) for name, kind in scopes.items()},
    )


def _down(kind: AnswerKind = AnswerKind.NO_ANSWER) -> PassResult:
    scopes: dict[ScopeName, AnswerKind | None] = dict.fromkeys(
        (ScopeName.POSITIONS, ScopeName.OPEN_ORDERS), kind
    )
    return _result(OutcomeState.NOT_JUDGED, scopes=scopes)


def _no_markets() -> PassResult:
    return replace(_result(OutcomeState.NOT_JUDGED), venue_gave_nothing=True)


def _judged() -> PassResult:
    return _result(OutcomeState.PARITY, scopes={ScopeName.POSITIONS: None})


@pytest.mark.parametrize(
    "failed", [_down, lambda: _down(AnswerKind.AUTH), _no_markets], ids=["down", "auth", "markets"]
)
def test_it_grows_and_the_first_judged_pass_ends_it(
    patience: Patience, failed: Callable[[], PassResult]
) -> None:
    waits = []
    for _ in range(5):
        patience.learn(failed())
        waits.append(patience.to_wait().total_seconds())
    assert waits == [30, 60, 120, 150, 150]
    assert not patience.asked_to_wait(), "a person may ask all the same"
    patience.learn(_judged())
    assert not patience.to_wait()
    patience.learn(failed())
    assert patience.to_wait() == timedelta(seconds=30)


def test_it_ends_with_time(patience: Patience, clock: _Clock) -> None:
    patience.learn(_down())
    clock.now += 29
    assert patience.to_wait() == timedelta(seconds=1)
    clock.now += 1
    assert not patience.to_wait()


def test_a_shared_pass_counts_once(patience: Patience) -> None:
    failed = _down()
    patience.learn(failed)
    patience.learn(replace(failed, facts=PassFacts()))
    patience.learn(_no_markets())
    assert patience.to_wait() == timedelta(seconds=60)


@pytest.mark.parametrize(
    "result",
    [
        _result(OutcomeState.NOT_JUDGED, "Postgres did not answer"),
        _result(OutcomeState.FAILED, "KeyError"),
        _result(OutcomeState.HELD, "held by another daemon"),
        _result(
            OutcomeState.NOT_JUDGED,
            scopes={ScopeName.POSITIONS: None, ScopeName.TRIGGER_ORDERS: AnswerKind.NO_ANSWER},
        ),
    ],
    ids=["database", "bug", "held", "other scope"],
)
def test_what_is_not_the_whole_venues_trouble_delays_nothing(
    patience: Patience, result: PassResult
) -> None:
    patience.learn(result)
    assert not patience.to_wait()


@pytest.mark.parametrize("luck", [0.0, 0.5, 1.0])
def test_retry_after_is_never_cut_short_nor_overruled(clock: _Clock, luck: float) -> None:
    patience = Patience(interval=MINUTE, luck=lambda: luck, clock=clock)
    asked = timedelta(seconds=40)
    throttled = _result(
        OutcomeState.NOT_JUDGED,
        retry_after=asked,
        scopes={ScopeName.POSITIONS: AnswerKind.THROTTLED},
    )
    patience.learn(throttled)
    assert asked <= patience.asked_to_wait() <= asked * 1.1
    assert patience.to_wait() == patience.asked_to_wait()
    patience.learn(_judged())
    assert patience.asked_to_wait() >= asked


def test_throttled_without_retry_after_backs_off(patience: Patience) -> None:
    scopes: dict[ScopeName, AnswerKind | None] = {
        ScopeName.POSITIONS: None,
        ScopeName.OPEN_ORDERS: AnswerKind.THROTTLED,
    }
    for _ in range(2):
        patience.learn(_result(OutcomeState.NOT_JUDGED, scopes=scopes))
    assert patience.to_wait() == timedelta(seconds=60)
    assert not patience.asked_to_wait()
