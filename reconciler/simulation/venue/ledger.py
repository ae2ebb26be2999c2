"""The truth of one simulated account: what was placed, filled, cancelled, held and forgotten.

The methods are what tests and the demo call. What the venue's endpoints tell of it, with lag and
retention, is in `view.py`.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from reconciler.simulation.venue.clock import VenueClock, whole_milliseconds
from reconciler.simulation.venue.markets import Markets
from reconciler.simulation.venue.memory import NO_LAG, Lag, Retention
from reconciler.simulation.venue.netting import apply_fill, reducible_qty
from reconciler.simulation.venue.records import (
    ZERO,
    Fill,
    Order,
    OrderStatus,
    Position,
    PositionSide,
    Refused,
    Side,
    TriggerOrder,
    TriggerStatus,
)
from reconciler.simulation.venue.timeline import KEPT, Timeline

MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.0005")
ORDER_TYPES_AFTER_TRIGGER = {"STOP": "LIMIT", "TAKE_PROFIT": "LIMIT"}


class Ledger:
    """One account's orders, trigger orders, fills and positions; symbols as in BTCUSDT.

    Every method that names an unknown or ended order, or an unknown symbol, raises `Refused`, with
    the code that the venue would answer.
    """

    def __init__(
        self,
        *,
        markets: Markets | None = None,
        clock: VenueClock | None = None,
        wallet_balance: Decimal = Decimal(100_000),
        first_order_id: int = 8_000_000_001,
    ) -> None:
        self.clock = clock or VenueClock()
        self.markets = markets or Markets()
        self.wallet_balance = wallet_balance
        self.hedge_mode = False
        self.lags = Lag()
        self.retention = Retention()
        self.orders: Timeline[int, Order] = Timeline(self.clock)
        self.live_orders: Timeline[int, Order] = Timeline(self.clock)
        self.trigger_orders: Timeline[int, TriggerOrder] = Timeline(self.clock)
        self.fills: Timeline[int, Fill] = Timeline(self.clock)
        self.positions: Timeline[tuple[str, PositionSide], Position] = Timeline(self.clock)
        self.order_id_by_client_id: dict[str, int] = {}
        self.algo_id_by_client_id: dict[str, int] = {}
        self._order_ids = count(first_order_id)
        self._fill_ids = count(first_order_id // 10)
        self._algo_ids = count(first_order_id // 1000)

    # Orders.

    def place_order(  # noqa: PLR0913 - an order has this many properties at the venue
        self,
        symbol: str,
        side: str,
        qty: Decimal,
        price: Decimal | None = None,
        *,
        order_type: str | None = None,
        client_order_id: str | None = None,
        order_id: int | None = None,
        created_at: datetime | None = None,
        reduce_only: bool = False,
        position_side: str | None = None,
        time_in_force: str = "GTC",
        parent_algo_id: int | None = None,
    ) -> Order:
        """Put an order in the book: LIMIT with a price, MARKET without one, unless told.

        It rests until `fill_order`. In hedge mode the leg defaults to the one the order opens, or,
        for a reduce-only order, closes. An id can be chosen, and the creation set in the past.
        """
        self.markets.get(symbol)
        new_id = self._next_order_id() if order_id is None else order_id
        if new_id in self.orders:
            raise ValueError(f"order id {new_id} is taken")
        at = self._at(created_at)
        order = Order(
            order_id=new_id,
            client_order_id=client_order_id or f"sim-{new_id}",
            symbol=symbol,
            side=Side(side.upper()),
            position_side=self._leg_of(Side(side.upper()), reduce_only, position_side),
            order_type=order_type or ("MARKET" if price is None else "LIMIT"),
            time_in_force=time_in_force,
            qty=qty,
            price=price or ZERO,
            reduce_only=reduce_only,
            status=OrderStatus.NEW,
            parent_algo_id=parent_algo_id,
            created_at=at,
            updated_at=at,
        )
        self.order_id_by_client_id[order.client_order_id] = new_id
        self._record(order)
        return order

    def fill_order(
        self,
        order_id: int,
        qty: Decimal | None = None,
        price: Decimal | None = None,
        *,
        maker: bool = True,
        filled_at: datetime | None = None,
    ) -> Fill:
        """Execute an order, all that remains of it unless `qty` is given, and move the position.

        The price is the given one, else the order's, else the mark price. A reduce-only order
        fills at most what it can close.
        """
        order = self._live_order(order_id)
        amount = order.remaining if qty is None else qty
        if not ZERO < amount <= order.remaining:
            raise ValueError(f"cannot fill {amount} of {order.remaining}")
        position = self.position(order.symbol, order.position_side)
        if order.reduce_only:
            amount = min(amount, reducible_qty(position, order.side))
            if not amount:
                raise Refused(-2022, "ReduceOnly Order is rejected.")
        paid = price or order.price or self.markets.mark_price(order.symbol)
        at = self._at(filled_at)
        moved, realized = apply_fill(position, side=order.side, qty=amount, price=paid, at=at)
        fill = Fill(
            fill_id=next(self._fill_ids),
            order_id=order_id,
            symbol=order.symbol,
            side=order.side,
            position_side=order.position_side,
            qty=amount,
            price=paid,
            realized_pnl=realized,
            commission=amount * paid * (MAKER_FEE if maker else TAKER_FEE),
            maker=maker,
            filled_at=at,
        )
        self.fills.put(fill.fill_id, fill)
        self.wallet_balance += realized - fill.commission
        self._hold(moved)
        done = amount == order.remaining
        self._record(
            replace(
                order,
                executed_qty=order.executed_qty + amount,
                executed_quote=order.executed_quote + amount * paid,
                status=OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED,
                updated_at=at,
            )
        )
        return fill

    def cancel_order(self, order_id: int) -> Order:
        """Cancel a live order; what it filled before stays."""
        return self._end(order_id, OrderStatus.CANCELED)

    def expire_order(self, order_id: int) -> Order:
        """End a live order from the venue's side."""
        return self._end(order_id, OrderStatus.EXPIRED)

    def reject_order(self, order_id: int) -> Order:
        """End a live order as refused by the matching engine."""
        return self._end(order_id, OrderStatus.REJECTED)

    def forget_order(self, order_id: int, *, fills: bool = False) -> None:
        """Make the venue know nothing of an order any more; of its fills too when asked."""
        if order_id not in self.orders:
            raise Refused(-2013, "Order does not exist.")
        self.orders.discard(order_id)
        self.live_orders.discard(order_id)
        if fills:
            for fill in [fill for fill in self.fills.values() if fill.order_id == order_id]:
                self.fills.discard(fill.fill_id)

    # Trigger ("algo") orders.

    def place_trigger_order(  # noqa: PLR0913 - as place_order
        self,
        symbol: str,
        side: str,
        qty: Decimal,
        trigger_price: Decimal,
        *,
        price: Decimal | None = None,
        order_type: str = "STOP_MARKET",
        client_order_id: str | None = None,
        algo_id: int | None = None,
        created_at: datetime | None = None,
        reduce_only: bool = False,
        close_position: bool = False,
        position_side: str | None = None,
    ) -> TriggerOrder:
        """Place a conditional order; `price` is for the limit kinds, STOP and TAKE_PROFIT."""
        self.markets.get(symbol)
        new_id = next(self._algo_ids) if algo_id is None else algo_id
        if new_id in self.trigger_orders:
            raise ValueError(f"algo id {new_id} is taken")
        closes = reduce_only or close_position
        at = self._at(created_at)
        order = TriggerOrder(
            algo_id=new_id,
            client_algo_id=client_order_id or f"sim-algo-{new_id}",
            symbol=symbol,
            side=Side(side.upper()),
            position_side=self._leg_of(Side(side.upper()), closes, position_side),
            order_type=order_type,
            qty=qty,
            trigger_price=trigger_price,
            price=price or ZERO,
            reduce_only=reduce_only,
            close_position=close_position,
            status=TriggerStatus.NEW,
            created_at=at,
            updated_at=at,
        )
        self.algo_id_by_client_id[order.client_algo_id] = new_id
        self.trigger_orders.put(new_id, order)
        return order

    def trigger(self, algo_id: int) -> Order:
        """Let a trigger order's price be reached: it becomes a regular order, which is returned.

        The child has a new venue id and keeps the client id.
        """
        order = self._live_trigger_order(algo_id)
        qty = order.qty
        if order.close_position:
            qty = reducible_qty(self.position(order.symbol, order.position_side), order.side)
        child = self.place_order(
            order.symbol,
            order.side,
            qty,
            order.price or None,
            order_type=ORDER_TYPES_AFTER_TRIGGER.get(order.order_type, "MARKET"),
            client_order_id=order.client_algo_id,
            reduce_only=order.reduce_only or order.close_position,
            position_side=order.position_side,
            parent_algo_id=algo_id,
        )
        self.trigger_orders.put(
            algo_id,
            replace(
                order,
                status=TriggerStatus.TRIGGERED,
                child_order_id=child.order_id,
                triggered_at=child.created_at,
                updated_at=child.created_at,
            ),
        )
        return child

    def cancel_trigger_order(self, algo_id: int) -> TriggerOrder:
        """Cancel a trigger order that still waits."""
        ended = replace(
            self._live_trigger_order(algo_id),
            status=TriggerStatus.CANCELED,
            updated_at=self._at(),
        )
        self.trigger_orders.put(algo_id, ended)
        return ended

    def forget_trigger_order(self, algo_id: int) -> None:
        """Make the venue know nothing of a trigger order any more."""
        if algo_id not in self.trigger_orders:
            raise Refused(-2013, "Order does not exist.")
        self.trigger_orders.discard(algo_id)

    # Positions.

    def position(self, symbol: str, position_side: PositionSide) -> Position:
        """Return one leg, flat where none is held."""
        return self.positions.get((symbol, position_side)) or self.flat(symbol, position_side)

    def flat(self, symbol: str, position_side: PositionSide) -> Position:
        """Return the empty leg."""
        return Position(
            symbol=symbol,
            position_side=position_side,
            qty=ZERO,
            entry_price=ZERO,
            updated_at=self._at(),
        )

    def set_position(
        self, symbol: str, side: str, qty: Decimal, entry_price: Decimal | None = None
    ) -> Position:
        """Hold `qty` (> 0) on `side` long or short, with no order or fill to explain it."""
        self.markets.get(symbol)
        leg = PositionSide(side.upper())
        held = Position(
            symbol=symbol,
            position_side=leg if self.hedge_mode else PositionSide.BOTH,
            qty=-qty if leg is PositionSide.SHORT else qty,
            entry_price=entry_price or self.markets.mark_price(symbol),
            updated_at=self._at(),
        )
        self._hold(held)
        return held

    def close_position(self, symbol: str, side: str | None = None) -> None:
        """Hold nothing in `symbol` any more, or of one leg of it, with no fill to explain it."""
        for key in list(self.positions):
            if key[0] == symbol and (side is None or key[1] == side.upper()):
                self.positions.discard(key)

    def set_hedge_mode(self, *, on: bool) -> None:
        """Choose legs (LONG, SHORT) or netting (BOTH); only without positions and open orders."""
        if on == self.hedge_mode:
            raise Refused(-4059, "No need to change position side.")
        if self.live_orders:
            raise Refused(-4067, "Position side cannot be changed if there exists open orders.")
        if self.positions:
            raise Refused(-4068, "Position side cannot be changed if there exists position.")
        self.hedge_mode = on

    # Time.

    def lag(
        self,
        *,
        positions: timedelta = NO_LAG,
        orders: timedelta = NO_LAG,
        fills: timedelta = NO_LAG,
    ) -> None:
        """Answer each scope as it was that long ago, at most 15 minutes; no argument: no lag."""
        if max(positions, orders, fills) > KEPT:
            raise ValueError(f"a lag can be {KEPT} at most")
        self.lags = Lag(positions=positions, orders=orders, fills=fills)

    def settle(self) -> None:
        """Make the present what was always so; call it between setting up and `lag`."""
        for held in vars(self).values():
            if isinstance(held, Timeline):
                held.settle()

    def _at(self, chosen: datetime | None = None) -> datetime:
        return whole_milliseconds(chosen or self.clock.now())

    def _next_order_id(self) -> int:
        return next(number for number in self._order_ids if number not in self.orders)

    def _leg_of(self, side: Side, closes: bool, wanted: str | None) -> PositionSide:  # noqa: FBT001 - private
        leg = PositionSide(wanted.upper()) if wanted else None
        if leg and (leg is PositionSide.BOTH) is self.hedge_mode:
            raise Refused(-4061, "Order's position side does not match user's setting.")
        if leg or not self.hedge_mode:
            return leg or PositionSide.BOTH
        return PositionSide.LONG if (side is Side.BUY) != closes else PositionSide.SHORT

    def _live_order(self, order_id: int) -> Order:
        if order_id not in self.live_orders:
            raise Refused(-2011, "Unknown order sent.")
        return self.live_orders[order_id]

    def _live_trigger_order(self, algo_id: int) -> TriggerOrder:
        order = self.trigger_orders.get(algo_id)
        if order is None or not order.is_live:
            raise Refused(-2011, "Unknown order sent.")
        return order

    def _end(self, order_id: int, status: OrderStatus) -> Order:
        ended = replace(self._live_order(order_id), status=status, updated_at=self._at())
        self._record(ended)
        return ended

    def _record(self, order: Order) -> None:
        self.orders.put(order.order_id, order)
        if order.is_live:
            self.live_orders.put(order.order_id, order)
            return
        self.live_orders.discard(order.order_id)
        parent = self.trigger_orders.get(order.parent_algo_id or 0)
        if parent:
            self.trigger_orders.put(
                parent.algo_id,
                replace(parent, status=TriggerStatus.FINISHED, updated_at=order.updated_at),
            )

    def _hold(self, position: Position) -> None:
        key = (position.symbol, position.position_side)
        if position.qty:
            self.positions.put(key, position)
        else:
            self.positions.discard(key)
