"""The markets of the simulated venue: linear perpetuals with steps, ticks and a least notional."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.simulation.venue.records import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One perpetual; steps and sizes in base units, prices and notionals in quote currency."""

    symbol: str
    base: str
    quote: str = "USDT"
    step_size: Decimal = Decimal("0.001")
    tick_size: Decimal = Decimal("0.01")
    min_notional: Decimal = Decimal(5)
    mark_price: Decimal = Decimal(100)
    status: str = "TRADING"


DEFAULT_MARKETS = (
    Market(
        symbol="BTCUSDT",
        base="BTC",
        tick_size=Decimal("0.10"),
        min_notional=Decimal(100),
        mark_price=Decimal(60_000),
    ),
    Market(symbol="ETHUSDT", base="ETH", min_notional=Decimal(20), mark_price=Decimal(3_000)),
    Market(symbol="SOLUSDT", base="SOL", step_size=Decimal(1), mark_price=Decimal(150)),
    Market(symbol="BNBUSDT", base="BNB", step_size=Decimal("0.01"), mark_price=Decimal(600)),
    Market(
        symbol="XRPUSDT",
        base="XRP",
        step_size=Decimal("0.1"),
        tick_size=Decimal("0.0001"),
        mark_price=Decimal("0.50"),
    ),
    Market(
        symbol="DOGEUSDT",
        base="DOGE",
        step_size=Decimal(1),
        tick_size=Decimal("0.00001"),
        mark_price=Decimal("0.12"),
    ),
)


def generate_markets(count: int) -> Iterator[Market]:
    """Yield `count` made-up markets, COIN00000USDT and on, for benchmarks."""
    for number in range(count):
        base = f"COIN{number:05d}"
        yield Market(symbol=f"{base}USDT", base=base)


class Markets:
    """The venue's list of markets, shared by all its accounts."""

    def __init__(self, markets: tuple[Market, ...] = DEFAULT_MARKETS) -> None:
        self._by_symbol = {market.symbol: market for market in markets}

    def __iter__(self) -> Iterator[Market]:
        return iter(self._by_symbol.values())

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._by_symbol

    def add(self, market: Market) -> None:
        """List a market, or replace the one of that symbol."""
        self._by_symbol[market.symbol] = market

    def remove(self, symbol: str) -> None:
        """Take a market off the list; positions and orders in it stay."""
        del self._by_symbol[symbol]

    def get(self, symbol: str) -> Market:
        """Return the market of a venue symbol such as BTCUSDT.

        Raises:
            Refused: -1121 when the venue does not list it.

        """
        market = self._by_symbol.get(symbol)
        if market is None:
            raise Refused(-1121, "Invalid symbol.")
        return market

    def mark_price(self, symbol: str) -> Decimal:
        """Return the current mark price, 0 for a market that is no longer listed."""
        market = self._by_symbol.get(symbol)
        return market.mark_price if market else Decimal(0)

    def set_mark_price(self, symbol: str, price: Decimal) -> None:
        """Move the mark price; resting orders do not fill by themselves."""
        self._by_symbol[symbol] = replace(self.get(symbol), mark_price=price)
