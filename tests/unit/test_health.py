"""What `/health` and `/health/ready` say, state by state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import Outcome, OutcomeState
from reconciler.telemetry.health import HealthBoard
from reconciler.telemetry.redaction import Redactor

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
JOB = "reconciliation"


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration).total_seconds()


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def starting(clock: _Clock) -> HealthBoard:
    """Two accounts, none attempted yet."""
    redact = Redactor(["hunter2-secret"]).text
    board = HealthBoard(mode="enforce", version="1.2.3", redact=redact, clock=clock)
    board.job_expected(JOB, timedelta(seconds=60))
    board.database_up(up=True)
    board.startup_begun(["main", "spare"])
    return board


@pytest.fixture
def started(starting: HealthBoard) -> HealthBoard:
    for account in ("main", "spare"):
        _finish(starting, account, OutcomeState.PARITY)
        starting.account_attempted(account)
    return starting


def _finish(
    board: HealthBoard, account: str, state: OutcomeState, sentence: str = "why", job: str = JOB
) -> None:
    outcome = Outcome(account=AccountName(account), state=state, sentence=sentence)
    board.cycle_finished(job, account, outcome, AT)


def _named(board: HealthBoard) -> dict[str, str]:
    return {one["what"]: one["why"] for one in board.readiness()[1]["degraded"]}


def test_before_startup_begins_we_are_not_ready() -> None:
    board = HealthBoard(mode="observe", version="1")
    ready, body = board.readiness()
    assert not ready
    assert body["status"] == "failing"
    assert set(_named(board)) == {"startup_reconciliation", "database"}


def test_ready_once_every_account_was_attempted(starting: HealthBoard) -> None:
    assert starting.report()["startup_reconciliation"] == "running"
    starting.account_attempted("main")
    assert not starting.readiness()[0]
    assert _named(starting) == {"startup_reconciliation": "1 of 2 accounts not attempted yet"}
    starting.account_attempted("spare")
    assert starting.readiness() == (True, {"status": "ok", "degraded": []})
    assert starting.report()["startup_reconciliation"] == "complete"


def test_without_accounts_startup_is_complete_and_stays_ready(clock: _Clock) -> None:
    board = HealthBoard(mode="enforce", version="1", clock=clock)
    board.database_up(up=True)
    board.job_expected(JOB, timedelta(seconds=60))
    board.startup_begun([])
    clock.pass_by(hours=5)
    assert board.readiness()[0]


def test_a_failed_first_attempt_degrades_only(starting: HealthBoard) -> None:
    _finish(starting, "main", OutcomeState.FAILED, "the venue refused hunter2-secret")
    starting.account_attempted("main")
    _finish(starting, "spare", OutcomeState.PARITY)
    starting.account_attempted("spare")
    ready, body = starting.readiness()
    assert ready
    assert body == {
        "status": "degraded",
        "degraded": [{"what": "account main", "why": "the venue refused ***"}],
    }
    accounts = starting.report()["accounts"]
    assert accounts["main"]["degraded"] is True
    assert accounts["main"]["last_success"] is None
    assert accounts["spare"]["degraded"] is False


def test_every_account_failing_at_first_is_degraded_until_patience_ends(
    starting: HealthBoard, clock: _Clock
) -> None:
    for account in ("main", "spare"):
        _finish(starting, account, OutcomeState.FAILED)
        starting.account_attempted(account)
    assert starting.readiness()[0]
    clock.pass_by(minutes=5, seconds=1)
    assert not starting.readiness()[0]


def test_a_failed_startup_is_not_ready(starting: HealthBoard) -> None:
    starting.startup_failed("schema too new at postgresql://u:pw@db")
    starting.account_attempted("main")
    starting.account_attempted("spare")
    assert not starting.readiness()[0]
    assert starting.report()["startup_reconciliation"] == "failed"
    assert "pw@" not in _named(starting)["startup_reconciliation"]
    assert starting.report()["status"] == "failing"


def test_patience_with_jobs_begins_when_startup_is_over(
    starting: HealthBoard, clock: _Clock
) -> None:
    clock.pass_by(minutes=30)  # a thousand accounts, one by one
    starting.account_attempted("main")
    starting.account_attempted("spare")
    assert starting.readiness()[0]


@pytest.mark.parametrize(("interval", "patience"), [(60, 300), (10, 300), (120, 600)])
def test_patience_is_five_intervals_and_five_minutes_at_least(
    started: HealthBoard, clock: _Clock, interval: float, patience: float
) -> None:
    started.job_expected(JOB, timedelta(seconds=interval))
    clock.pass_by(seconds=patience)
    assert started.readiness()[0]
    clock.pass_by(seconds=1)
    assert not started.readiness()[0]
    assert "job reconciliation" in _named(started)


def test_one_account_succeeding_keeps_us_ready(started: HealthBoard, clock: _Clock) -> None:
    for _ in range(20):
        clock.pass_by(minutes=1)
        _finish(started, "main", OutcomeState.DISCREPANCY)
        _finish(started, "spare", OutcomeState.FAILED, "connection refused")
    assert started.readiness()[0]
    assert _named(started) == {"account spare": "connection refused"}


@pytest.mark.parametrize("state", [OutcomeState.NOT_JUDGED, OutcomeState.FAILED])
def test_no_account_succeeding_ends_in_503(
    started: HealthBoard, clock: _Clock, state: OutcomeState
) -> None:
    for _ in range(6):
        clock.pass_by(minutes=1)
        _finish(started, "main", state)
        _finish(started, "spare", state)
    assert not started.readiness()[0]
    _finish(started, "main", OutcomeState.PARITY)
    assert started.readiness()[0]


def test_each_job_must_succeed(started: HealthBoard, clock: _Clock) -> None:
    started.job_expected("order_status_sync", timedelta(seconds=60))
    for _ in range(6):
        clock.pass_by(minutes=1)
        _finish(started, "main", OutcomeState.PARITY)
    assert set(_named(started)) == {"job order_status_sync"}
    _finish(started, "main", OutcomeState.PARITY, job="order_status_sync")
    assert started.readiness()[0]


def test_a_standby_is_healthy(started: HealthBoard, clock: _Clock) -> None:
    clock.pass_by(minutes=10)
    _finish(started, "main", OutcomeState.HELD)
    assert started.readiness() == (True, {"status": "ok", "degraded": []})


def test_a_job_without_accounts(started: HealthBoard, clock: _Clock) -> None:
    started.job_expected("auth_probe", timedelta(seconds=60))
    clock.pass_by(minutes=6)
    _finish(started, "main", OutcomeState.PARITY)
    assert set(_named(started)) == {"job auth_probe"}
    started.job_succeeded("auth_probe")
    assert started.readiness()[0]


def test_trouble_of_a_full_pass_outlives_success_of_orders_alone(started: HealthBoard) -> None:
    _finish(started, "main", OutcomeState.NOT_JUDGED, "no positions")
    _finish(started, "main", OutcomeState.PARITY, job="order_status_sync")
    assert _named(started) == {"account main": "no positions"}
    _finish(started, "main", OutcomeState.PARITY)
    assert _named(started) == {}


def test_a_full_pass_ends_the_trouble_of_orders(started: HealthBoard) -> None:
    _finish(started, "main", OutcomeState.NOT_JUDGED, "no fills", job="order_status_sync")
    _finish(started, "main", OutcomeState.PARITY)
    assert _named(started) == {}


def test_the_database_decides(started: HealthBoard) -> None:
    started.database_up(up=False, why="password=hunter2-secret refused")
    ready, body = started.readiness()
    assert (ready, body["status"]) == (False, "failing")
    assert "hunter2" not in str(started.report())
    assert started.report()["database"]["up"] is False
    started.database_up(up=True)
    assert started.readiness()[0]
    assert started.report()["database"] == {"up": True, "why": None}


def test_degraded_parts_and_their_recovery(started: HealthBoard) -> None:
    started.degraded("notifications", "slack answers 500")
    assert started.readiness() == (
        True,
        {
            "status": "degraded",
            "degraded": [{"what": "notifications", "why": "slack answers 500"}],
        },
    )
    started.recovered("notifications")
    started.recovered("never heard of")
    assert started.readiness()[1]["status"] == "ok"


def test_the_report_has_the_contracts_fields(started: HealthBoard, clock: _Clock) -> None:
    started.set_orders("main", {"p1": (2, 900.0), "p2": (0, 0.0)}, quarantined=1)
    started.set_orders("spare", {"p1": (1, 1800.0)}, quarantined=2)
    started.set_incidents({"SEV-1": 1})
    started.set_coverage("spare", ["spot balances"])
    started.set_interval("main", timedelta(minutes=1), note=None)
    started.set_interval("spare", timedelta(minutes=2), note="the budget holds no more")
    started.set_pause("spare", "paused by ADA without an end")
    clock.pass_by(seconds=30)
    last = AT.isoformat()
    expected: dict[str, Any] = {
        "status": "ok",
        "mode": "enforce",
        "startup_reconciliation": "complete",
        "stale_orders": {"total": 3, "oldest_age_seconds": 1830, "by_profile": {"p1": 3}},
        "quarantined_orders": 3,
        "incidents_open": {"SEV-1": 1, "SEV-2": 0, "SEV-3": 0},
        "accounts": {
            "main": {
                "last_success": last,
                "coverage": {"complete": True, "not_covered": []},
                "degraded": False,
                "pending_containments": {},
                "interval_seconds": 60.0,
                "note": None,
                "paused": None,
            },
            "spare": {
                "last_success": last,
                "coverage": {"complete": False, "not_covered": ["spot balances"]},
                "degraded": False,
                "pending_containments": {},
                "interval_seconds": 120.0,
                "note": "the budget holds no more",
                "paused": "paused by ADA without an end",
            },
        },
        "database": {"up": True, "why": None},
        "requests": {"heard_by": None, "up": False, "why": "not begun"},
        "version": "1.2.3",
        "degraded": [],
    }
    assert started.report() == expected


def test_a_containment_that_no_bot_has_confirmed_degrades(started: HealthBoard) -> None:
    started.set_pending("main", {"p1": "the bot does not answer"})
    report = started.report()
    assert report["accounts"]["main"]["pending_containments"] == {"p1": "the bot does not answer"}
    said = "containment pending: the bot does not answer"
    assert report["degraded"] == [{"what": "profile p1 of account main", "why": said}]
    assert started.readiness()[0], "it is no reason to take the daemon out of service"
    started.set_pending("main", {})
    assert started.report()["degraded"] == []


def test_orders_are_replaced_not_added(started: HealthBoard) -> None:
    started.set_orders("main", {"p1": (2, 900.0)}, quarantined=1)
    started.set_orders("main", {}, quarantined=0)
    report = started.report()
    assert report["stale_orders"] == {"total": 0, "oldest_age_seconds": 0, "by_profile": {}}
    assert report["quarantined_orders"] == 0
