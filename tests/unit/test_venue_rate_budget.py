"""The request budget: a burst, then a steady rate, and silence when the venue asks for it."""

import asyncio
import time
from datetime import timedelta

import pytest

from reconciler.venue.rate_budget import RateBudget


async def seconds_for(budget: RateBudget, *costs: float) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(budget(cost) for cost in costs))
    return time.perf_counter() - started


async def test_a_burst_is_free_and_more_is_paid_for_in_time() -> None:
    # 100 a second, and a quarter of a minute's worth at once.
    assert await seconds_for(RateBudget(weight_per_minute=6000), 1500) < 0.1
    assert 0.15 < await seconds_for(RateBudget(weight_per_minute=6000), 1500, 20) < 0.6


async def test_waiters_share_the_rate() -> None:
    budget = RateBudget(weight_per_minute=6000)
    await budget(1500)
    assert 0.25 < await seconds_for(budget, *[1.0] * 30) < 0.8


async def test_a_cancelled_waiter_gives_back_what_it_took() -> None:
    budget = RateBudget(weight_per_minute=6000)
    await budget(1500)
    waiter = asyncio.ensure_future(budget(1000))
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert await seconds_for(budget, 1) < 0.3


async def test_idle_time_is_credited() -> None:
    budget = RateBudget(weight_per_minute=6000)
    await budget(1500)
    await asyncio.sleep(0.3)
    assert await seconds_for(budget, 20) < 0.1


def test_silence_ends() -> None:
    budget = RateBudget(weight_per_minute=60)
    assert budget.silent_for() is None
    budget.be_silent_for(timedelta(seconds=50))
    budget.be_silent_for(timedelta(seconds=1))
    left = budget.silent_for()
    assert left is not None
    assert timedelta(seconds=40) < left <= timedelta(seconds=50)
    assert RateBudget(weight_per_minute=60).silent_for() is None
