"""The runbook's severities (DESIGN section 6)."""

from collections.abc import Mapping

from reconciler.domain.identity import Symbol
from reconciler.domain.incidents import IncidentKind, Severity
from reconciler.domain.snapshot import Snapshot
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind

FIXED: Mapping[IncidentKind, Severity] = {
    IncidentKind.GHOST_POSITION: Severity.SEV_1,
    IncidentKind.SIDE_MISMATCH: Severity.SEV_1,
    IncidentKind.MASS_CHANGE: Severity.SEV_1,
    IncidentKind.ENTRY_AFTER_CONTAINMENT: Severity.SEV_1,
    IncidentKind.PHANTOM_POSITION: Severity.SEV_2,
    IncidentKind.ORPHAN_ORDER: Severity.SEV_2,
    IncidentKind.VENUE_UNREACHABLE: Severity.SEV_2,
    IncidentKind.VENUE_AUTH: Severity.SEV_2,
    IncidentKind.BOOK_UNREADABLE: Severity.SEV_2,
    IncidentKind.CLOCK_SKEW: Severity.SEV_3,
    IncidentKind.COVERAGE_GAP: Severity.SEV_3,
}
"""Kinds whose severity does not depend on anything else."""


def severity_of_position(verdict: PositionVerdict) -> Severity:
    """A quantity mismatch is SEV-1 where the venue holds more than the book, else SEV-2."""
    if verdict.kind is PositionVerdictKind.QUANTITY_MISMATCH:
        more = verdict.venue_qty > verdict.book_qty
        return Severity.SEV_1 if more else Severity.SEV_2
    return FIXED[IncidentKind(verdict.kind.value)]


def why_exposure_uncertain(
    *, symbol: Symbol, snapshot: Snapshot, positions: tuple[PositionVerdict, ...]
) -> str | None:
    """Why a fill of an order of this symbol may have changed a position unseen, or None."""
    if not snapshot.positions_are_complete():
        return "the position is not known from a complete snapshot"
    for verdict in positions:
        if verdict.symbol == symbol and verdict.kind is not PositionVerdictKind.IN_PARITY:
            return f"the position does not agree: {verdict.reason}"
    return None


def severity_of_order(*, exposure_uncertain: str | None) -> Severity:
    """Quarantined and stuck orders, and fills the book missed: SEV-1 while exposure is open."""
    return Severity.SEV_1 if exposure_uncertain else Severity.SEV_2
