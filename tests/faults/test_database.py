"""Postgres goes away, comes back, freezes, or refuses to write: the daemon waits and works on."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from reconciler.simulation.postgres import EmbeddedPostgres
from reconciler.simulation.venue import SimulatedVenue
from reconciler.store.migrations import migrate
from tests.faults.running import CONTAINED_WITHIN, running
from tests.postgres import chosen_binaries, memory
from tests.scenarios.setting import PROMPT, Setting, eventually

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
async def server() -> AsyncIterator[EmbeddedPostgres]:
    """A server of this test's own, to be stopped and started."""
    async with EmbeddedPostgres(binaries=chosen_binaries(), within=memory()) as started:
        yield started


@pytest.fixture
async def own(server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Setting]:
    """A setting on that server."""
    await migrate(server.url, with_native_book=True)
    async with SimulatedVenue() as venue:
        connection = await asyncpg.connect(server.url)
        made = Setting(url=server.url, folder=tmp_path, venue=venue, connection=connection)
        made.sections = {"database": {"url": server.url}, "accounts": {}, **PROMPT}
        made.add_account("main")
        await made.profile("p1")
        yield made
        made.connection.terminate()


async def _again(setting: Setting) -> None:
    """Connect anew after a restart."""
    setting.connection.terminate()
    setting.connection = await asyncpg.connect(setting.url, timeout=10)


async def _contained(setting: Setting) -> bool:
    return await setting.status() == "inactive"


async def test_it_starts_while_postgres_is_down(server: EmbeddedPostgres, own: Setting) -> None:
    own.ledger.set_position("SOLUSDT", "long", Decimal(1))
    server.stop()
    async with running(own) as daemon:
        await daemon.until_live()
        status, body = await daemon.get("/health/ready")
        assert status == 503
        told = json.loads(body)
        assert "database" in body, told
        await asyncio.sleep(1)
        await server.restart()
        await _again(own)
        await eventually(lambda: _contained(own), within=25, what=daemon.said[-2000:])
        await daemon.until_ready()
        await daemon.terminate()


async def test_sigterm_while_postgres_is_down_from_the_start(
    server: EmbeddedPostgres, own: Setting
) -> None:
    server.stop()
    async with running(own) as daemon:
        await daemon.until_live()
        await daemon.terminate()


async def test_postgres_restarted_underneath(server: EmbeddedPostgres, own: Setting) -> None:
    async with running(own) as daemon:
        await daemon.until_ready()
        server.stop()

        async def not_ready() -> bool:
            return (await daemon.get("/health/ready"))[0] == 503

        await eventually(not_ready, within=12)
        assert (await daemon.get("/health/live"))[0] == 200
        assert (await daemon.get("/health"))[0] == 200
        await server.restart()
        await _again(own)
        await daemon.until_ready()
        own.ledger.set_position("SOLUSDT", "long", Decimal(1))
        await eventually(lambda: _contained(own), within=CONTAINED_WITHIN, what=daemon.said[-2000:])
        assert len(await own.incidents()) == 1
        await daemon.terminate()


async def test_sigterm_while_postgres_is_down(server: EmbeddedPostgres, own: Setting) -> None:
    async with running(own) as daemon:
        await daemon.until_ready()
        server.stop()
        await asyncio.sleep(3)
        await daemon.terminate()


async def test_sigterm_while_postgres_is_frozen(server: EmbeddedPostgres, own: Setting) -> None:
    """A server that takes connections and answers nothing is worse than one that is gone."""
    async with running(own) as daemon:
        await daemon.until_ready()
        stopped = _family(server.pid)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(7)  # a pass is under way and waits for a statement
            assert (await daemon.get("/health/live"))[0] == 200
            await daemon.terminate()
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def _family(pid: int) -> list[int]:
    """The postmaster and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [pid, *(int(child) for child in children)]


async def test_a_database_that_is_read_only_for_a_while(
    server: EmbeddedPostgres, own: Setting
) -> None:
    """As after a failover to a replica: the daemon goes on, and works when it can write again."""
    del server
    async with running(own) as daemon:
        await daemon.until_ready()
        await own.connection.execute(
            "alter database postgres set default_transaction_read_only = on"
        )
        await _cut_others(own)
        own.ledger.set_position("SOLUSDT", "long", Decimal(1))
        await asyncio.sleep(7)
        assert (await daemon.get("/health/live"))[0] == 200, daemon.said[-3000:]
        await own.connection.execute(
            "set default_transaction_read_only = off;"
            "alter database postgres reset default_transaction_read_only"
        )
        await _cut_others(own)
        await eventually(lambda: _contained(own), within=CONTAINED_WITHIN, what=daemon.said[-3000:])
        await daemon.terminate()


async def _cut_others(setting: Setting) -> None:
    await setting.connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where pid <> pg_backend_pid() and backend_type = 'client backend'"
    )


async def test_connections_that_are_cut_again_and_again(
    server: EmbeddedPostgres, own: Setting
) -> None:
    del server
    own.ledger.set_position("SOLUSDT", "long", Decimal(1))
    async with running(own, schedule={"reconciliation": "1s", "order_status_sync": "1s"}) as daemon:
        await daemon.until_live()
        for _ in range(30):
            await _cut_others(own)
            await asyncio.sleep(0.1)
        await eventually(lambda: _contained(own), within=CONTAINED_WITHIN, what=daemon.said[-3000:])
        assert len(await own.incidents()) == 1
        assert len(await own.rows("select * from reconciler.outbox")) == 1
        await daemon.terminate()
