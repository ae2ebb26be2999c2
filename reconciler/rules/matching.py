"""Which book row is which venue order: by its ids, never by (symbol, side, quantity)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from reconciler.domain.identity import BookOrderId, Symbol
from reconciler.domain.orders import BookOrder, OrderSide, VenueOrder

BOTH_IDS, VENUE_ID, CLIENT_ID, OLD_VENUE_ID, ENDED_ROW, WEAKER_THAN_ANY = range(6)
"""How strong a row's claim on an order is; the least is the strongest. By its client id alone, a
row without a venue id comes before one that has another."""


@dataclass(slots=True, kw_only=True)
class _Leg:
    """The listed orders of one symbol and side, and what the rows claim of them.

    A dict of its own for each id, as text alone is a far cheaper key than a tuple.
    """

    by_venue_id: dict[str, VenueOrder] = field(default_factory=dict)
    by_client_id: dict[str, VenueOrder] = field(default_factory=dict)
    strongest: dict[str, int] = field(default_factory=dict)
    """The strongest claim on each order, by venue id."""
    taken: set[str] = field(default_factory=set)


_Legs = dict[tuple[Symbol, OrderSide], _Leg]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Book rows paired with venue orders; what is left over on the venue's side."""

    by_order: dict[BookOrderId, VenueOrder]
    unmatched: tuple[VenueOrder, ...]


def match_orders(*, rows: Iterable[BookOrder], listed: Iterable[VenueOrder]) -> Matching:
    """Pair rows with listed orders, whatever the order of either. Linear.

    An order goes to the row that has both its ids, else to one that has not ended, by its venue id
    before its client id, else to ended ones: bots use a client order id again. Of a row's two ids
    the client's speaks first: after a cancel-replace the row may still carry the venue id of the
    cancelled half. Ids are unique per (account, symbol) only, and side must agree too, or it is
    another order under a reused id.
    """
    orders = tuple(listed)
    legs = _by_leg(orders)
    paired: dict[BookOrderId, VenueOrder] = {}
    claims: list[tuple[BookOrderId, int, VenueOrder, _Leg]] = []
    for row in rows:
        leg = legs.get((row.symbol, row.side))
        if leg is None:
            continue
        found = _claims_of(row, leg)
        if len(found) == 1 and found[0][0] == BOTH_IDS:
            # Nothing can be stronger: almost every pair is made here, and costs no second look.
            [(claim, order)] = found
            leg.strongest[order.venue_order_id] = claim
            if paired.setdefault(row.id, order) is order:
                leg.taken.add(order.venue_order_id)
            continue
        for claim, order in found:
            claims.append((row.id, claim, order, leg))
            if claim < leg.strongest.get(order.venue_order_id, WEAKER_THAN_ANY):
                leg.strongest[order.venue_order_id] = claim
    for row_id, claim, order, leg in claims:
        order_id = order.venue_order_id
        if claim == leg.strongest[order_id] and paired.setdefault(row_id, order) is order:
            leg.taken.add(order_id)
    return Matching(by_order=paired, unmatched=_not_taken(orders, legs))


def _by_leg(orders: Iterable[VenueOrder]) -> _Legs:
    """Orders by either id; of two under one id the live one, then the younger, then the fuller."""
    legs: _Legs = {}
    for order in orders:
        leg = legs.get((order.symbol, order.side))
        if leg is None:
            leg = legs[order.symbol, order.side] = _Leg()
        _put(leg.by_venue_id, order.venue_order_id, order)
        if order.client_order_id:
            _put(leg.by_client_id, order.client_order_id, order)
    return legs


def _put(index: dict[str, VenueOrder], order_id: str, order: VenueOrder) -> None:
    other = index.setdefault(order_id, order)
    if other is not order and _weight(order) > _weight(other):
        index[order_id] = order


def _not_taken(orders: tuple[VenueOrder, ...], legs: _Legs) -> tuple[VenueOrder, ...]:
    if sum(len(leg.taken) for leg in legs.values()) == len(orders):
        return ()
    return tuple(o for o in orders if o.venue_order_id not in legs[o.symbol, o.side].taken)


def _weight(order: VenueOrder) -> tuple[bool, datetime, Decimal, str]:
    at = order.created_at or datetime.min.replace(tzinfo=UTC)
    return order.state.is_live, at, order.filled, order.venue_order_id


def _claims_of(row: BookOrder, leg: _Leg) -> list[tuple[int, VenueOrder]]:
    """The orders that the row's ids name; one that has both is the only one.

    Except in a cancel-replace, whose cancelled half is not the order that stands now: one that
    lives under the row's client id comes first, and one that ended under it, but under another
    venue id than the row's, is none of them.
    """
    claims: list[tuple[int, VenueOrder]] = []
    named = (leg.by_client_id, row.client_order_id), (leg.by_venue_id, row.venue_order_id)
    for index, name in named:
        order = index.get(name) if name else None
        if order is None:
            continue
        if (order.client_order_id, order.venue_order_id) == (
            row.client_order_id,
            row.venue_order_id,
        ):
            replaced = claims and not order.state.is_live and not row.state.is_terminal
            return [*claims, (BOTH_IDS, order)] if replaced else [(BOTH_IDS, order)]
        if row.venue_order_id not in {None, "", order.venue_order_id} and not order.state.is_live:
            continue
        claims.append((_strength(row, order), order))
    return claims


def _strength(row: BookOrder, order: VenueOrder) -> int:
    if row.state.is_terminal:
        return ENDED_ROW
    if row.venue_order_id == order.venue_order_id:
        return VENUE_ID
    return OLD_VENUE_ID if row.venue_order_id else CLIENT_ID


def why_another_rows(*, row: BookOrder, found: VenueOrder, rows: Iterable[BookOrder]) -> str | None:
    """Why the order that a lookup shows for this row is that of another one, or None.

    A lookup by a client id that was used again, or along a chain of replacements, may end at an
    order that has its own row. What that one did must not be written twice. Linear.
    """
    if found.venue_order_id == row.venue_order_id:
        return None
    owners = match_orders(rows=rows, listed=[found]).by_order
    if not owners or row.id in owners:
        return None
    return f"the venue shows {found.venue_order_id} in its place, the order of row {min(owners)}"
