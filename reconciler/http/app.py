"""The routes of DESIGN section 8.

Handlers are coroutines that do no I/O: `/health/live` answers exactly while the event loop turns.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from reconciler.telemetry.health import HealthBoard
from reconciler.telemetry.metrics import Metrics

READ: Final = ["GET", "HEAD"]
FRESH: Final = {"Cache-Control": "no-store"}
"""An answer of a minute ago, from some cache in between, is worse than none."""


def build_app(*, health: HealthBoard, metrics: Metrics) -> FastAPI:
    """The ASGI application: health, metrics, and an API that is closed until tokens exist."""
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

    # Any method, also those nobody has heard of: who has no token learns nothing of the paths.
    closed = _Unauthorized()
    app.router.routes += [Route("/api", closed), Route("/api/{rest:path}", closed)]
    return app


class _Unauthorized:
    """Refuses: no bearer token is configured, so none can be valid."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = JSONResponse(
            {"detail": "A bearer token is needed, and none is configured on this daemon."},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer", **FRESH},
        )
        await response(scope, receive, send)
