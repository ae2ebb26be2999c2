"""What the drivers' tests ask for."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from reconciler.domain.deactivation import Deactivation
from reconciler.domain.errors import DriverFailedError
from reconciler.domain.identity import AccountName, BookName, ProfileId, Symbol
from reconciler.ports import DeactivationDriver


def wanted(*, incident_id: int = 17, profile: str = "p1", symbol: str = "BTC/USDT") -> Deactivation:
    """One profile that is to trade no more."""
    return Deactivation(
        book=BookName("main"),
        account=AccountName("main"),
        profile_id=ProfileId(profile),
        symbol=Symbol(symbol),
        incident_id=incident_id,
        reason="ghost_position",
        key=f"key-of-{incident_id}",
    )


async def eventually(is_so: Callable[[], Awaitable[bool]], *, within: float = 5.0) -> None:
    """Ask until it is so."""
    end = time.monotonic() + within
    while not await is_so():
        assert time.monotonic() < end, f"not so within {within:g} s"
        await asyncio.sleep(0.05)


async def until_active(driver: DeactivationDriver) -> None:
    """Read back until the profile may enter trades, as the cycle does."""

    async def is_active() -> bool:
        try:
            return await driver.is_active(wanted())
        except DriverFailedError:
            return False  # it reads its configuration

    await eventually(is_active)
