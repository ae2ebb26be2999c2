"""All of them."""

from tests.integration.venue_adapter.cases.alpaca import ALPACA
from tests.integration.venue_adapter.cases.binance import BINANCE
from tests.integration.venue_adapter.cases.bybit import BYBIT
from tests.integration.venue_adapter.cases.okx import OKX

CASES = (BYBIT, OKX, ALPACA, BINANCE)
