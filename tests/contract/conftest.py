"""Every test of this folder runs on both sides."""

from collections.abc import AsyncIterator

import pytest

from reconciler.domain.leases import Lease
from tests.contract.sides import MAIN, MemorySide, PostgresSide, Side


@pytest.fixture(params=["memory", "postgres"])
def place(request: pytest.FixtureRequest) -> str | None:
    """Address of a fresh database; None: in memory."""
    if request.param == "memory":
        return None
    url: str = request.getfixturevalue("database_url")
    return url


@pytest.fixture
async def side(place: str | None) -> AsyncIterator[Side]:
    """Empty, with nothing written yet."""
    if place is None:
        yield MemorySide.made()
        return
    async with PostgresSide.made(place) as made:
        yield made


@pytest.fixture
async def lease(side: Side) -> Lease:
    """The account is ours."""
    taken = await side.leases("us").acquire(MAIN)
    assert isinstance(taken, Lease)
    return taken
