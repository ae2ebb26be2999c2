"""Where a private server's programs are looked for, and in which order."""

from pathlib import Path

import pytest

from reconciler.simulation import postgres_binaries
from reconciler.simulation.postgres_binaries import PostgresBinaries, find_binaries


def test_programs_on_path_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "find_wheel_binaries", lambda: None)
    installed = tmp_path / "opt"
    installed.mkdir()
    for program in ("initdb", "postgres"):
        (installed / program).touch(mode=0o755)
    links = tmp_path / "links"
    links.mkdir()
    (links / "initdb").symlink_to(installed / "initdb")
    monkeypatch.setenv("PATH", str(links))
    assert find_binaries() == PostgresBinaries(folder=installed.resolve())


def test_the_newest_server_of_the_system_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_binaries, "find_wheel_binaries", lambda: None)
    monkeypatch.setattr(postgres_binaries, "_DEBIAN_SERVERS", tmp_path)
    monkeypatch.setenv("PATH", "")
    for version in ("9", "15", "18"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        for program in ("initdb", "postgres"):
            if version != "18" or program != "postgres":  # 18: the client programs alone
                (folder / program).touch(mode=0o755)
    assert find_binaries().folder == tmp_path / "15" / "bin"
