# ruff: noqa: INP001 - a script, in no package
"""Writes deploy/grafana/dashboards/*.json: `python deploy/grafana/generate_dashboards.py`.

Dashboards are a screenful of questions each; the JSON around a question is always the same.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "dashboards"
WIDTH: Final = 24
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
STEPS: Final = [{"color": "green", "value": None}, {"color": "red", "value": 1}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One question: `expr` in PromQL, `legend` in Grafana's spelling."""

    title: str
    expr: str
    legend: str = ""
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 12
    height: int = 8
    is_alarming: bool = False
    """A stat that is red from 1 on."""


def stat(title: str, expr: str, *, unit: str = "short", is_alarming: bool = False) -> Panel:
    """One number, six in a row."""
    return Panel(
        title=title,
        expr=expr,
        unit=unit,
        kind="stat",
        width=4,
        height=4,
        is_alarming=is_alarming,
    )


ALERTS: Final = (
    'count by (alertname, severity) (ALERTS{alertname=~"Reconciler.*", alertstate="firing"})'
)
PER_ACCOUNT: Final = 'account=~"$account"'

OVERVIEW: Final = (
    stat(
        "SEV-1 open",
        'sum(max by (kind) (reconciler_incidents_open{severity="SEV-1"}))',
        is_alarming=True,
    ),
    stat(
        "SEV-2 open",
        'sum(max by (kind) (reconciler_incidents_open{severity="SEV-2"}))',
        is_alarming=True,
    ),
    stat(
        "Profiles contained",
        "sum(max by (account) (reconciler_profiles_contained))",
        is_alarming=True,
    ),
    stat("Stale orders", "sum(reconciler:stale_orders:max)"),
    stat(
        "Quarantined, awaiting review",
        "sum(max by (profile) (reconciler_quarantined_orders))",
        is_alarming=True,
    ),
    stat("Daemons", "count(reconciler_build_info)"),
    Panel(title="Alerts firing", expr=ALERTS, legend="{{severity}} {{alertname}}", width=24),
    Panel(
        title="Time since each account was judged",
        expr="time() - reconciler:last_success_timestamp_seconds:max",
        legend="{{account}} {{exported_job}}",
        unit="s",
    ),
    Panel(
        title="Passes, by how they ended",
        expr="sum by (outcome) (rate(reconciler_cycles_total[$__rate_interval]))",
        legend="{{outcome}}",
        unit="ops",
    ),
    Panel(
        title="Requests to venues without a usable answer",
        expr="reconciler:venue_requests_failed:ratio_rate5m",
        legend="{{account}}",
        unit="percentunit",
    ),
    Panel(
        title="Duration of a pass, 95th percentile",
        expr="histogram_quantile(0.95, sum by (le, exported_job) "
        "(rate(reconciler_cycle_duration_seconds_bucket[$__rate_interval])))",
        legend="{{exported_job}}",
        unit="s",
    ),
    Panel(
        title="Clocks, against the daemon's host",
        expr="max by (source) (reconciler_clock_skew_seconds)",
        legend="{{source}}",
        unit="s",
    ),
    Panel(title="Notices waiting", expr="max(reconciler_outbox_pending)", legend="waiting"),
    Panel(
        title="Attempts to deliver a notice",
        expr="sum by (outcome) (rate(reconciler_notifications_total[$__rate_interval]))",
        legend="{{outcome}}",
        unit="ops",
    ),
    Panel(
        title="Probes of sign-in, by what they found",
        expr="sum by (outcome) (rate(reconciler_auth_probes_total[$__rate_interval]))",
        legend="{{outcome}}",
        unit="ops",
    ),
    Panel(
        title="Steps of the probe of sign-in, 1 where passed",
        expr="max by (probe) (reconciler_auth_probe_up)",
        legend="{{probe}}",
    ),
    Panel(
        title="Requests refused for want of rights",
        expr="sum by (surface, code) (rate(reconciler_auth_rejections_total[$__rate_interval]))",
        legend="{{surface}} {{code}}",
        unit="reqps",
    ),
    Panel(
        title="Memory of the daemon",
        expr='process_resident_memory_bytes{job=~".*reconciler.*"}',
        legend="{{instance}}",
        unit="bytes",
    ),
)

