"""Positions, as the book and as the venue tell them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from reconciler.domain.identity import BookPositionId, ProfileId, Symbol


class PositionSide(StrEnum):
    """Long or short; a quantity is never negative here."""

    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPosition:
    """One row of the bot's positions. Quantity in base units, not negative."""

    id: BookPositionId
    profile_id: ProfileId
    symbol: Symbol
    raw_symbol: str
    side: PositionSide
    qty: Decimal
    open: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    """One position (or one leg of it) that the venue holds. Quantity in base units, positive."""

    symbol: Symbol
    side: PositionSide
    qty: Decimal
    hedged: bool | None
    """True: a leg of hedge mode. False: the net of one-way mode. None: the venue does not say."""
    entry_price: Decimal | None = None
    mark_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What judging needs to know of a market. Quantities in base units."""

    symbol: Symbol
    venue_id: str
    qty_step: Decimal | None
    """The smallest difference of two quantities; None where the venue does not say."""
