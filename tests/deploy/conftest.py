"""The real checkers, where the machine has them."""

import shutil
from pathlib import Path

import pytest


def found_or_skip(name: str, package: str) -> Path:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on this machine (Debian: {package})")
    return Path(path)


@pytest.fixture
def promtool() -> Path:
    return found_or_skip("promtool", "prometheus")


@pytest.fixture
def amtool() -> Path:
    return found_or_skip("amtool", "prometheus-alertmanager")


@pytest.fixture
def systemd_analyze() -> Path:
    return found_or_skip("systemd-analyze", "systemd")
