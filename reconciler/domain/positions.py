"""Positions, as the book and as the venue tell them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from reconciler.domain.identity import Asset, BookPositionId, ProfileId, Symbol


class PositionSide(StrEnum):
    """Long or short; a quantity is never negative here."""

    LONG = "long"
    SHORT = "short"


class Conversion(StrEnum):
    """How a venue's quantity came to be in base units."""

    NONE = "none"
    """The venue counts in base units, or in contracts of so many."""
    BY_ENTRY_PRICE = "by_entry_price"
    """An inverse contract, by its average entry price: constant while the position is."""
    BY_MARK_PRICE = "by_mark_price"
    """An inverse contract, by a price that moves: roughly that much."""
    UNKNOWN = "unknown"
    """An inverse contract without any price: the quantity is in quote currency still."""


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
    conversion: Conversion = Conversion.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueBalance:
    """What the account has of one currency: free and locked in orders, less what is borrowed."""

    asset: Asset
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What judging needs to know of a market. Quantities in base units."""

    symbol: Symbol
    venue_id: str
    qty_step: Decimal | None
    """The smallest difference of two quantities; None where the venue does not say."""
    inverse_step: Decimal | None = None
    """The smallest difference of two inverse quantities, in quote currency; None: not inverse."""
    base: Asset | None = None
    settle: Asset | None = None
    """The currency that a contract's profit is paid in."""
    held_as_balance: bool = False
    """What is bought here is coins of `base`, and no position of the venue's."""
