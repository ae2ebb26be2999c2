"""Whose orders and positions are ours on an account that others may share."""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.domain.identity import Symbol
from reconciler.domain.orders import VenueOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """An account's allow-list, ignore list and prefix, in canonical symbols."""

    symbols: frozenset[Symbol] | None = None
    """None: every symbol is covered."""
    ignored_symbols: frozenset[Symbol] = frozenset()
    ignored_order_ids: frozenset[str] = frozenset()
    client_order_id_prefix: str | None = None

    def covers(self, symbol: Symbol) -> bool:
        """Whether this symbol is judged at all."""
        if symbol in self.ignored_symbols:
            return False
        return self.symbols is None or symbol in self.symbols

    def owns(self, order: VenueOrder) -> bool:
        """Whether an order that the book does not know may be called an orphan."""
        if not self.covers(order.symbol) or order.venue_order_id in self.ignored_order_ids:
            return False
        prefix = self.client_order_id_prefix
        return not prefix or (order.client_order_id or "").startswith(prefix)

    def left_out(self, symbols: Iterable[Symbol]) -> tuple[Symbol, ...]:
        """Symbols seen that are outside the allow-list (ignored ones are known, not left out)."""
        if self.symbols is None:
            return ()
        return tuple(
            sorted({s for s in symbols if s not in self.symbols and s not in self.ignored_symbols})
        )
