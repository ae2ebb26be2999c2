"""Every kind says how sure it is and what to do next, by commands that exist."""

import re
from datetime import UTC, datetime

import pytest
import typer
from typer.main import get_command

from reconciler.cli.app import app
from reconciler.domain.incidents import IncidentKind
from reconciler.incidents.answers import ContainmentRow, IncidentRow
from reconciler.incidents.next_steps import SURENESS, how_sure, next_steps

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def row(kind: str, status: str = "open") -> IncidentRow:
    return IncidentRow(
        id=7,
        kind=kind,
        severity="SEV-1",
        status=status,
        book="main",
        account="main",
        profile_id="p1",
        symbol="SOL/USDT:USDT",
        order_id="o1",
        title="t",
        opened_at=NOW,
        age_seconds=1.0,
        acknowledged_at=None,
        acknowledged_by=None,
        resolved_at=None,
        resolved_by=None,
    )


CONTAINED = ContainmentRow(
    profile_id="p1",
    account="main",
    book="main",
    incident_id=7,
    reason="r",
    status_before="active",
    contained_at=NOW,
    parity_streak=0,
    released_at=None,
    released_by=None,
)


@pytest.mark.parametrize("kind", IncidentKind)
def test_each_kind_has_its_words_and_commands(kind: IncidentKind) -> None:
    assert kind in SURENESS
    steps = next_steps(row(kind), {}, [CONTAINED])
    commands = [step.command for step in steps if step.command]
    assert "reconciler incidents ack 7 --by WHO" in commands
    assert "reconciler profiles reenable p1 --by WHO" in commands
    for command in commands:
        assert_exists(command)


def assert_exists(command: str) -> None:
    """The words name a command, and its options are options of it."""
    found = get_command(app)
    program, *words = command.split()
    assert program == "reconciler"
    while words and isinstance(found, typer.core.TyperGroup):
        found = found.commands[words.pop(0)]
    options = {opt for parameter in found.params for opt in parameter.opts}
    for option in re.findall(r"--[\w-]+", command):
        assert option in options, command


def test_a_resolved_one_only_asks_to_let_the_profile_go() -> None:
    steps = next_steps(row("ghost_position", "resolved"), {}, [CONTAINED])
    assert [s.command for s in steps] == ["reconciler profiles reenable p1 --by WHO"]


@pytest.mark.parametrize("key", ["not_contained", "held_back"])
def test_a_profile_that_still_trades_comes_first(key: str) -> None:
    steps = next_steps(row("ghost_position", "acknowledged"), {key: "why"}, [])
    assert "STILL TRADES" in steps[0].text


def test_certainty_is_told() -> None:
    assert "the only profile" in how_sure("ghost_position", {"certainty": "the only profile"})
    assert how_sure("a_kind_of_tomorrow", {}) == "see the runbook"
