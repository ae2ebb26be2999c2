"""Orders, as the book and as the venue tell them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from reconciler.domain.identity import (
    BookOrderId,
    ClientOrderId,
    ProfileId,
    Symbol,
    VenueOrderId,
)


class OrderSide(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"


class OrderState(StrEnum):
    """What a status word means, whoever said it (DESIGN section 5)."""

    IN_FLIGHT = "in_flight"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    CANCELING = "canceling"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """Quarantined: neither live nor terminal."""
    UNMAPPED = "unmapped"
    """A word outside the vocabulary: reported, never taken as terminal, never written over."""

    @property
    def is_terminal(self) -> bool:
        """The order has ended; nothing more will happen to it."""
        return self in TERMINAL_STATES

    @property
    def is_live(self) -> bool:
        """The order may still trade."""
        return self in LIVE_STATES


TERMINAL_STATES = frozenset(
    {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED}
)
LIVE_STATES = frozenset(
    {
        OrderState.IN_FLIGHT,
        OrderState.OPEN,
        OrderState.PARTIALLY_FILLED,
        OrderState.CANCELING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookOrder:
    """One row of the bot's orders. Quantities in base units."""

    id: BookOrderId
    profile_id: ProfileId
    symbol: Symbol
    raw_symbol: str
    side: OrderSide
    qty: Decimal
    filled: Decimal
    state: OrderState
    raw_status: str
    """The status as it was read: every write names it (rule 8)."""
    client_order_id: ClientOrderId | None
    venue_order_id: VenueOrderId | None
    created_at: datetime
    updated_at: datetime
    type: str | None = None
    price: Decimal | None = None
    avg_price: Decimal | None = None
    reduce_only: bool = False
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InverseAmount:
    """Inverse contracts as the venue counts them, in quote currency: exact, whatever the price."""

    qty: Decimal | None
    """None where the venue does not say."""
    filled: Decimal
    step: Decimal | None
    """One contract; None where the venue does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """One order as the venue tells it. Quantities in base units."""

    symbol: Symbol
    side: OrderSide
    venue_order_id: VenueOrderId
    client_order_id: ClientOrderId | None
    state: OrderState
    raw_status: str
    qty: Decimal | None
    """None where the venue does not say (a close-position stop has none)."""
    filled: Decimal
    avg_price: Decimal | None = None
    price: Decimal | None = None
    is_trigger: bool = False
    created_at: datetime | None = None
    successor_ids: tuple[VenueOrderId, ...] = ()
    """Orders in its place: the child of a triggered stop, the end of a replacement."""
    inverse: InverseAmount | None = None
    """Set where the order is of inverse contracts, whose base units depend on a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution at the venue. Quantity in base units."""

    id: str
    symbol: Symbol
    side: OrderSide
    venue_order_id: VenueOrderId | None
    client_order_id: ClientOrderId | None
    qty: Decimal
    price: Decimal
    at: datetime | None
    inverse: InverseAmount | None = None
    """Set where it is of inverse contracts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpdate:
    """One guarded write to the bot's orders."""

    order: BookOrder
    state: OrderState
    filled: Decimal
    avg_price: Decimal | None
