"""The API behind the gate: its routes, and how it describes itself."""

import asyncio
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, FastAPI, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

from reconciler import __version__
from reconciler.http.problems import Refusal, explain_problems
from reconciler.http.routes import (
    accounts,
    incidents,
    orders,
    positions,
    profiles,
    quarantine,
    status,
)
from reconciler.http.venue_questions import AT_ONCE
from reconciler.incidents.desk import Desk
from reconciler.telemetry.health import HealthBoard

DESCRIPTION: Final = """\
What the command line does, over HTTP: the same operations, the same fields, the same refusals.

Every path, this one included, needs a bearer token: an operator token of `[api.tokens]`, or a
Supabase JWT of a user in `[api.jwt]`. A viewer reads; what changes something needs an operator,
and is recorded with their name. Quantities are text, exact; times have an offset.
"""
TAGS: Final[Mapping[str, str]] = {
    "incidents": "What is wrong, how sure we are, what was done, what to do next.",
    "quarantine": "Orders set aside for a person.",
    "profiles": "Which are contained, and letting one trade again.",
    "orders": "The backlog of the book; one order as book and venue see it.",
    "positions": "What venue and book hold now; closing a ghost under the policy.",
    "accounts": "Judging without acting, with an end.",
    "guards": "Mass changes that are held back.",
    "ignores": "Known manual positions and orders.",
    "daemon": "The daemon itself.",
}
EVERYWHERE: Final[Mapping[int, str]] = {
    400: "The body is no JSON.",
    401: "No valid bearer token.",
    403: "The token may not do that.",
    404: "Nothing has that name.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    422: "The words of the request make no sense.",
    429: "Too many requests; `Retry-After` says for how long.",
    503: "The database, the book or the venue does not answer, or too much is under way.",
}


def build_api(*, desk: Desk, health: HealthBoard) -> FastAPI:
    """The routes over the desk; nothing here asks who calls, the gate does."""
    api = FastAPI(
        title="reconciler",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        openapi_tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        generate_unique_id_function=lambda route: route.name,
        responses={
            code: {"model": Refusal, "description": text} for code, text in EVERYWHERE.items()
        },
        # For the description alone: the gate lets nobody through without one.
        dependencies=[Security(HTTPBearer(auto_error=False, scheme_name="bearer"))],
    )
    api.state.desk = desk
    api.state.health = health
    api.state.venue_turns = asyncio.Semaphore(AT_ONCE)
    explain_problems(api, redact=desk.redact)
    for noun in (incidents, quarantine, profiles, orders, positions, accounts, status):
        api.include_router(noun.router)
    api.include_router(_description_of(api))
    return api


def _description_of(api: FastAPI) -> APIRouter:
    router = APIRouter()

    @router.get("/api/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(api.openapi())

    return router
