"""Every metric of DESIGN section 9, in a registry of our own.

Label values come from bounded sets, and each combination that can occur is there at 0 from the
start (`declare`): a counter that appears with its first event hides that event from `rate()`.
"""

import platform
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    exposition,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.samples import Sample

from reconciler.domain.auth_probes import AuthClass
from reconciler.domain.auth_rejections import BOTS_SURFACES, CLOSES, REFUSALS
from reconciler.domain.incidents import IncidentKind, Severity
from reconciler.domain.orders import OrderState
from reconciler.domain.outcome import OutcomeState
from reconciler.domain.snapshot import AnswerKind, Completeness, ScopeName, Snapshot
from reconciler.domain.verdicts import HoldingVerdictKind, PositionVerdictKind
from reconciler.telemetry.ages import ComputedGauges, ProfileEntry

JOBS = ("reconciliation", "order_status_sync")
"""The jobs that pass over accounts."""
CALLS = (
    "markets",
    "open_orders",
    "trigger_orders",
    "positions",
    "balances",
    "order",
    "fills",
    "place_order",
    "cancel_order",
    "key_rights",
)
ANSWERS = ("answered", "not_found", *AnswerKind)
GUARDS = ("mass_change", "mass_containment", "clock_skew")
NOTIFICATION_OUTCOMES = ("delivered", "failed", "abandoned")
"""`failed` is one attempt, tried again later; `abandoned` is a notice given up."""
AUTH_REJECTIONS = {
    **dict.fromkeys(("api", "supabase", "bot"), REFUSALS),
    "websocket": (*REFUSALS, *CLOSES),
    **BOTS_SURFACES,
}
"""The codes that each surface refuses with for want of rights; those that begin with `bot_` are
what bots report.
"""
AUTH_OUTCOMES = ("passed", *AuthClass)
"""What a probe of sign-in found."""
SYNCED_STATES = (
    OrderState.OPEN,
    OrderState.PARTIALLY_FILLED,
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.EXPIRED,
    OrderState.REJECTED,
)
"""What an order in the book can be brought to; `unknown` is counted as quarantined."""
POSITION_DISCREPANCIES = tuple(kind for kind in PositionVerdictKind if kind.is_discrepancy)
DISCREPANCIES = (*POSITION_DISCREPANCIES, HoldingVerdictKind.UNATTRIBUTED)
"""The last one is of balances, not of positions."""

