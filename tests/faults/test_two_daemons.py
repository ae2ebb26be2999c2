"""Rule 11: one judge per account, whoever dies, freezes or wakes up late."""

import asyncio
from decimal import Decimal

import asyncpg
import pytest

from tests.faults.running import CONTAINED_WITHIN, Running, running
from tests.scenarios.setting import Setting, eventually

pytestmark = pytest.mark.timeout(150)


async def _holder(setting: Setting) -> tuple[str, int] | None:
    rows = await setting.rows(
        "select holder, epoch from reconciler.leases"
        " where account = 'main' and expires_at > clock_timestamp()"
    )
    return (rows[0]["holder"], rows[0]["epoch"]) if rows else None


async def _contained(setting: Setting) -> bool:
    return await setting.status() == "inactive"


async def test_the_second_takes_over_after_kill_9_of_the_first(setting: Setting) -> None:
    async with running(setting) as first:
        await first.until_ready()
        held = await _holder(setting)
        assert held is not None
        async with running(setting, "second") as second:
            await second.until_ready()
            assert await _holder(setting) == held, "the first lives"
            await first.kill()
            setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
            await eventually(lambda: _contained(setting), within=22)  # 10 s, an interval, a look
            taken = await _holder(setting)
            assert taken is not None
            assert taken[0] != held[0]
            assert taken[1] > held[1]
            await second.terminate()
    assert len(await setting.incidents()) == 1


async def test_a_clean_end_hands_over_at_once(setting: Setting) -> None:
    async with running(setting) as first:
        await first.until_ready()
        async with running(setting, "second") as second:
            await second.until_ready()
            await first.terminate()
            setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
            await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN)


async def test_a_process_that_was_frozen_writes_nothing_with_its_old_epoch(
    setting: Setting,
) -> None:
    """The first freezes in the middle of a pass, and wakes after the second has taken over."""
    async with running(setting) as first:
        await first.until_ready()
        held = await _holder(setting)
        assert held is not None
        setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
        setting.venue.requests.clear()
        slow = setting.venue.faults.set("hang", "positions")
        await eventually(lambda: setting.venue.requests.count("positions"), within=15)
        first.freeze()
        try:
            setting.venue.faults.clear(slow)
            async with running(setting, "second") as second:
                await eventually(lambda: _contained(setting), within=25)
                before, holder = await _everything(setting), await _holder(setting)
                first.thaw()
                await eventually(lambda: _knows_it_was_replaced(first), within=15)
                now = await _holder(setting)
                assert now is not None
                assert now == holder != held
                assert await _everything(setting) == before
                assert set(before.values()) == {1}
                await second.terminate()
        finally:
            first.thaw()
        await first.terminate()


def _knows_it_was_replaced(daemon: Running) -> bool:
    return "no longer ours" in daemon.said or "held by another" in daemon.said


async def _everything(setting: Setting) -> dict[str, int]:
    tables = ("incidents", "audit", "containments", "outbox")
    return {t: len(await setting.rows(f"select * from reconciler.{t}")) for t in tables}


async def test_a_frozen_writer_wedges_nobody(setting: Setting) -> None:
    """Someone holds the lease's row in an open transaction, as a frozen writer of ours would."""
    await setting.once()
    await setting.connection.execute(
        "update reconciler.leases set holder = 'frozen', expires_at = now() - interval '1 s'"
    )
    frozen = await asyncpg.connect(setting.url)
    try:
        await frozen.execute(
            "begin; set local idle_in_transaction_session_timeout = '7s';"
            " select 1 from reconciler.leases for key share"
        )
        setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
        async with running(setting) as daemon:
            await eventually(lambda: _contained(setting), within=25, what=daemon.said[-3000:])
            assert "Traceback" not in daemon.said
            await daemon.terminate()
    finally:
        frozen.terminate()


async def test_once_beside_a_frozen_writer_is_held(setting: Setting) -> None:
    await setting.once()
    await setting.connection.execute(
        "update reconciler.leases set holder = 'frozen', expires_at = now() - interval '1 s'"
    )
    transaction = setting.connection.transaction()
    await transaction.start()
    await setting.connection.execute("select 1 from reconciler.leases for key share")
    found = await setting.once()
    assert found.code == 3, found
    await transaction.rollback()
    assert (await setting.once()).code == 0


async def test_two_at_once_on_one_database_act_once(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    async with running(setting), running(setting, "second"):
        await eventually(lambda: _contained(setting), within=CONTAINED_WITHIN)
        await asyncio.sleep(2)
    assert await _everything(setting) == {
        "incidents": 1,
        "audit": 1,
        "containments": 1,
        "outbox": 1,
    }
