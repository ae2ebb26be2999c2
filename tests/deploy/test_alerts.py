"""Alert rules: every metric exists, every kind has its alert, every alert its test and runbook."""

import re
import subprocess
from pathlib import Path

import pytest

from reconciler.domain.incidents import IncidentKind
from reconciler.telemetry.metrics import Metrics
from tests.deploy.shipped import (
    DASHBOARDS,
    DEPLOY,
    ROOT,
    RULE_TESTS,
    RULES,
    alerts,
    panels,
    recorded,
    rules_text,
    run,
)


def names_in_registry() -> set[str]:
    """As they are scraped."""
    metrics = Metrics()
    metrics.declare(["main"])
    metrics.set_profile_gauges("main", {"trend": (1, 1.0, 1)})
    metrics.venue_request("main", "positions", "answered", 0.1)
    text = metrics.render()[0].decode()
    return set(re.findall(r"^(reconciler_\w+)(?:\{| )", text, flags=re.MULTILINE)) | set(
        re.findall(r"^# TYPE (reconciler_\w+) ", text, flags=re.MULTILINE)
    )


def every_query() -> list[str]:
    asked = [target["expr"] for file in DASHBOARDS for p in panels(file) for target in p["targets"]]
    rules = re.sub(r"^\s*#.*$|summary:.*$", "", rules_text(), flags=re.MULTILINE)
    return [*asked, rules]


def test_every_metric_exists_in_the_registry() -> None:
    asked = {name for query in every_query() for name in re.findall(r"\breconciler_\w+", query)}
    assert len(asked) > 15
    assert asked <= names_in_registry()


def test_every_recorded_series_is_recorded() -> None:
    asked = {name for query in every_query() for name in re.findall(r"\breconciler:\w+:\w+", query)}
    assert asked == recorded()


def test_every_kind_has_its_alert() -> None:
    wanted = {"Reconciler" + kind.value.title().replace("_", ""): kind for kind in IncidentKind}
    assert wanted.keys() <= alerts().keys()
    for name, kind in wanted.items():
        assert f'kind="{kind.value}"' in alerts()[name]
        assert f"docs/runbooks/{kind.value.replace('_', '-')}.md" in alerts()[name]


@pytest.mark.parametrize("name", sorted(alerts()))
def test_alert_has_severity_summary_and_a_runbook_that_is_there(name: str) -> None:
    rule = alerts()[name]
    assert re.search(r"severity: (SEV-[123]|none|\"\{\{ \$labels.severity \}\}\")", rule)
    assert "summary:" in rule
    link = re.search(r"runbook_url: (\S+?)(?:#(\S+))?$", rule, flags=re.MULTILINE)
    assert link is not None
    assert link[1].startswith("docs/runbooks/")
    page = ROOT / link[1]
    assert page.is_file()
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
    assert link[2] is None or link[2] in anchors


def test_every_alert_is_tested_firing_silent_before_and_resolved() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in RULE_TESTS)
    for name in alerts():
        silent = len(re.findall(rf"alertname: {name}, eval_time: \w+, exp_alerts: \[\]", text))
        fires = len(re.findall(rf"alertname: {name}\n", text))
        # the watchdog fires always
        assert (silent, fires) == ((0, 1) if name == "ReconcilerWatchdog" else (2, 1)), name


def test_rules_pass_promtool(promtool: Path) -> None:
    run(promtool, "check", "rules", *RULES)
    run(promtool, "test", "rules", *RULE_TESTS)


def test_prometheus_configuration_passes_promtool(promtool: Path, tmp_path: Path) -> None:
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace("/etc/prometheus/rules", str(RULES[0].parent)), encoding="utf-8")
    run(promtool, "check", "config", file)


def test_metrics_pass_promtool(promtool: Path) -> None:
    metrics = Metrics()
    metrics.declare(["main"])
    subprocess.run(
        [promtool, "check", "metrics"], input=metrics.render()[0], check=True, timeout=60
    )


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=ReconcilerGhostPosition", "severity=SEV-1"), "sev-1"),
        (("alertname=ReconcilerVenueUnreachable", "severity=SEV-2"), "sev-2"),
        (("alertname=ReconcilerClockSkew", "severity=SEV-3"), "sev-3"),
        (("alertname=ReconcilerWatchdog", "severity=none"), "watchdog"),
        (("alertname=SomethingElse",), "sev-2"),
    ],
)
def test_alertmanager_routes_by_severity(
    amtool: Path, labels: tuple[str, ...], receiver: str
) -> None:
    file = DEPLOY / "alertmanager" / "alertmanager.yml"
    run(amtool, "check-config", file)
    expected = f"--verify.receivers={receiver}"
    run(amtool, "config", "routes", "test", f"--config.file={file}", expected, *labels)
