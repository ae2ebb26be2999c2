"""The configuration file, and at which line each of its keys stands."""

import re
import tomllib
from pathlib import Path

from reconciler.settings.errors import ConfigurationError, Problem
from reconciler.settings.merging import Merged

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"\s*\[{{1,2}}\s*({_DOTTED})\s*\]{{1,2}}")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")


def read_toml(path: Path, merged: Merged) -> None:
    """Put the file's values into `merged`.

    Raises:
        ConfigurationError: It cannot be read, or is not TOML; names the path, and the line.

    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _unusable(path, "is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{path}:{line[1]}" if line else f"{path}"
        raise _unusable(where, f"is not valid TOML: {error}") from None
    merged.put((), values, origin=str(path))
    merged.locate({key: f"{path}:{line}" for key, line in _lines_of_keys(text).items()})


def _unusable(where: Path | str, says: str) -> ConfigurationError:
    return ConfigurationError((Problem(origin=str(where), key="", says=says),))


def _lines_of_keys(text: str) -> dict[tuple[str, ...], int]:
    """Find where keys are written; `tomllib` does not tell, and for a message a scan will do."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    closing: str | None = None  # of the multi-line text that we are in
    for number, line in enumerate(text.splitlines(), start=1):
        if closing is None:
            if header := _TABLE.match(line):
                table = _parts(header[1])
                lines.setdefault(table, number)
            elif assignment := _ASSIGNMENT.match(line):
                lines.setdefault((*table, *_parts(assignment[1])), number)
        for quotes in re.findall(r'"""|\'\'\'', line):
            closing = quotes if closing is None else None if quotes == closing else closing
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in re.findall(_KEY, dotted))
