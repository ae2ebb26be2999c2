"""The incident of one position, with all that a reader needs."""

from reconciler.cycle.looking import Look
from reconciler.cycle.suspicion_book import POSITION_FAMILY
from reconciler.domain.book import BookReading
from reconciler.domain.identity import ProfileId
from reconciler.domain.incidents import IncidentDraft, IncidentKey, IncidentKind
from reconciler.domain.verdicts import PositionVerdict
from reconciler.incidents.evidence import JudgedUnder, evidence_bundle
from reconciler.rules.policy import Breach, find_breach
from reconciler.rules.severity import severity_of_position


def breach_of(look: Look, verdict: PositionVerdict) -> Breach | None:
    """Whether it is a ghost of at least `policy.ghost_threshold_notional`."""
    return find_breach(verdict, account=look.tools.account, threshold=look.judging.ghost_threshold)


def position_draft(
    look: Look,
    verdict: PositionVerdict,
    *,
    reading: BookReading,
    pinned: list[ProfileId],
    details: dict[str, object],
) -> IncidentDraft:
    """The incident of one position, with the evidence that it rests on."""
    name = verdict.kind.value.replace("_", " ")
    breach = breach_of(look, verdict)
    if breach is not None:
        details = {**details, "threshold": breach.details}
    return IncidentDraft(
        key=IncidentKey(
            kind=IncidentKind(verdict.kind.value),
            book=look.tools.book.name,
            account=look.tools.account,
            subject=verdict.subject,
        ),
        severity=severity_of_position(verdict),
        title=f"{name} on {look.tools.account}: {verdict.symbol} {verdict.side}: {verdict.reason}",
        symbol=verdict.symbol,
        profile_id=pinned[0] if len(pinned) == 1 else None,
        details=details,
        evidence=evidence_bundle(
            reading=reading,
            snapshot=look.snapshot,
            symbol=verdict.symbol,
            verdict=verdict,
            limits={"positions": look.judging.positions},
            changed_at=look.changed_at.get(verdict.symbol),
            under=JudgedUnder(
                now=max(look.now, reading.read_at),
                ownership=look.ownership,
                first_seen_at=look.suspicions.first_seen_at(POSITION_FAMILY, verdict.subject),
            ),
        ),
    )


def facts_of(verdict: PositionVerdict) -> dict[str, object]:
    """What the incident's own page shows first."""
    return {
        "why": verdict.reason,
        "symbol": verdict.symbol,
        "side": verdict.side,
        "qty": verdict.venue_qty or verdict.book_qty,
        "venue_qty": verdict.venue_qty,
        "book_qty": verdict.book_qty,
        "notional": verdict.notional,
        "profiles": list(verdict.profile_ids),
    }
