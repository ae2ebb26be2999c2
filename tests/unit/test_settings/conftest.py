"""Loads settings from a folder of the test's own, so that the machine's files never matter."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.settings import ConfigurationError, Settings, load_settings

Load = Callable[..., Settings]
Refuse = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load from the text of a file, secret files by name, and environment variables."""

    def load_from(
        toml: str | None = None, *, files: Mapping[str, str] | None = None, **environ: str
    ) -> Settings:
        folder = tmp_path / "secrets"
        folder.mkdir(exist_ok=True)
        for name, text in (files or {}).items():
            (folder / name).write_text(text, encoding="utf-8")
        file = tmp_path / "reconciler.toml"
        file.write_text(toml or "", encoding="utf-8")
        return load_settings(file, environ={"RECONCILER_SECRETS_DIR": str(folder), **environ})

    return load_from


@pytest.fixture
def refuse(load: Load, tmp_path: Path) -> Refuse:
    """Load what must be refused; returns the lines, with the folder's own path left out."""

    def refuse_from(
        toml: str | None = None, *, files: Mapping[str, str] | None = None, **environ: str
    ) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            load(toml, files=files, **environ)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return refuse_from
