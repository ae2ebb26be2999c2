"""`/api/status`, `/api/operations`, `/api/reconcile`: the daemon itself."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from reconciler.http.asking import (
    NAME,
    Body,
    By,
    FromCaller,
    FromDesk,
    Limit,
    OfAccount,
)
from reconciler.incidents.answers import Done, OperationRow
from reconciler.incidents.desk import LONGEST_NAME
from reconciler.incidents.listing import list_operations
from reconciler.incidents.passes import request_pass
from reconciler.settings.people import Role

router = APIRouter(prefix="/api", tags=["daemon"])


class Status(Body):
    """Who you are to us, and how we are."""

    who: str
    """The name that the audit shows of you."""

    role: Role | None
    health: dict[str, Any]
    """As `/health` says it."""


class Wish(Body):
    """What is to be looked at."""

    account: str | None = Field(
        None, min_length=1, max_length=LONGEST_NAME, pattern=NAME, examples=["main"]
    )
    """Left out: every account."""


@router.get("/status")
async def status(request: Request, caller: FromCaller) -> Status:
    """Who you are to us, and how the daemon is."""
    health = request.app.state.health.report()
    return Status(who=caller.name, role=caller.role, health=health)


@router.get("/operations")
async def operations_list(
    desk: FromDesk, account: OfAccount = None, limit: Limit = 100
) -> tuple[OperationRow, ...]:
    """What people did, or were refused, the newest first."""
    return await list_operations(desk, account=account, limit=limit)


@router.post("/reconcile", status_code=202)
async def reconcile(desk: FromDesk, by: By, body: Wish | None = None) -> Done:
    """Ask for a pass at once. It begins when the venue's budget and Retry-After allow."""
    return await request_pass(desk, by, body.account if body is not None else None)