ACCOUNT: Final = (
    Panel(
        title="Age of the last complete listing",
        expr=f"reconciler:snapshot_age_seconds:min{{{PER_ACCOUNT}}}",
        legend="{{account}} {{scope}}",
        unit="s",
    ),
    Panel(
        title="Share of listings that were complete",
        expr="max by (account, scope) "
        f"(avg_over_time(reconciler_snapshot_complete{{{PER_ACCOUNT}}}[$__rate_interval]))",
        legend="{{account}} {{scope}}",
        unit="percentunit",
    ),
    Panel(
        title="Positions that differ",
        expr=f"max by (account, kind) (reconciler_position_discrepancies{{{PER_ACCOUNT}}})",
        legend="{{account}} {{kind}}",
    ),
    Panel(
        title="Live orders at the venue",
        expr=f"max by (account) (reconciler_open_orders{{{PER_ACCOUNT}}})",
        legend="{{account}}",
    ),
    Panel(
        title="Requests to the venue, by call",
        expr="sum by (account, call) "
        f"(rate(reconciler_venue_requests_total{{{PER_ACCOUNT}}}[$__rate_interval]))",
        legend="{{account}} {{call}}",
        unit="reqps",
    ),
    Panel(
        title="Requests to the venue, by answer",
        expr="sum by (account, outcome) "
        f"(rate(reconciler_venue_requests_total{{{PER_ACCOUNT}}}[$__rate_interval]))",
        legend="{{account}} {{outcome}}",
        unit="reqps",
    ),
    Panel(
        title="Answer time of the venue, 95th percentile",
        expr="histogram_quantile(0.95, sum by (le, account, call) (rate("
        f"reconciler_venue_request_duration_seconds_bucket{{{PER_ACCOUNT}}}[$__rate_interval])))",
        legend="{{account}} {{call}}",
        unit="s",
    ),
    Panel(
        title="Passes, by how they ended",
        expr="sum by (account, exported_job, outcome) "
        f"(rate(reconciler_cycles_total{{{PER_ACCOUNT}}}[$__rate_interval]))",
        legend="{{account}} {{exported_job}} {{outcome}}",
        unit="ops",
    ),
)

INCIDENTS: Final = (
    Panel(
        title="Open incidents",
        expr="max by (severity, kind) (reconciler_incidents_open) > 0 or "
        "sum by (severity) (reconciler_incidents_open)",
        legend="{{severity}} {{kind}}",
        width=24,
    ),
    Panel(
        title="Profiles set inactive",
        expr="sum by (account) (increase(reconciler_profiles_deactivated_total[$__range]))",
        legend="{{account}}",
        kind="bargauge",
    ),
    Panel(
        title="Profiles contained now",
        expr="max by (account) (reconciler_profiles_contained)",
        legend="{{account}}",
    ),
    Panel(
        title="Stale orders",
        expr="reconciler:stale_orders:max",
        legend="{{profile}}",
    ),
    Panel(
        title="Age of the oldest stale order",
        expr="max by (profile) (reconciler_stale_order_oldest_age_seconds)",
        legend="{{profile}}",
        unit="s",
    ),
    Panel(
        title="Quarantined orders awaiting review",
        expr="max by (profile) (reconciler_quarantined_orders)",
        legend="{{profile}}",
    ),
    Panel(
        title="Orders quarantined",
        expr="sum by (account) (increase(reconciler_orders_quarantined_total[$__range]))",
        legend="{{account}}",
        kind="bargauge",
    ),
    Panel(
        title="Orders brought to the venue's status",
        expr="sum by (status) (increase(reconciler_orders_synced_total[$__range]))",
        legend="{{status}}",
        kind="bargauge",
    ),
    Panel(
        title="Guards that held something back",
        expr="sum by (guard) (increase(reconciler_guard_trips_total[$__range]))",
        legend="{{guard}}",
        kind="bargauge",
    ),
)

DASHBOARDS: Final = {"overview": OVERVIEW, "account": ACCOUNT, "incidents": INCIDENTS}


def dashboard(name: str) -> str:
    """The JSON of one dashboard."""
    variables = [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
    if name == "account":
        variables.append(_account_variable())
    shown = {
        "uid": f"reconciler-{name}",
        "title": f"reconciler: {name}",
        "tags": ["reconciler"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "links": [
            {
                "type": "dashboards",
                "title": "reconciler",
                "tags": ["reconciler"],
                "keepTime": True,
                "includeVars": True,
            }
        ],
        "templating": {"list": variables},
        "panels": _laid_out(DASHBOARDS[name]),
    }
    return json.dumps(shown, indent=2) + "\n"


def _account_variable() -> dict[str, Any]:
    query = "label_values(reconciler_last_success_timestamp_seconds, account)"
    return {
        "name": "account",
        "label": "account",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": "accounts"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _laid_out(panels: tuple[Panel, ...]) -> list[dict[str, Any]]:
    shown, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        shown.append(_panel(number, panel, x, y))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return shown


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": None}
    if panel.kind == "stat":
        steps = STEPS if panel.is_alarming else STEPS[:1]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {
                "refId": "A",
                "datasource": SOURCE,
                "expr": panel.expr,
                "legendFormat": panel.legend,
                "instant": panel.kind != "timeseries",
                "range": panel.kind == "timeseries",
            }
        ],
    }


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each}.json").write_text(dashboard(each), encoding="utf-8")
