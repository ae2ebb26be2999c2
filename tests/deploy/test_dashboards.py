"""Grafana's dashboards: current, laid out, with queries that Prometheus accepts."""

import importlib.util
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.shipped import DASHBOARDS, DEPLOY, panels, run


def generator() -> Any:
    path = DEPLOY / "grafana" / "generate_dashboards.py"
    found = importlib.util.spec_from_file_location("generate_dashboards", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_dashboards_are_current() -> None:
    made = generator()
    assert {file.stem for file in DASHBOARDS} == set(made.DASHBOARDS)
    for file in DASHBOARDS:
        written = file.read_text(encoding="utf-8")
        assert written == made.dashboard(file.stem), (
            "run: python deploy/grafana/generate_dashboards.py"
        )


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_panels_do_not_overlap_and_have_unit_and_source(file: Path) -> None:
    shown = panels(file)
    assert len({panel["id"] for panel in shown}) == len(shown)
    for panel in shown:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= generator().WIDTH
    for one, other in combinations([panel["gridPos"] for panel in shown], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below


def test_queries_pass_promtool(promtool: Path, tmp_path: Path) -> None:
    lines = ["groups:", "  - name: dashboards", "    rules:"]
    for file in DASHBOARDS:
        for panel in panels(file):
            query = as_prometheus_reads_it(panel["targets"][0]["expr"])
            lines.append(f"      - record: x:{file.stem}_{panel['id']}:y")
            lines.append(f"        expr: '{query}'")
    rules = tmp_path / "rules.yml"
    rules.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(promtool, "check", "rules", rules)


def as_prometheus_reads_it(expr: str) -> str:
    return (
        expr.replace("$__rate_interval", "5m").replace("$__range", "6h").replace("$account", ".*")
    )
