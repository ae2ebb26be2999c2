#!/usr/bin/env python3
"""Write docs/configuration.md from the settings models: `python docs/generate_configuration.py`.

The meaning of each key is the docstring under its field, so that there is one text of it.
"""

import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from reconciler.settings import Settings
from reconciler.settings import values as kinds
from reconciler.settings.durations import Duration, Interval, format_duration
from reconciler.settings.shape import is_section, unwrapped
from reconciler.settings.variables import FALLBACKS

PAGE = Path(__file__).with_name("configuration.md")

KINDS: tuple[tuple[Any, str], ...] = (
    (Interval, "duration, longer than zero"),
    (Duration, "duration"),
    (kinds.Secret, "text, secret"),
    (kinds.DatabaseUrl, "postgresql:// URL, secret"),
    (kinds.NotificationUrl, "Apprise URL, secret"),
    (kinds.SecretWebUrl, "http(s) URL, secret"),
    (kinds.WebUrl, "http(s) URL without user, password, query"),
    (kinds.WebSocketUrl, "ws(s) URL without user, password, query"),
    (kinds.Count, "whole number, at least 1"),
    (kinds.CountFromZero, "whole number, at least 0"),
    (kinds.Port, "port, 0 to 65535"),
    (kinds.Share, "number above 0, at most 1"),
    (kinds.Notional, "amount, at least 0"),
    (kinds.Venue, "ccxt id"),
    (kinds.Preset, "name of a preset"),
    (kinds.Cron, "five cron fields"),
    (kinds.Options, "table"),
    (kinds.Name, "name"),
    (kinds.Text, "text"),
    (bool, "true or false"),
    (ZoneInfo, "IANA time zone"),
    (SecretStr, "text, secret"),
)
"""What the kinds of value are called, the first that fits."""

NOTES: Mapping[str, str] = {
    "accounts.<name>.private_key": "Never handed to the venue's adapter, even where it is set.",
}
"""What a reader of the page should know besides, by dotted key or table."""

HEAD = """\
# Configuration

Made by `python docs/generate_configuration.py` from the settings models. Do not edit by hand.

## Where it is read from

The later source wins:

1. The file: `--config PATH`, else `RECONCILER_CONFIG`, else `./reconciler.toml` where it exists.
2. Secret files in the folder `RECONCILER_SECRETS_DIR`, else in `/run/secrets` where it exists. A
   file is named like the variable of its setting: `reconciler_accounts__main__api_key`.
3. Environment variables `RECONCILER_<TABLE>__<KEY>`: `RECONCILER_HTTP__PORT` is `http.port`,
   `RECONCILER_ACCOUNTS__MAIN__SECRET` is `accounts.main.secret`, `RECONCILER_MODE` is `mode`.
   Lists and tables are given as JSON. An empty variable or file counts as not given.

These names fill a key that nothing else has set:

{fallbacks}

An unknown key or a bad value ends the command with exit code 2. Every mistake is named in one
line: where it was given, what was given (never a secret), what is accepted.

The configuration is read once, at start. Restart the daemon to change it.

## Units

- Durations: `500ms`, `60s`, `15m`, `24h`, `1h30m`, `2d`. A bare number is seconds.
- Amounts are in quote currency. Shares are fractions: `0.5` is half.
- Ages and spacing are measured by the database clock, timeouts by the host's.
"""


def page() -> str:
    """Return the whole page."""
    fallbacks = "\n".join(
        f"- `{'.'.join(path)}`: {', '.join(f'`{name}`' for name in names)}"
        for path, names in FALLBACKS.items()
    )
    return "\n".join([HEAD.format(fallbacks=fallbacks), *_tables(Settings, "")])


def noted_keys() -> frozenset[str]:
    """Return the keys that `NOTES` speaks of, for the test that they exist."""
    return frozenset(NOTES)


def _tables(section: type[BaseModel], path: str) -> Iterator[str]:
    """Yield one table of keys, then those of the tables beneath it."""
    hints = get_type_hints(section, include_extras=True)
    plain, beneath = [], []
    for name, field in section.model_fields.items():
        inner = _section_in(hints[name])
        if inner is None:
            plain.append(_row(f"{path}.{name}" if path else name, name, hints[name], field))
        else:
            beneath.append((name, *inner))
    if path:
        yield from _heading(section, path)
    else:
        yield "## Top level\n"
    if plain:
        yield "| key | accepted | default | meaning |\n|---|---|---|---|"
        yield from plain
        yield ""
    for name, inner_section, suffix in beneath:
        below = f"{path}.{name}{suffix}" if path else name + suffix
        if below == "books.<name>":
            yield "## `[books.<name>]`\n\nFurther books, for several bots: the keys of `[book]`.\n"
        else:
            yield from _tables(inner_section, below)


def _heading(section: type[BaseModel], path: str) -> Iterator[str]:
    table = f"[[{path.removesuffix('[]')}]]" if path.endswith("[]") else f"[{path}]"
    yield f"## `{table}`\n"
    said = " ".join((section.__doc__ or "").split())
    meaning = said.partition(": ")[2] or said
    yield f"{meaning[0].upper()}{meaning[1:]}\n"
    note = NOTES.get(path.partition(".")[0])
    if note is not None:
        yield f"*{note}*\n"


def _section_in(hint: Any) -> tuple[type[BaseModel], str] | None:
    """Return the section that a hint holds, and what its path goes on with."""
    kind = unwrapped(hint)
    if is_section(kind):
        return kind, ""
    if get_origin(kind) is not dict:
        return None
    inner = unwrapped(get_args(kind)[1])
    if is_section(inner):
        return inner, ".<name>"
    if get_origin(inner) is tuple and is_section(unwrapped(get_args(inner)[0])):
        return unwrapped(get_args(inner)[0]), ".<venue>[]"
    return None


def _row(dotted: str, name: str, hint: Any, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split())
    note = NOTES.get(dotted)
    if note is not None:
        meaning = f"{meaning} *{note}*"
    cells = (f"`{name}`", _accepted(hint), _default(field), meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _accepted(hint: Any) -> str:
    for kind, said in KINDS:
        if hint == kind:
            return said
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        [kind] = [each for each in inner if each is not NoneType]
        return _accepted(kind)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin is tuple:
        return f"list of: {_accepted(inner[0])}"
    if origin is dict:
        return f"table: {_accepted(inner[0])} = {_accepted(inner[1])}"
    if origin is Annotated:
        return _accepted(inner[0])
    raise TypeError(f"no words for {hint}")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    match value:
        case None:
            return "not set"
        case timedelta():
            said = f'"{format_duration(value)}"'
        case bool():
            said = str(value).lower()
        case tuple():
            said = "[" + ", ".join(f'"{item}"' for item in value) + "]"
        case dict():
            said = "{}"
        case Decimal() | str():
            said = f'"{value}"'
        case _:
            said = str(value)
    return f"`{said}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
