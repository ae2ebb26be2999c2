"""All of them."""

from tests.integration.venue_adapter.cases.alpaca import ALPACA
from tests.integration.venue_adapter.cases.binance import BINANCE
from tests.integration.venue_adapter.cases.binancecoinm import BINANCECOINM
from tests.integration.venue_adapter.cases.bitget import BITGET
from tests.integration.venue_adapter.cases.bybit import BYBIT
from tests.integration.venue_adapter.cases.coinbase import COINBASE
from tests.integration.venue_adapter.cases.deribit import DERIBIT
from tests.integration.venue_adapter.cases.gate import GATE
from tests.integration.venue_adapter.cases.hyperliquid import HYPERLIQUID
from tests.integration.venue_adapter.cases.kraken import KRAKEN
from tests.integration.venue_adapter.cases.krakenfutures import KRAKENFUTURES
from tests.integration.venue_adapter.cases.kucoin import KUCOIN
from tests.integration.venue_adapter.cases.kucoinfutures import KUCOINFUTURES
from tests.integration.venue_adapter.cases.mexc import MEXC
from tests.integration.venue_adapter.cases.okx import OKX

CASES = (
    BYBIT,
    OKX,
    ALPACA,
    BINANCE,
    BINANCECOINM,
    BITGET,
    GATE,
    KRAKEN,
    KRAKENFUTURES,
    COINBASE,
    DERIBIT,
    HYPERLIQUID,
    MEXC,
    KUCOIN,
    KUCOINFUTURES,
)
