"""Requests that ask a venue: slower than others, and so kept from taking every turn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from fastapi import Request

from reconciler.http.gate import DEADLINE
from reconciler.http.problems import Problem

AT_ONCE: Final = 2
"""Half of the gate's turns: a venue that hangs leaves the other half to everybody else."""
ANSWER_WITHIN: Final = timedelta(seconds=75)
"""The desk gives a venue 60 s, and says then that there was no answer."""


@contextlib.asynccontextmanager
async def asking_a_venue(request: Request) -> AsyncIterator[None]:
    """A longer deadline for this request, and one of few turns. Raises Problem."""
    turns: asyncio.Semaphore = request.app.state.venue_turns
    if turns.locked():
        why = "Other requests wait for venues already."
        raise Problem(503, why, headers={"Retry-After": "5"})
    deadline: asyncio.Timeout = request.scope[DEADLINE]
    deadline.reschedule(asyncio.get_running_loop().time() + ANSWER_WITHIN.total_seconds())
    async with turns:
        yield
