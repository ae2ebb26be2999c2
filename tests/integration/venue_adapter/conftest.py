"""A simulated venue, and one account connected to it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from reconciler.simulation.venue import (
    SimulatedVenue,
)
from reconciler.venue.account import CcxtAccount
from tests.integration.venue_adapter.accounts import SHORT, TIMEOUT, connection


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[SimulatedVenue]:
    async with SimulatedVenue() as served:
        served.add_account("main")
        yield served


@pytest_asyncio.fixture
async def account(
    venue: SimulatedVenue, request: pytest.FixtureRequest
) -> AsyncIterator[CcxtAccount]:
    """Connect the account; in a test whose case hangs, with little patience."""
    case = getattr(request.node, "callspec", None)
    hangs = case is not None and case.params.get("broken") == "hang"
    reading = CcxtAccount(connection(venue, timeout=SHORT if hangs else TIMEOUT))
    await reading.prepare()
    yield reading
    await reading.close()
