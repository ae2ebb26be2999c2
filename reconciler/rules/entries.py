"""Rule 5: a contained profile that still enters a trade; the bot does not obey. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.domain.book import BookReading
from reconciler.domain.containments import Containment
from reconciler.domain.identity import ProfileId, Symbol
from reconciler.domain.orders import BookOrder, OrderSide, VenueOrder
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import Snapshot

ZERO = Decimal(0)
MARGIN = timedelta(seconds=2)
"""A row that the bot was writing while its profile was set inactive is no disobedience."""
VENUE_MARGIN = timedelta(minutes=1)
"""The same for times that the venue's clock says."""
EXIT_ROLES = frozenset({"exit", "stop"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One new trade of a contained profile."""

    profile_id: ProfileId
    symbol: Symbol
    what: str
    """`order`, `position` or `venue order`."""
    id: str
    reason: str


def find_entries(
    *,
    containments: Iterable[Containment],
    reading: BookReading,
    snapshot: Snapshot,
) -> tuple[Entry, ...]:
    """What contained profiles entered since. One that is active again does what its status says.

    A row counts from the last containment of its profile, or from when a person ended the incident
    about such entries, whichever is later.
    """
    inactive = {p.id for p in reading.profiles if not p.is_active}
    standing: dict[ProfileId, list[Containment]] = defaultdict(list)
    for containment in containments:
        if containment.profile_id in inactive:
            standing[containment.profile_id].append(containment)
    if not standing:
        return ()
    legs = _legs(snapshot)
    found: list[Entry] = []
    for profile_id, its in sorted(standing.items()):
        since = max(at for c in its for at in (c.contained_at, c.reviewed_at) if at is not None)
        orders = [o for o in reading.orders if o.profile_id == profile_id]
        found += _new_orders(orders, since, reading, snapshot, legs)
        found += _new_positions(its, reading)
        found += _sent_later(orders, since, snapshot, legs)
    return tuple(found)


def _legs(snapshot: Snapshot) -> Mapping[tuple[Symbol, PositionSide], Decimal]:
    legs: dict[tuple[Symbol, PositionSide], Decimal] = defaultdict(Decimal)
    for held in snapshot.positions:
        legs[held.symbol, held.side] += held.qty
    return legs


def _new_orders(
    orders: Iterable[BookOrder],
    since: datetime,
    reading: BookReading,
    snapshot: Snapshot,
    legs: Mapping[tuple[Symbol, PositionSide], Decimal],
) -> list[Entry]:
    sent_before = _sent_before(snapshot, since)
    new: dict[Symbol, list[BookOrder]] = defaultdict(list)
    for order in orders:
        if order.created_at > since + MARGIN:
            new[order.symbol].append(order)
    return [
        Entry(
            profile_id=order.profile_id,
            symbol=symbol,
            what="order",
            id=order.id,
            reason=f"order {order.id} ({order.side} {order.qty:f}, {order.raw_status}) was created "
            f"at {order.created_at:%Y-%m-%d %H:%M:%S %Z}, after the profile was set inactive",
        )
        for symbol, rows in sorted(new.items())
        for order in _entering(symbol, rows, reading, legs)
        if sent_before.isdisjoint(_names_of(order))
    ]


def _sent_before(snapshot: Snapshot, since: datetime) -> set[tuple[str, str, Symbol, OrderSide]]:
    """Live orders that the venue had by then: their rows may be written late."""
    return {
        name
        for live in snapshot.orders
        if live.created_at is not None and live.created_at <= since
        for name in _names_of(live)
    }


def _names_of(order: BookOrder | VenueOrder) -> set[tuple[str, str, Symbol, OrderSide]]:
    """By the venue's id; by its client id, which may have been used before, only without one."""
    names: set[tuple[str, str, Symbol, OrderSide]] = set()
    if order.venue_order_id:
        names.add(("venue", order.venue_order_id, order.symbol, order.side))
    if order.client_order_id and not (isinstance(order, BookOrder) and order.venue_order_id):
        names.add(("client", order.client_order_id, order.symbol, order.side))
    return names


def _entering(
    symbol: Symbol,
    rows: list[BookOrder],
    reading: BookReading,
    legs: Mapping[tuple[Symbol, PositionSide], Decimal],
) -> list[BookOrder]:
    """Those that do not close what was held when each was created: the opposite side, up to its
    size. What was held follows from what is held now, less what these orders filled since.
    """
    long, short = (
        legs.get((symbol, PositionSide.LONG), ZERO),
        legs.get((symbol, PositionSide.SHORT), ZERO),
    )
    mine = [p for p in reading.positions if p.open and p.symbol == symbol]
    booked = {side: sum((p.qty for p in mine if p.side is side), ZERO) for side in PositionSide}
    net = long - short - sum((_signed(row, row.filled) for row in rows), ZERO)
    hedged = bool(long and short)
    found = []
    for row in sorted(rows, key=lambda r: (r.created_at, r.id)):
        closes = PositionSide.LONG if row.side is OrderSide.SELL else PositionSide.SHORT
        at_venue = max(net, ZERO) if closes is PositionSide.LONG else max(-net, ZERO)
        if hedged:
            at_venue = (long if closes is PositionSide.LONG else short) + row.filled
        if not is_exit(row) and row.qty > max(at_venue, booked[closes]):
            found.append(row)
        net += _signed(row, row.filled)
    return found


def is_exit(row: BookOrder) -> bool:
    """It says so itself."""
    return row.reduce_only or (row.role or "").strip().lower() in EXIT_ROLES


def _signed(row: BookOrder, qty: Decimal) -> Decimal:
    return qty if row.side is OrderSide.BUY else -qty


def _new_positions(containments: Iterable[Containment], reading: BookReading) -> list[Entry]:
    """Open rows of markets in which nothing was held at all when the profile was contained: a row
    that mends the ghost itself is no entry. Once a person has looked at it, rows say nothing new.
    """
    its = list(containments)
    if any(c.held is None or c.reviewed_at is not None for c in its):
        return []
    known = {symbol for c in its for symbol in (*(c.held or ()), c.symbol)}
    return [
        Entry(
            profile_id=row.profile_id,
            symbol=row.symbol,
            what="position",
            id=row.id,
            reason=f"position {row.id} ({row.symbol} {row.side} {row.qty:f}) was opened after the "
            "profile was set inactive",
        )
        for row in reading.positions
        if row.open
        and row.qty > ZERO
        and row.profile_id == its[0].profile_id
        and row.symbol not in known
    ]


def _sent_later(
    orders: Iterable[BookOrder],
    since: datetime,
    snapshot: Snapshot,
    legs: Mapping[tuple[Symbol, PositionSide], Decimal],
) -> list[Entry]:
    """Live orders that reached the venue after the containment, of rows that are older."""
    rows = {o.client_order_id: o for o in orders if o.client_order_id and o.created_at <= since}
    found = []
    for live in snapshot.orders:
        row = rows.get(live.client_order_id) if live.client_order_id else None
        if row is None or is_exit(row) or not live.state.is_live or live.created_at is None:
            continue
        if (row.symbol, row.side) != (live.symbol, live.side):
            continue
        closes = PositionSide.LONG if row.side is OrderSide.SELL else PositionSide.SHORT
        may_close = row.qty <= legs.get((row.symbol, closes), ZERO)
        if live.created_at > since + VENUE_MARGIN and not may_close:
            found.append(
                Entry(
                    profile_id=row.profile_id,
                    symbol=row.symbol,
                    what="venue order",
                    id=live.venue_order_id,
                    reason=f"order {row.id} reached the venue as {live.venue_order_id} after the "
                    "profile was set inactive",
                )
            )
    return found
