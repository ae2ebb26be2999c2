"""One pass told to metrics and health."""

from collections.abc import Iterable
from datetime import UTC, datetime

from reconciler.cycle.account_cycle import PassResult
from reconciler.cycle.facts import PassFacts
from reconciler.domain.identity import AccountName
from reconciler.domain.outcome import OutcomeState
from reconciler.store.counting import Counts
from reconciler.telemetry.health import HealthBoard
from reconciler.telemetry.metrics import Metrics

JUDGED = frozenset({OutcomeState.PARITY, OutcomeState.DISCREPANCY})


class Teller:
    """Knows which fact goes where."""

    def __init__(
        self, *, metrics: Metrics, health: HealthBoard, accounts: Iterable[AccountName]
    ) -> None:
        self._accounts = tuple(accounts)
        self._metrics = metrics
        self._health = health

    def tell(self, job: str, account: AccountName, result: PassResult, seconds: float) -> None:
        """After each pass."""
        now = datetime.now(UTC)
        state = result.outcome.state
        self._health.cycle_finished(job, account, result.outcome, now)
        self._metrics.cycle_finished(job, account, state)
        self._metrics.cycle_duration_seconds.labels(job).observe(seconds)
        if state in JUDGED:
            self._metrics.last_success_timestamp_seconds.labels(job, account).set(now.timestamp())
        self._tell_facts(account, result.facts)

    def _tell_facts(self, account: AccountName, facts: PassFacts) -> None:
        metrics, health = self._metrics, self._health
        if facts.snapshot is not None:
            metrics.record_snapshot(facts.snapshot)
            health.set_coverage(account, facts.not_covered)
        self._tell_people(account, facts)
        if facts.open_orders is not None:
            metrics.open_orders.labels(account).set(facts.open_orders)
        if facts.stale_by_profile is not None:
            self._tell_backlog(account, facts)
        if facts.discrepancies is not None:
            metrics.set_position_discrepancies(account, facts.discrepancies)
        if facts.unattributed is not None:
            metrics.set_unattributed(account, facts.unattributed)
        for status, count in facts.synced.items():
            metrics.orders_synced_total.labels(account, status).inc(count)
        metrics.orders_quarantined_total.labels(account).inc(facts.quarantined)
        metrics.profiles_deactivated_total.labels(account).inc(facts.deactivated)
        for guard, trips in facts.guard_trips.items():
            metrics.guard_trips_total.labels(account, guard).inc(trips)
        if facts.skew_of_database is not None:
            seconds = facts.skew_of_database.total_seconds()
            metrics.clock_skew_seconds.labels("database").set(seconds)
        if facts.skew_of_venue is not None:
            metrics.clock_skew_seconds.labels(f"venue:{account}").set(
                facts.skew_of_venue.total_seconds()
            )

    def _tell_people(self, account: AccountName, facts: PassFacts) -> None:
        """What waits for a person, or for a bot."""
        if facts.paused is not None:
            self._health.set_pause(account, facts.paused or None)
        if facts.pending is not None:
            self._health.set_pending(account, facts.pending)

    def _tell_backlog(self, account: AccountName, facts: PassFacts) -> None:
        backlog = facts.stale_by_profile or {}
        gauges = {
            profile: (
                stale.count,
                stale.oldest_age.total_seconds() if stale.oldest_age else 0.0,
                stale.quarantined,
            )
            for profile, stale in backlog.items()
        }
        self._metrics.set_profile_gauges(account, gauges)
        self._health.set_orders(
            account,
            {profile: (count, age) for profile, (count, age, _) in gauges.items()},
            quarantined=sum(quarantined for _, _, quarantined in gauges.values()),
        )

    def tell_counts(self, counts: Counts) -> None:
        """After each look at our own tables."""
        self._metrics.set_incidents_open(counts.incidents)
        by_severity: dict[str, int] = {}
        for (severity, _), n in counts.incidents.items():
            by_severity[severity] = by_severity.get(severity, 0) + n
        self._health.set_incidents(by_severity)
        self._metrics.outbox_pending.set(counts.outbox_pending)
        for account in self._accounts:
            self._metrics.profiles_contained.labels(account).set(counts.contained.get(account, 0))
