"""What an operator may have done at a venue: what is sent, and what came of sending it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import ClientOrderId, Symbol, VenueOrderId
from reconciler.domain.orders import OrderSide
from reconciler.domain.positions import PositionSide


class CannotActError(ReconcilerError):
    """What was asked for is not sent, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducingOrder:
    """A market order that can only make a position smaller."""

    symbol: Symbol
    position_side: PositionSide
    """The side that is held."""
    leg: bool
    """In hedge mode: it is for this leg alone."""
    qty: Decimal
    """Base units, a multiple of the market's step."""
    client_order_id: ClientOrderId

    @property
    def side(self) -> OrderSide:
        """The way that it trades."""
        return OrderSide.SELL if self.position_side is PositionSide.LONG else OrderSide.BUY


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRequest:
    """One request as it goes over the wire, without key, time and signature."""

    method: str
    path: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The venue took it. What came of it is read, not believed."""

    venue_order_id: VenueOrderId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The venue said no in its own words, or was not asked: nothing was changed by this."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """It may have arrived or not. It is never sent again: reading decides."""

    why: str


Sending = Accepted | Declined | Ambiguous
