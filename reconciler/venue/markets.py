"""What judging needs to know of ccxt's markets: steps and contract sizes. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.domain.identity import Symbol
from reconciler.domain.positions import Market
from reconciler.venue.description import MarketKind, MarketPlace
from reconciler.venue.translate import ONE, number_of

DECIMAL_PLACES = 2
"""ccxt's precision mode in which a precision is a number of places; in TICK_SIZE (4) it is the
step itself. SIGNIFICANT_DIGITS (3) gives no step."""
TICK_SIZE = 4


def contract_size_of(market: Mapping[str, Any] | None) -> Decimal:
    """Return the base units of one contract: 1 for spot, for inverse contracts, and if unknown.

    An inverse contract is worth quote currency; its quantity stays in contracts.
    """
    if market is None or not market.get("contract") or market.get("inverse"):
        return ONE
    return number_of(market.get("contractSize")) or ONE


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
    market: Mapping[str, Any], *, precision_mode: int, counts_contracts: bool = True
) -> Decimal | None:
    """Return the smallest difference of two quantities in base units, None where not told."""
    precision = market.get("precision") or {}
    amount = number_of(precision.get("amount"))
    if amount is None or precision_mode not in {DECIMAL_PLACES, TICK_SIZE}:
        return None
    step = amount if precision_mode == TICK_SIZE else ONE.scaleb(-int(amount))
    size = contract_size_of(market) if counts_contracts else ONE
    return step * size if step > 0 else None


def markets_of(
    symbols: Iterable[Symbol],
    known: Mapping[str, Mapping[str, Any]],
    *,
    precision_mode: int,
    counts_contracts: bool = True,
) -> dict[Symbol, Market]:
    """Return the markets of those symbols, without the ones that the venue does not list."""
    return {
        symbol: Market(
            symbol=symbol,
            venue_id=str(known[symbol].get("id") or symbol),
            qty_step=qty_step_of(
                known[symbol], precision_mode=precision_mode, counts_contracts=counts_contracts
            ),
        )
        for symbol in symbols
        if symbol in known
    }


def inverse_symbols(
    symbols: Iterable[Symbol], known: Mapping[str, Mapping[str, Any]]
) -> set[Symbol]:
    """Return those of the symbols whose contracts are worth quote currency."""
    return {symbol for symbol in symbols if known.get(symbol, {}).get("inverse")}
