"""Databases with the schema of a real bot, in a chosen time zone."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from reconciler.simulation.postgres_binaries import find_binaries
from tests.integration.presets.trades import told_to_freqtrade
from tests.scenarios.setting import Setting, setting

__all__ = ["setting"]

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[2] / "deploy" / "sql"
FREQTRADE = "RECONCILER_TEST_FREQTRADE"
"""The Python of an environment that has freqtrade and psycopg: its own classes are asked then."""
ZONES = ("UTC", "Asia/Tokyo")
SHIFT = """
do $$ declare shift interval := localtimestamp - interval '5 hours'
                             - (select open_date from trades where id = 1); begin
  update trades set open_date = open_date + shift, close_date = close_date + shift;
  update orders set order_date = order_date + shift, order_filled_date = order_filled_date + shift,
                    order_update_date = order_update_date + shift;
end $$
"""
"""The dump's rows as if written just now in the server's zone, as freqtrade writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freqtrade:
    """A bot's database, and its own Python where that is there."""

    url: str
    zone: str
    python: str | None

    async def starts(self, trades: str = "[]") -> list[dict[str, Any]]:
        """Its start on this database, which checks for migrations; what it says of its trades."""
        assert self.python is not None
        process = await asyncio.create_subprocess_exec(
            *(self.python, str(HERE / "freqtrade_writes.py")),
            self.url.replace("postgresql://", "postgresql+psycopg://"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(60):
                out, err = await process.communicate(trades.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, err.decode()
        found: list[dict[str, Any]] = json.loads(out)
        return found


def python_of_freqtrade() -> str | None:
    """Where its own classes can be asked; read before a scenario empties the environment."""
    return os.environ.get(FREQTRADE)


PYTHON = python_of_freqtrade()
itself = pytest.mark.skipif(
    PYTHON is None, reason=f"{FREQTRADE} names no Python that has freqtrade and psycopg"
)


@pytest.fixture(
    params=[
        pytest.param((written_by, zone), marks=[itself] if written_by == "itself" else [])
        for written_by in ("dump", "itself")
        for zone in ZONES
    ],
    ids="-".join,
)
async def freqtrade(setting: Setting, request: pytest.FixtureRequest) -> Freqtrade:
    """The trades of `trades.py` beside our own tables, in both zones; by itself where it is."""
    written_by, zone = request.param
    name = setting.url.rpartition("/")[2]
    await setting.connection.execute(f"""alter database "{name}" set timezone = '{zone}'""")
    bot = Freqtrade(url=setting.url, zone=zone, python=PYTHON if written_by == "itself" else None)
    if bot.python is not None:
        await bot.starts(told_to_freqtrade())
    else:
        connection = await asyncpg.connect(setting.url, timeout=30)
        for file in ("freqtrade_schema.sql", "freqtrade_rows.sql"):
            await connection.execute((HERE / file).read_text(encoding="utf-8"))
        await connection.execute(SHIFT)
        await connection.close(timeout=5)
    setting.configure(book={"preset": "freqtrade"})
    return bot


@contextlib.asynccontextmanager
async def least_role(setting: Setting, *scripts: str) -> AsyncIterator[str]:
    """The address of the test's database for a new role with what these scripts of `deploy/sql`
    give it, run by psql as an operator would; and with our own tables.
    """
    database = setting.url.rpartition("/")[2]
    role = f"reconciler_{database.rpartition('_')[2]}"
    connection = setting.connection
    await connection.execute(f"create role {role} login password 'least'")
    try:
        await connection.execute(
            f"""grant usage, create on schema reconciler to {role};
                grant all on all tables in schema reconciler to {role};
                grant all on all sequences in schema reconciler to {role}"""
        )
        parts = urlsplit(setting.url)
        url = parts._replace(netloc=f"{role}:least@{parts.netloc.rpartition('@')[2]}").geturl()
        for script in scripts:
            await run_script(setting, role, script)
        yield url
    finally:
        await connection.execute(f"drop owned by {role}; drop role {role}")


async def run_script(setting: Setting, role: str, script: str) -> None:
    """`psql -v role=… -f deploy/sql/…`, as the owner."""
    process = await asyncio.create_subprocess_exec(
        *(str(find_binaries().folder / "psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1"),
        *("-v", f"role={role}", "-v", f"database={setting.url.rpartition('/')[2]}"),
        *("-f", str(SCRIPTS / script), setting.url),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
