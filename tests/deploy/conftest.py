"""The real checkers, where the machine has them: on the PATH, or in `.checkers`."""

import os
import shutil
from pathlib import Path

import pytest

from tests.deploy.shipped import ROOT

CHECKERS = ROOT / ".checkers" / "bin"
CHECKERS_MADE_BY = "make checkers"
REQUIRED = "RECONCILER_CHECKERS"
"""Set to `required`, a checker that is missing fails its tests."""


def found_or_skip(name: str, source: str) -> Path:
    path = shutil.which(name) or shutil.which(name, path=str(CHECKERS))
    if path is None:
        says = f"{name} is not on this machine ({source})"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(says)
        pytest.skip(says)
    return Path(path)


@pytest.fixture
def promtool() -> Path:
    return found_or_skip("promtool", "Debian: prometheus")


@pytest.fixture
def prometheus() -> Path:
    return found_or_skip("prometheus", "Debian: prometheus")


@pytest.fixture
def amtool() -> Path:
    return found_or_skip("amtool", "Debian: prometheus-alertmanager")


@pytest.fixture
def alertmanager() -> Path:
    return found_or_skip("prometheus-alertmanager", "Debian: prometheus-alertmanager")


@pytest.fixture
def systemd_analyze() -> Path:
    return found_or_skip("systemd-analyze", "Debian: systemd")


@pytest.fixture
def helm() -> Path:
    return found_or_skip(os.environ.get("HELM", "helm"), CHECKERS_MADE_BY)


@pytest.fixture
def kubernetes_validate() -> Path:
    return found_or_skip("kubernetes-validate", CHECKERS_MADE_BY)


@pytest.fixture
def check_jsonschema() -> Path:
    return found_or_skip("check-jsonschema", CHECKERS_MADE_BY)


@pytest.fixture
def compose() -> Path:
    return found_or_skip("docker-compose", CHECKERS_MADE_BY)


@pytest.fixture
def hadolint() -> Path:
    return found_or_skip("hadolint", CHECKERS_MADE_BY)


def pytest_configure(config: pytest.Config) -> None:
    """`stack` starts Prometheus, Alertmanager and the whole demo: 40 s."""
    config.addinivalue_line("markers", "stack: real Prometheus and Alertmanager, 40 s")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes so long runs where it is asked for by name."""
    if "stack" in (config.option.markexpr or ""):
        return
    for item in items:
        if item.get_closest_marker("stack"):
            item.add_marker(pytest.mark.skip(reason="40 s: pytest -n0 -m stack tests/deploy"))
