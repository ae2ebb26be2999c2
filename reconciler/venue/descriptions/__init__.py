"""One description per venue, as data with its sources.

Those of ccxt's venues that have none, its regional classes too (myokx, bybiteu, ...), are read by
the generic description.
"""

from typing import Any

from reconciler.venue.description import VenueDescription
from reconciler.venue.descriptions.alpaca import ALPACA
from reconciler.venue.descriptions.binance import BINANCE
from reconciler.venue.descriptions.binancecoinm import BINANCECOINM
from reconciler.venue.descriptions.binanceusdm import BINANCEUSDM
from reconciler.venue.descriptions.bitget import BITGET
from reconciler.venue.descriptions.bybit import BYBIT
from reconciler.venue.descriptions.coinbase import COINBASE
from reconciler.venue.descriptions.deribit import DERIBIT
from reconciler.venue.descriptions.gate import GATE
from reconciler.venue.descriptions.generic import generic_description
from reconciler.venue.descriptions.hyperliquid import HYPERLIQUID
from reconciler.venue.descriptions.kraken import KRAKEN
from reconciler.venue.descriptions.krakenfutures import KRAKENFUTURES
from reconciler.venue.descriptions.kucoin import KUCOIN
from reconciler.venue.descriptions.kucoinfutures import KUCOINFUTURES
from reconciler.venue.descriptions.mexc import MEXC
from reconciler.venue.descriptions.okx import OKX
from reconciler.venue.descriptions.retention import retention_of

DESCRIBED = {
    description.venue: description
    for description in (
        BINANCEUSDM,
        BINANCECOINM,
        BYBIT,
        OKX,
        ALPACA,
        BINANCE,
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
}

__all__ = ["DESCRIBED", "description_of", "retention_of"]


def description_of(exchange: Any) -> VenueDescription:
    """Return the description of a ccxt instance's venue, the generic one where we have none."""
    return DESCRIBED.get(exchange.id) or generic_description(exchange)
