"""All of them."""

from tests.integration.venue_replay.venues.alpaca import ALPACA
from tests.integration.venue_replay.venues.binance import BINANCE, BINANCECOINM, BINANCEUSDM
from tests.integration.venue_replay.venues.bitget import BITGET
from tests.integration.venue_replay.venues.bybit import BYBIT
from tests.integration.venue_replay.venues.coinbase import COINBASE
from tests.integration.venue_replay.venues.deribit import DERIBIT
from tests.integration.venue_replay.venues.gate import GATE
from tests.integration.venue_replay.venues.hyperliquid import HYPERLIQUID
from tests.integration.venue_replay.venues.kraken import KRAKEN
from tests.integration.venue_replay.venues.krakenfutures import KRAKENFUTURES
from tests.integration.venue_replay.venues.kucoin import KUCOIN
from tests.integration.venue_replay.venues.mexc import MEXC
from tests.integration.venue_replay.venues.okx import OKX

REPLAYS = (
    ALPACA,
    BINANCE,
    BINANCECOINM,
    BINANCEUSDM,
    BITGET,
    BYBIT,
    COINBASE,
    DERIBIT,
    GATE,
    HYPERLIQUID,
    KRAKEN,
    KRAKENFUTURES,
    KUCOIN,
    MEXC,
    OKX,
)
