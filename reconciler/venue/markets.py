"""What judging needs to know of ccxt's markets: steps and contract sizes. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.domain.identity import Asset, Symbol
from reconciler.domain.positions import Market
from reconciler.venue.description import InverseUnit, MarketKind, MarketPlace, VenueDescription
from reconciler.venue.translate import ONE, number_of

DECIMAL_PLACES = 2
"""ccxt's precision mode in which a precision is a number of places; in TICK_SIZE (4) it is the
step itself. SIGNIFICANT_DIGITS (3) gives no step."""
TICK_SIZE = 4


def contract_size_of(
    market: Mapping[str, Any] | None, *, inverse_in: InverseUnit = InverseUnit.CONTRACTS
) -> Decimal:
    """Return what one contract is: base units, or the quote currency of an inverse one.

    1 for spot, where the venue counts in that currency already, and if unknown.
    """
    if market is None or not market.get("contract"):
        return ONE
    if kind_of(market) is MarketKind.INVERSE and inverse_in is not InverseUnit.CONTRACTS:
        return ONE
    return number_of(market.get("contractSize")) or ONE


def is_converted(market: Mapping[str, Any] | None, inverse_in: InverseUnit) -> bool:
    """Tell whether a quantity of this market is worth quote currency, and needs a price."""
    return kind_of(market) is MarketKind.INVERSE and inverse_in is not InverseUnit.IN_BASE


def kind_of(market: Mapping[str, Any] | None) -> MarketKind | None:
    """Return what venues keep such a market apart as; None where it is not known."""
    if market is None:
        return None
    if market.get("option"):
        return MarketKind.OPTION
    if not market.get("contract"):
        return MarketKind.SPOT
    return MarketKind.INVERSE if market.get("inverse") else MarketKind.LINEAR


def place_of(market: Mapping[str, Any] | None) -> MarketPlace:
    """Return what decides which of a venue's calls are for a market."""
    return MarketPlace(kind=kind_of(market), settle=(market or {}).get("settle"))


def field_of(market: Mapping[str, Any], name: str) -> Any:
    """Return a field of ccxt's market; `info.x` is the venue's own, `kind` our word."""
    if name == "kind":
        return str(kind_of(market))
    holder, dot, inner = name.partition(".")
    value = market.get(holder)
    return value.get(inner) if dot and isinstance(value, Mapping) else value


def qty_step_of(
    market: Mapping[str, Any],
    *,
    precision_mode: int,
    counts_contracts: bool = True,
    inverse_in: InverseUnit = InverseUnit.CONTRACTS,
) -> Decimal | None:
    """Return the smallest difference of two quantities, None where not told.

    In base units, or in quote currency where the market `is_converted`.
    """
    precision = market.get("precision") or {}
    amount = number_of(precision.get("amount"))
    if amount is None or precision_mode not in {DECIMAL_PLACES, TICK_SIZE}:
        return None
    step = amount if precision_mode == TICK_SIZE else ONE.scaleb(-int(amount))
    size = contract_size_of(market, inverse_in=inverse_in) if counts_contracts else ONE
    return step * size if step > 0 else None


def markets_of(
    symbols: Iterable[Symbol],
    known: Mapping[str, Mapping[str, Any]],
    *,
    precision_mode: int,
    description: VenueDescription,
) -> dict[Symbol, Market]:
    """Return the markets of those symbols, without the ones that the venue does not list."""
    return {
        symbol: _market_of(symbol, known[symbol], precision_mode, description)
        for symbol in symbols
        if symbol in known
    }


def _market_of(
    symbol: Symbol, market: Mapping[str, Any], precision_mode: int, description: VenueDescription
) -> Market:
    step = qty_step_of(
        market,
        precision_mode=precision_mode,
        counts_contracts=description.counts_contracts,
        inverse_in=description.inverse_in,
    )
    converted = is_converted(market, description.inverse_in)
    return Market(
        symbol=symbol,
        venue_id=str(market.get("id") or symbol),
        qty_step=None if converted else step,
        inverse_step=step if converted else None,
        base=_asset(market.get("base")),
        settle=_asset(market.get("settle")),
        held_as_balance=kind_of(market) is MarketKind.SPOT and not description.spot_in_positions,
    )


def _asset(code: Any) -> Asset | None:
    return Asset(str(code)) if code else None
