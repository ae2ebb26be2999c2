"""The compose stack's demo as processes here: the very files of deploy/, ports rewritten.

What takes minutes there takes seconds: shorter intervals, and the story at a fraction of its pace.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.deploy.shipped import DEPLOY, ROOT

T = TypeVar("T")
PACE = "0.06"
DAEMON_ENDS_WITHIN = 5.0
SHORTER = {
    "RECONCILER_SCHEDULE__RECONCILIATION": "1s",
    "RECONCILER_SCHEDULE__ORDER_STATUS_SYNC": "1s",
    "RECONCILER_SCHEDULE__AUTH_PROBE": "1s",
    "RECONCILER_POSITIONS__CONFIRM_AFTER": "500ms",
    "RECONCILER_ORDERS__CONFIRM_AFTER": "500ms",
    "RECONCILER_ORDERS__GRACE": "0s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    prometheus: int
    """Ports of loopback."""
    daemon: int
    received: Path
    """What the receiver printed."""
    logs: Path

    def ask(self, path: str, **parameters: str) -> Any:
        """Prometheus's API."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return json.loads(get(self.prometheus, f"/api/v1/{path}{query}"))["data"]

    def scraped(self) -> bool:
        """Whether the daemon has been scraped and every rule evaluated."""
        groups = self.ask("rules")["groups"]
        rules = [rule["health"] for group in groups for rule in group["rules"]]
        up = self.ask("query", query='up{job="reconciler"} == 1')["result"]
        return bool(up and rules) and "unknown" not in rules

    def alerts(self) -> list[dict[str, Any]]:
        """What reached the webhook so far."""
        lines = self.received.read_text(encoding="utf-8").splitlines()
        return [found for found in map(json.loads, lines) if "alert" in found]


def get(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def until(what: str, seconds: float, find: Callable[[], T | None]) -> T:
    """Ask again until there is something."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if found := find():
                return found
        except OSError:  # not up yet
            pass
        time.sleep(0.2)
    pytest.fail(f"not within {seconds:.0f} s: {what}")


@contextmanager
def playing(database: str, folder: Path, prometheus: Path, alertmanager: Path) -> Iterator[Stack]:
    """Play everything; end each of it, and hold the daemon to its promise about SIGTERM."""
    ports = dict(
        zip(
            ("venue", "supabase", "bot", "daemon", "receiver", "alertmanager", "prometheus"),
            free_ports(7),
            strict=True,
        )
    )
    config = written(
        folder / "reconciler.toml",
        DEPLOY / "compose" / "demo.toml",
        {"9001": ports["venue"], "9002": ports["supabase"], "9003": ports["bot"]},
    )
    environment = {
        **{name: text for name, text in os.environ.items() if "RECONCILER" not in name},
        **SHORTER,
        "RECONCILER_CONFIG": str(config),
        "RECONCILER_HTTP__PORT": str(ports["daemon"]),
        "RECONCILER_SECRETS_DIR": str(secrets(folder / "secrets", database)),
    }
    stack = Stack(
        prometheus=ports["prometheus"],
        daemon=ports["daemon"],
        received=folder / "receiver.log",
        logs=folder,
    )
    compose = DEPLOY / "compose"
    with ExitStack() as running:

        def start(name: str, *command: str | Path) -> "subprocess.Popen[bytes]":
            return running.enter_context(process(folder / f"{name}.log", command, environment))

        start("receiver", sys.executable, compose / "receiver.py", str(ports["receiver"]))
        start("story", sys.executable, compose / "story.py", PACE)
        until("the story's book", 20, lambda: "venue on" in (folder / "story.log").read_text())
        daemon = start("daemon", sys.executable, "-m", "reconciler", "run")
        until("the daemon", 20, lambda: get(stack.daemon, "/health/live"))
        start(
            "alertmanager",
            alertmanager,
            f"--config.file={alertmanager_file(folder, ports)}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
            "--cluster.listen-address=",
        )
        start(
            "prometheus",
            prometheus,
            f"--config.file={prometheus_file(folder, ports)}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
            # What fires before it has found Alertmanager is sent again after this.
            "--rules.alert.resend-delay=1s",
        )
        until("Prometheus's first scrapes", 20, stack.scraped)
        yield stack
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(DAEMON_ENDS_WITHIN) == 0


def secrets(folder: Path, database: str) -> Path:
    """The files of the demo, named as docker-compose.yml mounts them."""
    folder.mkdir()
    for name in ("api_key", "secret"):
        text = (DEPLOY / "compose" / "demo-secrets" / name).read_text(encoding="utf-8")
        (folder / f"reconciler_accounts__main__{name}").write_text(text, encoding="utf-8")
    (folder / "database_url").write_text(database, encoding="utf-8")
    return folder


def prometheus_file(folder: Path, ports: Mapping[str, int]) -> Path:
    return written(
        folder / "prometheus.yml",
        DEPLOY / "prometheus" / "prometheus.yml",
        {
            "alertmanager:9093": f"127.0.0.1:{ports['alertmanager']}",
            "reconciler:8080": f"127.0.0.1:{ports['daemon']}",
            "localhost:9090": f"127.0.0.1:{ports['prometheus']}",
            "/etc/prometheus/rules": DEPLOY / "prometheus" / "rules",
            "interval: 15s": "interval: 1s",
            "timeout: 10s": "timeout: 1s",
        },
    )


def alertmanager_file(folder: Path, ports: Mapping[str, int]) -> Path:
    return written(
        folder / "alertmanager.yml",
        DEPLOY / "alertmanager" / "alertmanager.yml",
        {
            "receiver:9095": f"127.0.0.1:{ports['receiver']}",
            "group_interval: 1m": "group_interval: 1s",
        },
    )


def written(to: Path, shipped: Path, other: Mapping[str, object]) -> Path:
    """A shipped file with other words; each must be in it."""
    text = shipped.read_text(encoding="utf-8")
    for old, new in other.items():
        assert old in text, f"{shipped.name} has no {old}"
        text = text.replace(old, str(new))
    to.write_text(text, encoding="utf-8")
    return to


@contextmanager
def process(
    log: Path, command: tuple[str | Path, ...], environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=ROOT
        ) as running,
    ):
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(5)
            except subprocess.TimeoutExpired:
                running.kill()


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]
