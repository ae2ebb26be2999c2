"""The Helm chart: rendered by helm, read by Kubernetes' own schemas."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.shipped import DEPLOY, RULES, run

CHART = DEPLOY / "kubernetes" / "reconciler"
FULL = Path(__file__).parent / "full-values.yaml"
VALUES = [(), ("-f", FULL)]
OLDEST = "1.27"
"""`kubeVersion` of Chart.yaml."""


def rendered(helm: Path, *values: str | Path) -> str:
    return subprocess.run(
        [helm, "template", "trading", CHART, *values],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_rules_of_the_chart_are_the_rules() -> None:
    copies = sorted((CHART / "rules").glob("*.yml"))
    assert [file.name for file in copies] == [file.name for file in RULES]
    for copy, rule in zip(copies, RULES, strict=True):
        assert copy.read_text("utf-8") == rule.read_text("utf-8"), (
            "run: cp deploy/prometheus/rules/*.yml deploy/kubernetes/reconciler/rules/"
        )


@pytest.mark.parametrize("values", VALUES, ids=["default", "full"])
def test_chart_passes_helm_and_kubernetes(
    helm: Path, kubernetes_validate: Path, tmp_path: Path, values: tuple[str | Path, ...]
) -> None:
    run(helm, "lint", "--strict", CHART, *values)
    file = tmp_path / "rendered.yaml"
    file.write_text(rendered(helm, *values), encoding="utf-8")
    run(kubernetes_validate, "--strict", file)
    run(kubernetes_validate, "--strict", "-k", OLDEST, file)


def test_chart_refuses_a_value_that_it_does_not_know(helm: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="additional properties 'replica' not allowed"):
        run(helm, "lint", "--strict", CHART, "--set", "replica=2")


def test_pod_may_do_nothing_that_it_need_not(helm: Path) -> None:
    text = rendered(helm)
    for line in (
        "runAsNonRoot: true",
        "runAsUser: 10001",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "drop: [ALL]",
        "seccompProfile: { type: RuntimeDefault }",
        "enableServiceLinks: false",
    ):
        assert line in text
    assert text.count("automountServiceAccountToken: false") == 2
    assert "kind: Secret\n" not in text


def test_every_alert_is_in_the_prometheus_rule(helm: Path, promtool: Path, tmp_path: Path) -> None:
    text = rendered(helm, "-f", FULL, "--show-only", "templates/prometheusrule.yaml")
    links = re.findall(r"runbook_url: (\S+)", text)
    assert links
    assert all(link.startswith("https://git.example.com/reconciler/docs/") for link in links)
    groups = text[text.index("  groups:\n") :]
    file = tmp_path / "rules.yml"
    file.write_text(re.sub("^  ", "", groups, flags=re.MULTILINE), encoding="utf-8")
    run(promtool, "check", "rules", file)
    asked = re.findall(r"^ +- alert: (\w+)|^ +alert: (\w+)", text, flags=re.MULTILINE)
    wanted = set(re.findall(r"alert: (\w+)", "\n".join(f.read_text("utf-8") for f in RULES)))
    assert {one or other for one, other in asked} == wanted


def test_a_release_of_any_name_is_scraped_as_the_job_that_rules_ask_for(helm: Path) -> None:
    text = rendered(helm, "-f", FULL, "--show-only", "templates/servicemonitor.yaml")
    assert "jobLabel: app.kubernetes.io/name" in text
    assert "honorLabels: false" in text
