"""`reconciler demo` as people start it: a program of its own, in a pipe."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
from rich.console import Console

from reconciler.simulation.demo import story
from reconciler.simulation.demo.lines import Lines
from reconciler.simulation.demo.performance import Ending, Performance, Played
from reconciler.simulation.demo.scene import AccountHealth, OrderLine, PositionLine, Scene
from reconciler.simulation.demo.screen import Screen
from reconciler.simulation.demo.stage import Stage

pytestmark = pytest.mark.timeout(90)

Start = Callable[..., subprocess.Popen[str]]
CHAPTERS = [
    *("parity", "ghost position", "forgotten order"),
    *("missed fill", "outage", "rotated keys"),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """A temporary directory of the demo's own, which the server's user may enter."""
    with tempfile.TemporaryDirectory(prefix="demo-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def start(place: Path, tmp_path: Path) -> Iterator[Start]:
    """Start `reconciler demo` amid settings that it must not read; killed at the end."""
    (tmp_path / "reconciler.toml").write_text("this = is not TOML")
    started: list[subprocess.Popen[str]] = []

    def begin(*options: str) -> subprocess.Popen[str]:
        misleading = {
            "TMPDIR": str(place),
            "RECONCILER_CONFIG": str(tmp_path / "reconciler.toml"),
            "RECONCILER_MODE": "observe",
            "RECONCILER_NO_SUCH__KEY": "1",
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "demo", *options],
            env={**os.environ, **misleading},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def lines_until(process: subprocess.Popen[str], words: str) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return lines
    raise AssertionError("".join(lines))


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback address
        body: bytes = answer.read()
        return body.decode()


def what_is_left(place: Path) -> list[str]:
    """Files of the demo, and processes whose command line names its folder."""
    left = [path.name for path in place.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if str(place).encode() in command:
            left.append(command.decode(errors="replace"))
    return left


def test_in_a_pipe_the_whole_story_is_told_and_nothing_is_left(start: Start, place: Path) -> None:
    demo = start("--for", "42")
    lines = lines_until(demo, "the daemon works")
    found = re.search(r"(http://127\.0\.0\.1:\d+)/health and", lines[-1])
    assert found is not None
    lines += lines_until(demo, "scalp set inactive")
    health = json.loads(read(f"{found[1]}/health"))
    metrics = read(f"{found[1]}/metrics")
    rest, _ = demo.communicate(timeout=60)
    text = "".join(lines) + rest

    assert demo.returncode == 0, text
    assert health["mode"] == "enforce"
    assert health["startup_reconciliation"] == "complete"
    assert 'reconciler_profiles_deactivated_total{account="main"} 1.0' in metrics
    for number, title in enumerate(CHAPTERS, start=1):
        assert f"{number} of 6: {title}" in text
    assert "the book learns: filled 0.5 at 2948.4" in text
    assert "trend-old is `unknown`" in text
    assert "SEV-1: sign-in fails (config): bot_status answered 401" in text
    assert "rotated from HS256, which it accepted, to ES256" in text
    assert "6 of 6 chapters ended as they should." in text
    assert "profiles   grid active, scalp inactive, trend active" in text
    assert "\x1b" not in text
    assert what_is_left(place) == []


def test_ctrl_c_twice_after_three_seconds_leaves_nothing(start: Start, place: Path) -> None:
    demo = start()
    lines_until(demo, "starting PostgreSQL")
    time.sleep(3)
    demo.send_signal(signal.SIGINT)
    time.sleep(0.05)
    demo.send_signal(signal.SIGINT)
    text, _ = demo.communicate(timeout=15)
    assert demo.returncode == 0, text
    assert "The demo ended" in text
    assert "Traceback" not in text
    assert what_is_left(place) == []


async def test_a_given_server_keeps_nothing_of_the_demo(
    start: Start, place: Path, empty_database: str
) -> None:
    demo = start("--database-url", empty_database)
    lines_until(demo, "1 of 6")
    demo.send_signal(signal.SIGTERM)
    text, _ = demo.communicate(timeout=15)
    assert demo.returncode == 0, text
    connection = await asyncpg.connect(empty_database)
    try:
        databases = await connection.fetch(
            "select datname from pg_database where datname like 'reconciler_demo_%'"
        )
        schemas = await connection.fetch(
            "select nspname from pg_namespace where nspname in ('bot', 'reconciler')"
        )
    finally:
        await connection.close()
    assert (databases, schemas) == ([], [])
    assert what_is_left(place) == []


def test_a_reader_that_goes_away_ends_it_quietly(start: Start, place: Path) -> None:
    demo = start()
    lines_until(demo, "starting PostgreSQL")
    assert demo.stdout is not None
    demo.stdout.close()
    assert demo.wait(timeout=30) == 0
    assert what_is_left(place) == []


def test_a_server_that_does_not_answer_is_bad_usage(start: Start) -> None:
    demo = start("--database-url", "postgresql://127.0.0.1:1/none")
    text, _ = demo.communicate(timeout=30)
    assert demo.returncode == 2
    assert "the server did not answer" in text
    assert "Traceback" not in text


async def test_a_chapter_that_goes_wrong_is_told_and_the_story_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def wrong(_: Stage) -> str:
        raise story.WrongTurnError("the book changed")

    async def right(_: Stage) -> str:
        return "as expected"

    chapters = (
        story.Chapter(title="one", deed="a deed", play=wrong),
        story.Chapter(title="two", deed="a deed", play=right),
    )
    monkeypatch.setattr(story, "STORY", chapters)
    monkeypatch.setattr(story, "PAUSE", timedelta(0))
    out = io.StringIO()
    performance = Performance(started=time.monotonic(), titles=("one", "two"))
    stage = Stage.__new__(Stage)  # these chapters do not use it
    await story.tell_story(stage, performance, Lines(performance, out))
    assert [one.ending for one in performance.played] == [Ending.FAILED, Ending.AS_IT_SHOULD]
    assert [one.title for one in performance.failed()] == ["one"]
    assert "FAILED: the book changed" in out.getvalue()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_the_screen_holds_both_sides(width: int, height: int) -> None:
    scene = Scene(
        positions=(
            PositionLine(symbol="SOL/USDT:USDT", venue=Decimal(-40), book=Decimal("0.000")),
        ),
        orders=(
            OrderLine(
                id="trend-old",
                profile_id="trend",
                symbol="BTC/USDT:USDT",
                side="buy",
                qty=Decimal(1),
                filled=Decimal(0),
                avg_price=None,
                status="unknown",
                venue="not known",
            ),
        ),
        profiles={"grid": "active", "scalp": "inactive"},
        incidents=(),
        quarantine={},
        suspicions=0,
        health=AccountHealth(last_success_at=None, trouble="the venue does not answer"),
    )
    performance = Performance(
        started=time.monotonic(),
        titles=tuple(CHAPTERS),
        url="http://127.0.0.1:40000",
        scene=scene,
        played=[Played(number=1, title="parity", deed="the bot trades", began=0.0)],
    )
    out = io.StringIO()
    screen = Screen(performance, out, seconds=40)
    console = Console(file=out, width=width, height=height)
    screen._console = console
    console.print(screen.picture())
    lines = out.getvalue().splitlines()
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    for words in (
        "http://127.0.0.1:40000/health and http://127.0.0.1:40000/metrics",
        "SOL       -40    0     ghost",
        "trend-old  not known  unknown",
        "● grid  ○ scalp",
        "NOT JUDGED",
        "outage",
    ):
        assert any(words in line for line in lines), words
