"""One key for each market, from any of its spellings."""

from typing import Any

import pytest

from reconciler.venue.symbols import Symbols, compact

SWAPS: dict[str, dict[str, Any]] = {
    "BTC/USDT:USDT": {"id": "BTCUSDT", "type": "swap"},
    "BTC/USDC:USDC": {"id": "BTCUSDC", "type": "swap"},
    "BTC/USDT:USDT-261225": {"id": "BTCUSDT_261225", "type": "future", "expiry": 1},
    "1000PEPE/USDT:USDT": {"id": "1000PEPEUSDT", "type": "swap"},
}
MIXED: dict[str, dict[str, Any]] = {
    "BTC/USD": {"id": "BTCUSD", "type": "spot"},
    "BTC/USD:BTC": {"id": "BTCUSD", "type": "swap"},
    "BTC/USD:USD": {"id": "BTC-USD-SWAP", "type": "swap"},
    "ETH/USD:ETH": {"id": "PI_ETHUSD", "type": "swap"},
}


@pytest.mark.parametrize(
    ("raw", "symbol"),
    [
        ("BTC/USDT:USDT", "BTC/USDT:USDT"),
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("btcusdt", "BTC/USDT:USDT"),
        ("BTC/USDT", "BTC/USDT:USDT"),
        ("BTC-USDT", "BTC/USDT:USDT"),
        ("BTC_USDT", "BTC/USDT:USDT"),
        (" btc/usdt:usdt ", "BTC/USDT:USDT"),
        ("BTCUSDT_261225", "BTC/USDT:USDT-261225"),
        ("1000PEPEUSDT", "1000PEPE/USDT:USDT"),
        # Another settle currency is another market.
        ("BTC/USDT:BTC", "BTCUSDT"),
        ("NEWUSDT", "NEWUSDT"),
        ("NEW/USDT:USDT", "NEWUSDT"),
        ("new-usdt", "NEWUSDT"),
        ("PEPEUSDT", "PEPEUSDT"),
        ("", ""),
    ],
)
def test_spellings_on_a_venue_of_swaps(raw: str, symbol: str) -> None:
    assert Symbols(SWAPS).of(raw) == symbol


@pytest.mark.parametrize(
    ("default_type", "raw", "symbol"),
    [
        ("spot", "BTCUSD", "BTC/USD"),
        ("spot", "BTC/USD", "BTC/USD"),
        ("spot", "BTC-USD", "BTC/USD"),
        (None, "BTCUSD", "BTCUSD"),
        ("swap", "BTC-USD-SWAP", "BTC/USD:USD"),
        ("swap", "eth/usd", "ETH/USD:ETH"),
        ("swap", "BTC/USD:BTC", "BTC/USD:BTC"),
    ],
)
def test_a_spelling_that_fits_several_means_the_default_type(
    default_type: str | None, raw: str, symbol: str
) -> None:
    assert Symbols(MIXED, default_type=default_type).of(raw) == symbol


def test_every_symbol_and_its_own_answer_agree() -> None:
    symbols = Symbols(SWAPS)
    for symbol in SWAPS:
        assert symbols.of(symbols.of(symbol)) == symbol
    assert symbols.of(compact("new/coin:x")) == compact("NEW-COIN")
