#!/usr/bin/env python3
"""Write docs/metrics.md from the registry of metrics: `python docs/generate_metrics.py`."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase

from reconciler.domain.incidents import IncidentKind, Severity
from reconciler.domain.outcome import OutcomeState
from reconciler.domain.snapshot import ScopeName
from reconciler.telemetry.metrics import (
    ANSWERS,
    AUTH_OUTCOMES,
    AUTH_REJECTIONS,
    CALLS,
    DISCREPANCIES,
    GUARDS,
    JOBS,
    NOTIFICATION_OUTCOMES,
    SYNCED_STATES,
    Metrics,
)

PAGE = Path(__file__).with_name("metrics.md")
PREFIX = "reconciler_"

HEAD = """\
# Metrics

Made by `python docs/generate_metrics.py` from the registry. Do not edit by hand.

`GET /metrics` answers in the Prometheus text format, in OpenMetrics to who asks for it. Beside the
metrics below there are the usual `process_*` and `python_*` ones of the Prometheus client.

Counters by account, job or outcome, and `reconciler_incidents_open`, have every combination of
their labels at 0 from the start. Series by `profile` come and go with the book. No label ever
holds an order id.
"""

NOTES: Mapping[str, str] = {
    "reconciler_guard_trips_total": "`clock_skew` is never counted in this version.",
    "reconciler_notifications_total": "`abandoned` is never counted in this version.",
    "reconciler_open_orders": "Trigger orders are counted too.",
    "reconciler_profiles_contained": "Counted from `reconciler.containments`: a profile stays "
    "until its row has a `released_at`.",
    "reconciler_quarantined_orders": "Counted in the book, where the status means `unknown`.",
    "reconciler_snapshot_complete": "Scopes that the venue does not list go away with the first "
    "snapshot.",
}
"""What the registry does not say, and what is true of this version only."""

LABELS: Mapping[str, Iterable[str]] = {
    "job": JOBS,
    "outcome` of `cycles_total": OutcomeState,
    "scope": ScopeName,
    "call": CALLS,
    "outcome` of `venue_requests_total": ANSWERS,
    "status": SYNCED_STATES,
    "kind` of `position_discrepancies": DISCREPANCIES,
    "kind` of `incidents_open": IncidentKind,
    "severity": Severity,
    "guard": GUARDS,
    "outcome` of `notifications_total": NOTIFICATION_OUTCOMES,
    "outcome` of `auth_probes_total": AUTH_OUTCOMES,
    "surface": AUTH_REJECTIONS,
    "code": sorted({code for codes in AUTH_REJECTIONS.values() for code in codes}),
}


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_rows(), *_labels(), ""])


def noted_metrics() -> frozenset[str]:
    """Return the metrics that `NOTES` speaks of, for the test that they exist."""
    return frozenset(NOTES)


def metric_names() -> frozenset[str]:
    """Return every name as it is scraped, without the suffixes of histograms."""
    return frozenset(_name_of(family) for family in _families(Metrics()))


def _rows() -> Iterator[str]:
    metrics = Metrics()
    labels = _labels_by_name(metrics)
    yield "| metric | type | labels | meaning |\n|---|---|---|---|"
    for family in sorted(_families(metrics), key=lambda one: one.name):
        name = _name_of(family)
        meaning = family.documentation
        if name in NOTES:
            meaning = f"{meaning} *{NOTES[name]}*"
        shown = ", ".join(f"`{label}`" for label in labels[family.name]) or "none"
        yield f"| `{name}` | {family.type} | {shown} | {meaning} |"


def _families(metrics: Metrics) -> list[Metric]:
    return [family for family in metrics.registry.collect() if family.name.startswith(PREFIX)]


def _name_of(family: Metric) -> str:
    """Return the name that a query uses: the client adds these endings when it renders."""
    endings = {"counter": "_total", "info": "_info"}
    return family.name + endings.get(family.type, "")


def _labels_by_name(metrics: Metrics) -> dict[str, tuple[str, ...]]:
    """Return label names, which the client tells nowhere but in private attributes."""
    found: dict[str, tuple[str, ...]] = {}
    for family in _families(metrics):  # computed gauges carry theirs
        found[family.name] = tuple(getattr(family, "_labelnames", ()))
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            found[next(iter(metric.describe())).name] = tuple(metric._labelnames)  # noqa: SLF001 - as above
    found[f"{PREFIX}build"] = ("version", "python", "ccxt")
    return found


def _labels() -> Iterator[str]:
    yield "\n## Label values\n"
    yield "| label | values |\n|---|---|"
    yield "| `account` | the names of `[accounts.<name>]` |"
    yield "| `profile` | the profile ids of the book |"
    yield "| `source` | `database`, and `venue:<account>` for each account |"
    for label, values in LABELS.items():
        yield f"| `{label}` | {', '.join(f'`{value}`' for value in values)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
