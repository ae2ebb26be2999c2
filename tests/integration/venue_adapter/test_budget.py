"""One budget for all whom the venue counts together, over loopback through unmodified ccxt."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from reconciler.domain.identity import AccountName
from reconciler.domain.snapshot import AnswerKind, ScopeName
from reconciler.simulation.venue import Fault, SimulatedVenue
from reconciler.venue.account import CcxtAccount
from reconciler.venue.connection import AccountConnection, ccxt_module
from reconciler.venue.look_weight import weights_of_look
from reconciler.venue.shared_connection import SharedConnections
from tests.integration.venue_adapter.accounts import MARKETS, TIMEOUT, connection, now
from tests.integration.venue_adapter.canned import serving
from tests.integration.venue_adapter.cases.alpaca import ALPACA
from tests.integration.venue_adapter.cases.case import VenueCase
from tests.integration.venue_adapter.cases.every import CASES
from tests.integration.venue_adapter.test_described_venues import Bench

EXCHANGE_INFO = {"/exchangeInfo": MARKETS["/fapi/v1/exchangeInfo"]}
ASSETS = {"/assets": next(c.body for c in ALPACA.markets if "assets" in c.path)}


@pytest_asyncio.fixture
async def shared() -> AsyncIterator[SharedConnections]:
    one = SharedConnections()
    yield one
    await one.close()


@pytest_asyncio.fixture
async def pair(
    venue: SimulatedVenue, shared: SharedConnections
) -> AsyncIterator[tuple[CcxtAccount, CcxtAccount]]:
    """Two accounts of one venue and host."""
    venue.add_account("two")
    first = CcxtAccount(connection(venue), shared=shared)
    second = CcxtAccount(connection(venue, "two"), shared=shared)
    await first.prepare()
    await second.prepare()
    yield first, second
    await first.close()
    await second.close()


@pytest.mark.parametrize("status", [418, 429])
async def test_one_accounts_ban_silences_all_of_the_address(
    venue: SimulatedVenue, pair: tuple[CcxtAccount, CcxtAccount], status: int
) -> None:
    first, second = pair
    venue.faults.set(Fault.status(status, retry_after=30), account="main", times=1)
    assert (await first.snapshot(now=now())).failures()
    asked = venue.requests.count()
    failures = (await second.snapshot(now=now())).failures()
    assert venue.requests.count() == asked, "the ban is of the address: the bot would pay for it"
    assert {failure.kind for failure in failures} == {AnswerKind.THROTTLED}
    for failure in failures:
        assert failure.retry_after is not None
        assert timedelta(seconds=25) < failure.retry_after <= timedelta(seconds=30)


async def test_a_call_that_waits_its_turn_is_not_sent_into_a_ban(
    venue: SimulatedVenue, shared: SharedConnections
) -> None:
    """The second account queues for the budget when the first is told to be silent."""
    venue.add_account("two")
    pair = [
        CcxtAccount(connection(venue, label, rate_share=0.1), shared=shared)
        for label in ("main", "two")
    ]
    for account in pair:
        await account.prepare()
    reader = pair[0]._reader
    assert reader is not None
    await reader.exchange.throttle(59)  # all of the burst; then four a second
    venue.faults.set(Fault.status(429, retry_after=30), account="main", times=1)
    _, seen = await asyncio.gather(*(account.snapshot(now=now()) for account in pair))
    assert venue.requests.count(account="main") == 1
    assert venue.requests.count(account="two") == 0
    assert {failure.kind for failure in seen.failures()} == {AnswerKind.THROTTLED}
    for account in pair:
        await account.close()


async def test_the_smallest_share_of_one_address_counts(
    venue: SimulatedVenue, shared: SharedConnections
) -> None:
    venue.add_account("two")
    for label, share in (("main", 0.5), ("two", 0.2)):
        account = CcxtAccount(connection(venue, label, rate_share=share), shared=shared)
        await account.connect()
        assert account.look is not None
        assert account.look.rate_share == share
        await account.close()


@asynccontextmanager
async def answering(
    venue: str, answers: dict[str, Any], headers: Callable[[int], dict[str, str]]
) -> AsyncIterator[tuple[CcxtAccount, list[float]]]:
    """Serve an account fixed answers by the end of the path, `[]` elsewhere, with headers that may
    depend on how many were given before; and the times at which they were asked for.
    """
    asked: list[float] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(time.monotonic())
        found: Any = next((a for path, a in answers.items() if request.path.endswith(path)), [])
        return web.json_response(found, headers=headers(len(asked) - 1))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    account = CcxtAccount(
        AccountConnection(
            name=AccountName("main"),
            venue=venue,
            api_key="key",
            secret="secret",
            base_url=f"http://{host}:{port}",
            timeout=TIMEOUT,
        )
    )
    try:
        yield account, asked
    finally:
        await account.close()
        await runner.cleanup()


async def test_what_the_bot_used_is_left_to_it() -> None:
    """More of the minute is used than our share: the next call waits for the next minute."""
    late = format_datetime(datetime(2026, 11, 23, 12, 0, 58, tzinfo=UTC), usegmt=True)

    def headers(before: int) -> dict[str, str]:
        used = 1300 if before == 0 else 100
        return {"Date": late, "X-MBX-USED-WEIGHT-1M": str(used)}

    async with answering("binanceusdm", EXCHANGE_INFO, headers) as (account, asked):
        seen = await account.snapshot(now=now())
    assert not seen.failures()
    waits = [later - sooner for sooner, later in pairwise(asked)]
    assert 1.3 < waits[0] < 3, "a second and a half are left of the minute"
    assert max(waits[1:]) < 1


async def test_alpacas_headers_are_heeded() -> None:
    def headers(_before: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": "200",
            "X-RateLimit-Remaining": "90",
            "X-RateLimit-Reset": "1",
        }

    async with answering("alpaca", ASSETS, headers) as (account, asked):
        seen = await account.snapshot(now=now())
    assert not seen.failures()
    waits = [later - sooner for sooner, later in pairwise(asked)]
    assert len(waits) == 2
    assert all(0.9 < wait < 2 for wait in waits)


async def test_where_the_venue_counts_by_account_one_does_not_silence_another(
    shared: SharedConnections,
) -> None:
    async with serving() as server:
        bench = Bench(ALPACA, server, shared)
        _, first = bench.account()
        _, second = bench.account()
        await first.connect()
        await second.connect()
        assert first._reader is not None
        assert second._reader is not None
        first._reader.calls._budget.be_silent_for(timedelta(seconds=30))
        assert {f.kind for f in (await first.snapshot(now=now())).failures()} == {
            AnswerKind.THROTTLED
        }
        assert not (await second.snapshot(now=now())).failures()
        await first.close()
        await second.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.venue)
async def test_a_look_costs_what_its_calls_cost(case: VenueCase, shared: SharedConnections) -> None:
    """What is summed without a request is what ccxt charges for the first pages of real calls."""
    async with serving() as server:
        _, account = Bench(case, server, shared).account()
        await account.prepare()
        reader, cost = account._reader, account.look
        assert reader is not None
        assert cost is not None
        charged: list[float] = []

        async def note(weight: float | None = None) -> None:
            charged.append(1.0 if weight is None else weight)

        reader.exchange.throttler = note
        await account.snapshot(now=now())
        await account.close()
    # Balances are read where the bot trades spot markets: the sum is ready for that.
    balances = sum(call.scope is ScopeName.BALANCES for call in reader.description.listings)
    assert cost.requests - balances <= len(charged)
    by_call = weights_of_look(ccxt_of(case.venue), reader.description)
    assert cost.weight == sum(by_call)
    known = sum(call.weight is not None for call in reader.description.listings)
    # One that is asked for each of some values is not asked where there are none.
    of_each = sum(call.each is not None for call in reader.description.listings)
    unheard = Counter(by_call) - Counter(charged)
    assert unheard.total() <= balances + known + of_each, (by_call, charged)


def ccxt_of(venue: str) -> Any:
    return getattr(ccxt_module(), venue)({"session": None})


@pytest.mark.parametrize(("venue", "weight"), [("binanceusdm", 85), ("alpaca", 2)])
async def test_a_look_at_known_venues(venue: str, weight: float) -> None:
    account = CcxtAccount(
        AccountConnection(name=AccountName("main"), venue=venue, api_key="key", secret="secret")
    )
    await account.connect()
    assert account.look is not None
    assert account.look.weight == weight
    await account.close()
