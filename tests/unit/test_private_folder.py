"""Which temporary folders are swept away, and which are somebody's."""

import os
import subprocess
import sys
from pathlib import Path

from reconciler.simulation.private_folder import PrivateFolder, sweep


def dead_pid() -> int:
    """Pid of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_sweeping_spares_what_somebody_holds(tmp_path: Path) -> None:
    held = PrivateFolder.make("scratch", within=tmp_path)
    # As seen from another pid namespace: the pid means nothing here, the lock is held all the same.
    foreign = tmp_path / f"scratch-{dead_pid()}-foreign"
    held.path.rename(foreign)
    held.path = foreign

    crashed = tmp_path / f"scratch-{dead_pid()}-crashed"
    crashed.mkdir()
    (crashed / "lock").touch()
    young = tmp_path / f"scratch-{dead_pid()}-young"  # its owner died before making the lock
    young.mkdir()
    living = tmp_path / f"scratch-{os.getppid()}-living"  # about to lock it
    living.mkdir()
    precious = tmp_path / "precious"
    precious.mkdir()
    link = tmp_path / f"scratch-{dead_pid()}-link"
    link.symlink_to(precious)

    assert set(sweep("scratch", within=tmp_path)) == {crashed, young}
    assert all(path.exists() for path in (foreign, living, precious, link))

    held.remove()
    assert not foreign.exists()
