"""The private server: it starts, it ends with us however we end, and it leaves nothing behind."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from reconciler.simulation import postgres_binaries
from reconciler.simulation.postgres import FOLDER_PREFIX, EmbeddedPostgres, PostgresStartFailed
from reconciler.simulation.postgres_binaries import PostgresBinariesMissing, find_binaries
from tests.postgres import chosen_binaries, database_in, fresh_database, run

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel ties children on Linux")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")

BLOCKING_OWNER = """
import time
from reconciler.simulation.postgres import EmbeddedPostgres
print("starting", flush=True)
with EmbeddedPostgres() as server:
    print(server.url, flush=True)
    time.sleep(60)
"""

# Root gives up its rights only after the imports: another user may not read our Python.
UNPRIVILEGED_OWNER = f"""
import os, pwd, asyncpg, encodings.idna
import reconciler.simulation.postgres
nobody = pwd.getpwnam("nobody")
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
{BLOCKING_OWNER}
"""

ASYNC_OWNER = """
import asyncio
from reconciler.simulation.postgres import EmbeddedPostgres
async def main():
    print("starting", flush=True)
    async with EmbeddedPostgres() as server:
        print(server.url, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""

FORKING_OWNER = """
import asyncio, asyncpg, os, sys
from reconciler.simulation.postgres import EmbeddedPostgres
async def ask(url):
    await (await asyncpg.connect(url)).close()
with EmbeddedPostgres() as server:
    child = os.fork()
    if child == 0:
        sys.exit(0)
    os.waitpid(child, 0)
    asyncio.run(ask(server.url))
    print("still answers", flush=True)
"""


@pytest.fixture
def temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Be the temporary directory of the test, as open as /tmp is."""
    path = Path(tempfile.mkdtemp(prefix="test-postgres-", dir="/tmp"))
    path.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    monkeypatch.setenv("TMPDIR", str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def ask(url: str, query: str) -> object:
    """Send one query over a connection of its own."""

    async def asking() -> object:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return await connection.fetchval(query, timeout=10)
        finally:
            await connection.close(timeout=10)

    return run(asking())


def folders(temp: Path) -> list[Path]:
    """List what private servers left in the temporary directory."""
    return list(temp.glob(f"{FOLDER_PREFIX}-*"))


def processes_using(path: Path) -> list[str]:
    """Command lines that name `path`; an unreaped zombie has none, and does no work either."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = command.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(path) in words:
                found.append(words)
    return found


def eventually(condition: Callable[[], bool], *, within: timedelta) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + within.total_seconds()
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@contextlib.contextmanager
def owner_of_a_server(script: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that owns a private server, in a session of its own as under a terminal.
    Who starts the tests in the background of a shell hands down an ignored SIGINT.
    """
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    with subprocess.Popen(
        [sys.executable, "-c", heard + script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    ) as owner:
        try:
            yield owner
        finally:
            owner.kill()


def next_line(owner: subprocess.Popen[str]) -> str:
    """Read what the owner says next; empty where it has ended."""
    assert owner.stdout is not None
    return owner.stdout.readline().strip()


def test_a_server_answers_and_leaves_nothing(temp: Path) -> None:
    with EmbeddedPostgres(binaries=chosen_binaries()) as server:
        assert server.url == f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
        assert ask(server.url, "SELECT current_user::text") == "postgres"
        assert ask(server.url, "SHOW server_encoding") == "UTF8"
        assert ask(server.url, "SELECT gen_random_uuid() IS NOT NULL")
        assert server.data_dir.is_dir()
        assert folders(temp) == [server.folder]
        port = server.port
    assert folders(temp) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


async def test_it_is_an_async_context_manager_too(temp: Path) -> None:
    async with EmbeddedPostgres(binaries=chosen_binaries()) as server:
        connection = await asyncpg.connect(server.url, timeout=10)
        assert await connection.fetchval("SELECT 1") == 1
        # The connection stays open: a fast shutdown does not wait for its clients.
        before = time.monotonic()
    assert time.monotonic() - before < 2
    assert folders(temp) == []
    connection.terminate()


@pytest.mark.usefixtures("temp")
def test_settings_reach_the_server() -> None:
    binaries = chosen_binaries()
    with EmbeddedPostgres(binaries=binaries, settings={"max_connections": "17"}) as server:
        assert ask(server.url, "SHOW max_connections") == "17"
        assert ask(server.url, "SHOW fsync") == "off"
        assert ask(server.url, "SHOW synchronous_commit") == "on"
        with EmbeddedPostgres(binaries=binaries, fsync=True) as durable:
            assert ask(durable.url, "SHOW fsync") == "on"
            assert durable.port != server.port


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(temp: Path) -> None:
    server = EmbeddedPostgres(binaries=chosen_binaries(), settings={"no_such_setting": "1"})
    with pytest.raises(PostgresStartFailed, match="no_such_setting"):
        server.__enter__()
    assert folders(temp) == []


def test_a_start_has_a_deadline(temp: Path) -> None:
    server = EmbeddedPostgres(start_within=timedelta(milliseconds=50))
    with pytest.raises(PostgresStartFailed, match="in time"):
        server.__enter__()
    assert folders(temp) == []


@pytest.mark.parametrize("after", [0.0, 0.15, 0.35, 0.5])
async def test_a_cancelled_start_leaves_nothing(temp: Path, after: float) -> None:
    server = EmbeddedPostgres(binaries=chosen_binaries())
    starting = asyncio.ensure_future(server.start())
    await asyncio.sleep(after)
    starting.cancel()
    try:
        await starting
    except asyncio.CancelledError:
        pass
    else:
        server.close()  # a fast machine had it running: then its own end leaves nothing
    assert folders(temp) == []
    assert processes_using(temp) == []


def test_a_killed_postmaster_loses_no_commit(temp: Path) -> None:
    with EmbeddedPostgres(binaries=chosen_binaries()) as server:
        ask(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        port = server.port
        os.kill(server.pid, signal.SIGKILL)
        run(server.restart())
        assert server.port == port
        assert ask(server.url, "SELECT answer FROM kept") == 42
    assert folders(temp) == []


def test_a_given_data_folder_is_kept(temp: Path) -> None:
    data_dir = temp / "kept"
    for answer in (1, 2):
        with EmbeddedPostgres(binaries=chosen_binaries(), data_dir=data_dir) as server:
            ask(server.url, f"CREATE TABLE run_{answer} ()")
            assert ask(server.url, "SELECT count(*) FROM pg_tables WHERE tablename ~ '^run_'") == (
                answer
            )
    assert (data_dir / "PG_VERSION").exists()
    assert folders(temp) == []


@on_linux
def test_an_owner_killed_with_sigkill_leaves_no_server(temp: Path) -> None:
    left = folder_of_a_killed_owner(BLOCKING_OWNER, temp)
    assert left.exists()
    with EmbeddedPostgres(binaries=chosen_binaries()) as server:
        assert folders(temp) == [server.folder]
    assert folders(temp) == []


@on_linux
@as_root
def test_the_same_for_an_owner_that_is_not_root(temp: Path) -> None:
    left = folder_of_a_killed_owner(UNPRIVILEGED_OWNER, temp)
    with EmbeddedPostgres(binaries=chosen_binaries()):
        assert left.exists()  # another user's folder is for that user to sweep


def folder_of_a_killed_owner(script: str, temp: Path) -> Path:
    """Kill the owner of a running server, see the server end, and return the folder left."""
    with owner_of_a_server(script) as owner:
        assert next_line(owner) == "starting"
        url = next_line(owner)
        assert ask(url, "SELECT 1") == 1
        (left,) = folders(temp)
        owner.kill()
        owner.wait(10)
    assert eventually(lambda: processes_using(left) == [], within=timedelta(seconds=5))
    with pytest.raises(ConnectionRefusedError):
        ask(url, "SELECT 1")
    return left


@on_linux
@pytest.mark.parametrize("script", [BLOCKING_OWNER, ASYNC_OWNER], ids=["blocking", "async"])
@pytest.mark.parametrize("after", [0.0, 0.1, 0.3, 0.45, None], ids=str)
def test_ctrl_c_at_any_moment_leaves_nothing(temp: Path, script: str, after: float | None) -> None:
    with owner_of_a_server(script) as owner:
        assert next_line(owner) == "starting"
        if after is None:
            assert next_line(owner).startswith("postgresql://")
        else:
            time.sleep(after)
        os.killpg(owner.pid, signal.SIGINT)  # a terminal interrupts the whole process group
        time.sleep(0.01)
        os.killpg(owner.pid, signal.SIGINT)  # and people press it twice
        assert owner.wait(15) != 0
    assert folders(temp) == []
    assert eventually(lambda: processes_using(temp) == [], within=timedelta(seconds=5))


def test_a_forked_child_that_ends_does_not_stop_the_server(temp: Path) -> None:
    with owner_of_a_server(FORKING_OWNER) as owner:
        assert next_line(owner) == "still answers"
        assert owner.wait(15) == 0
    assert folders(temp) == []


@as_root
def test_programs_that_the_servers_user_cannot_read_are_copied(temp: Path) -> None:
    home = temp / "home"
    home.mkdir(mode=0o700)
    original = find_binaries()
    private = original.copied_to(home / "site-packages")
    for path in (home, *home.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)  # as installed under umask 077

    with EmbeddedPostgres(binaries=private) as server:
        assert ask(server.url, "SELECT 1") == 1
        programs = Path(f"/proc/{server.pid}/exe").readlink()
        assert programs.is_relative_to(server.folder)
    assert home.stat().st_mode & 0o777 == 0o700
    assert folders(temp) == []


def test_missing_programs_name_the_mend(temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "find_wheel_binaries", lambda: None)
    monkeypatch.setattr(postgres_binaries, "_DEBIAN_SERVERS", temp)
    monkeypatch.setenv("PATH", str(temp))
    with pytest.raises(PostgresBinariesMissing, match=r"reconciler\[demo\].*DATABASE_URL"):
        EmbeddedPostgres().__enter__()
    assert folders(temp) == []


async def test_an_empty_database_is_empty_and_its_own(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database, timeout=10)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
    assert await connection.fetchval(tables) == 0
    assert await connection.fetchval("SELECT current_database()") in empty_database
    await connection.close(timeout=10)


def test_a_database_is_dropped_from_under_its_clients(postgres_url: str) -> None:
    async def leave_connected() -> None:
        databases = fresh_database(postgres_url, template="template0")
        url = await asyncio.to_thread(next, databases)
        connection = await asyncpg.connect(url, timeout=10)
        await asyncio.to_thread(databases.close)
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await asyncpg.connect(url, timeout=10)
        connection.terminate()

    run(leave_connected())


async def test_a_test_starts_on_the_migrated_schema(
    connection: "asyncpg.Connection[asyncpg.Record]", migrated_template: str, postgres_url: str
) -> None:
    found = await connection.fetchval("SELECT to_regclass('bot.orders') IS NOT NULL")
    assert found
    assert await connection.fetchval("SELECT current_database()") != migrated_template
    with pytest.raises(asyncpg.PostgresError, match="not currently accepting connections"):
        await asyncpg.connect(database_in(postgres_url, migrated_template), timeout=10)


@pytest.mark.parametrize("attempt", [1, 2])
async def test_what_a_test_writes_is_gone_in_the_next(
    connection: "asyncpg.Connection[asyncpg.Record]", attempt: int
) -> None:
    del attempt
    await connection.execute("CREATE TABLE bot.written_by_a_test ()")
