"""The metrics of DESIGN section 9: names, labels, zeroes, and ages that grow by themselves."""

from datetime import UTC, datetime

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse

from reconciler.domain.identity import AccountName
from reconciler.domain.incidents import IncidentKind
from reconciler.domain.outcome import OutcomeState
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Failure,
    Scope,
    ScopeName,
    Snapshot,
)
from reconciler.telemetry.metrics import Metrics

CONTRACT = {
    "cycles_total": {"job", "account", "outcome"},
    "cycle_duration_seconds": {"job"},
    "last_success_timestamp_seconds": {"job", "account"},
    "snapshot_complete": {"account", "scope"},
    "snapshot_age_seconds": {"account", "scope"},
    "open_orders": {"account"},
    "stale_orders": {"profile"},
    "stale_order_oldest_age_seconds": {"profile"},
    "quarantined_orders": {"profile"},
    "orders_quarantined_total": {"account"},
    "orders_synced_total": {"account", "status"},
    "position_discrepancies": {"account", "kind"},
    "profiles_deactivated_total": {"account"},
    "profiles_contained": {"account"},
    "incidents_open": {"severity", "kind"},
    "guard_trips_total": {"account", "guard"},
    "venue_requests_total": {"account", "call", "outcome"},
    "venue_request_duration_seconds": {"account", "call"},
    "clock_skew_seconds": {"source"},
    "auth_probe_up": {"probe"},
    "auth_probes_total": {"outcome"},
    "auth_rejections_total": {"surface", "code"},
    "notifications_total": {"outcome"},
    "outbox_pending": set[str](),
    "startup_reconciliation_complete": set[str](),
    "build_info": {"version", "python", "ccxt"},
}


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def metrics(clock: _Clock) -> Metrics:
    metrics = Metrics(monotonic=clock)
    metrics.declare(["main", "spare"])
    return metrics


def _samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = metrics.render()[0].decode()
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in parse(text)
        for one in family.samples
    }


def _of(metrics: Metrics, name: str, **labels: str) -> float | None:
    return _samples(metrics).get((f"reconciler_{name}", tuple(sorted(labels.items()))))


def _snapshot(**scopes: Completeness) -> Snapshot:
    failure = Failure(kind=AnswerKind.NO_ANSWER, call="x", detail="x")
    return Snapshot(
        account=AccountName("main"),
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
        scopes={
            ScopeName(name): Scope(
                name=ScopeName(name),
                completeness=how,
                failure=None if how is Completeness.COMPLETE else failure,
            )
            for name, how in scopes.items()
        },
    )


def test_every_metric_of_the_contract_and_no_other(metrics: Metrics) -> None:
    metrics.set_profile_gauges("main", {"p": (1, 5.0, 0)})
    metrics.venue_request("main", "positions", "answered", 0.1)
    metrics.clock_skew_seconds.labels("database").set(0)
    metrics.auth_probe_up.labels("sign_in").set(1)
    metrics.auth_rejections_total.labels("rest", "401").inc()
    shown: dict[str, set[str]] = {}
    for name, labels in _samples(metrics):
        if name.startswith("reconciler_"):
            plain = name.removeprefix("reconciler_")
            for suffix in ("_bucket", "_count", "_sum"):
                plain = plain.removesuffix(suffix)
            shown.setdefault(plain, set()).update(key for key, _ in labels if key != "le")
    assert shown == CONTRACT


def test_every_metric_has_help_and_the_units_are_in_it(metrics: Metrics) -> None:
    for family in parse(metrics.render()[0].decode()):
        if family.name.startswith("reconciler_"):
            assert len(family.documentation) > 20, family.name
            assert ("seconds" in family.name) <= ("seconds" in family.documentation), family.name


def test_combinations_are_there_at_zero(metrics: Metrics) -> None:
    samples = _samples(metrics)
    for account in ("main", "spare"):
        for outcome in OutcomeState:
            for job in ("reconciliation", "order_status_sync"):
                cycles = (("account", account), ("job", job), ("outcome", str(outcome)))
                assert samples["reconciler_cycles_total", cycles] == 0
        requests = (("account", account), ("call", "positions"), ("outcome", "throttled"))
        assert samples["reconciler_venue_requests_total", requests] == 0
    for kind in IncidentKind:
        incidents = (("kind", str(kind)), ("severity", "SEV-1"))
        assert samples["reconciler_incidents_open", incidents] == 0
    assert _of(metrics, "guard_trips_total", account="main", guard="mass_change") == 0
    assert _of(metrics, "notifications_total", outcome="failed") == 0
    assert _of(metrics, "startup_reconciliation_complete") == 0


def test_declaring_again_keeps_the_counts(metrics: Metrics) -> None:
    metrics.cycle_finished("reconciliation", "main", OutcomeState.PARITY)
    metrics.declare(["main", "third"])
    labels = {"job": "reconciliation", "outcome": "parity"}
    assert _of(metrics, "cycles_total", account="main", **labels) == 1
    assert _of(metrics, "cycles_total", account="third", **labels) == 0


