"""The image's parts that can be tried without a container; building it is `make image`."""

import asyncio
import re
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

from reconciler.http.app import build_app
from reconciler.http.server import HttpServer
from reconciler.telemetry.health import HealthBoard
from reconciler.telemetry.metrics import Metrics
from tests.deploy.shipped import DEPLOY, ROOT

IMAGE = DEPLOY / "image"
HEALTH = IMAGE / "health.py"
LOCKS = (IMAGE / "requirements.txt", IMAGE / "build-requirements.txt")


def pins(file: Path) -> dict[str, str]:
    """Each package of a lock file with its version and hashes."""
    blocks = re.split(r"^(?=[a-z0-9])", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        block.split("==", 1)[0]: " ".join(re.findall(r"==\S+|--hash=\S+", block))
        for block in blocks
        if "==" in block
    }


def test_locks_of_the_image_are_parts_of_the_lock() -> None:
    whole = pins(ROOT / "constraints.txt")
    for file in LOCKS:
        part = pins(file)
        assert part
        assert part.items() <= whole.items(), "run: make lock"
        assert all("--hash=sha256:" in pin for pin in part.values())


def test_lock_of_the_image_has_everything_that_runs() -> None:
    wanted: set[str] = set()
    look_at = [("reconciler", "demo")]
    while look_at:
        name, extra = look_at.pop()
        try:
            needed = requires(name) or []
        except PackageNotFoundError:  # for another platform
            continue
        for requirement in map(Requirement, needed):
            key = re.sub(r"[-_.]+", "-", requirement.name).lower()
            marker = requirement.marker
            if key in wanted or (marker is not None and not marker.evaluate({"extra": extra})):
                continue
            wanted.add(key)
            look_at.extend((key, one) for one in (*requirement.extras, ""))
    assert len(wanted) > 30
    assert wanted <= pins(LOCKS[0]).keys()


async def test_health_check_tells_a_living_daemon_from_none() -> None:
    health = HealthBoard(mode="observe", version="0")
    server = HttpServer(build_app(health=health, metrics=Metrics()), "127.0.0.1", 0)
    await server.start()
    serving = asyncio.create_task(server.serve())
    try:
        assert await asyncio.to_thread(health_of, server.port) == 0
    finally:
        await server.stop()
        await serving
    assert health_of(server.port) == 1


def test_health_check_gives_up_on_a_daemon_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert health_of(silent.getsockname()[1]) == 1


def health_of(port: int) -> int:
    command = [sys.executable, "-I", "-S", str(HEALTH)]
    environment = {"RECONCILER_HTTP__PORT": str(port)}
    return subprocess.run(command, env=environment, timeout=10, check=False).returncode
