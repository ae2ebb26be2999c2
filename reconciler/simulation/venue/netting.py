"""How a fill moves a position: averaging in, realizing out, turning around."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from reconciler.simulation.venue.records import ZERO, Position, PositionSide, Refused, Side

# Binance shows entry prices with up to this many decimals.
ENTRY_PLACES = Decimal("1E-10")


def reducible_qty(position: Position, side: Side) -> Decimal:
    """Return how much of `position` an order of `side` can close, in base units."""
    return abs(position.qty) if position.qty * side.sign < 0 else ZERO


def apply_fill(
    position: Position, *, side: Side, qty: Decimal, price: Decimal, at: datetime
) -> tuple[Position, Decimal]:
    """Return the position after a fill, and the profit it realized in quote currency.

    Raises:
        Refused: in hedge mode, when the fill would turn a leg around.

    """
    closing = min(qty, reducible_qty(position, side))
    opening = qty - closing
    if opening and closing and position.position_side is not PositionSide.BOTH:
        raise Refused(-2022, "ReduceOnly Order is rejected.")
    direction = 1 if position.qty > 0 else -1
    realized = (price - position.entry_price) * closing * direction
    after = position.qty + qty * side.sign
    entry = position.entry_price
    if opening:
        kept = ZERO if closing else abs(position.qty)
        entry = (entry * kept + price * opening) / (kept + opening)
    if not after:
        entry = ZERO
    moved = replace(
        position, qty=after, entry_price=entry.quantize(ENTRY_PLACES).normalize(), updated_at=at
    )
    return moved, realized
