"""A private Postgres server for the demo and the tests: started from binaries, removed after use.

It listens on a free loopback port and trusts whoever connects there, so it is for made-up data
only: other users of the same machine can reach it while it runs.
"""

import asyncio
import atexit
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from reconciler.simulation.postgres_binaries import PostgresBinaries, find_binaries
from reconciler.simulation.private_folder import PrivateFolder
from reconciler.simulation.server_processes import (
    Account,
    interrupts_deferred,
    server_account,
    spawn,
    stop,
)

FOLDER_PREFIX = "reconciler-postgres"
HOST = "127.0.0.1"

_START_DEADLINE = timedelta(seconds=30)
_STOP_PATIENCE = timedelta(seconds=5)
_POLL_EVERY = timedelta(milliseconds=10)
_ATTEMPTS = 5
_PAUSE_BETWEEN_ATTEMPTS = timedelta(milliseconds=100)
_LOG_LINES_SHOWN = 15


class PostgresStartFailed(RuntimeError):  # noqa: N818 - it says what happened
    """The private server did not start; the message ends with the last lines of its log."""


class EmbeddedPostgres:
    """A private server, as an async context manager or, outside an event loop, a plain one.

    `data_dir` keeps the data there after the end and finds it again at the next start; without
    it everything lies in a temporary folder that is removed. `within` is where that folder is
    made, by default the temporary directory. `fsync` makes commits survive a
    power cut. `settings` are server parameters by name. `binaries` picks a version.
    `start_within` bounds the way from nothing to the first connection.

    Start it from the main thread: only then does the server stop when this process is killed.
    """

    def __init__(
        self,
        *,
        data_dir: Path | None = None,
        within: Path | None = None,
        fsync: bool = False,
        settings: Mapping[str, str] | None = None,
        binaries: PostgresBinaries | None = None,
        start_within: timedelta = _START_DEADLINE,
    ) -> None:
        self._kept_data_dir = data_dir.resolve() if data_dir else None
        self._within = within
        self._settings = _server_settings(fsync=fsync) | dict(settings or {})
        self._binaries = binaries
        self._start_within = start_within
        self._owner_pid = os.getpid()
        self._account: Account | None = None
        self._folder: PrivateFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Address of the administrative database, as its superuser, without a password."""
        return f"postgresql://postgres@{HOST}:{self.port}/postgres"

    @property
    def port(self) -> int:
        """The loopback port; the same again after `restart`."""
        if not self._port:
            raise RuntimeError("the server was not started")
        return self._port

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    @property
    def data_dir(self) -> Path:
        """Where the database files are."""
        return self._kept_data_dir or self.folder / "data"

    @property
    def folder(self) -> Path:
        """The temporary folder: log, lock, and the data where no other place was given."""
        if self._folder is None:
            raise RuntimeError("the server was not started")
        return self._folder.path

    @property
    def log(self) -> Path:
        """What `initdb` and the server wrote; gone after the end."""
        return self.folder / "log"

    async def start(self) -> None:
        """Make the data folder and start the server; returns when a connection was answered.

        Raises PostgresBinariesMissing or PostgresStartFailed, and leaves nothing behind then.
        """
        if self._folder is not None:
            raise RuntimeError("the server was started already")
        deadline = time.monotonic() + self._start_within.total_seconds()
        self._account = server_account()
        atexit.register(self.close)  # where Ctrl-C falls between the start and its `with`
        is_started = False
        try:
            with interrupts_deferred():
                place = self._within or _temporary(self._account)
                self._folder = PrivateFolder.make(FOLDER_PREFIX, within=place)
            self._binaries = self._reachable(self._binaries or find_binaries())
            await self._initialise(self._binaries, deadline)
            await self._serve(self._binaries, deadline)
            is_started = True
        except OSError as error:
            raise PostgresStartFailed(f"cannot start a private Postgres: {error}") from error
        finally:
            if not is_started:  # a cancelled start must leave no process and no folder either
                self.close()

    async def restart(self) -> None:
        """Stop the server where it still runs, and start it on the same data and port.

        Raises PostgresStartFailed; the data stays until `close`.
        """
        if self._binaries is None or self._folder is None:
            raise RuntimeError("the server was not started")
        self.stop()
        await self._serve(self._binaries, time.monotonic() + self._start_within.total_seconds())

    def stop(self) -> None:
        """Stop the server and keep its data, for `restart` or `close`."""
        if self._process is not None:
            stop(self._process, patience=_STOP_PATIENCE)
            self._process = None

    def close(self) -> None:
        """Stop the server and remove its temporary folder; safe to call again."""
        if os.getpid() != self._owner_pid:  # a forked child that ends is not our end
            return
        with interrupts_deferred():
            self.stop()
            if self._folder is not None:
                self._folder.remove()
                self._folder = None
            atexit.unregister(self.close)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        # With a factory of its own the runner leaves the thread's current event loop alone.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(self.start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _reachable(self, binaries: PostgresBinaries) -> PostgresBinaries:
        """Copy the programs where the server's user cannot read them, as below a private home."""
        if self._account is None or self._account.can_enter(binaries.folder):
            return binaries
        return binaries.copied_to(self.folder / "binaries")

    async def _initialise(self, binaries: PostgresBinaries, deadline: float) -> None:
        if self._account is not None:
            self.folder.chmod(0o711)  # the server's user walks through it to its data
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (self.data_dir / "PG_VERSION").exists():
            return
        if self._account is not None:
            os.chown(self.data_dir, self._account.uid, self._account.gid)
        choices = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        initdb = self._spawn(binaries.initdb, "-D", self.data_dir, *choices)
        while (code := initdb.poll()) is None:
            if time.monotonic() > deadline:
                raise self._failure("initdb did not end in time")
            await asyncio.sleep(_POLL_EVERY.total_seconds())
        if code != 0:
            raise self._failure("initdb failed")

    async def _serve(self, binaries: PostgresBinaries, deadline: float) -> None:
        """Start the server, again where it ends at once.

        Somebody may have taken the port just before it (the next attempt takes another), or
        after a crash the last processes of the old server may still be ending.
        """
        chosen = self._port
        for _ in range(_ATTEMPTS):
            self._port = chosen or _free_port()
            options = [f"-c{name}={value}" for name, value in self._settings.items()]
            server = self._spawn(
                binaries.postgres, "-D", self.data_dir, f"-cport={self._port}", *options
            )
            if await self._answers(server, deadline):
                return
            await asyncio.sleep(_PAUSE_BETWEEN_ATTEMPTS.total_seconds())
        raise self._failure("the server ended at once")

    async def _answers(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """Wait for a real connection to our own server; False where it ended before."""
        while process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._failure("the server did not answer in time")
            try:
                if await self._serves_our_data(timeout=left):
                    return True
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pass  # not listening yet, or "the database system is starting up"
            await asyncio.sleep(_POLL_EVERY.total_seconds())
        return False

    async def _serves_our_data(self, *, timeout: float) -> bool:  # noqa: ASYNC109 - asyncpg's own
        """Ask who answers: at a port that was just freed it could be another private server."""
        connection = await asyncpg.connect(self.url, timeout=timeout, ssl=False)
        try:
            directory = await connection.fetchval("SHOW data_directory", timeout=timeout)
        finally:
            connection.terminate()
        return bool(directory == str(self.data_dir))

    def _spawn(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a process on our data, where `stop` finds it from the first moment."""
        lock = [self._folder.lock] if self._folder else []
        with interrupts_deferred():
            self._process = spawn(
                command, account=self._account, folder=self.data_dir, log=self.log, inherit=lock
            )
        return self._process

    def _failure(self, what: str) -> PostgresStartFailed:
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        return PostgresStartFailed("\n".join([f"private Postgres: {what}", *lines]))


def _server_settings(*, fsync: bool) -> dict[str, str]:
    settings = {
        "listen_addresses": HOST,
        "unix_socket_directories": "",  # paths over 107 bytes fail, and nobody needs one
        # In the data folder rather than /dev/shm, where a killed server would leave it for good.
        "dynamic_shared_memory_type": "mmap",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not fsync:
        # Commits stay synchronous: a killed server must not lose them, only a power cut may.
        settings |= {"fsync": "off", "full_page_writes": "off"}
    return settings


def _temporary(account: Account | None) -> Path:
    """Choose a temporary directory that the server's user can walk to; root's TMPDIR may not be."""
    usual = Path(tempfile.gettempdir()).resolve()
    places = (usual, Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - mkdtemp makes a private name
    if account is None:
        return usual
    return next((place for place in places if account.can_enter(place)), usual)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
