"""The routes of DESIGN section 8.

Handlers of health are coroutines that do no I/O: `/health/live` answers exactly while the event
loop turns. Everything beneath `/api` goes to another application.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.telemetry.health import HealthBoard
from reconciler.telemetry.metrics import Metrics

READ: Final = ["GET", "HEAD"]
FRESH: Final = {"Cache-Control": "no-store"}
"""An answer of a minute ago, from some cache in between, is worse than none."""


def build_app(*, health: HealthBoard, metrics: Metrics, api: ASGIApp | None = None) -> FastAPI:
    """The ASGI application: health, metrics, and the API, which without one is closed."""
    app = FastAPI(
        title="reconciler",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )

    @app.api_route("/health/live", methods=READ)
    async def live() -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers=FRESH)

    @app.api_route("/health/ready", methods=READ)
    async def ready() -> JSONResponse:
        is_ready, body = health.readiness()
        return JSONResponse(body, status_code=200 if is_ready else 503, headers=FRESH)

    @app.api_route("/health", methods=READ)
    async def report() -> JSONResponse:
        return JSONResponse(health.report(), headers=FRESH)

    # Thousands of accounts are most of a second of rendering: aside, or the loop would stand still.
    # A thread of its own, since the loop's are taken by name lookups when the network is broken.
    renderer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")

    @app.api_route("/metrics", methods=READ)
    async def exposition(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        loop = asyncio.get_running_loop()
        body, content_type = await loop.run_in_executor(renderer, metrics.render, accept)
        return Response(body, media_type=None, headers={"Content-Type": content_type, **FRESH})

    app.add_middleware(_ApiBeside, api=api or _Unauthorized())
    return app


class _ApiBeside:
    """Hands everything beneath `/api` over, whatever the method and the path: who has no token
    learns nothing of either.
    """

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_api = scope["type"] == "http" and (path == "/api" or path.startswith("/api/"))
        await (self._api if is_api else self._app)(scope, receive, send)


class _Unauthorized:
    """Refuses: nobody can be let in."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = JSONResponse(
            {"detail": "A bearer token is needed, and none is configured on this daemon."},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer", **FRESH},
        )
        await response(scope, receive, send)
