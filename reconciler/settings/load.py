"""Finds the sources, puts them one over the other, and validates the whole at once."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from reconciler.settings.errors import ConfigurationError, Problem
from reconciler.settings.explaining import explain
from reconciler.settings.merging import Merged
from reconciler.settings.model import Settings
from reconciler.settings.toml_file import read_toml
from reconciler.settings.variables import (
    put_fallbacks,
    put_variables,
    variables_of_environment,
    variables_of_secret_files,
)

CONFIG_VARIABLE = "RECONCILER_CONFIG"
SECRETS_DIR_VARIABLE = "RECONCILER_SECRETS_DIR"
DEFAULT_CONFIG = Path("reconciler.toml")
DEFAULT_SECRETS_DIR = Path("/run/secrets")


def load_settings(
    config: Path | None = None, *, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Read the environment, over the secret files, over the TOML file.

    The file is `config`, else `RECONCILER_CONFIG`, else `./reconciler.toml` where it exists, else
    none. Secret files are looked for in `RECONCILER_SECRETS_DIR`, else in `/run/secrets` where it
    exists. A variable or secret file that is empty counts as not given.

    Raises:
        ConfigurationError: A named file cannot be read, or settings are unknown or wrong: all of
            them, one line each, without any secret.

    """
    merged = Merged()
    if file := _config_file(config, environ):
        read_toml(file, merged)
    secret_files, problems = variables_of_secret_files(_secrets_dir(environ))
    variables = variables_of_environment(
        environ, but_not=frozenset({CONFIG_VARIABLE, SECRETS_DIR_VARIABLE})
    )
    problems += put_variables(secret_files, merged)
    problems += put_variables(variables, merged)
    put_fallbacks(merged, environ, secret_files)
    return _validated(merged, problems)


def _config_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    if config is not None:
        return config
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    return DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None


def _secrets_dir(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get(SECRETS_DIR_VARIABLE):
        if not Path(named).is_dir():
            raise ConfigurationError(
                (Problem(origin=SECRETS_DIR_VARIABLE, key="", says=f"{named} is not a folder"),)
            )
        return Path(named)
    return DEFAULT_SECRETS_DIR if DEFAULT_SECRETS_DIR.is_dir() else None


def _validated(merged: Merged, problems: tuple[Problem, ...]) -> Settings:
    try:
        settings = Settings(**merged.tree)
    except ValidationError as error:
        problems += explain(error, merged)
    else:
        if not problems:
            return settings
    # Outside the `except`: a chained ValidationError would carry the values into tracebacks.
    raise ConfigurationError(problems)
