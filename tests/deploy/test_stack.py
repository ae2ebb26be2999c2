"""The demo of the compose stack with real Prometheus and Alertmanager: `-m stack`."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.deploy.conftest import found_or_skip
from tests.deploy.shipped import DASHBOARDS, panels, rules_text
from tests.deploy.stack import Stack, get, playing, until
from tests.postgres import database_in, run

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def stack(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    prometheus = found_or_skip("prometheus", "Debian: prometheus")
    alertmanager = found_or_skip("prometheus-alertmanager", "Debian: prometheus-alertmanager")
    folder = tmp_path_factory.mktemp("stack")
    run(administer(postgres_url, "create database demo"))
    try:
        with playing(
            database_in(postgres_url, "demo"), folder, prometheus, alertmanager
        ) as everything:
            yield everything
    finally:
        run(administer(postgres_url, "drop database demo with (force)"))


async def administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(statement, timeout=10)
    finally:
        await connection.close(timeout=10)


def told(stack: Stack, alert: str, status: str) -> dict[str, Any] | None:
    found = (one for one in stack.alerts() if (one["alert"], one["status"]) == (alert, status))
    return next(found, None)


def test_ghost_reaches_a_webhook_and_its_end_too(stack: Stack) -> None:
    ghost = "ReconcilerGhostPosition"
    firing = until("the ghost at the webhook", 40, lambda: told(stack, ghost, "firing"))
    assert firing["route"] == "sev-1"
    assert firing["labels"]["severity"] == "SEV-1"
    assert firing["runbook_url"] == "docs/runbooks/ghost-position.md"
    until("its end at the webhook", 40, lambda: told(stack, ghost, "resolved"))


def test_locked_out_bot_reaches_a_webhook_with_its_class(stack: Stack) -> None:
    probing = "ReconcilerAuthProbeFailing"
    by_class = until("the class at the webhook", 40, lambda: told(stack, probing, "firing"))
    assert (by_class["route"], by_class["labels"]["outcome"]) == ("sev-2", "app_regression")
    incident = "ReconcilerAuthFailure"
    assert until("the incident", 20, lambda: told(stack, incident, "firing"))["route"] == "sev-1"


def test_watchdog_is_heard_by_itself(stack: Stack) -> None:
    heard = until("the watchdog", 20, lambda: told(stack, "ReconcilerWatchdog", "firing"))
    assert heard["route"] == "watchdog"


def test_every_dashboard_query_has_an_answer(stack: Stack) -> None:
    asked = {
        f"{file.stem}: {panel['title']}": as_shown(panel["targets"][0]["expr"])
        for file in DASHBOARDS
        for panel in panels(file)
    }
    assert len(asked) > 25
    until("an answer to every query", 40, lambda: not unanswered(stack, asked) or None)


def unanswered(stack: Stack, asked: dict[str, str]) -> list[str]:
    return [title for title, expr in asked.items() if not stack.ask("query", query=expr)["result"]]


def as_shown(expr: str) -> str:
    return (
        expr.replace("$__rate_interval", "1m").replace("$__range", "5m").replace("$account", ".*")
    )


def test_every_metric_of_rules_and_dashboards_is_scraped(stack: Stack) -> None:
    queries = [panel["targets"][0]["expr"] for file in DASHBOARDS for panel in panels(file)]
    rules = re.sub(r"^\s*#.*$|summary:.*$", "", rules_text(), flags=re.MULTILINE)
    names = {name for text in (*queries, rules) for name in re.findall(r"\breconciler_\w+", text)}
    missing = names - set(stack.ask("label/__name__/values"))
    assert not missing


def test_every_rule_is_loaded_and_healthy(stack: Stack) -> None:
    rules = [rule for group in stack.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} >= set(re.findall(r"alert: (\w+)", rules_text()))
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []


def test_metrics_of_the_running_daemon_pass_promtool(stack: Stack, promtool: Path) -> None:
    text = get(stack.daemon, "/metrics")
    subprocess.run([promtool, "check", "metrics"], input=text, text=True, check=True, timeout=30)
