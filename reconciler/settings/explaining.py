"""Turns what pydantic finds wrong into lines for people, which never hold a secret."""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from reconciler.settings.errors import Problem
from reconciler.settings.merging import Merged
from reconciler.settings.model import Settings
from reconciler.settings.shape import (
    Path,
    description_at,
    dotted_keys,
    is_container,
    is_section,
    kind_at,
    may_be_shown,
)
from reconciler.settings.values import HIDDEN
from reconciler.settings.variables import PREFIX, SEPARATOR

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# What pydantic says less plainly, or in words of Python.
_ACCEPTED = {
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "zoneinfo_str": 'the IANA name of a time zone known here, such as "Europe/Berlin"',
}

_LONGEST_SHOWN = 60


def explain(error: ValidationError, merged: Merged) -> tuple[Problem, ...]:
    """Say for each finding where it was given, what was given and what is accepted."""
    return tuple(
        Problem(origin=merged.origin(path), key=_dotted(path), says=_says(detail, path, merged))
        for detail in error.errors(include_url=False, include_input=False)
        for path in _paths(detail)
    )


def _paths(detail: "ErrorDetails") -> Iterator[Path]:
    path = detail["loc"]
    if path and path[-1] == "[key]":
        path = path[:-1]
    # A check across keys names those it means.
    for beneath in detail.get("ctx", {}).get("at", [()]):
        yield (*path, *beneath)


def _says(detail: "ErrorDetails", path: Path, merged: Merged) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return _unknown(path, merged)
        case "missing":
            return f"missing. {description_at(Settings, path)}"
        case known if known in _ACCEPTED:
            accepted = f"expected {_ACCEPTED[known]}"
        case _:
            accepted = re.sub(r"Input should be( (?=greater|less))?", _wanted, detail["msg"])
    given = "" if detail["loc"][-1] == "[key]" else _given(path, merged)
    return f"{given}{accepted}"


def _wanted(found: re.Match[str]) -> str:
    return "expected a number " if found[1] else "expected"


def _given(path: Path, merged: Merged) -> str:
    value, kind = merged.get(path), kind_at(Settings, path)
    if value is None or is_container(kind):
        return ""  # for a table or list, what is accepted says enough
    match value:
        case dict():
            return "given a table, "
        case list():
            return "given a list, "
    return f"given {_shown(value) if may_be_shown(kind) else HIDDEN}, "


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    # An address can carry a password before its `@`, a token behind its `?`.
    if "@" in text or ("://" in text and "?" in text):
        return HIDDEN
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _unknown(path: Path, merged: Merged) -> str:
    section = kind_at(Settings, path[:-1])
    siblings = list(section.model_fields) if is_section(section) else []
    meant = _meant(path, siblings)
    if re.fullmatch(rf"{PREFIX}\w*", merged.origin(path).upper()):
        meant = [PREFIX + key.replace(".", SEPARATOR).upper() for key in meant]
    question = f"; did you mean {' or '.join(meant)}?" if meant else ""
    return f"unknown key{question} (accepted: {', '.join(siblings)})"


def _meant(path: Path, siblings: list[str]) -> list[str]:
    key, above = str(path[-1]), path[:-1]
    if near := get_close_matches(key.lower(), siblings, n=2, cutoff=0.7):
        return [_dotted((*above, name)) for name in near]
    everywhere = list(dotted_keys(Settings))
    # Right name, wrong table; else one underscore in a variable where two are needed.
    if elsewhere := [each for each in everywhere if each.rpartition(".")[2] == key]:
        return elsewhere[:3]
    flat = {each.replace(".", "_"): each for each in everywhere}
    return [flat[each] for each in get_close_matches(_dotted(path).replace(".", "_"), flat, n=1)]


def _dotted(path: Path) -> str:
    return "".join(map(_step, path)).removeprefix(".")


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    # As TOML would have it written, so that a dot in a name is no further step.
    return f".{key}" if re.fullmatch(r"[\w<>-]+", key) else f".{json.dumps(key)}"
