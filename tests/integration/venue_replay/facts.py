"""What a raw row says, read by the venue's documentation: neither ccxt nor our translator is asked.

Prices, times and kinds are left out: what the daemon decides by is here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reconciler.domain.orders import Fill, OrderState, VenueOrder
from reconciler.domain.positions import VenuePosition

Row = Mapping[str, Any]
Field = str | Callable[[Row], Any]
"""Where a row has something (`a.b` inside one another), or how to tell."""

LIVE, FILLED, CANCELED, REJECTED, UNKNOWN = "live", "filled", "canceled", "rejected", "unknown"
"""Classes of states: what is live may trade, `unknown` proves nothing."""
_CLASS = {
    OrderState.IN_FLIGHT: LIVE,
    OrderState.OPEN: LIVE,
    OrderState.PARTIALLY_FILLED: LIVE,
    OrderState.CANCELING: LIVE,
    OrderState.FILLED: FILLED,
    OrderState.CANCELED: CANCELED,
    OrderState.EXPIRED: CANCELED,
    OrderState.REJECTED: REJECTED,
    OrderState.UNKNOWN: UNKNOWN,
    OrderState.UNMAPPED: UNKNOWN,
}
_SIDES = {"buy": "buy", "sell": "sell", "b": "buy", "a": "sell", "bid": "buy", "ask": "sell"}
ONE = Decimal(1)
CLOSE = Decimal("1e-12")
"""Of a quantity: ccxt divides to 18 decimal places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A market that the samples name."""

    symbol: str
    """ccxt's."""
    size: Decimal = ONE
    """Of a contract: base units, or quote units where it is inverse."""
    inverse: bool = False


Instruments = Mapping[str, Instrument]
"""By the name that rows have for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One row: what must be read of it. The parts that its kind of row has are set."""

    symbol: str
    side: str
    qty: Decimal | None
    order_id: str | None = None
    client_order_id: str | None = None
    filled: Decimal | None = None
    state: str | None = None
    fill_id: str | None = None
    price: Decimal | None = None

    def why_not(self, read: VenueOrder | VenuePosition | Fill) -> list[str]:
        """Return each difference from what the adapter read, in words."""
        differs = [
            f"{name}: {getattr(read, name)}, the row says {said}"
            for name, said in (("symbol", self.symbol), ("side", self.side))
            if getattr(read, name) != said
        ]
        if not _same(read.qty, self.qty):
            differs.append(f"qty: {read.qty}, the row says {self.qty}")
        match read:
            case VenueOrder():
                differs += self._why_not_order(read)
            case Fill():
                differs += self._why_not_fill(read)
            case VenuePosition():
                pass
        return differs

    def _why_not_order(self, read: VenueOrder) -> list[str]:
        said = (self.order_id, self.client_order_id, self.state)
        seen = (read.venue_order_id, read.client_order_id, _CLASS[read.state])
        differs = [f"{seen}, the row says {said}"] if said != seen else []
        if not _same(read.filled, self.filled):
            differs.append(f"filled: {read.filled}, the row says {self.filled}")
        return differs

    def _why_not_fill(self, read: Fill) -> list[str]:
        said, seen = (self.fill_id, self.order_id), (read.id, read.venue_order_id)
        differs = [f"{seen}, the row says {said}"] if said != seen else []
        if not _same(read.price, self.price):
            differs.append(f"price: {read.price}, the row says {self.price}")
        return differs


def at(row: Row, where: Field) -> Any:
    """Return what a row has there; None where it has nothing."""
    if callable(where):
        return where(row)
    found: Any = row
    for key in where.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def number(row: Row, where: Field) -> Decimal | None:
    """Return a number of a row; None where it has none."""
    found = at(row, where)
    return None if found in {None, ""} else Decimal(str(found))


def _text(row: Row, where: Field) -> str | None:
    found = at(row, where)
    return None if found in {None, "", 0, "0"} else str(found)


def _same(read: Decimal | None, said: Decimal | None) -> bool:
    if read is None or said is None:
        return read is said
    return abs(read - said) <= said * CLOSE


def _in_base(
    contracts: Decimal | None, instrument: Instrument, price: Decimal | None
) -> Decimal | None:
    """Return base units; None where an inverse contract's price is not told."""
    if contracts is None:
        return None
    worth = abs(contracts) * instrument.size
    if not instrument.inverse or not worth:
        return worth
    return worth / price if price else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFields:
    """Where orders of one endpoint have what is asked of them."""

    order_id: Field
    qty: Field
    filled: Field
    status: Field
    states: Mapping[str, str]
    """The venue's words, as its documentation explains them."""
    instruments: Instruments
    symbol: Field = "symbol"
    side: Field = "side"
    client_order_id: Field = lambda _: None
    price: Field = "price"

    def fact_of(self, row: Row) -> Fact:
        """Return what a row says."""
        instrument = self.instruments[str(at(row, self.symbol))]
        price = number(row, self.price)
        return Fact(
            symbol=instrument.symbol,
            side=_SIDES[str(at(row, self.side)).lower()],
            qty=_in_base(number(row, self.qty), instrument, price),
            order_id=_text(row, self.order_id),
            client_order_id=_text(row, self.client_order_id),
            filled=_in_base(number(row, self.filled) or Decimal(0), instrument, price),
            state=self.states[str(at(row, self.status))],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFields:
    """Where positions of one endpoint have what is asked of them."""

    qty: Field
    instruments: Instruments
    symbol: Field = "symbol"
    side: Field | None = None
    """None: the quantity is signed."""
    sides: Mapping[str, str] = field(default_factory=dict)
    entry_price: Field = "entryPrice"

    def fact_of(self, row: Row) -> Fact | None:
        """Return what a row says; None for a flat one."""
        held = number(row, self.qty)
        assert held is not None, "a position without quantity"
        if not held:
            return None
        side = "long" if held > 0 else "short"
        if self.side is not None:
            side = self.sides.get(str(at(row, self.side)), side)
        instrument = self.instruments[str(at(row, self.symbol))]
        price = number(row, self.entry_price)
        return Fact(symbol=instrument.symbol, side=side, qty=_in_base(held, instrument, price))


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFields:
    """Where executions of one endpoint have what is asked of them."""

    fill_id: Field
    order_id: Field
    qty: Field
    instruments: Instruments
    symbol: Field = "symbol"
    side: Field = "side"
    price: Field = "price"
    at_ms: Field = "time"

    def fact_of(self, row: Row) -> Fact:
        """Return what a row says."""
        instrument = self.instruments[str(at(row, self.symbol))]
        price = number(row, self.price)
        return Fact(
            symbol=instrument.symbol,
            side=_SIDES[str(at(row, self.side)).lower()],
            qty=_in_base(number(row, self.qty), instrument, price),
            fill_id=_text(row, self.fill_id),
            order_id=_text(row, self.order_id),
            price=price,
        )
