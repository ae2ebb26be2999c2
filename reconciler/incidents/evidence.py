"""What venue and book said, small enough to keep, whole enough to judge again offline."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

from reconciler.domain.book import BookReading
from reconciler.domain.identity import Symbol
from reconciler.domain.snapshot import Lookup, Snapshot

FORMAT = 1
"""Raised when a reader of old bundles needs to know."""


def evidence_bundle(
    *,
    reading: BookReading,
    snapshot: Snapshot,
    symbol: Symbol | None,
    verdict: object,
    limits: Mapping[str, object],
    lookup: Lookup | None = None,
    changed_at: object = None,
) -> dict[str, Any]:
    """Both sides' rows of one symbol (None: of none, only the counts), the scopes with their
    completeness, the verdict and the limits it was reached under.
    """

    def of_symbol(rows: tuple[Any, ...]) -> list[Any]:
        return [row for row in rows if row.symbol == symbol]

    bundle: dict[str, Any] = _plain(
        {
            "format": FORMAT,
            "account": reading.account,
            "book": {
                "name": reading.book,
                "read_at": reading.read_at,
                "profiles": reading.profiles,
                "orders": of_symbol(reading.orders),
                "positions": of_symbol(reading.positions),
                "counts": {"orders": len(reading.orders), "positions": len(reading.positions)},
                "changed_at": changed_at,
            },
            "venue": {
                "taken_at": snapshot.taken_at,
                "scopes": list(snapshot.scopes.values()),
                "orders": of_symbol(snapshot.orders),
                "positions": of_symbol(snapshot.positions),
                "markets": [m for s, m in snapshot.markets.items() if s == symbol],
                "counts": {"orders": len(snapshot.orders), "positions": len(snapshot.positions)},
            },
            "lookup": lookup,
            "verdict": verdict,
            "limits": dict(limits),
        }
    )
    return bundle


def _plain(value: Any) -> Any:
    """Dataclasses as dicts with their type's name; the rest as the JSON writer takes it."""
    if is_dataclass(value) and not isinstance(value, type):
        fields = {key: _plain(getattr(value, key)) for key in value.__dataclass_fields__}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value