def test_profiles_come_and_go_by_account(metrics: Metrics) -> None:
    metrics.set_profile_gauges("main", {"p1": (2, 900.0, 1), "p2": (0, 0.0, 0)})
    metrics.set_profile_gauges("spare", {"p3": (1, 60.0, 0)})
    assert _of(metrics, "stale_orders", profile="p1") == 2
    assert _of(metrics, "quarantined_orders", profile="p1") == 1
    metrics.set_profile_gauges("main", {"p2": (0, 0.0, 0)})
    assert _of(metrics, "stale_orders", profile="p1") is None
    assert _of(metrics, "stale_order_oldest_age_seconds", profile="p1") is None
    assert _of(metrics, "stale_orders", profile="p2") == 0
    assert _of(metrics, "stale_orders", profile="p3") == 1


def test_a_profile_of_two_accounts_is_summed(metrics: Metrics) -> None:
    metrics.set_profile_gauges("main", {"p": (2, 900.0, 1)})
    metrics.set_profile_gauges("spare", {"p": (1, 60.0, 3)})
    assert _of(metrics, "stale_orders", profile="p") == 3
    assert _of(metrics, "stale_order_oldest_age_seconds", profile="p") == 900
    assert _of(metrics, "quarantined_orders", profile="p") == 4
    metrics.set_profile_gauges("main", {})
    assert _of(metrics, "stale_orders", profile="p") == 1


def test_ages_grow_between_cycles(metrics: Metrics, clock: _Clock) -> None:
    metrics.set_profile_gauges("main", {"old": (1, 900.0, 0), "none": (0, 0.0, 0)})
    metrics.record_snapshot(_snapshot(positions=Completeness.COMPLETE))
    clock.now += 30
    assert _of(metrics, "stale_order_oldest_age_seconds", profile="old") == 930
    assert _of(metrics, "stale_order_oldest_age_seconds", profile="none") == 0
    assert _of(metrics, "snapshot_age_seconds", account="main", scope="positions") == 30


def test_only_a_complete_scope_makes_the_age_young(metrics: Metrics, clock: _Clock) -> None:
    age = {"account": "main", "scope": "positions"}
    clock.now += 100
    assert _of(metrics, "snapshot_age_seconds", **age) == 100  # none yet: since the start
    metrics.record_snapshot(_snapshot(positions=Completeness.PARTIAL))
    assert _of(metrics, "snapshot_age_seconds", **age) == 100
    assert _of(metrics, "snapshot_complete", **age) == 0
    metrics.record_snapshot(_snapshot(positions=Completeness.COMPLETE))
    assert _of(metrics, "snapshot_age_seconds", **age) == 0
    assert _of(metrics, "snapshot_complete", **age) == 1


def test_scopes_that_the_venue_lacks_go_away(metrics: Metrics) -> None:
    assert _of(metrics, "snapshot_complete", account="main", scope="balances") == 0
    metrics.record_snapshot(_snapshot(positions=Completeness.COMPLETE))
    assert _of(metrics, "snapshot_complete", account="main", scope="balances") is None
    assert _of(metrics, "snapshot_age_seconds", account="main", scope="balances") is None
    assert _of(metrics, "snapshot_complete", account="spare", scope="balances") == 0


def test_incidents_and_discrepancies_left_out_are_none(metrics: Metrics) -> None:
    metrics.set_incidents_open({("SEV-1", "ghost_position"): 2})
    metrics.set_position_discrepancies("main", {"ghost_position": 2})
    assert _of(metrics, "incidents_open", severity="SEV-1", kind="ghost_position") == 2
    metrics.set_incidents_open({})
    metrics.set_position_discrepancies("main", {})
    assert _of(metrics, "incidents_open", severity="SEV-1", kind="ghost_position") == 0
    assert _of(metrics, "position_discrepancies", account="main", kind="ghost_position") == 0


def test_process_and_python_are_shown(metrics: Metrics) -> None:
    names = {name for name, _ in _samples(metrics)}
    assert {"process_resident_memory_bytes", "process_open_fds", "python_info"} <= names
    assert not any(name.endswith("_created") for name in names)


def test_build_info_is_one_and_tells_versions(metrics: Metrics) -> None:
    (labels,) = (dict(key[1]) for key in _samples(metrics) if key[0] == "reconciler_build_info")
    assert labels["ccxt"].startswith("4.")
    assert _of(metrics, "build_info", **labels) == 1


def test_openmetrics_to_who_asks_for_it(metrics: Metrics) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3"
    body, content_type = metrics.render(accept)
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    families = parse_openmetrics(body.decode())  # type: ignore[no-untyped-call]  # theirs
    assert "reconciler_cycles" in {family.name for family in families}


@pytest.mark.parametrize(
    "accept", ["", "*/*", "text/plain; version=x.y", "application/openmetrics-text; version=a"]
)
def test_any_accept_header_is_answered(metrics: Metrics, accept: str) -> None:
    body, content_type = metrics.render(accept)
    assert b"reconciler_cycles_total" in body
    assert "text" in content_type


def test_two_registries_do_not_meet(metrics: Metrics) -> None:
    other = Metrics()
    other.cycle_finished("reconciliation", "main", OutcomeState.FAILED)
    labels = {"job": "reconciliation", "account": "main", "outcome": "failed"}
    assert _of(metrics, "cycles_total", **labels) == 0
