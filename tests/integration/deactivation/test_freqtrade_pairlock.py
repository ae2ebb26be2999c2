"""The lock in freqtrade's table, as freqtrade 2026.9 makes it on Postgres."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, TypeAlias

import asyncpg
import pytest

from reconciler.deactivation.freqtrade_pairlock import FreqtradePairlock
from reconciler.domain.errors import DriverFailedError
from reconciler.store.connecting import Pool, open_pool

from .wanting import wanted

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
DAY = timedelta(days=1)
PAIRLOCKS = """
create table pairlocks (id serial primary key, pair varchar(25) not null,
  side varchar(25) not null, reason varchar(255), lock_time timestamp not null,
  lock_end_time timestamp not null, active boolean not null)
"""
REFUSED = """
select exists (select from pairlocks where lock_end_time > now() and active
  and pair in ($1, '*') and side = '*')
"""
"""What freqtrade asks before an entry, in the zone of its session."""


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(empty_database, size=3)
    yield opened
    opened.terminate()


@pytest.fixture
async def bot(pool: Pool, empty_database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(empty_database)
    await connection.execute(PAIRLOCKS)
    yield connection
    await connection.close()


def driver_for(pool: Pool, **changed: Any) -> FreqtradePairlock:
    given: dict[str, Any] = {
        "address": "book main",
        "table": "public.pairlocks",
        "pairs": "all",
        "lock_for": DAY,
        "timezone": None,
    }
    return FreqtradePairlock(pool, **{**given, **changed})


async def rows(bot: Connection) -> list[tuple[Any, ...]]:
    found = await bot.fetch("select pair, side, reason, active from pairlocks order by id")
    return [tuple(row) for row in found]


async def test_locks_every_pair_and_lifts_it_again(pool: Pool, bot: Connection) -> None:
    driver = driver_for(pool)
    assert await driver.is_active(wanted())
    await driver.deactivate(wanted())
    assert await rows(bot) == [("*", "*", "reconciler: incident 17", True)]
    assert await bot.fetchval(REFUSED, "ANY/USDT")
    assert not await driver.is_active(wanted())
    await driver.activate(wanted())
    assert not await bot.fetchval(REFUSED, "ANY/USDT")
    assert await driver.is_active(wanted())


async def test_one_row_for_each_incident_however_often_it_is_asked(
    pool: Pool, bot: Connection
) -> None:
    driver = driver_for(pool)
    for _ in range(3):
        await driver.deactivate(wanted())
    await driver.deactivate(wanted(incident_id=18))
    assert [row[2] for row in await rows(bot)] == [
        "reconciler: incident 17",
        "reconciler: incident 18",
    ]
    await driver.activate(wanted())
    assert await driver.is_active(wanted()), "a profile that is let trade again may trade"


async def test_the_pair_of_the_ghost_alone(pool: Pool, bot: Connection) -> None:
    driver = driver_for(pool, pairs="ghost")
    perpetual = wanted(symbol="BTC/USDT:USDT")
    await driver.deactivate(perpetual)
    assert await bot.fetchval(REFUSED, "BTC/USDT:USDT")
    assert not await bot.fetchval(REFUSED, "ETH/USDT:USDT")
    assert not await driver.is_active(perpetual)
    assert await driver.is_active(wanted(symbol="ETH/USDT:USDT"))


@pytest.mark.parametrize("symbol", ["BTCUSDT", "A-VERY-LONG-NAME/USDT:USDT"])
async def test_a_symbol_that_is_no_pair_is_refused(
    pool: Pool, bot: Connection, symbol: str
) -> None:
    with pytest.raises(DriverFailedError, match=r"deactivation\.pairs"):
        await driver_for(pool, pairs="ghost").deactivate(wanted(symbol=symbol))
    assert await rows(bot) == []


async def test_locks_of_the_bot_and_of_people_are_left_alone(pool: Pool, bot: Connection) -> None:
    driver = driver_for(pool)
    for reason in ("Cooldown period", None, "see reconciler: incident 17"):
        await bot.execute(
            "insert into pairlocks (pair, side, reason, lock_time, lock_end_time, active) "
            "values ('*', '*', $1, now(), now() + interval '1 hour', true)",
            reason,
        )
    assert await driver.is_active(wanted()), "they end by themselves: no containment"
    await driver.deactivate(wanted())
    await driver.activate(wanted())
    assert [row[3] for row in await rows(bot)] == [True, True, True, False]


async def test_a_person_lifts_the_lock_in_the_bot(pool: Pool, bot: Connection) -> None:
    driver = driver_for(pool)
    await driver.deactivate(wanted())
    # as freqtrade's `DELETE /locks/1` does
    await bot.execute("update pairlocks set active = false, lock_end_time = now()")
    assert await driver.is_active(wanted())
    await driver.deactivate(wanted())
    assert [row[3] for row in await rows(bot)] == [False, True]


@pytest.mark.parametrize("left", ["11 hours", "-3 days"])
async def test_time_alone_lifts_no_lock(pool: Pool, bot: Connection, left: str) -> None:
    driver = driver_for(pool)
    await driver.deactivate(wanted())
    await bot.execute(f"update pairlocks set lock_end_time = now() + interval '{left}'")
    assert not await driver.is_active(wanted())
    ends_in = await bot.fetchval("select max(lock_end_time) - localtimestamp from pairlocks")
    assert DAY - timedelta(minutes=1) < ends_in <= DAY


async def test_reading_back_writes_nothing_while_there_is_time(pool: Pool, bot: Connection) -> None:
    driver = driver_for(pool)
    await driver.deactivate(wanted())
    before = await bot.fetchval("select xmin::text from pairlocks")
    assert not await driver.is_active(wanted())
    assert await bot.fetchval("select xmin::text from pairlocks") == before


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("is_told", [True, False])
async def test_times_are_in_the_zone_of_the_bot(
    pool: Pool, bot: Connection, zone: str, is_told: bool
) -> None:
    driver = driver_for(pool, timezone=zone if is_told else None, lock_for=timedelta(hours=1))
    await bot.execute(f"set timezone = '{zone}'")
    if not is_told:
        database = await bot.fetchval("select current_database()")
        await bot.execute(f"alter database \"{database}\" set timezone = '{zone}'")
    await driver.deactivate(wanted())
    assert await bot.fetchval(REFUSED, "ANY/USDT")
    ends_in = await bot.fetchval("select lock_end_time::timestamptz - now() from pairlocks")
    assert timedelta(minutes=59) < ends_in < timedelta(minutes=61)
    assert not await driver.is_active(wanted())


async def test_no_table_names_the_database(pool: Pool) -> None:
    driver = driver_for(pool)
    for asked in (driver.is_active, driver.deactivate, driver.activate):
        with pytest.raises(DriverFailedError, match=r"\(book main\).*book\.url"):
            await asked(wanted())


async def test_a_missing_right_names_the_grant(pool: Pool, bot: Connection) -> None:
    await bot.execute("create role locked_out login")
    await bot.execute("grant select on pairlocks to locked_out")
    try:
        async with pool.acquire() as theirs:
            await theirs.execute("set role locked_out")
        one = driver_for(pool)
        with pytest.raises(DriverFailedError, match="grant select, insert, update"):
            await one.deactivate(wanted())
        await bot.execute(
            "grant select, insert, update (lock_end_time, active) on pairlocks to locked_out; "
            "grant usage on sequence pairlocks_id_seq to locked_out"
        )
        await one.deactivate(wanted())
        await bot.execute("update pairlocks set lock_end_time = now()")
        assert not await one.is_active(wanted())
        await one.activate(wanted())
        assert await one.is_active(wanted())
    finally:
        await bot.execute("drop owned by locked_out; drop role locked_out")


async def test_a_table_that_is_held_is_waited_for_no_longer_than_the_deadline(
    pool: Pool, bot: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "reconciler.deactivation.freqtrade_pairlock.DEADLINE"
    monkeypatch.setattr(place, timedelta(seconds=0.3))
    async with bot.transaction():
        await bot.execute("lock table pairlocks")
        with pytest.raises(DriverFailedError, match=r"within 0\.3 s"):
            await driver_for(pool).deactivate(wanted())
