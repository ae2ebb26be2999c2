"""The runbook's stories, played against the program, and ended by its commands alone."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from tests.scenarios.setting import HOUR, Ran, Setting, eventually

SOL = "SOL/USDT:USDT"
BY = ("--by", "ada")


async def _done(setting: Setting, *words: str) -> Ran:
    """A command that must be done."""
    ran = await setting.typed(*words)
    assert ran.code == 0, (words, ran)
    return ran


async def test_a_ghost_is_contained_and_its_profile_let_go_again(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.order(
        "exit-7", SOL, "buy", "10", status="rejected", role="exit", reduce_only=True
    )
    assert (await setting.once()).code == 1
    assert await setting.status() == "inactive"

    # What is wrong, how sure we are, what was done, what to do next.
    [row] = (await _done(setting, "incidents", "list", "--json")).rows
    assert (row["kind"], row["severity"], row["status"]) == ("ghost_position", "SEV-1", "open")
    number = str(row["id"])
    shown = (await _done(setting, "incidents", "show", number, "--json")).report
    assert shown["details"]["venue_qty"] == "10"
    assert [c["profile_id"] for c in shown["containments"]] == ["p1"]
    [written] = shown["audit"]
    assert (written["before"], written["after"]) == ({"status": "active"}, {"status": "inactive"})
    commands = [step["command"] for step in shown["next_steps"] if step["command"]]
    assert f"reconciler incidents ack {number} --by WHO" in commands
    assert "reconciler profiles reenable p1 --by WHO" in commands
    await _done(setting, "incidents", "ack", number, *BY, "--note", "on it")
    again = await setting.typed("incidents", "ack", number, "--by", "bob")
    assert again.code == 1
    assert "acknowledged already, by ada" in again.err

    # What to tell people, and what may have happened.
    message = (await _done(setting, "incidents", "message", number)).out
    for part in ("Severity: SEV-1", "Profiles: p1", f"Symbols: {SOL}", "Next Update (UTC): "):
        assert part in message
    assert "Mitigation: profile p1 set inactive" in message
    draft = (await _done(setting, "incidents", "rca", number)).out
    assert "## Suspected cause: rejected exit" in draft
    assert "exit order exit-7 ended rejected with 0 of 10 filled" in draft

    # Not while the ghost is there.
    early = await setting.typed("profiles", "reenable", "p1", *BY)
    assert early.code == 1
    assert "0 of 2 complete snapshots" in early.err
    assert f"incident {number} (ghost_position, SEV-1) is open" in early.err
    assert await setting.status() == "inactive"

    # A person closes the position at the venue; looks confirm parity.
    setting.ledger.close_position("SOLUSDT")
    await eventually(lambda: _looked(setting, number), within=30)
    await _done(setting, "profiles", "reenable", "p1", *BY, "--note", "closed by hand")
    assert await setting.status() == "active"
    assert (await setting.once()).code == 0
    [ended] = (await _done(setting, "incidents", "list", "--status", "all", "--json")).rows
    assert (ended["status"], ended["resolved_by"]) == ("resolved", None)
    events = await setting.rows("select event, by from reconciler.incident_events order by id")
    assert {"event": "acknowledged", "by": "ada"} in events
    assert {"event": "reenabled", "by": "ada"} in events
    [release] = await setting.rows("select released_by from reconciler.containments")
    assert release["released_by"] == "ada"


async def _looked(setting: Setting, number: str) -> bool:
    await setting.once()
    status = await setting.connection.fetchval(
        "select status from reconciler.incidents where id = $1", int(number)
    )
    return bool(status == "resolved")


async def test_a_missing_order_is_quarantined_and_reviewed(setting: Setting) -> None:
    await setting.order("o1", SOL, "buy", "2", venue_order_id="77", age=26 * HOUR)
    await setting.order("o2", SOL, "buy", "3", venue_order_id="78", age=timedelta(hours=2))
    stale = (await _done(setting, "orders", "list", "--json")).rows
    assert [row["id"] for row in stale] == ["o1", "o2"]
    assert (await setting.once()).code == 1
    [row] = (await _done(setting, "quarantine", "list", "--json")).rows
    assert (row["order_id"], row["review"]) == ("o1", "pending")
    backlog = (await _done(setting, "orders", "list", "--stale", "--json")).rows
    assert [row["id"] for row in backlog] == ["o2"]

    shown = (await _done(setting, "quarantine", "show", "o1", "--live", "--json")).report
    assert shown["order"]["status"] == "unknown"
    assert shown["venue"]["answer"] == "not_found"
    refused = await setting.typed(
        "incidents", "resolve", str(row["incident_id"]), *BY, "--note", "gone"
    )
    assert refused.code == 1
    assert "reconciler quarantine resolve o1" in refused.err
    await _done(
        setting, *("quarantine", "resolve", "o1", "--status", "canceled", *BY, "--note", "gone")
    )
    book = await setting.row("select status, filled from bot.orders where id = 'o1'")
    assert (book["status"], book["filled"]) == ("canceled", 0)

    # The younger one: the runbook's "if still mismatched", by hand.
    await _done(setting, "quarantine", "add", "o2", *BY, "--note", "the bot has lost it")
    assert (await setting.once()).code == 0
    await _done(
        setting, *("quarantine", "resolve", "o2", "--status", "rejected", *BY, "--note", "never")
    )
    assert await setting.incidents() == [
        ("order_quarantined", "SEV-2", "resolved"),
        ("order_quarantined", "SEV-2", "resolved"),
    ]
    assert (await setting.once()).code == 0
    done = (await _done(setting, "operations", "list", "--json")).rows
    assert [(o["operation"], o["outcome"]) for o in reversed(done)] == [
        ("incidents resolve", "refused"),
        ("quarantine resolve", "done"),
        ("quarantine add", "done"),
        ("quarantine resolve", "done"),
    ]
    assert {o["who"] for o in done} == {"ada"}


async def test_an_incident_becomes_a_regression_test(setting: Setting, tmp_path: Path) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.once()
    [incident] = await setting.rows("select id from reconciler.incidents")
    number = str(incident["id"])
    bundle = tmp_path / "bundle.json"
    await _done(setting, "incidents", "export", number, "-o", str(bundle))
    replayed = await setting.typed_alone("replay", str(bundle), "--json")
    assert (replayed.code, replayed.report["same"]) == (0, True)

    test = tmp_path / "test_exported.py"
    await _done(setting, "incidents", "export", number, "--as-test", "-o", str(test))
    assert _pytest(test).returncode == 0
    _linted(test)
    broken = tmp_path / "conftest.py"
    broken.write_text(BROKEN, encoding="utf-8")
    failed = _pytest(test)
    assert failed.returncode == 1, failed.stdout
    assert "AssertionError" in failed.stdout

    changed = json.loads(bundle.read_text())
    changed["verdict"]["venue_qty"] = "11"
    bundle.write_text(json.dumps(changed))
    assert (await setting.typed_alone("replay", str(bundle))).code == 1
    bundle.write_text("{}")
    assert (await setting.typed_alone("replay", str(bundle))).code == 2


BROKEN = """
import reconciler.rules.ghost_positions as rules
from reconciler.domain.verdicts import PositionVerdictKind

