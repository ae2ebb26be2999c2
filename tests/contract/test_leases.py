"""Rule 11 on both sides: one judge per account."""

import asyncio

import pytest

from reconciler.domain.errors import LeaseLostError
from reconciler.domain.identity import RunId
from reconciler.domain.leases import Held, Lease
from tests.contract.sides import BOOK, MAIN, Side


async def _write(side: Side, lease: Lease) -> None:
    async with side.store.writing(lease, book=BOOK, run=RunId("r"), mode="enforce") as record:
        await record.span()


async def test_one_of_two_has_the_account(side: Side) -> None:
    first, second = side.leases("a"), side.leases("b")
    lease = await first.acquire(MAIN)
    assert isinstance(lease, Lease)
    assert lease.epoch == 1
    held = await second.acquire(MAIN)
    assert isinstance(held, Held)
    assert held.holder == "a"
    assert await first.acquire(MAIN) == lease
    assert (first.mine(MAIN), second.mine(MAIN)) == (lease, None)


async def test_a_lapsed_lease_is_taken_and_its_holder_writes_nothing(side: Side) -> None:
    first, second = side.leases("a"), side.leases("b")
    old = await first.acquire(MAIN)
    assert isinstance(old, Lease)
    await side.lapse()
    new = await second.acquire(MAIN)
    assert isinstance(new, Lease)
    assert new.epoch == old.epoch + 1
    with pytest.raises(LeaseLostError):
        await _write(side, old)
    await _write(side, new)
    await first.renew()
    assert first.mine(MAIN) is None
    assert isinstance(await first.acquire(MAIN), Held)


async def test_a_lapsed_lease_writes_nothing_until_renewed(side: Side) -> None:
    leases = side.leases("a")
    lease = await leases.acquire(MAIN)
    assert isinstance(lease, Lease)
    await side.lapse()
    with pytest.raises(LeaseLostError):
        await _write(side, lease)
    await leases.renew()
    await _write(side, lease)


async def test_a_takeover_waits_for_the_writer(side: Side) -> None:
    first, second = side.leases("a"), side.leases("b")
    lease = await first.acquire(MAIN)
    assert isinstance(lease, Lease)
    async with side.store.writing(lease, book=BOOK, run=RunId("r"), mode="enforce") as record:
        await record.span()
        await side.lapse()
        taking = asyncio.create_task(second.acquire(MAIN))
        await asyncio.sleep(0.3)
        assert not taking.done()
    assert isinstance(await asyncio.wait_for(taking, timeout=10), Lease)


async def test_a_release_hands_over_at_once(side: Side) -> None:
    first, second = side.leases("a"), side.leases("b")
    await first.acquire(MAIN)
    await first.release()
    assert first.mine(MAIN) is None
    assert isinstance(await second.acquire(MAIN), Lease)
