"""Gauges that are computed when they are read: ages go on growing when nobody tells news.

An age that is only set by a cycle stands still just when the cycles stand still.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

ProfileEntry = tuple[int, float, int]
"""Stale orders, age of the oldest in seconds (0 without any), quarantined orders."""


class ComputedGauges(Collector):
    """Ages of snapshots and of stale orders, and the other gauges by profile.

    Profiles are kept by account, so that those that vanish from an account vanish here; a profile
    of the same name on two accounts is shown once, as the contract's label is `profile` alone.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._completed: dict[tuple[str, str], float] = {}
        self._profiles: dict[str, tuple[float, dict[str, ProfileEntry]]] = {}

    def scope_awaited(self, account: str, scope: str) -> None:
        """Count the age from now until a first complete listing comes."""
        self._completed.setdefault((account, scope), self._monotonic())

    def scope_completed(self, account: str, scope: str) -> None:
        """Note that a complete listing came now."""
        self._completed[account, scope] = self._monotonic()

    def forget_scope(self, account: str, scope: str) -> None:
        """Drop a scope that this venue does not have."""
        self._completed.pop((account, scope), None)

    def set_profiles(self, account: str, profiles: Mapping[str, ProfileEntry]) -> None:
        """Replace what is known of the profiles of one account."""
        self._profiles[account] = (self._monotonic(), dict(profiles))

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Tell the names without computing anything."""
        return self._families()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Compute every value. Runs in the thread that renders, on copies."""
        ages, stale, oldest, quarantined = families = self._families()
        now = self._monotonic()
        for (account, scope), at in self._completed.copy().items():
            ages.add_metric((account, scope), max(0.0, now - at))
        for profile, entry in self._merged(now).items():
            stale.add_metric((profile,), entry[0])
            oldest.add_metric((profile,), entry[1])
            quarantined.add_metric((profile,), entry[2])
        return families

    def _merged(self, now: float) -> dict[str, ProfileEntry]:
        merged: dict[str, ProfileEntry] = {}
        for told_at, profiles in self._profiles.copy().values():
            for profile, (stale, age, quarantined) in profiles.items():
                known = merged.get(profile, (0, 0.0, 0))
                grown = age + now - told_at if stale else 0.0
                merged[profile] = (known[0] + stale, max(known[1], grown), known[2] + quarantined)
        return merged

    @staticmethod
    def _families() -> tuple[
        GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily
    ]:
        return (
            GaugeMetricFamily(
                "reconciler_snapshot_age_seconds",
                "Time since the venue's last complete listing of the scope, in seconds; "
                "since the start before the first one.",
                labels=("account", "scope"),
            ),
            GaugeMetricFamily(
                "reconciler_stale_orders",
                "Orders in flight or being cancelled past their SLA, or older and not shown live.",
                labels=("profile",),
            ),
            GaugeMetricFamily(
                "reconciler_stale_order_oldest_age_seconds",
                "Age of the oldest stale order, in seconds; 0 without any.",
                labels=("profile",),
            ),
            GaugeMetricFamily(
                "reconciler_quarantined_orders",
                "Orders whose status is unknown, awaiting a person's review.",
                labels=("profile",),
            ),
        )
