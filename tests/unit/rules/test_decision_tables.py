"""Every row of the decision tables has its case and its line in the docs; every lesson its test."""

import ast
import re
from pathlib import Path

import pytest

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.descriptions import DESCRIBED
from tests.unit.rules import (
    test_decision_tables_absence,
    test_decision_tables_orders,
    test_decision_tables_positions,
)
from tests.unit.rules.decision_rows import ROWS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "why" / "decision-tables.md").read_text(encoding="utf-8")
LESSONS = 50
TIME_WORDS = re.compile(r"time|since|until|begin|start|end|from|to|after|before", re.IGNORECASE)


def _rows_with_a_case() -> set[str]:
    tables = (
        test_decision_tables_absence,
        test_decision_tables_orders,
        test_decision_tables_positions,
    )
    found = {case.row for table in tables for case in table.CASES}
    for table in (test_decision_tables_absence, test_decision_tables_positions):
        found |= {row for row in table.STAGED if _has_a_test(table, row)}
    return found


def _has_a_test(table: object, row: str) -> bool:
    """`2.3-4` → a test named `test_2_3_4_…`; `test_2_3_1_and_3_…` is of two rows."""
    section, number = row.split("-")
    start = "test_" + section.replace(".", "_") + "_"
    names = (name.removeprefix(start) for name in vars(table) if name.startswith(start))
    return any(re.match(rf"({number}|\d+_and_{number})_", name) for name in names)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_case_and_a_line(row: str) -> None:
    assert row in _rows_with_a_case()
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| {row} |")]
    assert line.count(" | ") == 3
    assert all(part.strip() for part in line.strip("|").split(" | "))


def test_no_case_is_of_a_row_that_is_not_there() -> None:
    assert _rows_with_a_case() <= set(ROWS)
    assert len(set(ROWS)) == len(ROWS) == 24 + 11 + 8 + 14


def test_every_lesson_has_its_line() -> None:
    lines = re.findall(r"^\| (\d+) .+ \| (.+) \|$", PAGE, flags=re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(1, LESSONS + 1))


def test_tests_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    known = {name for source in sources for name in re.findall(r"def (test_\w+)\(", source)}
    assert named
    assert named <= known


@pytest.mark.parametrize("description", DESCRIBED.values(), ids=lambda d: str(d.venue))
def test_no_listing_is_filtered_by_time(description: object) -> None:
    """Lesson 7: a position (or an order) that did not change lately is held all the same."""
    for call in description.listings:  # type: ignore[attr-defined]
        assert not [name for name in call.params if TIME_WORDS.fullmatch(name)]
        if call.scope is ScopeName.POSITIONS and call.paging is not None:
            assert not TIME_WORDS.fullmatch(call.paging.cursor_param or "")


def test_no_exception_is_gathered_as_a_result() -> None:
    """Lesson 48: among results a cancellation is easily taken for one."""
    for source in (ROOT / "reconciler").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword):
                assert node.arg != "return_exceptions", source