CYCLE_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
REQUEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The daemon's metrics. Attributes are named as the metrics are, without the prefix."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`monotonic` tells seconds; ages are counted with it."""
        # Series that tell when a series began would double everything, and nobody reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs has no annotation
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._computed = ComputedGauges(monotonic)
        self.registry.register(self._computed)
        self._define_cycles()
        self._define_findings()
        self._define_surroundings()

    def declare(self, accounts: Iterable[str], *, jobs: Iterable[str] = JOBS) -> None:
        """Bring every combination of labels that can occur into being, at 0.

        Profiles are not declared: they come and go with the book, see `set_profile_gauges`.
        """
        jobs = tuple(jobs)
        for job in jobs:
            self.cycle_duration_seconds.labels(job)
        for account in accounts:
            self._declare_account(account, jobs)
        for severity in Severity:
            for kind in IncidentKind:
                self.incidents_open.labels(severity, kind)
        for outcome in NOTIFICATION_OUTCOMES:
            self.notifications_total.labels(outcome)
        for found in AUTH_OUTCOMES:
            self.auth_probes_total.labels(found)
        for surface, codes in AUTH_REJECTIONS.items():
            for code in codes:
                self.auth_rejections_total.labels(surface, code)

    def declare_job(self, job: str, subject: str) -> None:
        """Bring what counts one job that asks no venue into being, at 0."""
        for outcome in OutcomeState:
            self.cycles_total.labels(job, subject, outcome)
        self.last_success_timestamp_seconds.labels(job, subject)

    def auth_probe(self, probe: str, passed: bool | None) -> None:  # noqa: FBT001 - what is told
        """One step of the probe of sign-in; None takes it away: it was not judged."""
        if passed is None:
            self.auth_probe_up.remove(probe)
        else:
            self.auth_probe_up.labels(probe).set(passed)

    def rejections(self) -> dict[str, int]:
        """Requests refused for want of rights since this process began, by surface; those of
        venues are `venue`.
        """
        totals: dict[str, int] = {"venue": 0}
        for sample in self._samples_of(self.auth_rejections_total):
            surface = sample.labels["surface"]
            totals[surface] = totals.get(surface, 0) + int(sample.value)
        for sample in self._samples_of(self.venue_requests_total):
            if sample.labels["outcome"] == AnswerKind.AUTH:
                totals["venue"] += int(sample.value)
        return totals

    @staticmethod
    def _samples_of(counter: Counter) -> list[Sample]:
        return [
            s for metric in counter.collect() for s in metric.samples if s.name.endswith("_total")
        ]

    def cycle_finished(self, job: str, account: str, outcome: OutcomeState) -> None:
        """Count one pass over one account."""
        self.cycles_total.labels(job, account, outcome).inc()

    def record_snapshot(self, snapshot: Snapshot) -> None:
        """How complete a snapshot just taken is; scopes that the venue does not have go away."""
        account = snapshot.account
        for name in ScopeName:
            scope = snapshot.scope(name)
            if scope is None:
                self.snapshot_complete.remove(account, name)
                self._computed.forget_scope(account, name)
            else:
                complete = scope.completeness is Completeness.COMPLETE
                self.snapshot_complete.labels(account, name).set(complete)
                if complete:
                    self._computed.scope_completed(account, name)

    def venue_request(self, account: str, call: str, outcome: str, seconds: float) -> None:
        """Count one request to a venue, and how long it took."""
        self.venue_requests_total.labels(account, call, outcome).inc()
        self.venue_request_duration_seconds.labels(account, call).observe(seconds)

    def set_profile_gauges(self, account: str, profiles: Mapping[str, ProfileEntry]) -> None:
        """Stale and quarantined orders of all profiles of one account; others of it vanish.

        An entry is (stale orders, age of the oldest in seconds, quarantined orders).
        """
        self._computed.set_profiles(account, profiles)

    def set_position_discrepancies(self, account: str, counts: Mapping[str, int]) -> None:
        """Positions of one account that differ now, by kind; a kind left out has none."""
        for kind in POSITION_DISCREPANCIES:
            self.position_discrepancies.labels(account, kind).set(counts.get(kind, 0))

    def set_unattributed(self, account: str, count: int) -> None:
        """Currencies of one account that hold what neither book nor baseline explains."""
        kind = HoldingVerdictKind.UNATTRIBUTED
        self.position_discrepancies.labels(account, kind).set(count)

    def set_incidents_open(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Incidents that are not resolved, by (severity, kind); a pair left out has none."""
        for severity in Severity:
            for kind in IncidentKind:
                self.incidents_open.labels(severity, kind).set(counts.get((severity, kind), 0))

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics as text, and its content type: OpenMetrics to who asks for it."""
        if "application/openmetrics-text" in accept:
            text = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]  # as above
            return text, openmetrics.CONTENT_TYPE_LATEST
        body = exposition.generate_latest(self.registry)
        return body, exposition.CONTENT_TYPE_PLAIN_0_0_4

    # Definitions -------------------------------------------------------------------------------

    def _define_cycles(self) -> None:
        """What the jobs did, and what the venues answered."""
        self.cycles_total = self._counter(
            "cycles_total",
            "Passes over an account, by how they ended.",
            "job",
            "account",
            "outcome",
        )
        self.cycle_duration_seconds = self._histogram(
            "cycle_duration_seconds",
            "Duration of one pass over one account, in seconds.",
            CYCLE_BUCKETS,
            "job",
        )
        self.last_success_timestamp_seconds = self._gauge(
            "last_success_timestamp_seconds",
            "When a job last judged the account, in seconds since 1970; 0 before the first time.",
            *("job", "account"),
        )
        self.snapshot_complete = self._gauge(
            "snapshot_complete",
            "1 where the venue's last listing of the scope was complete, else 0.",
            *("account", "scope"),
        )
        self.open_orders = self._gauge(
            "open_orders", "Orders that the venue's last complete listing shows live.", "account"
        )
        self.venue_requests_total = self._counter(
            "venue_requests_total",
            "Requests to a venue, by call and by what came back.",
            *("account", "call", "outcome"),
        )
        self.venue_request_duration_seconds = self._histogram(
            "venue_request_duration_seconds",
            "Duration of one request to a venue, waiting for its rate limit left out, in seconds.",
            REQUEST_BUCKETS,
            *("account", "call"),
        )
        self.startup_reconciliation_complete = self._gauge(
            "startup_reconciliation_complete",
            "1 once every account was attempted since this process started, else 0.",
        )

    def _define_findings(self) -> None:
        """What was found, and what was done about it."""
        self.orders_quarantined_total = self._counter(
            "orders_quarantined_total",
            "Orders set to unknown: proven missing at the venue for longer than the limit.",
            "account",
        )
        self.orders_synced_total = self._counter(
            "orders_synced_total",
            "Orders of the book brought to the status that the venue shows.",
            *("account", "status"),
        )
        self.position_discrepancies = self._gauge(
            "position_discrepancies",
            "Positions (`unattributed`: balances) that differ from the book now, confirmed or not.",
            *("account", "kind"),
        )
        self.profiles_deactivated_total = self._counter(
            "profiles_deactivated_total", "Profiles set inactive by the daemon.", "account"
        )
        self.profiles_contained = self._gauge(
            "profiles_contained", "Profiles inactive by containment now.", "account"
        )
        self.incidents_open = self._gauge(
            "incidents_open", "Incidents that are not resolved.", "severity", "kind"
        )
        self.guard_trips_total = self._counter(
            "guard_trips_total", "Times that a guard held actions back.", "account", "guard"
        )

    def _define_surroundings(self) -> None:
        """Clocks, sign-in, notifications, versions."""
        self.clock_skew_seconds = self._gauge(
            "clock_skew_seconds",
            "The source's clock minus this host's, in seconds.",
            "source",
        )
        self.auth_probe_up = self._gauge(
            "auth_probe_up", "1 where the last probe of sign-in passed, else 0.", "probe"
        )
        self.auth_probes_total = self._counter(
            "auth_probes_total", "Probes of sign-in, by what each found by itself.", "outcome"
        )
        self.auth_rejections_total = self._counter(
            "auth_rejections_total", "Requests refused for want of rights.", "surface", "code"
        )
        self.notifications_total = self._counter(
            "notifications_total", "Attempts to deliver a notice, by how they ended.", "outcome"
        )
        self.outbox_pending = self._gauge("outbox_pending", "Notices that wait to be delivered.")
        self.build_info = Info(
            "reconciler_build", "Versions of what runs; the value is 1.", registry=self.registry
        )
        self.build_info.info(
            {
                "version": _version_of("reconciler"),
                "python": platform.python_version(),
                "ccxt": _version_of("ccxt"),
            }
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"reconciler_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"reconciler_{name}", meaning, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"reconciler_{name}", meaning, labels, buckets=buckets, registry=self.registry
        )

    def _declare_account(self, account: str, jobs: tuple[str, ...]) -> None:
        for job in jobs:
            self.last_success_timestamp_seconds.labels(job, account)
            for outcome in OutcomeState:
                self.cycles_total.labels(job, account, outcome)
        for scope in ScopeName:
            self.snapshot_complete.labels(account, scope)
            self._computed.scope_awaited(account, scope)
        for call in CALLS:
            for answer in ANSWERS:
                self.venue_requests_total.labels(account, call, answer)
        for state in SYNCED_STATES:
            self.orders_synced_total.labels(account, state)
        for kind in DISCREPANCIES:
            self.position_discrepancies.labels(account, kind)
        for guard in GUARDS:
            self.guard_trips_total.labels(account, guard)
        for metric in (
            self.open_orders,
            self.orders_quarantined_total,
            self.profiles_deactivated_total,
            self.profiles_contained,
        ):
            metric.labels(account)


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"
