"""The API as the daemon serves it: the desk, behind the gate."""

from datetime import timedelta

from starlette.types import ASGIApp

from reconciler.http.api import build_api
from reconciler.http.authentication import authentication_of
from reconciler.http.gate import ANSWER_WITHIN, Gate
from reconciler.http.rate_limits import Limits
from reconciler.service.assembly import Assembly
from reconciler.service.desk import desk_of


def api_of(
    parts: Assembly, *, limits: Limits | None = None, answer_within: timedelta = ANSWER_WITHIN
) -> ASGIApp:
    """Everything beneath `/api`. Nobody is let in where `[api]` says nothing."""
    return Gate(
        build_api(desk=desk_of(parts), health=parts.health),
        authentication_of(parts.settings),
        metrics=parts.metrics,
        limits=limits or Limits(),
        answer_within=answer_within,
    )
