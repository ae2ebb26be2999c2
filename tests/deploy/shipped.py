"""What deploy/ ships, read as text: YAML has no typed parser among our dependencies."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
RULE_TESTS = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


def rules_text() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in RULES)


def alerts() -> dict[str, str]:
    """Each alert's name, and its rule as text."""
    blocks = re.split(r"^ +- (?=alert:|record:)", rules_text(), flags=re.MULTILINE)
    found = {}
    for block in blocks:
        if named := re.match(r"alert: (\w+)", block):
            found[named[1]] = block
    return found


def recorded() -> set[str]:
    return set(re.findall(r"- record: (\S+)", rules_text()))


def panels(dashboard: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard.read_text(encoding="utf-8"))["panels"]
    return found


def run(tool: Path, *arguments: str | Path) -> None:
    """Run a checker; what it says is the failure."""
    ended = subprocess.run(
        [tool, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    if ended.returncode:
        pytest.fail(f"{tool.name} {' '.join(map(str, arguments))}\n{ended.stdout}{ended.stderr}")
