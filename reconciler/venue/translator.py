"""One account's rows → domain values, with the markets that are loaded now."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reconciler.domain.identity import Symbol
from reconciler.domain.orders import Fill, VenueOrder
from reconciler.domain.positions import VenuePosition
from reconciler.venue.connection import Exchange
from reconciler.venue.description import VenueDescription
from reconciler.venue.markets import contract_size_of
from reconciler.venue.shared_connection import SharedConnection
from reconciler.venue.translate import (
    NotUnderstoodError,
    fill_of,
    order_of,
    position_of,
    position_of_row,
)

UNREADABLE = (AttributeError, TypeError, KeyError, IndexError, ValueError, ArithmeticError)
"""What a parser raises at a row of the wrong shape."""


class Translator:
    """Translates for one exchange. Raises NotUnderstoodError where a row cannot be read."""

    def __init__(
        self, exchange: Exchange, description: VenueDescription, shared: SharedConnection
    ) -> None:
        self._exchange = exchange
        self._description = description
        self._shared = shared
        self._sizes: dict[str, Decimal] = {}
        self._sizes_of: Any = None

    def symbol_of(self, raw: str) -> Symbol:
        """Return the one key of a market."""
        return self._shared.symbols.of(raw)

    def size_of(self, raw: str) -> Decimal:
        """Return the base units of one contract."""
        markets = self._exchange.markets
        if markets is not self._sizes_of:
            self._sizes, self._sizes_of = {}, markets
        size = self._sizes.get(raw)
        if size is None:
            market = (markets or {}).get(self.symbol_of(raw))
            size = self._sizes[raw] = contract_size_of(market)
        return size

    def order_of_row(self, row: Any, *, is_trigger: bool) -> VenueOrder:
        """Return the order of a raw row, through ccxt's parser."""
        if not isinstance(row, dict):
            raise NotUnderstoodError("an order that is no object")
        try:
            parsed = self._exchange.parse_order(row)
        except UNREADABLE as error:
            raise NotUnderstoodError(f"an order ({type(error).__name__})") from error
        return self.order_of(parsed, is_trigger=is_trigger)

    def order_of(self, parsed: Mapping[str, Any], *, is_trigger: bool) -> VenueOrder:
        """Return the order that ccxt parsed."""
        try:
            return order_of(
                parsed,
                is_trigger=is_trigger,
                words=self._description.status,
                symbol_of=self.symbol_of,
                size_of=self.size_of,
            )
        except UNREADABLE as error:
            raise NotUnderstoodError(f"an order ({type(error).__name__})") from error

    def position_of(self, row: Any, *, is_raw: bool) -> VenuePosition | None:
        """Return the position of a row, None for a flat one."""
        fields = self._description.position_row
        try:
            if is_raw and fields is not None:
                return position_of_row(
                    row, fields=fields, symbol_of=self.symbol_of, size_of=self.size_of
                )
            return position_of(row, symbol_of=self.symbol_of, size_of=self.size_of)
        except UNREADABLE as error:
            raise NotUnderstoodError(f"a position ({type(error).__name__})") from error

    def fill_of(self, parsed: Mapping[str, Any]) -> Fill:
        """Return the execution that ccxt parsed."""
        fills = self._description.fills
        try:
            return fill_of(
                parsed,
                client_order_id_at=fills.client_order_id_at if fills else None,
                symbol_of=self.symbol_of,
                size_of=self.size_of,
            )
        except UNREADABLE as error:
            raise NotUnderstoodError(f"a fill ({type(error).__name__})") from error
