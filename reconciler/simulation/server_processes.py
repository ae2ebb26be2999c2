"""Child processes of a private server: as which user they run, and how they end.

Each gets its own session, so that Ctrl-C in the terminal reaches only us and we stop the server
in order. On Linux the kernel interrupts it when we die without having done so.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_SERVER_ACCOUNTS = ("postgres", "nobody")
_KILL_DEADLINE = timedelta(seconds=5)
"""How long the kernel may take to end a killed process before we stop waiting for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The system user that a server runs as."""

    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether this user may walk down to `folder`, judged by the permission bits."""
        for step in (folder, *folder.parents):
            status = step.stat()
            bit = 0o001
            if status.st_uid == self.uid:
                bit = 0o100
            elif status.st_gid == self.gid:
                bit = 0o010
            if not status.st_mode & bit:
                return False
        return True


def server_account() -> Account | None:
    """Choose the user for a server: Postgres refuses root; None where this process is not root.

    Raises RuntimeError where root has no other user to run it as.
    """
    if os.geteuid() != 0:
        return None
    for name in _SERVER_ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise RuntimeError(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`: "
        "start as another user, or set DATABASE_URL to a database that exists"
    )


def spawn(
    command: Sequence[str | Path],
    *,
    account: Account | None,
    folder: Path,
    log: Path,
    inherit: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in `folder` as `account`, output appended to `log`, in its own session.

    Call it from the main thread: the kernel takes the end of the thread that started a child for
    the end of its parent, so from another thread the child is not tied to our life.
    Raises OSError where it cannot be started.
    """
    with log.open("ab") as output, warnings.catch_warnings():
        # Python 3.12 warns of any preexec_fn beside threads; ours makes two system calls.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(  # noqa: S603 - our own command line, no shell
            [str(word) for word in command],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=inherit,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_tie_to_parent(),  # noqa: PLW1509 - nothing in it takes a lock
        )


def stop(process: subprocess.Popen[bytes], *, patience: timedelta) -> None:
    """End a server: SIGINT (fast shutdown), after `patience` SIGQUIT, then SIGKILL.

    It blocks, for 10 ms as a rule, so that no cancellation can come between it and its end.
    """
    for sign in (signal.SIGINT, signal.SIGQUIT):
        process.send_signal(sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience.total_seconds())
            return
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group at once."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_KILL_DEADLINE.total_seconds())


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done, so that nothing is made that nobody remembers.

    The second Ctrl-C raises KeyboardInterrupt in any line, even of an event loop's task.
    """
    before = signal.getsignal(signal.SIGINT)
    on_main_thread = threading.current_thread() is threading.main_thread()
    # What `loop.add_signal_handler` leaves here raises nothing, and its loop is told in any case.
    raises = callable(before) and getattr(before, "__module__", "") != "asyncio.unix_events"
    if not (on_main_thread and raises):
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def _environment() -> dict[str, str]:
    """Our environment without PGDATA and its kin, which belong to somebody else's server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _tie_to_parent() -> Callable[[], None] | None:
    """Ask the kernel to interrupt the child when we die, even of SIGKILL (Linux only)."""
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here, not in the forked child
    parent = os.getpid()

    def interrupt_with_parent() -> None:
        # Runs after the change of user, which would have cleared the request.
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return interrupt_with_parent
