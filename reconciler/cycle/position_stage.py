"""Positions of one look: which discrepancies are confirmed, and which are dealt with already."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import TypeAlias

import structlog

from reconciler.cycle.containment import (
    contain,
    report,
    report_breach,
    report_uncontained,
)
from reconciler.cycle.looking import Look
from reconciler.cycle.position_drafts import breach_of
from reconciler.cycle.suspicion_book import POSITION_FAMILY
from reconciler.domain.errors import LeaseLostError, ReconcilerError
from reconciler.domain.incidents import IncidentKind, OpenIncident
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import ScopeName
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.grace import explained_until
from reconciler.rules.severity import severity_of_position

log = structlog.get_logger("reconciler.cycle")

Act: TypeAlias = Callable[[Look, PositionVerdict], Awaitable[None]]
Kind = PositionVerdictKind
POSITION_KINDS = frozenset(
    {
        IncidentKind.GHOST_POSITION,
        IncidentKind.PHANTOM_POSITION,
        IncidentKind.QUANTITY_MISMATCH,
        IncidentKind.SIDE_MISMATCH,
    }
)


def weigh_positions(look: Look) -> list[PositionVerdict]:
    """Confirm each discrepancy of this look; the confirmed ones."""
    scope = look.snapshot.scope(ScopeName.POSITIONS)
    if scope is None:
        return []
    if scope.failure is not None:
        look.still_there.add((IncidentKind.MASS_CHANGE, "positions"))
        look.unjudged.append(f"positions: {scope.failure.call}: {scope.failure.detail}")
    for row in look.reading.unreadable:
        if row.table == "positions":
            look.unjudged.append(row.why)
            look.find("unreadable", row.id, row.why, "none")
    confirmed = [verdict for verdict in look.positions if _weigh(look, verdict)]
    if look.snapshot.positions_are_complete():
        look.settled |= POSITION_FAMILY
        look.judged_kinds |= POSITION_KINDS | {IncidentKind.UNAWARE_FILL}
        kinds = Counter(verdict.kind for verdict in look.positions)
        look.facts.discrepancies = {k.value: kinds[k] for k in Kind if k.is_discrepancy}
    return confirmed


def _weigh(look: Look, verdict: PositionVerdict) -> bool:
    """Whether this verdict is a confirmed discrepancy."""
    if verdict.kind is Kind.IN_PARITY:
        for side in PositionSide:
            look.suspicions.forget(POSITION_FAMILY, f"{verdict.symbol}|{side}")
        return False
    _keep_incidents_of(look, verdict)
    if verdict.kind is Kind.NOT_JUDGED:
        look.unjudged.append(f"{verdict.symbol}: {verdict.reason}")
        look.suspicions.leave(POSITION_FAMILY, verdict.subject)
        look.find(verdict.kind, verdict.subject, verdict.reason, "none")
        return False
    return _is_confirmed(look, verdict)


def _is_confirmed(look: Look, verdict: PositionVerdict) -> bool:
    look.differs = True
    judging = look.judging
    suspicion = look.suspicions.see(
        verdict.kind.value,
        verdict.subject,
        spacing=judging.position_confirm_after,
        counts=not verdict.explained_by_change and not verdict.moved,
    )
    if verdict.explained_by_change:
        text = f"{verdict.reason}; the book's rows of it changed just now"
        look.find(verdict.kind, verdict.subject, text, "none")
        look.recheck.append(_until_unexplained(look, verdict))
        return False
    if verdict.moved:
        look.find(verdict.kind, verdict.subject, verdict.reason, "suspected")
        look.recheck.append(judging.position_confirm_after)
        return False
    if is_confirmed(suspicion, confirmations=judging.position_confirmations):
        return True
    text = f"{verdict.reason} ({suspicion.count} of {judging.position_confirmations} looks)"
    look.find(verdict.kind, verdict.subject, text, "suspected")
    look.recheck.append(judging.position_confirm_after)
    return False


def _until_unexplained(look: Look, verdict: PositionVerdict) -> timedelta:
    """A difference that outlives its grace is looked at as soon as that ends."""
    ends = explained_until(
        changed_at=look.changed_at[verdict.symbol],
        first_seen_at=look.suspicions.first_seen_at(POSITION_FAMILY, verdict.subject),
        grace=look.judging.positions.grace,
    )
    return max(ends - look.now, look.judging.position_confirm_after)


def _keep_incidents_of(look: Look, verdict: PositionVerdict) -> None:
    """While a symbol is not in parity, none of its incidents heals."""
    for incident in look.memory.incidents:
        about = incident.key.subject.rpartition("|")[0] or str(incident.details.get("symbol"))
        if about == verdict.symbol:
            look.still_there.add((incident.key.kind, incident.key.subject))
    look.still_there.add((IncidentKind.GHOST_POSITION, verdict.subject))


async def act_on_positions(look: Look, confirmed: Iterable[PositionVerdict]) -> None:
    """Contain, then open the incidents of the others, each for itself; a discrepancy that stands
    and is dealt with costs nothing.
    """
    standing = {(i.key.kind, i.key.subject): i for i in look.memory.incidents}
    to_contain: list[PositionVerdict] = []
    others: list[tuple[PositionVerdict, Act]] = []
    for verdict in confirmed:
        kind = IncidentKind(verdict.kind.value)
        incident = standing.get((kind, verdict.subject))
        contains = verdict.kind.value in look.judging.contain
        if _is_dealt_with(look, verdict, incident, contains=contains):
            others.append((verdict, partial(_stand, incident=incident)))
        elif contains:
            to_contain.append(verdict)
        else:
            others.append((verdict, report))
    for verdict in to_contain:
        containing = partial(contain, is_last=verdict is to_contain[-1])
        if (why := await _why_not_done(look, verdict, containing)) is not None:
            # A book that refuses the write still gets its SEV-1, and the next ghost its turn.
            await _why_not_done(look, verdict, partial(report_uncontained, why=why))
    for verdict, act in others:
        await _why_not_done(look, verdict, act)


async def _why_not_done(look: Look, verdict: PositionVerdict, act: Act) -> str | None:
    """Do it; what stood in the way, which keeps no other discrepancy from its turn."""
    try:
        await act(look, verdict)
    except LeaseLostError:
        raise
    except ReconcilerError as error:
        why = str(error)
    except Exception as error:
        log.exception("[GHOST] not acted on", account=look.tools.account, subject=verdict.subject)
        why = f"{type(error).__name__}: {error}"
    else:
        return None
    look.unjudged.append(f"{verdict.subject} could not be acted on: {why}")
    look.find(verdict.kind, verdict.subject, why, "none")
    return why


def _is_dealt_with(
    look: Look, verdict: PositionVerdict, incident: OpenIncident | None, *, contains: bool
) -> bool:
    if incident is None or incident.severity is not severity_of_position(verdict):
        return False
    if not contains:
        return True
    if not look.judging.enforces:
        return "would_contain" in incident.details or "contained" in incident.details
    if incident.details.get("held_back") or "contained" not in incident.details:
        return False
    pinned = set(incident.details.get("pinned", ()))
    if look.tools.book.why_no_deactivation is not None:
        return True  # it was said, and nothing more can be done
    active = {p.id for p in look.reading.profiles if p.is_active} - look.pending
    return not (active & pinned if pinned else active)


async def _stand(look: Look, verdict: PositionVerdict, *, incident: OpenIncident | None) -> None:
    """Nothing new is done; a ghost that has grown to the operator's threshold is said to."""
    action = _standing_action(incident)
    told = incident is None or "threshold" in incident.details
    if told or breach_of(look, verdict) is None:
        look.find(verdict.kind, verdict.subject, verdict.reason, action)
    else:
        await report_breach(look, verdict, action=action)


def _standing_action(incident: OpenIncident | None) -> str:
    if incident is not None and incident.details.get("containment") == "pending":
        return "containment pending"
    contained = incident.details.get("contained") if incident is not None else None
    return "contained before" if contained else "incident open"
