"""Layers of configuration, put one over the other, remembering where each value came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.settings.shape import Path


@dataclass(slots=True, kw_only=True)
class Merged:
    """The configuration so far: later values win, tables are joined key by key."""

    tree: dict[str, Any] = field(default_factory=dict)
    _origins: dict[Path, str] = field(default_factory=dict)

    def put(self, path: tuple[str, ...], value: object, *, origin: str) -> None:
        """Set `path` to `value`; a table is joined with the one that is there.

        Raises:
            TypeError: `path` is empty and `value` is no table.

        """
        if isinstance(value, Mapping):
            self._table_at(path, origin=origin)
            for key, item in value.items():
                self.put((*path, str(key)), item, origin=origin)
            return
        if not path:
            raise TypeError("the whole configuration is a table")
        self._table_at(path[:-1], origin=origin)[path[-1]] = value
        self._origins[path] = origin

    def locate(self, places: Mapping[Path, str]) -> None:
        """Say more exactly where values came from; what is beneath a place is there too."""
        for path in self._origins:
            for length in range(len(path), 0, -1):
                if path[:length] in places:
                    self._origins[path] = places[path[:length]]
                    break

    def get(self, path: Path) -> object:
        """Return the value at `path`, or None where there is none."""
        value: object = self.tree
        for key in path:
            match value, key:
                case dict(), str():
                    value = value.get(key)
                case list() | tuple(), int() if key < len(value):
                    value = value[key]
                case _:
                    return None
        return value

    def names_at(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the keys of the table at `path`, none where there is no table."""
        table = self.get(path)
        return tuple(table) if isinstance(table, dict) else ()

    def origin(self, path: Path) -> str:
        """Say where the value at `path` came from, or the table it is in."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._origins:
                return self._origins[path[:length]]
        return ""

    def _table_at(self, path: tuple[str, ...], *, origin: str) -> dict[str, Any]:
        table = self.tree
        for depth, key in enumerate(path, start=1):
            if key not in table:
                table[key] = {}
                self._origins[path[:depth]] = origin
            beneath = table[key]
            if not isinstance(beneath, dict):
                return {}  # what is wrongly no table stays, so that validation reports it
            table = beneath
        return table
