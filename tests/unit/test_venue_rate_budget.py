"""The request budget: a burst, a steady rate, silence when asked, and a rest for the bot."""

import asyncio
import time
from datetime import timedelta

import pytest

from reconciler.venue.rate_budget import RateBudget, SilenceAskedError


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


async def test_a_share_is_a_share_of_the_burst_and_of_the_rate() -> None:
    half = RateBudget(weight_per_minute=6000, share=0.5)
    assert await seconds_for(half, 750) < 0.1
    assert 0.15 < await seconds_for(half, 10) < 0.6


async def test_the_smallest_share_counts() -> None:
    budget = RateBudget(weight_per_minute=6000)
    budget.at_most(0.5)
    budget.at_most(0.8)
    assert await seconds_for(budget, 750) < 0.1
    assert 0.15 < await seconds_for(budget, 10) < 0.6


async def test_who_waited_for_a_turn_is_not_sent_into_a_silence() -> None:
    budget = RateBudget(weight_per_minute=6000)
    await budget(1500)
    waiters = [asyncio.ensure_future(budget(20)) for _ in range(3)]
    await asyncio.sleep(0.05)
    budget.be_silent_for(timedelta(seconds=30))
    told = await asyncio.gather(*waiters, return_exceptions=True)
    assert [type(one) for one in told] == [SilenceAskedError] * 3
    with pytest.raises(SilenceAskedError):
        await budget(1)


async def test_an_address_is_counted_by_requests_besides() -> None:
    address = RateBudget(weight_per_minute=600)  # ten requests a second, 150 at once
    one = RateBudget(weight_per_minute=10**6, address=address)
    two = RateBudget(weight_per_minute=10**6, address=address)
    await asyncio.gather(*(one(50) for _ in range(75)), *(two(50) for _ in range(75)))
    assert 0.05 < await seconds_for(two, 50) < 0.6


@pytest.mark.parametrize(
    ("share", "left", "waits"),
    [(0.5, 0.49, True), (0.5, 0.5, False), (1.0, 0.0, False), (1.0, -0.1, True), (0.2, 0.7, True)],
)
async def test_the_bots_rest_is_left_until_the_next_window(
    share: float, left: float, *, waits: bool
) -> None:
    budget = RateBudget(weight_per_minute=6000, share=share)
    budget.heed(left, resets_in=timedelta(seconds=0.3))
    assert (await seconds_for(budget, 1) > 0.25) is waits
    assert await seconds_for(budget, 1) < 0.2, "then it is over"


async def test_those_who_wait_do_not_all_go_when_the_next_window_begins() -> None:
    """A window that is waited for pays nobody's debt: else the next one would begin with two."""
    budget = RateBudget(weight_per_minute=6000, share=0.99)
    await budget(1485)
    waiter = asyncio.ensure_future(seconds_for(budget, 20))  # 0.2 s of debt
    await asyncio.sleep(0)
    budget.heed(0.0, resets_in=timedelta(seconds=0.4))
    late = asyncio.ensure_future(seconds_for(budget, 20))
    assert 0.55 < await waiter < 0.8
    assert 0.75 < await late < 1.1


async def test_a_window_beyond_belief_is_not_waited_for() -> None:
    budget = RateBudget(weight_per_minute=6000, share=0.5)
    budget.heed(0.0, resets_in=timedelta(days=400))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await budget(1)
    assert budget.silent_for() is None, "a wait, no refusal"
    assert budget._held_until - time.monotonic() <= 60
