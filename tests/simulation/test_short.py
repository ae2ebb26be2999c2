"""The short form for CI: fixed seeds, each removed rule is caught, a seed is one run."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.simulation.removals import REMOVALS
from tests.simulation.report import failure_text, replay_command
from tests.simulation.run import Plan, Result, run_plan

INCIDENT, EVIDENCE, GHOST = "false incident", "inconclusive evidence", "missed ghost"
CONTAINED, QUARANTINED = "false containment", "false quarantine"
CAUGHT: dict[str, tuple[int, set[str]]] = {
    "failed-is-empty": (0, {INCIDENT, EVIDENCE}),
    "partial-is-whole": (0, {INCIDENT, EVIDENCE}),
    "unanswered-is-not-found": (14, {EVIDENCE, QUARANTINED}),
    "no-lookups": (0, {"missed order", EVIDENCE, QUARANTINED}),
    "no-grace": (30, {INCIDENT, CONTAINED}),
    "no-five-windows": (1, {GHOST}),
    "one-confirmation": (0, {INCIDENT, CONTAINED}),
    "no-second-reading": (10, {CONTAINED}),
    "no-guarded-update": (34, {"row that moved"}),
    "no-retention": (1, {"false reason"}),
    "no-24-hours": (0, {QUARANTINED}),
    "no-blast-radius": (13, {QUARANTINED}),
    "no-lease-check": (5, {"two writers"}),
    "legs-netted": (8, {CONTAINED, GHOST, INCIDENT}),
    "suspicions-not-kept": (0, {"missed order", GHOST}),
}
"""Removed rule → the seed that shows it now, and what may show it. Calls that the cycle makes more
or less shift every seed: then the next ones are tried."""
COVERED = ("orders-after-positions", "own-writes-explain", "positions-read-once")
"""Rules whose removal alone shows nothing: docs/why/simulation.md says what covers them."""
MOST_SEEDS = 24
FOUND = ((61, 13.0), (71, 17.5))
"""Worlds (seed, hours) that once showed a defect: a wrong key, and a bot that touches most rows at
every tick, so that their grace hid from the guard how many the listing lacked."""


def _plan(seed: int, without: str | None = None) -> Plan:
    removal = REMOVALS[without] if without is not None else None
    rival = without == "no-lease-check"
    return Plan(seed=seed, hours=24, pace=4, removal=removal, has_rival=rival)


def _is_right(result: Result) -> bool:
    assert result.violation is None, failure_text(result)
    return True


@pytest.mark.parametrize("seed", range(300, 306))
def test_worlds_full_of_faults_are_judged_rightly(seed: int) -> None:
    assert _is_right(run_plan(_plan(seed)))


@pytest.mark.parametrize(("seed", "hours"), FOUND)
def test_what_a_long_run_once_found(seed: int, hours: float) -> None:
    assert _is_right(run_plan(Plan(seed=seed, hours=hours)))


def _caught(without: str) -> Result | None:
    first, rules = CAUGHT[without]
    for seed in (first, *range(MOST_SEEDS)):
        result = run_plan(_plan(seed, without))
        if result.violation is not None and result.violation.rule in rules:
            return result
    return None


@pytest.mark.parametrize("without", sorted(CAUGHT))
def test_a_removed_rule_is_caught(without: str) -> None:
    result = _caught(without)
    assert result is not None, f"{MOST_SEEDS} worlds do not show that {without} is a rule less"
    assert f"--without {without}" in replay_command(result)
    with_the_rule = replace(result.plan, removal=None, hours=result.hours)
    assert _is_right(run_plan(with_the_rule)), "the same world with the rule"


@pytest.mark.parametrize("without", COVERED)
def test_rules_that_others_cover_change_no_verdict(without: str) -> None:
    assert _is_right(run_plan(_plan(301, without)))


def test_every_removed_rule_is_either_caught_or_covered() -> None:
    assert set(REMOVALS) == {*CAUGHT, *COVERED}


def test_the_same_seed_is_the_same_run_in_any_process() -> None:
    plan = Plan(seed=7, hours=6, pace=4)
    here = run_plan(plan).digest
    program = (
        "from tests.simulation.run import Plan, run_plan;"
        "print(run_plan(Plan(seed=7, hours=6, pace=4)).digest)"
    )
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
        )
        assert done.stdout.strip() == here
    assert run_plan(replace(plan, seed=8)).digest != here


@pytest.mark.parametrize("seed", range(400, 403))
def test_restarts_change_nothing(seed: int) -> None:
    """The world takes no notice of the daemon; once it is quiet, both runs stand the same:
    contained profiles, quarantined orders, open incidents.
    """
    plan = Plan(seed=seed, hours=16, pace=3, compares=True)
    with_kills, without = run_plan(plan), run_plan(replace(plan, with_mishaps=False))
    assert _is_right(with_kills)
    assert _is_right(without)
    assert with_kills.mishaps["killed"] > 0
    assert with_kills.end[0], "somebody was contained"
    assert with_kills.end == without.end
