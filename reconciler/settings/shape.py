"""What keys the settings have, read off the models, so that there is one list of them."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

Key = str | int
Path = tuple[Key, ...]


def unwrapped(annotation: Any) -> Any:
    """Return the type beneath `Annotated[…]` and `… | None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, UnionType}:
            [annotation] = [each for each in get_args(annotation) if each is not type(None)]
        else:
            return annotation


def is_section(kind: Any) -> TypeGuard[type[BaseModel]]:
    """Tell whether a type is a table with known keys."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def is_container(kind: Any) -> bool:
    """Tell whether a type holds others, so that text for it is JSON."""
    return is_section(kind) or get_origin(kind) in {dict, tuple}


def holds_sections(kind: Any) -> bool:
    """Tell whether a type is a table of free names whose values are tables or lists of tables."""
    return get_origin(kind) is dict and is_container(unwrapped(get_args(kind)[1]))


def kind_beneath(kind: Any, key: Key) -> Any | None:
    """Return the type that `kind` has at `key`, or None where it has none."""
    if is_section(kind):
        field = kind.model_fields.get(str(key))
        return None if field is None else unwrapped(field.annotation)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is dict and isinstance(key, str):
        return unwrapped(inner[1])
    if origin is tuple and isinstance(key, int):
        return unwrapped(inner[0])
    return None


def kind_at(root: Any, path: Path) -> Any | None:
    """Return the type at `path`, or None where the settings have no such key."""
    kind: Any | None = root
    for key in path:
        kind = kind_beneath(kind, key)
        if kind is None:
            return None
    return kind


def may_be_shown(kind: Any | None) -> bool:
    """Tell whether a wrong value of this type may be repeated in a message."""
    return kind not in {None, SecretStr, Any} and not is_container(kind)


def description_at(root: Any, path: Path) -> str:
    """Return what the models say about the key, as one line."""
    section = kind_at(root, path[:-1])
    if not path or not is_section(section):
        return ""
    field = section.model_fields.get(str(path[-1]))
    return " ".join((field.description or "").split()) if field else ""


def dotted_keys(kind: Any, above: str = "") -> Iterator[str]:
    """Yield every key, dotted, such as `schedule.reconciliation` or `accounts.<name>.venue`."""
    if holds_sections(kind):
        yield from dotted_keys(unwrapped(get_args(kind)[1]), f"{above}<name>.")
    if not is_section(kind):
        return
    for name, field in kind.model_fields.items():
        yield above + name
        yield from dotted_keys(unwrapped(field.annotation), f"{above}{name}.")
