"""Which notices are one message, and how long one waits for its like."""

from datetime import timedelta

import pytest

from reconciler.domain.incidents import IncidentKind, Severity
from reconciler.rules.grouping import ALIKE_WITHIN, Cause, cause_of

OUTAGE = timedelta(minutes=4)


def _cause(
    kind: IncidentKind,
    severity: Severity = Severity.SEV_2,
    *,
    account: str = "a",
    place: str = "okx",
    event: str = "incident_opened",
) -> Cause:
    return cause_of(
        event=event,
        kind=kind,
        severity=severity,
        account=account,
        book="main",
        place=place,
        outage_within=OUTAGE,
    )


@pytest.mark.parametrize(
    "kind",
    [
        IncidentKind.VENUE_UNREACHABLE,
        IncidentKind.VENUE_AUTH,
        IncidentKind.CLOCK_SKEW,
        IncidentKind.BOOK_UNREADABLE,
    ],
)
def test_what_has_one_cause_for_all_accounts_is_one_message(kind: IncidentKind) -> None:
    assert _cause(kind, account="a") == _cause(kind, account="b")
    assert _cause(kind).hold == OUTAGE
    assert _cause(kind).whose is not None


def test_an_outage_of_one_venue_is_not_that_of_another() -> None:
    kind = IncidentKind.VENUE_UNREACHABLE
    assert _cause(kind, place="okx") != _cause(kind, place="bybit")


def test_a_beginning_and_an_end_are_two_messages() -> None:
    kind = IncidentKind.VENUE_UNREACHABLE
    assert _cause(kind).key != _cause(kind, event="incident_resolved").key


@pytest.mark.parametrize("kind", list(IncidentKind))
def test_sev_1_waits_for_two_seconds_at_most(kind: IncidentKind) -> None:
    assert _cause(kind, Severity.SEV_1).hold <= ALIKE_WITHIN <= timedelta(seconds=3)


def test_ghosts_at_many_accounts_of_a_venue_are_one_message() -> None:
    kind = IncidentKind.GHOST_POSITION
    one, other = (_cause(kind, Severity.SEV_1, account=name) for name in "ab")
    assert one == other


def test_orders_of_two_accounts_are_two_messages() -> None:
    kind = IncidentKind.ORDER_QUARANTINED
    assert _cause(kind, account="a") != _cause(kind, account="b")
    assert _cause(kind, account="a").hold == ALIKE_WITHIN
