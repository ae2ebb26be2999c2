"""Parameters of a preset: values from the configuration, written into its statements as SQL.

A book that has no column for something (freqtrade knows no account) needs it as a literal; one
whose tables have other names needs identifiers. Each is quoted by Postgres' own rules, once, and
is never looked through for further parameters.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.domain.errors import BookUnreadableError

ACCOUNT = "account"
"""Filled in from the accounts that name the book, where there is only one."""
TIMEZONE = "timezone"
"""Filled in from `book.timezone`."""
SERVER_ZONE = "current_setting('TimeZone')"
"""The zone of our own session: the database's, unless our role was given one of its own."""
_PLACE = re.compile(r"\{([a-z_]+)\}")
_TYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*(\(\d+(,\d+)?\))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter that a preset declares."""

    name: str
    kind: str
    """`literal`, `words` (literals, with commas between), `identifier`, `type` or `timezone`."""
    default: str | None
    """None: it must be given."""
    about: str
    """What it is, in words: the end of the message where it lacks."""


def declared(preset: str, data: Mapping[str, Any]) -> dict[str, Parameter]:
    """The parameters in a preset's `[parameters]`."""
    found = {}
    for name, told in data.items():
        kind = told.get("kind", "literal")
        if kind not in _WRITTEN:
            msg = f"preset {preset}: parameter {name}: {kind!r} is none of {', '.join(_WRITTEN)}"
            raise BookUnreadableError(msg)
        found[name] = Parameter(
            name=name, kind=kind, default=told.get("default"), about=told.get("about", "")
        )
    return found


def written(
    preset: str, parameters: Mapping[str, Parameter], given: Mapping[str, str]
) -> dict[str, str]:
    """Each parameter as SQL. Raises BookUnreadableError that names what lacks or is not known."""
    unknown = sorted(set(given) - set(parameters))
    if unknown:
        takes = ", ".join(sorted(parameters)) or "none"
        msg = f"book.parameters: {', '.join(unknown)}: preset {preset} takes {takes}"
        raise BookUnreadableError(msg)
    found = {}
    for name, parameter in parameters.items():
        value = given.get(name, parameter.default)
        if value is None and parameter.kind != TIMEZONE:
            about = f": {parameter.about}" if parameter.about else ""
            raise BookUnreadableError(f"book.parameters.{name} is required by {preset}{about}")
        try:
            found[name] = _WRITTEN[parameter.kind](value)
        except ValueError as error:
            raise BookUnreadableError(f"book.parameters.{name}: {error}") from None
    return found


def filled_in(statement: str, values: Mapping[str, str]) -> str:
    """The statement with its `{name}`s; braces around anything else are the statement's own."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), statement)


def literal(value: str) -> str:
    """A string constant, whatever `standard_conforming_strings` says."""
    quoted = "'" + _text(value).replace("'", "''") + "'"
    return f" E{quoted.replace(chr(92), chr(92) * 2)}" if "\\" in quoted else quoted


def identifier(value: str) -> str:
    """A name of a table, column or schema, case and all."""
    if not value:
        raise ValueError("expected a name that is not empty")
    return '"' + _text(value).replace('"', '""') + '"'


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a text")  # noqa: TRY004 - the caller's one kind of bad value
    if "\0" in value:
        raise ValueError("expected a text without a NUL character")
    return value


def _words(value: object) -> str:
    words = [word.strip() for word in _text(value).split(",")]
    if not all(words):
        raise ValueError("expected words with commas between")
    return ", ".join(literal(word) for word in words)


def _type(value: object) -> str:
    """A type's name, schema and all; what has other characters is quoted as a name."""
    return ".".join(
        part if _TYPE.fullmatch(part) and part == part.lower() else identifier(part)
        for part in _text(value).split(".")
    )


def _zone(value: object) -> str:
    return SERVER_ZONE if value is None else literal(_text(value))


def _literal(value: object) -> str:
    return literal(_text(value))


def _identifier(value: object) -> str:
    return identifier(_text(value))


_WRITTEN: Mapping[str, Callable[[object], str]] = {
    "literal": _literal,
    "words": _words,
    "identifier": _identifier,
    "type": _type,
    TIMEZONE: _zone,
}
