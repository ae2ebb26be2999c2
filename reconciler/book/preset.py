"""Presets as data: the statements of one kind of book, with the user's own on top."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.book.parameters import ACCOUNT, TIMEZONE, declared, filled_in, written
from reconciler.domain.errors import BookUnreadableError
from reconciler.domain.orders import OrderState

PRESETS = Path(__file__).parent / "presets"
NONE = "none"
"""Written in place of one of the three UPDATEs: this book is not ours to write there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Everything that is special to one kind of book."""

    name: str
    title: str
    mend: str
    """What to type when the tables are not there."""
    profiles_select: str
    profiles_deactivate: str | None
    """None, as of the other two UPDATEs: these rows are not ours to write."""
    profiles_activate: str | None
    orders_select: str
    orders_find: str
    orders_update: str | None
    positions_select: str
    auth_rejections: str | None = None
    """Of the bot's own record of refused requests; read apart from the book."""
    vocabulary: Mapping[str, OrderState] = field(default_factory=dict)
    write: Mapping[OrderState, str] = field(default_factory=dict)
    indexes: Mapping[str, str] = field(default_factory=dict)
    """By name, what follows `create index concurrently NAME`: what the SELECTs need where a table
    is large."""
    has_own_statements: bool = False
    """Some statement is the user's: the indexes may not be for it."""
    timezone: str | None = None
    """IANA name in which naive timestamps are read; None: naive timestamps are refused."""
    deactivation: str | None = None
    """The driver of `[book.deactivation]` where the settings name none; None: the UPDATE above."""
    pairlocks: str = "pairlocks"
    """The table that the driver `freqtrade_pairlock` writes, as SQL."""

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
    auth_rejections: str | None = None,
    timezone: str | None = None,
    parameters: Mapping[str, str] | None = None,
    account: str | None = None,
) -> Preset:
    """A preset by name, with the user's statements and words over it.

    `statements`: `{"orders": {"select": "…"}}`; a None leaves the preset's own, and the word `none`
    takes an UPDATE away. `account`: the only account of this book, where a preset has to be told.
    Raises BookUnreadableError for a name that is not carried, and for parameters that do not fit.
    """
    path = PRESETS / f"{name}.toml"
    if name not in preset_names():
        msg = f"book.preset: {name!r} is not known; known: {', '.join(preset_names())}"
        raise BookUnreadableError(msg)
    data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    for table, own in (statements or {}).items():
        data[table] = {**data[table], **{k: v for k, v in own.items() if v}}
    own_statements = any(v for own in (statements or {}).values() for v in own.values())
    values = _parameters(name, data, parameters or {}, account=account, timezone=timezone)
    for key, told in data.get("shared", {}).items():
        values[key] = filled_in(told, values)

    def read(table: str, statement: str) -> str:
        return filled_in(data[table][statement], values)

    def write_with(table: str, statement: str) -> str | None:
        told = data[table].get(statement)
        return None if told is None or told.strip() == NONE else filled_in(told, values)

    return Preset(
        name=name,
        title="the statements in [book]" if own_statements else data["title"],
        mend="check the statements in [book]" if own_statements else data["mend"],
        profiles_select=read("profiles", "select"),
        profiles_deactivate=write_with("profiles", "deactivate"),
        profiles_activate=write_with("profiles", "activate"),
        orders_select=read("orders", "select"),
        orders_find=read("orders", "find"),
        orders_update=write_with("orders", "update"),
        positions_select=read("positions", "select"),
        has_own_statements=own_statements,
        indexes={index: filled_in(told, values) for index, told in data.get("indexes", {}).items()},
        auth_rejections=auth_rejections or data.get("auth", {}).get("rejections"),
        vocabulary=_states({**data.get("vocabulary", {}), **(vocabulary or {})}),
        write={OrderState(k): v for k, v in {**data.get("write", {}), **(write or {})}.items()},
        timezone=timezone or data.get("timezone"),
        deactivation=data.get("deactivation", {}).get("driver"),
        pairlocks=filled_in(data.get("deactivation", {}).get("table", "pairlocks"), values),
    )


def _parameters(
    name: str,
    data: Mapping[str, Any],
    given: Mapping[str, str],
    *,
    account: str | None,
    timezone: str | None,
) -> dict[str, str]:
    """The parameters as SQL, with what the rest of the configuration says of them."""
    takes = declared(name, data.get("parameters", {}))
    told = {ACCOUNT: account, TIMEZONE: timezone}
    known = {key: value for key, value in told.items() if key in takes and value is not None}
    return written(name, takes, {**known, **given})


def _states(words: Mapping[str, str]) -> dict[str, OrderState]:
    return {word: OrderState(state) for word, state in words.items()}
