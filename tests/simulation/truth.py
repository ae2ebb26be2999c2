"""Which position verdicts are right: a plain comparison that shares nothing with the rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.positions import BookPosition
from tests.simulation.exchange import NET, ZERO, Legs

GHOST, SIDE = "ghost_position", "side_mismatch"
PHANTOM, QUANTITY = "phantom_position", "quantity_mismatch"
CONTAINED = frozenset({GHOST, SIDE})


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLegs:
    """What a book says, by (symbol, leg)."""

    held: Mapping[tuple[Symbol, str], Decimal]
    open: frozenset[tuple[Symbol, str]]


def legs_of_beliefs(believes: Mapping[tuple[ProfileId, Symbol, str], Decimal]) -> BookLegs:
    """What the bot's book will say once everything on its way is written."""
    return _sum((symbol, leg, qty) for (_, symbol, leg), qty in believes.items() if qty)


def legs_of_rows(rows: Iterable[BookPosition], *, hedged: bool) -> BookLegs:
    """What the bot's book says now."""
    return _sum(
        (r.symbol, r.side.value if hedged else NET, r.qty if r.side == "long" else -r.qty)
        for r in rows
        if r.open
    )


def _sum(parts: Iterable[tuple[Symbol, str, Decimal]]) -> BookLegs:
    held: dict[tuple[Symbol, str], Decimal] = {}
    for symbol, leg, qty in parts:
        held[symbol, leg] = held.get((symbol, leg), ZERO) + qty
    return BookLegs(held=held, open=frozenset(held))


def differences(venue: Legs, book: BookLegs) -> dict[str, str]:
    """Subject (`SYMBOL|side`) → kind, where venue and book differ."""
    found: dict[str, str] = {}
    for symbol, leg in sorted({*venue, *book.held}):
        v, b = venue.get((symbol, leg), ZERO), book.held.get((symbol, leg), ZERO)
        if v == b:
            continue
        side = leg if leg != NET else ("long" if (v or b) > ZERO else "short")
        found[f"{symbol}|{side}"] = _kind(v, b, is_open=(symbol, leg) in book.open)
    return found


def _kind(v: Decimal, b: Decimal, *, is_open: bool) -> str:
    if b == ZERO:
        return QUANTITY if is_open else GHOST
    if v == ZERO:
        return PHANTOM
    return SIDE if (v > ZERO) is not (b > ZERO) else QUANTITY
