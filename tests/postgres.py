"""Databases for tests: one private server per session, a fresh database per test.

`TEST_DATABASE_URL` names a server to use instead, by a superuser's address (each session uses
databases of its own there). `TEST_POSTGRES=system` takes the oldest server that the system
has instead of the wheel's, which is the newest; the default is `embedded`.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from reconciler.simulation.postgres import EmbeddedPostgres
from reconciler.simulation.postgres_binaries import (
    PostgresBinaries,
    PostgresBinariesMissing,
    find_binaries,
    find_path_binaries,
    find_system_binaries,
)

_DEADLINE_SECONDS = 30.0
_MEMORY_BYTES = 2 * 2**30
"""Room for a few workers' servers, each about 100 MB and 8 MB for each open database."""

T = TypeVar("T")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a server's administrative database, as superuser."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    # The wheel has one notable limit for tests: no contrib modules.
    with EmbeddedPostgres(binaries=chosen_binaries(), within=memory()) as server:
        yield server.url


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> Iterator[str]:
    """Name of a database with our schema and the native book, migrated once per session."""
    # Imported here, so that tests of other things run while the store does not import.
    from reconciler.store.migrations import migrate  # noqa: PLC0415

    name = _unique("template")
    run(_administer(postgres_url, f'CREATE DATABASE "{name}"'))
    try:
        run(migrate(database_in(postgres_url, name), with_native_book=True))
        # A test that connects to the template by mistake would change every later one.
        run(_administer(postgres_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        yield name
    finally:
        run(_administer(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """Address of a database without any table, dropped after the test."""
    yield from fresh_database(postgres_url, template="template0")


@pytest.fixture
def database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """Address of a freshly migrated database with the native book, dropped after the test."""
    yield from fresh_database(postgres_url, template=migrated_template)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Connect to `database_url` in the test's event loop."""
    connected = await asyncpg.connect(database_url, timeout=_DEADLINE_SECONDS)
    try:
        yield connected
    finally:
        connected.terminate()  # a polite close would wait for a server that the test killed


def chosen_binaries() -> PostgresBinaries:
    """Find the server programs that `TEST_POSTGRES` asks for.

    Raises PostgresBinariesMissing where there are none.
    """
    choice = os.environ.get("TEST_POSTGRES", "embedded")
    if choice == "embedded":
        return find_binaries()
    if choice != "system":
        raise ValueError(f"TEST_POSTGRES is {choice!r}, not `embedded` or `system`")
    installed = find_system_binaries()
    found = installed[-1] if installed else find_path_binaries()
    if found is None:
        raise PostgresBinariesMissing("TEST_POSTGRES=system: no server on PATH or from a package")
    return found


def memory() -> Path | None:
    """Return a file system in memory that is large enough, or None for the usual place.

    A new database is 300 files: 10 ms there, up to 300 ms on a busy disk.
    """
    place = Path("/dev/shm")  # noqa: S108 - the folder made in it has a private name
    if not (place.is_dir() and os.access(place, os.W_OK)):
        return None
    # A container's is small; noexec would stop programs that have to be copied there.
    too_small = shutil.disk_usage(place).free < _MEMORY_BYTES
    return None if too_small or os.statvfs(place).f_flag & os.ST_NOEXEC else place


def database_in(url: str, name: str) -> str:
    """Return the address of another database on the server of `url`."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine from a synchronous fixture, and leave pytest-asyncio's loop alone."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)


def fresh_database(server: str, *, template: str) -> Generator[str, None, None]:
    """Yield the address of a new database, and drop it under whoever is still connected."""
    name = _unique("test")
    run(_administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield database_in(server, name)
    finally:
        run(_administer(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


def _unique(what: str) -> str:
    """Return a name that no other worker or session on the same server takes."""
    return f"{what}_{os.getpid()}_{uuid4().hex[:12]}"


async def _administer(server: str, statement: str) -> None:
    connected = await asyncpg.connect(server, timeout=_DEADLINE_SECONDS)
    try:
        await connected.execute(statement, timeout=_DEADLINE_SECONDS)
    finally:
        await connected.close(timeout=_DEADLINE_SECONDS)
