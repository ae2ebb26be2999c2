"""Which book row is which venue order: by its ids, never by (symbol, side, quantity)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from reconciler.domain.identity import BookOrderId, Symbol
from reconciler.domain.orders import BookOrder, OrderSide, VenueOrder

_Key = tuple[str, Symbol, OrderSide, str]
"""Which of the two ids it is, and what it names."""

BOTH_IDS, LIVE_ROW, ENDED_ROW = range(3)
"""How strong a row's claim on an order is; the least is the strongest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Book rows paired with venue orders; what is left over on the venue's side."""

    by_order: dict[BookOrderId, VenueOrder]
    unmatched: tuple[VenueOrder, ...]


def match_orders(*, rows: Iterable[BookOrder], listed: Iterable[VenueOrder]) -> Matching:
    """Pair rows with listed orders, whatever the order of either. Linear.

    An order goes to the row that has both its ids, else to rows that have not ended, else to ended
    ones: bots use a client order id again. Of a row's two ids the client's speaks first: after a
    cancel-replace the row may still carry the venue id of the cancelled half. Ids are unique per
    (account, symbol) only, and side must agree too, or it is another order under a reused id.
    """
    orders = tuple(listed)
    index = _by_ids(orders)
    claims: list[tuple[BookOrderId, int, VenueOrder]] = []
    strongest: dict[_Key, int] = {}
    for row in rows:
        for claim, order in _claims_of(row, index):
            claims.append((row.id, claim, order))
            strongest[_key(order)] = min(claim, strongest.get(_key(order), claim))
    paired: dict[BookOrderId, VenueOrder] = {}
    for row_id, claim, order in claims:
        if claim == strongest[_key(order)]:
            paired.setdefault(row_id, order)
    taken = {_key(order) for order in paired.values()}
    return Matching(by_order=paired, unmatched=tuple(o for o in orders if _key(o) not in taken))


def _key(order: VenueOrder) -> _Key:
    return "venue", order.symbol, order.side, order.venue_order_id


def _by_ids(orders: Iterable[VenueOrder]) -> dict[_Key, VenueOrder]:
    """Orders by either id; of two under one id the live one, then the younger, then the fuller."""
    index: dict[_Key, VenueOrder] = {}
    for order in orders:
        keys = [_key(order)]
        if order.client_order_id:
            keys.append(("client", order.symbol, order.side, order.client_order_id))
        for key in keys:
            if key not in index or _weight(order) > _weight(index[key]):
                index[key] = order
    return index


def _weight(order: VenueOrder) -> tuple[bool, datetime, Decimal, str]:
    at = order.created_at or datetime.min.replace(tzinfo=UTC)
    return order.state.is_live, at, order.filled, order.venue_order_id


def _claims_of(row: BookOrder, index: Mapping[_Key, VenueOrder]) -> list[tuple[int, VenueOrder]]:
    """The orders that the row's ids name; one that has both is the only one."""
    claims: list[tuple[int, VenueOrder]] = []
    for which, name in (("client", row.client_order_id), ("venue", row.venue_order_id)):
        order = index.get((which, row.symbol, row.side, name)) if name else None
        if order is None:
            continue
        if (order.client_order_id, order.venue_order_id) == (
            row.client_order_id,
            row.venue_order_id,
        ):
            return [(BOTH_IDS, order)]
        claims.append((ENDED_ROW if row.state.is_terminal else LIVE_ROW, order))
    return claims
