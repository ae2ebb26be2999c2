"""`/api/incidents`: what is wrong, and what people did about it."""

import json
from typing import Any, Literal

from fastapi import APIRouter

from reconciler.domain.incidents import IncidentKind, Severity
from reconciler.http.asking import (
    MAY_BE_REFUSED,
    By,
    Explained,
    FromDesk,
    IncidentId,
    Limit,
    Noted,
    OfAccount,
    note_of,
)
from reconciler.incidents.answers import Done, IncidentReport, IncidentRow, Written
from reconciler.incidents.exporting import export_bundle, export_test
from reconciler.incidents.listing import list_incidents, show_incident
from reconciler.incidents.messages import write_message
from reconciler.incidents.replaying import Replayed, replay
from reconciler.incidents.resolving import acknowledge, resolve
from reconciler.incidents.root_cause import write_root_cause

router = APIRouter(prefix="/api/incidents", tags=["incidents"])
Status = Literal["unresolved", "all", "open", "acknowledged", "resolved"]


@router.get("")
async def incidents_list(
    desk: FromDesk,
    *,
    status: Status = "unresolved",
    severity: Severity | None = None,
    kind: IncidentKind | None = None,
    account: OfAccount = None,
    limit: Limit = 200,
) -> tuple[IncidentRow, ...]:
    """Unresolved and grave ones first."""
    return await list_incidents(
        desk, status=status, severity=severity, kind=kind, account=account, limit=limit
    )


@router.get("/{incident_id}")
async def incidents_show(desk: FromDesk, incident_id: IncidentId) -> IncidentReport:
    """Facts, timeline, evidence, audit, and what to do next."""
    return await show_incident(desk, incident_id)


@router.get("/{incident_id}/message")
async def incidents_message(desk: FromDesk, incident_id: IncidentId) -> Written:
    """The communication template, filled in."""
    return await write_message(desk, incident_id)


@router.get("/{incident_id}/rca", responses=MAY_BE_REFUSED)
async def incidents_rca(desk: FromDesk, incident_id: IncidentId) -> Written:
    """A draft of the root cause, in Markdown."""
    return await write_root_cause(desk, incident_id)


@router.get("/{incident_id}/evidence", responses=MAY_BE_REFUSED)
async def incidents_evidence(
    desk: FromDesk,
    incident_id: IncidentId,
) -> dict[str, Any]:
    """The bundle, as `reconciler replay` takes it."""
    bundle: dict[str, Any] = json.loads((await export_bundle(desk, incident_id)).text)
    return bundle


@router.get("/{incident_id}/test", responses=MAY_BE_REFUSED)
async def incidents_test(desk: FromDesk, incident_id: IncidentId) -> Written:
    """A pytest file that judges the bundle again."""
    return await export_test(desk, incident_id)


@router.get("/{incident_id}/replay", responses=MAY_BE_REFUSED)
async def incidents_replay(desk: FromDesk, incident_id: IncidentId) -> Replayed:
    """The bundle, judged again by today's rules."""
    return replay(json.loads((await export_bundle(desk, incident_id)).text))


@router.post("/{incident_id}/ack", responses=MAY_BE_REFUSED)
async def incidents_ack(
    desk: FromDesk, by: By, incident_id: IncidentId, body: Noted | None = None
) -> Done:
    """Somebody has it: reminders stop."""
    return await acknowledge(desk, by, incident_id, note=note_of(body))


@router.post("/{incident_id}/resolve", responses=MAY_BE_REFUSED)
async def incidents_resolve(
    desk: FromDesk, by: By, incident_id: IncidentId, body: Explained
) -> Done:
    """End it by hand. What is still there is opened again by the next look."""
    return await resolve(desk, by, incident_id, note=body.note)
