"""Rule 11: the account lease, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from reconciler.domain.errors import LeaseLostError
from reconciler.domain.identity import AccountName, BookName, RunId
from reconciler.domain.leases import Held, Lease
from reconciler.store.connecting import Pool, open_pool
from reconciler.store.leases import IDLE_LIMIT, LEASE, LOCK_LIMIT, Leases
from reconciler.store.record import writing

MAIN = AccountName("main")
LAPSE = "update reconciler.leases set expires_at = clock_timestamp() - interval '1 ms'"


def _unchanged(value: Any) -> Any:
    """Nothing is secret here."""
    return value


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on the test's database."""
    opened = await open_pool(database_url, size=5)
    yield opened
    opened.terminate()


async def _write(pool: Pool, lease: Lease) -> None:
    async with writing(
        pool, lease, book=BookName("main"), run=RunId("r"), mode="enforce", redact=_unchanged
    ) as record:
        await record.connection.execute(
            "insert into bot.profiles (id, account) values (gen_random_uuid()::text, 'main')"
        )


async def test_one_of_two_has_the_account(pool: Pool) -> None:
    first, second = Leases(pool, holder="a"), Leases(pool, holder="b")
    lease = await first.acquire(MAIN)
    assert isinstance(lease, Lease)
    held = await second.acquire(MAIN)
    assert isinstance(held, Held)
    assert held.holder == "a"
    assert held.expires_at > datetime.now(UTC)
    assert await first.acquire(MAIN) == lease, "the same epoch while it is ours"


async def test_many_that_start_together_agree_on_one(pool: Pool) -> None:
    taken = await asyncio.gather(*(Leases(pool, holder=str(n)).acquire(MAIN) for n in range(8)))
    assert sum(isinstance(lease, Lease) for lease in taken) == 1


async def test_a_lapsed_lease_is_taken_with_a_higher_epoch(
    pool: Pool, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    first, second = Leases(pool, holder="a"), Leases(pool, holder="b")
    old = await first.acquire(MAIN)
    assert isinstance(old, Lease)
    await connection.execute(LAPSE)
    new = await second.acquire(MAIN)
    assert isinstance(new, Lease)
    assert new.epoch == old.epoch + 1
    with pytest.raises(LeaseLostError):
        await _write(pool, old)
    assert await connection.fetchval("select count(*) from bot.profiles") == 0
    await _write(pool, new)
    await first.renew()
    assert first.mine(MAIN) is None, "it learns that it was replaced"
    assert isinstance(await first.acquire(MAIN), Held)


async def test_many_that_take_over_together_agree_on_one(
    pool: Pool, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await Leases(pool, holder="dead").acquire(MAIN)
    await connection.execute(LAPSE)
    taken = await asyncio.gather(*(Leases(pool, holder=str(n)).acquire(MAIN) for n in range(5)))
    assert sum(isinstance(lease, Lease) for lease in taken) == 1
    assert await connection.fetchval("select epoch from reconciler.leases") == 2


async def test_a_lapsed_lease_writes_nothing_until_renewed(
    pool: Pool, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    leases = Leases(pool, holder="a")
    lease = await leases.acquire(MAIN)
    assert isinstance(lease, Lease)
    await connection.execute(LAPSE)
    with pytest.raises(LeaseLostError):
        await _write(pool, lease)
    await leases.renew()
    await _write(pool, lease)


async def test_renewal_does_not_wait_for_a_writer(
    pool: Pool, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    leases = Leases(pool, holder="a")
    lease = await leases.acquire(MAIN)
    assert isinstance(lease, Lease)
    before = await connection.fetchval("select expires_at from reconciler.leases")
    async with writing(
        pool, lease, book=BookName("main"), run=RunId("r"), mode="enforce", redact=_unchanged
    ):
        await asyncio.wait_for(leases.renew(), timeout=2)
    assert await connection.fetchval("select expires_at from reconciler.leases") > before


async def test_takeover_waits_for_a_writer_and_is_refused_in_time(
    pool: Pool, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """The writer still holds its row: whoever would take over gives up below the lease's length."""
    first, second = Leases(pool, holder="a"), Leases(pool, holder="b")
    lease = await first.acquire(MAIN)
    assert isinstance(lease, Lease)
    begun = asyncio.get_running_loop().time()
    async with writing(
        pool, lease, book=BookName("main"), run=RunId("r"), mode="enforce", redact=_unchanged
    ):
        await connection.execute(LAPSE)
        assert isinstance(await second.acquire(MAIN), Held)
    assert asyncio.get_running_loop().time() - begun < LEASE.total_seconds()
    assert isinstance(await second.acquire(MAIN), Lease)


async def test_release_hands_over_at_once(pool: Pool) -> None:
    first, second = Leases(pool, holder="a"), Leases(pool, holder="b")
    await first.acquire(MAIN)
    await first.release()
    assert isinstance(await second.acquire(MAIN), Lease)


async def test_a_live_holder_is_told_apart_from_a_dead_one(
    pool: Pool, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    first, second = Leases(pool, holder="a"), Leases(pool, holder="b")
    await first.acquire(MAIN)

    async def live() -> None:
        await asyncio.sleep(0.6)
        await first.renew()

    held, _ = await asyncio.gather(second.acquire_unless_alive(MAIN), live())
    assert isinstance(held, Held)
    await connection.execute(
        "update reconciler.leases set expires_at = clock_timestamp() + interval '1 s'"
    )
    begun = asyncio.get_running_loop().time()
    assert isinstance(await second.acquire_unless_alive(MAIN), Lease)
    assert 0.9 < asyncio.get_running_loop().time() - begun < 4


async def test_the_limits_of_a_write_transaction_stay_below_the_lease(pool: Pool) -> None:
    assert LEASE.total_seconds() <= 15
    assert max(LOCK_LIMIT, IDLE_LIMIT) < LEASE
    lease = await Leases(pool, holder="a").acquire(MAIN)
    assert isinstance(lease, Lease)
    async with writing(
        pool, lease, book=BookName("main"), run=RunId("r"), mode="enforce", redact=_unchanged
    ) as record:
        idle = await record.connection.fetchval("show idle_in_transaction_session_timeout")
        lock = await record.connection.fetchval("show lock_timeout")
    assert (idle, lock) == ("7s", "5s")
