"""Presets as data: the statements of one kind of book, with the user's own on top."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.domain.errors import BookUnreadableError
from reconciler.domain.orders import OrderState

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Everything that is special to one kind of book."""

    name: str
    title: str
    mend: str
    """What to type when the tables are not there."""
    profiles_select: str
    profiles_deactivate: str
    profiles_activate: str
    orders_select: str
    orders_find: str
    orders_update: str
    positions_select: str
    vocabulary: Mapping[str, OrderState] = field(default_factory=dict)
    write: Mapping[OrderState, str] = field(default_factory=dict)
    timezone: str | None = None
    """IANA name in which naive timestamps are read; None: naive timestamps are refused."""

    def word_for(self, state: OrderState) -> str:
        """How this book writes a state."""
        return self.write.get(state, state.value)


def preset_names() -> tuple[str, ...]:
    """Every preset that this program carries."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.toml")))


def load_preset(
    name: str,
    *,
    statements: Mapping[str, Mapping[str, str | None]] | None = None,
    vocabulary: Mapping[str, str] | None = None,
    write: Mapping[Any, str] | None = None,
    timezone: str | None = None,
) -> Preset:
    """A preset by name, with the user's statements and words over it.

    `statements`: `{"orders": {"select": "…"}}`; a None leaves the preset's own.
    Raises BookUnreadableError for a name that is not carried.
    """
    path = PRESETS / f"{name}.toml"
    if name not in preset_names():
        msg = f"book preset {name!r} is not known; known: {', '.join(preset_names())}"
        raise BookUnreadableError(msg)
    data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    for table, own in (statements or {}).items():
        data[table] = {**data[table], **{k: v for k, v in own.items() if v}}
    own_statements = any(v for own in (statements or {}).values() for v in own.values())
    return Preset(
        name=name,
        title="the statements in [book]" if own_statements else data["title"],
        mend="check the statements in [book]" if own_statements else data["mend"],
        profiles_select=data["profiles"]["select"],
        profiles_deactivate=data["profiles"]["deactivate"],
        profiles_activate=data["profiles"]["activate"],
        orders_select=data["orders"]["select"],
        orders_find=data["orders"]["find"],
        orders_update=data["orders"]["update"],
        positions_select=data["positions"]["select"],
        vocabulary=_states({**data.get("vocabulary", {}), **(vocabulary or {})}),
        write={OrderState(k): v for k, v in {**data.get("write", {}), **(write or {})}.items()},
        timezone=timezone or data.get("timezone"),
    )


def _states(words: Mapping[str, str]) -> dict[str, OrderState]:
    return {word: OrderState(state) for word, state in words.items()}
