"""What judging needs to know of ccxt's markets: steps and contract sizes. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.domain.identity import Symbol
from reconciler.domain.positions import Market
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


def qty_step_of(market: Mapping[str, Any], *, precision_mode: int) -> Decimal | None:
    """Return the smallest difference of two quantities in base units, None where not told."""
    precision = market.get("precision") or {}
    amount = number_of(precision.get("amount"))
    if amount is None or precision_mode not in {DECIMAL_PLACES, TICK_SIZE}:
        return None
    step = amount if precision_mode == TICK_SIZE else ONE.scaleb(-int(amount))
    return step * contract_size_of(market) if step > 0 else None


def markets_of(
    symbols: Iterable[Symbol], known: Mapping[str, Mapping[str, Any]], *, precision_mode: int
) -> dict[Symbol, Market]:
    """Return the markets of those symbols, without the ones that the venue does not list."""
    return {
        symbol: Market(
            symbol=symbol,
            venue_id=str(known[symbol].get("id") or symbol),
            qty_step=qty_step_of(known[symbol], precision_mode=precision_mode),
        )
        for symbol in symbols
        if symbol in known
    }


def inverse_symbols(
    symbols: Iterable[Symbol], known: Mapping[str, Mapping[str, Any]]
) -> set[Symbol]:
    """Return those of the symbols whose contracts are worth quote currency."""
    return {symbol for symbol in symbols if known.get(symbol, {}).get("inverse")}
