"""What the venue tells of a ledger: late where it lags, and without what it has forgotten."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from reconciler.simulation.venue.ledger import Ledger
from reconciler.simulation.venue.records import Fill, Order, Position, Refused, TriggerOrder

WEEK = timedelta(days=7)
Record = TypeVar("Record", Order, TriggerOrder, Fill, Position)


def _of(records: Iterable[Record], symbol: str | None) -> Iterator[Record]:
    return (record for record in records if symbol is None or record.symbol == symbol)


class LedgerView:
    """Read-only answers about one account, as its venue would give them now."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Return the live orders, of one symbol where it is given."""
        orders = self._ledger.live_orders.as_of(self._ledger.lags.orders)
        return list(_of(orders.values(), symbol))

    def order(self, symbol: str, *, order_id: int | None, client_order_id: str | None) -> Order:
        """Return one order by the venue's id, else by the client's.

        Raises:
            Refused: -2013 when the venue does not know it, or no longer.

        """
        ledger = self._ledger
        if order_id is None:
            order_id = ledger.order_id_by_client_id.get(client_order_id or "")
        found = ledger.orders.as_of(ledger.lags.orders).get(order_id or 0)
        if found is None or found.symbol != symbol or self._is_forgotten(found):
            raise Refused(-2013, "Order does not exist.")
        return found

    def all_orders(self, symbol: str) -> Iterator[Order]:
        """Yield every order of `symbol` that the venue still knows, in the order of their ids."""
        orders = self._ledger.orders.as_of(self._ledger.lags.orders)
        for order in sorted(_of(orders.values(), symbol), key=lambda order: order.order_id):
            if not self._is_forgotten(order):
                yield order

    def open_trigger_orders(self, symbol: str | None = None) -> list[TriggerOrder]:
        """Return the trigger orders that still wait, of one symbol where it is given."""
        orders = self._ledger.trigger_orders.as_of(self._ledger.lags.orders)
        return [order for order in _of(orders.values(), symbol) if order.is_live]

    def trigger_order(self, *, algo_id: int | None, client_algo_id: str | None) -> TriggerOrder:
        """Return one trigger order by the venue's id, else by the client's.

        Raises:
            Refused: -2013 when the venue does not know it, or no longer.

        """
        ledger = self._ledger
        if algo_id is None:
            algo_id = ledger.algo_id_by_client_id.get(client_algo_id or "")
        found = ledger.trigger_orders.as_of(ledger.lags.orders).get(algo_id or 0)
        if found is None or self._is_forgotten(found):
            raise Refused(-2013, "Order does not exist.")
        return found

    def all_trigger_orders(self, symbol: str) -> Iterator[TriggerOrder]:
        """Yield every trigger order of `symbol` that the venue still knows, by their ids."""
        orders = self._ledger.trigger_orders.as_of(self._ledger.lags.orders)
        for order in sorted(_of(orders.values(), symbol), key=lambda order: order.algo_id):
            if not self._is_forgotten(order):
                yield order

    def fills(self, symbol: str) -> Iterator[Fill]:
        """Yield the fills of `symbol` that the venue still knows, in the order of their ids."""
        oldest_at = self._ledger.clock.now() - self._ledger.retention.fills
        fills = self._ledger.fills.as_of(self._ledger.lags.fills)
        for fill in sorted(_of(fills.values(), symbol), key=lambda fill: fill.fill_id):
            if fill.filled_at >= oldest_at:
                yield fill

    def positions(self, symbol: str | None = None) -> list[Position]:
        """Return the legs that hold something, of one symbol where it is given."""
        held = self._ledger.positions.as_of(self._ledger.lags.positions)
        return list(_of(held.values(), symbol))

    def _is_forgotten(self, order: Order | TriggerOrder) -> bool:
        ledger = self._ledger
        if order.is_live:
            return False
        filled = order.executed_qty if isinstance(order, Order) else order.child_order_id
        kept = ledger.retention.finished if filled else ledger.retention.unfilled
        return order.created_at + kept < ledger.clock.now()


def time_window(
    *, start_at: datetime | None, end_at: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return the window that a history request covers: at most seven days, by default the last.

    Raises:
        Refused: -4165 when more than seven days are asked for.

    """
    if start_at and end_at and end_at - start_at > WEEK:
        raise Refused(-4165, "Invalid time interval: Maximum time interval is 7 days.")
    if start_at:
        return start_at, end_at or start_at + WEEK
    end_at = end_at or now
    return end_at - WEEK, end_at
