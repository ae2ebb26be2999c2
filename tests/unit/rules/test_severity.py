"""The runbook's severities: the table of DESIGN section 6."""

from decimal import Decimal

import pytest

from reconciler.domain.identity import Symbol
from reconciler.domain.incidents import IncidentKind, Severity
from reconciler.domain.snapshot import Completeness
from reconciler.domain.verdicts import PositionVerdict
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.severity import (
    FIXED,
    severity_of_order,
    severity_of_position,
    why_exposure_uncertain,
)
from tests.unit.builders import BTC, ETH, LONG, snapshot

SEV_1, SEV_2, SEV_3 = Severity.SEV_1, Severity.SEV_2, Severity.SEV_3


def _verdict(
    kind: Kind, *, venue: str = "1", book: str = "0", symbol: Symbol = BTC
) -> PositionVerdict:
    return PositionVerdict(
        kind=kind,
        symbol=symbol,
        side=LONG,
        venue_qty=Decimal(venue),
        book_qty=Decimal(book),
        notional=None,
        profile_ids=(),
        reason="they differ",
    )


@pytest.mark.parametrize(
    ("verdict", "severity"),
    [
        (_verdict(Kind.GHOST_POSITION), SEV_1),
        (_verdict(Kind.SIDE_MISMATCH, book="1"), SEV_1),
        (_verdict(Kind.PHANTOM_POSITION, venue="0", book="1"), SEV_2),
        (_verdict(Kind.QUANTITY_MISMATCH, venue="2", book="1"), SEV_1),
        (_verdict(Kind.QUANTITY_MISMATCH, venue="1", book="2"), SEV_2),
    ],
)
def test_positions(verdict: PositionVerdict, severity: Severity) -> None:
    assert severity_of_position(verdict) is severity


@pytest.mark.parametrize(
    ("severity", "kinds"),
    [
        (
            SEV_1,
            {"ghost_position", "side_mismatch", "mass_change", "entry_after_containment"},
        ),
        (
            SEV_2,
            {
                "phantom_position",
                "orphan_order",
                "venue_unreachable",
                "venue_auth",
                "book_unreadable",
            },
        ),
        (SEV_3, {"clock_skew", "coverage_gap"}),
    ],
)
def test_kinds_of_one_severity(severity: Severity, kinds: set[str]) -> None:
    assert {kind.value for kind, fixed in FIXED.items() if fixed is severity} == kinds


def test_the_other_kinds_depend_on_something() -> None:
    assert {kind.value for kind in set(IncidentKind) - set(FIXED)} == {
        "quantity_mismatch",
        "unaware_fill",
        "order_quarantined",
        "stuck_order",
        "stale_backlog",
        "auth_failure",
    }


@pytest.mark.parametrize("scope", [Completeness.PARTIAL, Completeness.FAILED, None])
def test_exposure_is_uncertain_without_a_complete_listing(scope: Completeness | None) -> None:
    why = why_exposure_uncertain(
        symbol=BTC,
        snapshot=snapshot(positions_scope=scope),
        positions=(_verdict(Kind.IN_PARITY),),
    )
    assert why is not None
    assert severity_of_order(exposure_uncertain=why) is SEV_1


@pytest.mark.parametrize(
    ("positions", "uncertain"),
    [
        ((), False),
        ((_verdict(Kind.IN_PARITY),), False),
        ((_verdict(Kind.NOT_JUDGED),), True),
        ((_verdict(Kind.QUANTITY_MISMATCH),), True),
        ((_verdict(Kind.IN_PARITY), _verdict(Kind.GHOST_POSITION)), True),
        ((_verdict(Kind.GHOST_POSITION, symbol=ETH),), False),
    ],
)
def test_exposure_is_uncertain_while_its_own_position_does_not_agree(
    positions: tuple[PositionVerdict, ...], *, uncertain: bool
) -> None:
    why = why_exposure_uncertain(symbol=BTC, snapshot=snapshot(), positions=positions)
    assert severity_of_order(exposure_uncertain=why) is (SEV_1 if uncertain else SEV_2)
