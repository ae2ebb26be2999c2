"""One account's rows → domain values, with the markets that are loaded now."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.domain.identity import Asset, Symbol
from reconciler.domain.orders import Fill, VenueOrder
from reconciler.domain.positions import VenueBalance, VenuePosition
from reconciler.venue.connection import Exchange, ccxt_module
from reconciler.venue.description import FillsCall, ListingCall, RowIds, VenueDescription
from reconciler.venue.known_rows import KnownRows
from reconciler.venue.markets import contract_size_of, is_converted
from reconciler.venue.raw_json import found_at
from reconciler.venue.shared_connection import SharedConnection
from reconciler.venue.translate import (
    ONE,
    IsInverse,
    NotUnderstoodError,
    SizeOf,
    SymbolOf,
    UnknownMarketError,
    balance_of_row,
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
        self._known: dict[int, KnownRows] = defaultdict(KnownRows)
        """By the listing that shows them: each is one object of the description."""

    def rows_known_of(self, listing: ListingCall) -> KnownRows:
        """Return what the last listing of the kind held, for the one that is here now."""
        known = self._known[id(listing)]
        # Both are new objects after every load of markets, though not at the same moment.
        known.begin(self._shared.symbols, self._exchange.markets)
        return known

    def symbol_of(self, raw: str) -> Symbol:
        """Return the one key of a market."""
        return self._shared.symbols.of(raw)

    def size_of(self, raw: str) -> Decimal:
        """Return the base units of one contract."""
        if not self._description.counts_contracts:
            return ONE
        markets = self._exchange.markets
        if markets is not self._sizes_of:
            self._sizes, self._sizes_of = {}, markets
        size = self._sizes.get(raw)
        if size is None:
            market = (markets or {}).get(self.symbol_of(raw))
            if market is None and self._description.needs_market_to_count:
                raise UnknownMarketError(f"contracts of {raw}, which is no market that is listed")
            size = contract_size_of(market, inverse_in=self._description.inverse_in)
            self._sizes[raw] = size
        return size

    def is_inverse(self, raw: str) -> bool:
        """Tell whether quantities of this market need a price to be in base units."""
        market = (self._exchange.markets or {}).get(self.symbol_of(raw))
        return is_converted(market, self._description.inverse_in)

    def market_of_row(self, row: Any, listing: ListingCall) -> Any:
        """Return ccxt's market of a raw row, None where it is not loaded or not needed."""
        if listing.symbol_at is None or not isinstance(row, dict):
            return None
        markets = (self._exchange.markets_by_id or {}).get(
            str(found_at(row, tuple(listing.symbol_at.split(".")))), ()
        )
        meant = [m for m in markets if listing.market_type is None or m.get(listing.market_type)]
        return meant[0] if len(meant) == 1 else None

    def order_of_row(
        self, row: Any, *, is_trigger: bool, market: Any = None, ids: RowIds | None = None
    ) -> VenueOrder:
        """Return the order of a raw row, through ccxt's parser."""
        parsed = self._parsed(row, self._exchange.parse_order, "an order", market)
        if ids is not None:
            said = {"id": row.get(ids.order_id), "clientOrderId": row.get(ids.client_order_id)}
            parsed = {**parsed, **said}
        if parsed.get("price") is None:
            places = (found_at(row, tuple(at.split("."))) for at in self._description.price_at)
            parsed = {**parsed, "price": next((p for p in places if p is not None), None)}
        return self.order_of(parsed, is_trigger=is_trigger)

    def fill_of_row(self, row: Any, *, market: Any, fills: FillsCall) -> Fill:
        """Return the execution of a raw row, through ccxt's parser."""
        parsed = self._parsed(row, self._exchange.parse_trade, "a fill", market)
        if fills.qty_at is not None:
            parsed = {**parsed, "amount": row.get(fills.qty_at)}
        return self.fill_of(parsed, fills)

    def _parsed(
        self, row: Any, parse: Callable[..., Any], what: str, market: Any
    ) -> Mapping[str, Any]:
        if not isinstance(row, dict):
            raise NotUnderstoodError(f"{what} that is no object")
        try:
            parsed = parse(row, market)
        except (*UNREADABLE, ccxt_module().BaseError) as error:
            raise NotUnderstoodError(f"{what} ({type(error).__name__})") from error
        if not isinstance(parsed, Mapping):
            raise NotUnderstoodError(f"{what} that ccxt does not parse")
        side = self._description.side_words.get(str(row.get("side")))
        return parsed if side is None else {**parsed, "side": side}

    def order_of(self, parsed: Mapping[str, Any], *, is_trigger: bool) -> VenueOrder:
        """Return the order that ccxt parsed."""
        try:
            return order_of(
                parsed,
                is_trigger=is_trigger,
                words=self._description.status,
                symbol_of=self.symbol_of,
                size_of=self.size_of,
                is_inverse=self.is_inverse,
            )
        except UNREADABLE as error:
            raise NotUnderstoodError(f"an order ({type(error).__name__})") from error

    def position_of(self, row: Any, listing: ListingCall) -> VenuePosition | None:
        """Return the position of a row, None for a flat one."""
        fields = self._description.position_row
        try:
            market = self.market_of_row(row, listing)
            if listing.rows_at is not None and fields is not None:
                return position_of_row(
                    row,
                    fields=fields,
                    symbol_of=self._namer(market),
                    size_of=self._sizer(market),
                    is_inverse=self._told_inverse(market),
                )
            if listing.rows_at is not None:
                row = self._parsed(row, self._exchange.parse_position, "a position", market)
            return position_of(
                row, symbol_of=self.symbol_of, size_of=self.size_of, is_inverse=self.is_inverse
            )
        except UNREADABLE as error:
            raise NotUnderstoodError(f"a position ({type(error).__name__})") from error

    def balance_of(self, row: Any) -> VenueBalance | None:
        """Return the balance of a raw row, None where there is nothing."""
        fields = self._description.balance_row
        if fields is None:
            raise NotUnderstoodError("a balance, whose fields are not described")
        try:
            code_of = self._exchange.safe_currency_code
            return balance_of_row(row, fields=fields, asset_of=lambda raw: Asset(code_of(raw)))
        except UNREADABLE as error:
            raise NotUnderstoodError(f"a balance ({type(error).__name__})") from error

    def _namer(self, market: Any) -> SymbolOf:
        """Return what names the market of a row: the one that is known, if it is."""
        return self.symbol_of if market is None else lambda _: self.symbol_of(market["symbol"])

    def _sizer(self, market: Any) -> SizeOf:
        return self.size_of if market is None else lambda _: self.size_of(market["symbol"])

    def _told_inverse(self, market: Any) -> IsInverse:
        return self.is_inverse if market is None else lambda _: self.is_inverse(market["symbol"])

    def fill_of(self, parsed: Mapping[str, Any], fills: FillsCall) -> Fill:
        """Return the execution that ccxt parsed."""
        try:
            return fill_of(
                parsed,
                client_order_id_at=fills.client_order_id_at,
                symbol_of=self.symbol_of,
                size_of=self.size_of,
                is_inverse=self.is_inverse,
            )
        except UNREADABLE as error:
            raise NotUnderstoodError(f"a fill ({type(error).__name__})") from error
