"""What is true at the venue: orders, positions, and what it has forgotten."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.domain.identity import ClientOrderId, ProfileId, Symbol, VenueOrderId
from reconciler.domain.orders import BookOrder, OrderSide, OrderState, VenueOrder
from reconciler.domain.positions import Market, PositionSide, VenuePosition

ZERO = Decimal(0)
NET = "net"
"""The only leg of one-way mode."""
PRICES = {
    Symbol("BTC/USDT:USDT"): Decimal(60000),
    Symbol("ETH/USDT:USDT"): Decimal(3000),
    Symbol("SOL/USDT:USDT"): Decimal(150),
}
SYMBOLS = tuple(PRICES)
MARKETS = {
    s: Market(symbol=s, venue_id=s.replace("/", "").split(":")[0], qty_step=Decimal("0.01"))
    for s in SYMBOLS
}
REMEMBER_SECONDS = 300.0
"""How long past states are kept, for replicas that lag and for the judge."""

Legs = dict[tuple[Symbol, str], Decimal]
"""Signed quantities by (symbol, leg)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The whole account at one moment."""

    at: float
    open_orders: tuple[VenueOrder, ...]
    trigger_orders: tuple[VenueOrder, ...]
    positions: tuple[VenuePosition, ...]
    legs: Legs


class Exchange:
    """One account at one venue."""

    def __init__(
        self,
        *,
        time: Callable[[], float],
        clock: Callable[[], datetime],
        hedged: bool,
        retention: timedelta,
    ) -> None:
        self._time = time
        self._clock = clock
        self.hedged = hedged
        self.retention = retention
        self.live: dict[VenueOrderId, VenueOrder] = {}
        self._ended: dict[VenueOrderId, tuple[VenueOrder, datetime]] = {}
        self._by_client: dict[ClientOrderId, list[VenueOrderId]] = defaultdict(list)
        self.owned: dict[tuple[ProfileId, Symbol, str], Decimal] = {}
        """Whose trades a position is made of: (owner, symbol, leg), signed."""
        self.changed: Callable[[], None] = lambda: None
        """Told of every change (the judge)."""
        self._times: list[float] = []
        self._states: list[State] = []
        self._last_id = 1000
        self._remember()

    def place(
        self,
        *,
        symbol: Symbol,
        side: OrderSide,
        qty: Decimal,
        client_order_id: str,
        is_trigger: bool,
        created_at: datetime | None = None,
    ) -> VenueOrder:
        """An order rests from now on."""
        self._last_id += 1
        order = VenueOrder(
            symbol=symbol,
            side=side,
            venue_order_id=VenueOrderId(str(self._last_id)),
            client_order_id=ClientOrderId(client_order_id),
            state=OrderState.OPEN,
            raw_status="open",
            qty=qty,
            filled=ZERO,
            is_trigger=is_trigger,
            created_at=created_at or self._clock(),
        )
        self.live[order.venue_order_id] = order
        self._by_client[ClientOrderId(client_order_id)].append(order.venue_order_id)
        self._remember()
        return order

    def fill(
        self, order_id: VenueOrderId, qty: Decimal, *, owner: ProfileId, leg: str
    ) -> VenueOrder:
        """A trade: the order has more filled, the owner holds more or less."""
        order = self.live[order_id]
        filled = order.filled + qty
        done = filled == order.qty
        order = replace(
            order,
            filled=filled,
            avg_price=PRICES[order.symbol],
            state=OrderState.FILLED if done else OrderState.PARTIALLY_FILLED,
            raw_status="closed" if done else "open",
        )
        self._keep(order)
        self._hold(owner, order.symbol, leg, qty if order.side is OrderSide.BUY else -qty)
        self._remember()
        return order

    def end(self, order_id: VenueOrderId, state: OrderState) -> VenueOrder:
        """Cancelled or expired."""
        order = replace(self.live[order_id], state=state, raw_status=state.value)
        self._keep(order)
        self._remember()
        return order

    def trade(self, *, owner: ProfileId, symbol: Symbol, leg: str, qty: Decimal) -> None:
        """A trade without an order of ours: a person's, or a liquidation."""
        self._hold(owner, symbol, leg, qty)
        self._remember()

    def _keep(self, order: VenueOrder) -> None:
        if order.state.is_live:
            self.live[order.venue_order_id] = order
        else:
            del self.live[order.venue_order_id]
            self._ended[order.venue_order_id] = (order, self._clock())

    def _hold(self, owner: ProfileId, symbol: Symbol, leg: str, qty: Decimal) -> None:
        key = (owner, symbol, leg)
        self.owned[key] = self.owned.get(key, ZERO) + qty

    def truth(self, row: BookOrder) -> VenueOrder | None:
        """What became of a row's order, whether or not the venue still says so."""
        found = self._find(row.venue_order_id)
        if found is not None and (found.state.is_live or found.filled > ZERO):
            return found
        later = self._by_client.get(row.client_order_id) if row.client_order_id else None
        return self._find(later[-1]) if later else found

    def lookup(self, row: BookOrder) -> VenueOrder | None:
        """What a targeted lookup finds: cancelled unfilled orders are forgotten after a while."""
        found = self.truth(row)
        if found is None or found.state.is_live or found.filled > ZERO:
            return found
        _, ended_at = self._ended[found.venue_order_id]
        return found if self._clock() - ended_at <= self.retention else None

    def _find(self, order_id: VenueOrderId | None) -> VenueOrder | None:
        if order_id is None:
            return None
        live = self.live.get(order_id)
        return live if live is not None else self._ended.get(order_id, (None, None))[0]

    @property
    def now(self) -> State:
        """The present."""
        return self._states[-1]

    def at(self, time: float) -> State:
        """What a replica that has got to `time` shows."""
        return self._states[max(0, bisect_right(self._times, time) - 1)]

    def since(self, time: float) -> list[State]:
        """Every state from that moment on."""
        return self._states[max(0, bisect_right(self._times, time) - 1) :]

    def _remember(self) -> None:
        now = self._time()
        legs: Legs = {}
        for (_, symbol, leg), qty in self.owned.items():
            legs[symbol, leg] = legs.get((symbol, leg), ZERO) + qty
        state = State(
            at=now,
            open_orders=tuple(o for o in self.live.values() if not o.is_trigger),
            trigger_orders=tuple(o for o in self.live.values() if o.is_trigger),
            positions=tuple(self._position(s, leg, q) for (s, leg), q in legs.items() if q),
            legs=legs,
        )
        self._times.append(now)
        self._states.append(state)
        self.changed()
        old = max(0, bisect_right(self._times, now - REMEMBER_SECONDS) - 1)
        if old > 64:  # cut now and then
            del self._times[:old]
            del self._states[:old]

    def _position(self, symbol: Symbol, leg: str, qty: Decimal) -> VenuePosition:
        return VenuePosition(
            symbol=symbol,
            side=PositionSide.LONG if qty > ZERO else PositionSide.SHORT,
            qty=abs(qty),
            hedged=leg != NET,
            mark_price=PRICES[symbol],
        )
