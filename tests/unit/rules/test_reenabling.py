"""Re-enabling a profile: refused with everything that is missing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.domain.containments import Containment
from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.incidents import (
    IncidentKey,
    IncidentKind,
    IncidentStatus,
    OpenIncident,
    Severity,
)
from reconciler.domain.snapshot import Completeness
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind
from reconciler.rules.reenabling import Agreement, judge_agreement, why_not_reenable
from tests.unit.builders import (
    ACCOUNT,
    BOOK,
    BTC,
    ETH,
    LONG,
    NOW,
    book_order,
    book_position,
    reading,
    snapshot,
)

P1 = ProfileId("p1")
Kind = IncidentKind


def _contained(
    streak: int = 3,
    profile: str = "p1",
    symbol: str | None = BTC,
    seen_ago: timedelta | None = timedelta(minutes=1),
) -> Containment:
    return Containment(
        id=1,
        profile_id=ProfileId(profile),
        incident_id=7,
        reason="a ghost",
        contained_at=NOW - timedelta(hours=1),
        symbol=symbol,
        parity_streak=streak,
        parity_seen_at=NOW - seen_ago if seen_ago is not None else None,
    )


def _incident(
    kind: IncidentKind = Kind.GHOST_POSITION,
    severity: Severity = Severity.SEV_1,
    *,
    profile: str | None = None,
    **details: Any,
) -> OpenIncident:
    return OpenIncident(
        id=9,
        key=IncidentKey(kind=kind, book=BOOK, account=ACCOUNT, subject="s"),
        severity=severity,
        status=IncidentStatus.OPEN,
        title="",
        opened_at=NOW,
        details=details,
        profile_id=profile,
    )


def _why(*incidents: OpenIncident, streak: int = 3, confirmations: int = 3) -> tuple[str, ...]:
    return why_not_reenable(
        profile_id=P1,
        containments=[_contained(streak)],
        incidents=incidents,
        confirmations=confirmations,
        now=NOW,
    )


def test_parity_confirmed_and_no_sev_1_is_enough() -> None:
    assert _why() == ()


@pytest.mark.parametrize(
    ("ages", "is_stale"),
    [((1, 15), False), ((1, 16), True), ((16,), True), ((1, None), True), ((60 * 24 * 30,), True)],
)
def test_parity_grows_old_when_nobody_looks(ages: tuple[int | None, ...], is_stale: bool) -> None:
    standing = [
        _contained(seen_ago=timedelta(minutes=age) if age is not None else None) for age in ages
    ]
    why = why_not_reenable(
        profile_id=P1, containments=standing, incidents=(), confirmations=3, now=NOW
    )
    assert any("reconciler once" in line for line in why) is is_stale


@pytest.mark.parametrize(("streak", "refused"), [(0, True), (2, True), (3, False), (4, False)])
def test_parity_must_have_been_seen_often_enough(*, streak: int, refused: bool) -> None:
    why = _why(streak=streak)
    assert bool(why) is refused
    assert all(f"{streak} of 3" in reason for reason in why)


def test_the_least_confirmed_of_two_containments_counts() -> None:
    why = why_not_reenable(
        profile_id=P1,
        containments=[_contained(3), _contained(1), _contained(0, profile="p2")],
        incidents=[],
        confirmations=3,
        now=NOW,
    )
    assert len(why) == 1
    assert "1 of 3" in why[0]


def test_a_profile_that_is_not_contained_has_nothing_to_end() -> None:
    why = why_not_reenable(
        profile_id=P1,
        containments=[_contained(profile="p2")],
        incidents=[],
        confirmations=3,
        now=NOW,
    )
    assert why == ("profile p1 is not contained by the daemon",)


@pytest.mark.parametrize(
    ("incident", "refused"),
    [
        (_incident(profile="p1"), True),
        (_incident(pinned=["p0", "p1"]), True),
        (_incident(profiles=["p1"]), True),
        (_incident(profile="p2"), False),
        (_incident(pinned=["p2", "p3"]), False),
        (_incident(Kind.MASS_CHANGE), True),
        (_incident(severity=Severity.SEV_2, profile="p1"), False),
        (_incident(Kind.VENUE_UNREACHABLE, Severity.SEV_2), True),
        (_incident(Kind.VENUE_AUTH, Severity.SEV_2), True),
        (_incident(Kind.BOOK_UNREADABLE, Severity.SEV_2), True),
        (_incident(Kind.CLOCK_SKEW, Severity.SEV_3), False),
    ],
)
def test_which_incidents_stand_against_it(*, incident: OpenIncident, refused: bool) -> None:
    assert bool(_why(incident)) is refused


def test_everything_that_is_missing_is_said_at_once() -> None:
    why = _why(_incident(profile="p1"), _incident(Kind.VENUE_AUTH, Severity.SEV_2), streak=1)
    assert len(why) == 3


def _verdict(kind: PositionVerdictKind, symbol: Symbol = BTC) -> PositionVerdict:
    return PositionVerdict(
        kind=kind,
        symbol=symbol,
        side=LONG,
        venue_qty=Decimal(1),
        book_qty=Decimal(0),
        notional=None,
        profile_ids=(),
        reason="",
    )


PARITY, GHOST = PositionVerdictKind.IN_PARITY, PositionVerdictKind.GHOST_POSITION
NOT_JUDGED = PositionVerdictKind.NOT_JUDGED


@pytest.mark.parametrize(
    ("verdicts", "scope", "agreement"),
    [
        ([], Completeness.COMPLETE, Agreement.AGREES),
        ([_verdict(PARITY)], Completeness.COMPLETE, Agreement.AGREES),
        ([_verdict(GHOST)], Completeness.COMPLETE, Agreement.DIFFERS),
        ([_verdict(GHOST)], Completeness.PARTIAL, Agreement.DIFFERS),
        ([_verdict(NOT_JUDGED)], Completeness.COMPLETE, Agreement.NOT_KNOWN),
        ([], Completeness.PARTIAL, Agreement.NOT_KNOWN),
        ([], Completeness.FAILED, Agreement.NOT_KNOWN),
        ([_verdict(GHOST, ETH)], Completeness.COMPLETE, Agreement.AGREES),
    ],
)
def test_what_one_look_says(
    verdicts: list[PositionVerdict], scope: Completeness, agreement: Agreement
) -> None:
    said = judge_agreement(
        containment=_contained(),
        reading=reading(),
        snapshot=snapshot(positions_scope=scope),
        verdicts=verdicts,
    )
    assert said is agreement


@pytest.mark.parametrize(
    "rows",
    [
        reading(orders=[book_order(symbol=ETH)]),
        reading(positions=[book_position(symbol=ETH)]),
    ],
)
def test_every_market_that_the_profile_trades_concerns_it(rows: Any) -> None:
    said = judge_agreement(
        containment=_contained(),
        reading=rows,
        snapshot=snapshot(),
        verdicts=[_verdict(GHOST, ETH)],
    )
    assert said is Agreement.DIFFERS
