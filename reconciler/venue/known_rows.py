"""Rows that a listing shows again word for word: their orders are known, and not parsed again.

ccxt takes some 30 µs to parse an order, and an order that rests is the same row in every listing.
What a row means follows from the row, the description and the markets alone, so that a row which
differs by a single character, or any row once markets were loaded anew, is parsed as before.
"""

import hashlib
from collections.abc import Callable
from operator import is_
from typing import Any

from reconciler.domain.orders import VenueOrder

DIGEST_BYTES = 16
"""Two rows of one digest are as likely as a guessed key; a whole row would take forty times that
much memory."""


class KnownRows:
    """The orders of one listing of one account, by the digests of their raw rows."""

    def __init__(self) -> None:
        self._before: dict[bytes, VenueOrder] = {}
        self._now: dict[bytes, VenueOrder] = {}
        self._markets: tuple[object, ...] = ()

    def begin(self, *markets: object) -> None:
        """A listing is here: what the one before it held is known, if the markets are the same."""
        same = len(markets) == len(self._markets) and all(map(is_, markets, self._markets))
        self._before = self._now if same else {}
        self._now, self._markets = {}, markets

    def order_of(self, row: Any, parse: Callable[[], VenueOrder]) -> VenueOrder:
        """Return the order of a raw row. Raises what `parse` raises, which is then asked again."""
        digest = hashlib.blake2b(repr(row).encode(), digest_size=DIGEST_BYTES).digest()
        order = self._before.get(digest)
        if order is None:
            order = parse()
        self._now[digest] = order
        return order
