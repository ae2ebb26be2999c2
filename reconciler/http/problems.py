"""What is wrong with a request, or with us: one shape of answer, never a traceback."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from reconciler.domain.errors import (
    BookUnreadableError,
    DatabaseUnavailableError,
    ReconcilerError,
    VenueUnavailableError,
)
from reconciler.incidents.errors import NotFoundError, RefusedError, UsageError

log = structlog.get_logger("reconciler.http")

RETRY_AFTER: Final = "5"
"""Seconds: what a database needs to come back, at best."""


class Refusal(BaseModel):
    """Why there is no other answer."""

    detail: str = Field(description="One sentence.", examples=["there is no incident 7"])
    reasons: list[str] = Field(
        default_factory=list, description="Each thing in the way, in one line.", examples=[[]]
    )


class Problem(Exception):  # noqa: N818 - an answer, which is raised to get there
    """An answer that ends the request."""

    def __init__(
        self,
        status: int,
        detail: str,
        reasons: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reasons = list(reasons)
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The same, as it is sent."""
        refusal = Refusal(detail=self.detail, reasons=self.reasons)
        return JSONResponse(refusal.model_dump(), status_code=self.status, headers=self.headers)


def problem_of(error: ReconcilerError) -> Problem:
    """What a person is told of an error of ours. Its sentence was redacted where it was made."""
    match error:
        case NotFoundError():
            return Problem(404, str(error))
        case RefusedError():
            return Problem(409, str(error), error.reasons)
        case UsageError():
            return Problem(422, str(error))
        case DatabaseUnavailableError():
            return Problem(503, str(error), headers={"Retry-After": RETRY_AFTER})
        case BookUnreadableError() | VenueUnavailableError():
            return Problem(503, str(error))
        case _:
            return Problem(409, str(error))


def explain_problems(app: FastAPI, *, redact: Any) -> None:
    """Give every error of this application the one shape. `redact` takes secrets out of text."""

    @app.exception_handler(ReconcilerError)
    async def refused(_request: Request, error: ReconcilerError) -> JSONResponse:
        problem = problem_of(error)
        problem.detail = str(redact(problem.detail))
        problem.reasons = [str(redact(reason)) for reason in problem.reasons]
        return problem.response()

    @app.exception_handler(Problem)
    async def said(_request: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Without what was sent: it may hold what JSON cannot, or what nobody should see again.
        reasons = [f"{_place(one['loc'])}: {one['msg']}" for one in error.errors()]
        return Problem(422, "The request is not valid.", reasons).response()

    @app.exception_handler(HTTPException)
    async def by_number(_request: Request, error: HTTPException) -> JSONResponse:
        return Problem(error.status_code, str(error.detail), headers=error.headers).response()

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        # The server logs the traceback itself; who asked gets none.
        log.error(
            "[Reconcile] the API failed", path=request.url.path[:200], why=type(error).__name__
        )
        return Problem(500, HTTPStatus.INTERNAL_SERVER_ERROR.phrase).response()


def _place(location: Sequence[int | str]) -> str:
    """`body.note`, without what the sender made up."""
    said = ".".join(str(part) for part in location)[:200]
    return said.encode("ascii", "replace").decode()
