"""One noun everywhere: the sets of names agree (STYLE, names)."""

import ast
import importlib
import pkgutil
from enum import StrEnum
from pathlib import Path

import pytest

import reconciler.domain
import reconciler.rules
from reconciler.domain.incidents import IncidentKind, IncidentStatus, Severity
from reconciler.domain.orders import LIVE_STATES, TERMINAL_STATES, OrderState
from reconciler.domain.snapshot import ORDER_SCOPES, Completeness, ScopeName
from reconciler.domain.verdicts import OrderVerdictKind, PositionVerdictKind
from reconciler.rules.retention import MissingReason
from reconciler.rules.severity import FIXED

DESIGN_SECTION_6 = {
    "ghost_position",
    "side_mismatch",
    "mass_change",
    "entry_after_containment",
    "quantity_mismatch",
    "unaware_fill",
    "phantom_position",
    "orphan_order",
    "venue_unreachable",
    "venue_auth",
    "book_unreadable",
    "order_quarantined",
    "stuck_order",
    "stale_backlog",
    "auth_failure",
    "clock_skew",
    "coverage_gap",
}
INCIDENTS = {kind.value for kind in IncidentKind}


def _values(words: type[StrEnum]) -> set[str]:
    return {word.value for word in words}


def test_incident_kinds_are_the_table_of_the_design() -> None:
    assert INCIDENTS == DESIGN_SECTION_6


@pytest.mark.parametrize("words", [IncidentKind, OrderVerdictKind, PositionVerdictKind, OrderState])
def test_a_name_is_its_value_in_capitals(words: type[StrEnum]) -> None:
    aliases = {"MISSING": "missing_order", "STUCK": "stuck_order", "ORPHAN": "orphan_order"}
    for word in words:
        assert word.value == aliases.get(word.name, word.name.lower())


def test_every_position_discrepancy_is_an_incident_kind() -> None:
    discrepancies = {kind.value for kind in PositionVerdictKind if kind.is_discrepancy}
    assert discrepancies == {
        "ghost_position",
        "phantom_position",
        "quantity_mismatch",
        "side_mismatch",
    }
    assert discrepancies < INCIDENTS


def test_order_verdicts_that_become_incidents_as_they_are() -> None:
    assert _values(OrderVerdictKind) & INCIDENTS == {"stuck_order", "orphan_order"}


def test_a_kind_is_an_order_verdict_or_a_position_verdict() -> None:
    assert not _values(OrderVerdictKind) & _values(PositionVerdictKind)


def test_only_kinds_that_exist_have_a_fixed_severity() -> None:
    assert set(FIXED) < set(IncidentKind)
    assert set(FIXED.values()) == set(Severity)


def test_contract_words() -> None:
    assert _values(Severity) == {"SEV-1", "SEV-2", "SEV-3"}
    assert _values(IncidentStatus) == {"open", "acknowledged", "resolved"}
    assert _values(Completeness) == {"complete", "partial", "failed"}
    assert _values(ScopeName) == {"positions", "open_orders", "trigger_orders", "balances"}
    assert _values(MissingReason) == {"forgotten", "never_seen", "unidentifiable"}


def test_order_states_are_live_terminal_or_neither() -> None:
    assert not LIVE_STATES & TERMINAL_STATES
    assert set(OrderState) - LIVE_STATES - TERMINAL_STATES == {
        OrderState.UNKNOWN,
        OrderState.UNMAPPED,
    }
    assert {state.value for state in LIVE_STATES} == {
        "in_flight",
        "open",
        "partially_filled",
        "canceling",
    }
    for state in OrderState:
        assert state.is_live is (state in LIVE_STATES)
        assert state.is_terminal is (state in TERMINAL_STATES)


def test_both_listings_of_orders_must_be_complete() -> None:
    assert {scope.value for scope in ORDER_SCOPES} == {"open_orders", "trigger_orders"}


def _sources() -> list[Path]:
    found = []
    for package in (reconciler.domain, reconciler.rules):
        for module in pkgutil.iter_modules(package.__path__):
            path = importlib.import_module(f"{package.__name__}.{module.name}").__file__
            assert path is not None
            found.append(Path(path))
    return found


@pytest.mark.parametrize("source", _sources(), ids=lambda path: path.stem)
def test_the_core_reads_no_clock_and_makes_no_money_of_floats(source: Path) -> None:
    tree = ast.parse(source.read_text())
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"datetime.now", "datetime.utcnow", "date.today", "time.time", "float"}
    floats = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is float]
    assert floats == []
