"""What venue and book said, small enough to keep, whole enough to judge again offline."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from reconciler.domain.book import BookReading
from reconciler.domain.identity import Symbol
from reconciler.domain.orders import BookOrder
from reconciler.domain.positions import VenuePosition
from reconciler.domain.snapshot import Lookup, Snapshot
from reconciler.rules.ownership import Ownership

FORMAT = 2
"""2: with `judged` and every row that a rule looks at, so that `replay` can judge again."""
MANY = 200
"""Rows kept of a verdict about many orders; its counts speak of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedUnder:
    """What a verdict also depends on, beside the rows. Without it a bundle is not replayable."""

    now: datetime
    """Database clock."""
    ownership: Ownership
    first_seen_at: datetime | None
    """Of its suspicion, as it was before this look."""


def evidence_bundle(
    *,
    reading: BookReading,
    snapshot: Snapshot,
    symbol: Symbol | None,
    verdict: object,
    limits: Mapping[str, object],
    lookup: Lookup | None = None,
    changed_at: datetime | None = None,
    under: JudgedUnder | None = None,
) -> dict[str, Any]:
    """Both sides' rows of one symbol (None: of none, only the counts), the scopes with their
    completeness, the verdict and all that it was reached under.
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
                "positions": _positions_of(reading, snapshot, symbol),
                "stray_orders": of_symbol(reading.stray_orders),
                "stray_positions": of_symbol(reading.stray_positions),
                "unreadable": [r for r in reading.unreadable if r.symbol in {symbol, None}],
                "counts": {"orders": len(reading.orders), "positions": len(reading.positions)},
                "changed_at": changed_at,
            },
            "venue": {
                "taken_at": snapshot.taken_at,
                "scopes": list(snapshot.scopes.values()),
                "orders": of_symbol(snapshot.orders),
                "positions": of_symbol(snapshot.positions),
                "of_account_mode": _telling_mode(snapshot.positions, symbol),
                "markets": [m for s, m in snapshot.markets.items() if s == symbol],
                "counts": {"orders": len(snapshot.orders), "positions": len(snapshot.positions)},
            },
            "symbol": symbol,
            "judged": under,
            "lookup": lookup,
            "verdict": verdict,
            "limits": dict(limits),
        }
    )
    return bundle


def evidence_of_many(
    *,
    reading: BookReading,
    snapshot: Snapshot,
    orders: Sequence[BookOrder],
    why: str,
    limits: Mapping[str, object],
) -> dict[str, Any]:
    """Evidence about many orders at once, whatever their symbols: a count, that no rule can reach
    again from the bundle.
    """
    bundle = evidence_bundle(
        reading=reading, snapshot=snapshot, symbol=None, verdict={"why": why}, limits=limits
    )
    bundle["book"]["orders"] = _plain(orders[:MANY])
    return bundle


def _positions_of(reading: BookReading, snapshot: Snapshot, symbol: Symbol | None) -> list[Any]:
    """Rows of the symbol, and open ones whose symbol is no market: they may be it, misspelt."""
    return [
        row
        for row in reading.positions
        if row.symbol == symbol
        or (symbol is not None and row.open and row.symbol not in snapshot.markets)
    ]


def _telling_mode(positions: Iterable[VenuePosition], symbol: Symbol | None) -> list[VenuePosition]:
    """One row of another symbol that says whether the account is in hedge mode."""
    others = [p for p in positions if p.hedged is not None and p.symbol != symbol]
    return sorted(others, key=lambda p: not p.hedged)[:1] if symbol is not None else []


def _plain(value: Any) -> Any:
    """Dataclasses as dicts with their type's name; the rest as the JSON writer takes it."""
    if is_dataclass(value) and not isinstance(value, type):
        fields = {key: _plain(getattr(value, key)) for key in value.__dataclass_fields__}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value
