"""How long venues let a cancelled order without fills be looked up (rule 3).

Where a venue publishes nothing, nothing is said here: `retention_of` answers None.
"""

from datetime import timedelta

_RETENTION = {
    # developers.binance.com, derivatives, Query-Order: CANCELED/EXPIRED without fill, created +3 d
    "binanceusdm": timedelta(days=3),
    "binancecoinm": timedelta(days=3),
    # developers.binance.com, spot errors: -2026, archived after 90 days
    "binance": timedelta(days=90),
    # bybit-exchange.github.io/docs/v5/order/order-list: cancelled without fill 24 h
    "bybit": timedelta(hours=24),
    # OKX v5 docs, orders-history: cancelled without fill 2 h
    "okx": timedelta(hours=2),
    # gateapi-go issue 41 and docs: by client id ("text") at most 1 h after the end
    "gate": timedelta(hours=1),
    # Deribit docs: recent orders 30 min, after that delayed history
    "deribit": timedelta(minutes=30),
    # docs.kraken.com, futures-api, get-order-status: open, or ended in the last 5 seconds
    "krakenfutures": timedelta(seconds=5),
    # Coinbase Exchange docs: cancelled without matches may be 404 at once
    "coinbaseexchange": timedelta(0),
    # kucoin.com/docs-new/rest/ua/get-order-details: cancelled spot orders 2 days; futures 7 days by
    # client id, 3 months by id
    "kucoin": timedelta(days=2),
    "kucoinfutures": timedelta(days=7),
    # ccxt 4.5.90 `features` (daysBackCanceled)
    "htx": timedelta(hours=2),
    "mexc": timedelta(days=7),
}


def retention_of(venue: str) -> timedelta | None:
    """Return how long `venue` (a ccxt id) remembers cancelled unfilled orders, None if unknown."""
    return _RETENTION.get(venue)