rules._kind_of = lambda held, expected, *, same: (PositionVerdictKind.IN_PARITY, "broken")
"""
"""Somebody breaks the rule that the incident rests on."""


def _linted(file: Path) -> None:
    """By the rules of this project, as a test that somebody adds to it."""
    settings = Path(__file__).parents[2] / "pyproject.toml"
    for checking in (["check", "--ignore=INP001"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *checking, "--config", str(settings), str(file)]
        said = subprocess.run(ruff, check=False, capture_output=True, text=True, timeout=30)
        assert said.returncode == 0, said.stdout


def _pytest(file: Path) -> subprocess.CompletedProcess[str]:
    """Run one file as a fresh checkout would, without this checkout's configuration."""
    alone = ("-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(file.parent))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *alone, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=file.parent,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": os.defpath},
    )


async def test_a_ghost_that_people_keep_is_ignored(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.once()
    [row] = (await _done(setting, "incidents", "list", "--json")).rows
    await _done(setting, "ignore", "add", "main", "symbol", SOL, *BY, "--note", "a hedge of ours")
    await eventually(lambda: _looked(setting, str(row["id"])), within=30)
    await _done(setting, "profiles", "reenable", "p1", *BY)
    assert await setting.status() == "active"
    assert (await setting.once()).code == 0
    await _done(setting, "ignore", "remove", "main", "symbol", SOL, *BY)
    assert (await setting.once()).code == 1
    assert await setting.status() == "inactive"
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
