"""Names of things: plain strings, told apart by type."""

from typing import NewType

AccountName = NewType("AccountName", str)
BookName = NewType("BookName", str)
ProfileId = NewType("ProfileId", str)
BookOrderId = NewType("BookOrderId", str)
BookPositionId = NewType("BookPositionId", str)
VenueOrderId = NewType("VenueOrderId", str)
ClientOrderId = NewType("ClientOrderId", str)
RunId = NewType("RunId", str)
Asset = NewType("Asset", str)
"""A currency by ccxt's unified code: `BTC` at Kraken too."""

Symbol = NewType("Symbol", str)
"""A market of one venue: ccxt's unified symbol where the market is known, else the venue's own id.

Both sides are brought to this form by the venue adapter before anything is compared, so that
`BTCUSDT`, `BTC/USDT:USDT` and `btcusdt` are one key.
"""
