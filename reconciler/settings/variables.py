"""Settings given by name: environment variables and secret files."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_origin

from reconciler.settings.errors import Problem
from reconciler.settings.merging import Merged
from reconciler.settings.model import Settings
from reconciler.settings.shape import (
    holds_sections,
    is_container,
    is_section,
    kind_at,
    kind_beneath,
)

PREFIX = "RECONCILER_"
SEPARATOR = "__"

# Names that others already use, most telling first; each fills a key that nothing else has set.
FALLBACKS: dict[tuple[str, str], tuple[str, ...]] = {
    ("database", "url"): ("DATABASE_URL",),
    ("auth", "supabase_url"): ("SUPABASE_URL",),
    ("auth", "service_role_key"): ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"),
    ("auth", "anon_key"): ("SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"),
    ("auth", "jwt_secret"): ("SUPABASE_JWT_SECRET",),
    ("auth", "jwks_url"): ("SUPABASE_JWKS_URL",),
}

# Kubernetes puts these into every container beside a Service named `reconciler` or `reconciler-…`.
_OF_KUBERNETES = re.compile(
    r"RECONCILER_([A-Z0-9]+_)*"
    r"(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9]+)*|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_OF_KUBERNETES_PORT = re.compile(r"RECONCILER_([A-Z0-9]+_)*PORT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One named text; its value is kept out of `repr`."""

    name: str
    """Upper case, as an environment variable is written."""

    value: str = field(repr=False)
    origin: str
    """How people find it: the variable's name, or the file's path."""


def variables_of_environment(
    environ: Mapping[str, str], *, but_not: frozenset[str]
) -> tuple[Variable, ...]:
    """Return the variables that are addressed to us, and are not for finding the sources."""
    return tuple(
        Variable(name=name.upper(), value=value, origin=name)
        for name, value in sorted(environ.items())
        if name.upper().startswith(PREFIX)
        and name.upper() not in but_not
        and not _is_of_kubernetes(name.upper(), value)
    )


def _is_of_kubernetes(name: str, value: str) -> bool:
    return bool(_OF_KUBERNETES.fullmatch(name)) or (
        bool(_OF_KUBERNETES_PORT.fullmatch(name))
        and re.match(r"(tcp|udp|sctp)://", value) is not None
    )


def variables_of_secret_files(
    folder: Path | None,
) -> tuple[tuple[Variable, ...], tuple[Problem, ...]]:
    """Read the files of a folder that are named like variables of ours; the rest are others'."""
    variables: list[Variable] = []
    problems: list[Problem] = []
    try:
        files = sorted(folder.iterdir()) if folder else []
    except OSError as error:
        problem = Problem(origin=str(folder), key="", says=f"cannot be read: {error.strerror}")
        return (), (problem,)
    for file in files:
        name = _variable_name(file.name)
        if name is None:
            continue
        try:
            if file.is_file():
                value = file.read_text(encoding="utf-8").rstrip("\r\n")
                variables.append(Variable(name=name, value=value, origin=str(file)))
        except OSError as error:
            says = f"cannot be read: {error.strerror}"
            problems.append(Problem(origin=str(file), key="", says=says))
        except UnicodeDecodeError:
            problems.append(Problem(origin=str(file), key="", says="is not UTF-8 text"))
    return tuple(variables), tuple(problems)


def _variable_name(file_name: str) -> str | None:
    name = file_name.upper()
    if any(name in names for names in FALLBACKS.values()):
        return name
    bare = name.removeprefix(PREFIX)
    # With our prefix and separator it is meant for us, and a slip in it is worth an error; else
    # only what is exactly a setting is ours, since the folder is shared.
    if name.startswith(PREFIX) and SEPARATOR in bare:
        return name
    kind = kind_at(Settings, tuple(bare.lower().split(SEPARATOR)))
    is_word = SEPARATOR not in bare and not name.startswith(PREFIX)  # `api`, `auth`: anyone's
    return None if kind is None or (is_word and is_container(kind)) else PREFIX + bare


def put_variables(variables: tuple[Variable, ...], merged: Merged) -> tuple[Problem, ...]:
    """Put each variable's value where its name points to, and say which cannot be."""
    problems: list[Problem] = []
    placed: dict[tuple[str, ...], Variable] = {}
    # Whole tables first, so that a key of its own wins over the same key inside a table's JSON.
    for variable in sorted(variables, key=lambda each: each.name.count(SEPARATOR)):
        if not variable.name.startswith(PREFIX):
            continue  # a fallback
        reason = _why_not_put(variable, merged, placed)
        if reason:
            problems.append(Problem(origin=variable.origin, key="", says=reason))
    return tuple(problems)


def _why_not_put(
    variable: Variable, merged: Merged, placed: dict[tuple[str, ...], Variable]
) -> str | None:
    path = _path_of(variable.name.removeprefix(PREFIX).lower(), merged)
    if isinstance(path, str):
        return path
    kind = kind_at(Settings, path)
    if kind is not None and not variable.value.strip():
        return None  # what compose makes of an unset `${NAME:-}`
    earlier = placed.setdefault(path, variable)
    if earlier.value != variable.value:
        return f"says otherwise than {earlier.origin}, which is the same setting"
    value: object = variable.value
    if kind is not None and is_container(kind):
        try:
            value = json.loads(variable.value)
        except (ValueError, RecursionError):
            return f"{'.'.join(path)}: expected JSON, such as {_example_of(kind)}"
    merged.put(path, value, origin=variable.origin)
    return None


def _example_of(kind: Any) -> str:
    return '["…"]' if get_origin(kind) is tuple else '{"…": "…"}'


def _path_of(name: str, merged: Merged) -> tuple[str, ...] | str:
    """Return the path that a lower-case name without prefix points to, or why it points to none."""
    path: tuple[str, ...] = ()
    kind: Any = Settings
    left: str | None = name
    while left is not None:
        if kind is not None and not is_section(kind) and not holds_sections(kind):
            whole = "whole, as JSON" if is_container(kind) else "as one value"
            return f"{'.'.join(path)} can only be given {whole}"
        candidates = _longest(left, merged.names_at(path)) if holds_sections(kind) else ()
        if len(candidates) > 1:
            return f"could mean {' or '.join(candidates)} of {'.'.join(path)}: rename one"
        if candidates:
            [key] = candidates
            left = left[len(key) :].removeprefix(SEPARATOR) or None
        else:
            key, separator, rest = left.partition(SEPARATOR)
            left = rest if separator else None
        path = (*path, key)
        kind = kind_beneath(kind, key)
    return path


def _longest(left: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that a variable's rest begins with: several if they differ only in form."""
    begun = [
        name
        for name in names
        if left == _as_variable(name) or left.startswith(_as_variable(name) + SEPARATOR)
    ]
    longest = max(map(len, begun), default=0)
    return tuple(name for name in begun if len(name) == longest)


@cache
def _as_variable(name: str) -> str:
    return re.sub(r"[.-]", "_", name).lower()


def put_fallbacks(
    merged: Merged, environ: Mapping[str, str], secret_files: tuple[Variable, ...]
) -> None:
    """Fill keys that nothing has set from the names that others use: environment, then files."""
    files = {file.name: file for file in secret_files}
    for path, names in FALLBACKS.items():
        given = [
            Variable(name=name, value=environ[name], origin=name)
            for name in names
            if name in environ
        ]
        given += [files[name] for name in names if name in files]
        usable = [variable for variable in given if variable.value.strip()]
        if usable and merged.get(path) is None:
            merged.put(path, usable[0].value, origin=usable[0].origin)
