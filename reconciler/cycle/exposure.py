"""Severities that follow exposure: SEV-1 while a fill may have changed a position unseen."""

from reconciler.cycle.looking import Look
from reconciler.domain.identity import Symbol
from reconciler.domain.incidents import IncidentKind, OpenIncident, Severity
from reconciler.rules.confirmation import is_confirmed
from reconciler.rules.severity import severity_of_order, why_exposure_uncertain

FOLLOWED = frozenset({IncidentKind.ORDER_QUARANTINED, IncidentKind.UNAWARE_FILL})
"""Nothing else looks at these again; a stuck order is judged anew at every look."""
UNCERTAIN = "exposure_uncertain"
"""The suspicion that an incident means more than it did."""


async def follow_exposure(look: Look) -> None:
    """Down at the first complete look that agrees; up after as many looks as a ghost needs."""
    look.settled.add(UNCERTAIN)
    changed: list[tuple[OpenIncident, Severity, str]] = []
    for incident in look.memory.incidents:
        if incident.key.kind not in FOLLOWED or incident.symbol is None:
            continue
        why = why_exposure_uncertain(
            symbol=Symbol(incident.symbol), snapshot=look.snapshot, positions=look.positions
        )
        severity = severity_of_order(exposure_uncertain=why)
        if severity is incident.severity:
            continue
        if why is not None and not _is_confirmed(look, incident):
            continue
        changed.append((incident, severity, why or "agrees"))
    if not changed:
        return
    async with look.writing() as record:
        for incident, severity, exposure in changed:
            why = exposure
            if exposure == "agrees":
                why = f"the position of {incident.symbol} agrees, from a complete snapshot"
            await record.change_severity(
                incident, severity, why=why, details={"exposure": exposure}
            )
    for incident, severity, exposure in changed:
        subject = f"{incident.key.kind} {incident.key.subject}"
        text = f"{subject} is {severity}: exposure {exposure}"
        look.find(incident.key.kind, subject, text, "severity changed", incident_id=incident.id)


def _is_confirmed(look: Look, incident: OpenIncident) -> bool:
    judging = look.judging
    seen = look.suspicions.see(
        UNCERTAIN,
        f"{incident.key.kind}|{incident.key.subject}",
        spacing=judging.position_confirm_after,
    )
    return is_confirmed(seen, confirmations=judging.position_confirmations)
