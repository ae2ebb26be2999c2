"""Which book row is which venue order: by its ids, never by (symbol, side, quantity)."""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.domain.identity import BookOrderId, Symbol
from reconciler.domain.orders import BookOrder, VenueOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Book rows paired with venue orders; what is left over on the venue's side."""

    by_order: dict[BookOrderId, VenueOrder]
    unmatched: tuple[VenueOrder, ...]


def match_orders(*, rows: Iterable[BookOrder], listed: Iterable[VenueOrder]) -> Matching:
    """Pair rows with listed orders. Linear.

    The client order id speaks first: after a cancel-replace the row may still carry the venue id
    of the cancelled half. Venue ids are unique per (account, symbol) only, so both must agree;
    side must agree too, or it is another order under a reused id.
    """
    orders = tuple(listed)
    by_client: dict[tuple[Symbol, str], VenueOrder] = {}
    by_venue: dict[tuple[Symbol, str], VenueOrder] = {}
    for order in orders:
        by_venue[order.symbol, order.venue_order_id] = order
        if order.client_order_id is not None:
            by_client[order.symbol, order.client_order_id] = order
    paired: dict[BookOrderId, VenueOrder] = {}
    taken: set[tuple[Symbol, str]] = set()
    for row in rows:
        found = by_client.get((row.symbol, row.client_order_id)) if row.client_order_id else None
        if found is None and row.venue_order_id:
            found = by_venue.get((row.symbol, row.venue_order_id))
        if found is None or found.side is not row.side:
            continue
        paired[row.id] = found
        taken.add((found.symbol, found.venue_order_id))
    unmatched = tuple(o for o in orders if (o.symbol, o.venue_order_id) not in taken)
    return Matching(by_order=paired, unmatched=unmatched)
