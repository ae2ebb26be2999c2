"""A temporary folder that no crash leaves behind for good.

Its name carries the pid of its owner, and a lock on a file inside is held by the owner and by
every server process it starts. The kernel drops that lock with the last of them, however they
ended, in whatever container: a folder whose lock is free belongs to nobody and is swept away by
the next one that is made. A pid alone could not tell: it may be reused, a zombie, or of another
pid namespace.
"""

import fcntl
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Self

_LOCK_FILE = "lock"


class PrivateFolder:
    """A folder `<prefix>-<pid>-…` in the temporary directory, locked until it is removed."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.lock = lock
        """File descriptor of the lock; child processes that use the folder inherit it."""

    @classmethod
    def make(cls, prefix: str, *, within: Path) -> Self:
        """Sweep what crashed owners left in `within`, then make and lock a new folder there."""
        sweep(prefix, within=within)
        path = Path(tempfile.mkdtemp(prefix=f"{prefix}-{os.getpid()}-", dir=within))
        lock = os.open(path / _LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, lock)

    def remove(self) -> None:
        """Delete the folder and everything in it; safe to call again."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


def sweep(prefix: str, *, within: Path) -> list[Path]:
    """Delete the folders of this user in `within` that nobody holds any more; return them."""
    swept = []
    for path in within.glob(f"{prefix}-*"):
        if _is_ours(path) and _is_abandoned(path, prefix):
            shutil.rmtree(path, ignore_errors=True)
            swept.append(path)
    return swept


def _is_ours(path: Path) -> bool:
    """Whether it is a real folder of this user: anybody may put names into the temp directory."""
    try:
        status = path.lstat()
    except OSError:  # gone meanwhile
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _is_abandoned(path: Path, prefix: str) -> bool:
    pid = re.match(rf"{re.escape(prefix)}-(\d+)-", path.name)
    if pid is None or _is_another_living_process(int(pid.group(1))):
        return False
    try:
        lock = os.open(path / _LOCK_FILE, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:  # its owner died between making the folder and the lock
        return int(pid.group(1)) != os.getpid()
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


def _is_another_living_process(pid: int) -> bool:
    """Whether a process other than this one has `pid`: it may be about to lock its new folder."""
    if pid == os.getpid():  # in a container every start has the same pid
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
