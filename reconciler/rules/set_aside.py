"""Orders that were set aside in our tables alone, since their rows are not ours to write. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.domain.book import BookReading
from reconciler.domain.identity import BookOrderId
from reconciler.domain.intents import SetAside
from reconciler.domain.orders import BookOrder, OrderState
from reconciler.domain.suspicions import Suspicion
from reconciler.domain.verdicts import OrderVerdictKind
from reconciler.rules.vocabulary import state_of


def as_set_aside(reading: BookReading, rows: Iterable[SetAside]) -> BookReading:
    """A row that still says what it said when its order was quarantined counts as quarantined, or
    as a person's review says; one that moved since speaks for itself.
    """
    by_id = {row.order_id: row for row in rows}
    if not by_id:
        return reading
    orders = tuple(_as_set_aside(order, by_id.get(order.id)) for order in reading.orders)
    return replace(reading, orders=orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """How an order ended, as the venue showed it often enough; its row cannot be told."""

    state: OrderState
    filled: Decimal


def learnt_of(suspicions: Iterable[Suspicion], *, confirmations: int) -> dict[str, Learnt]:
    """By order, out of what was confirmed."""
    found = {}
    for each in suspicions:
        if each.key.kind == OrderVerdictKind.ENDED and each.count >= confirmations:
            state, _, filled = each.saying.partition(" ")
            found[each.key.subject] = Learnt(state=OrderState(state), filled=Decimal(filled))
    return found


def as_learnt(
    reading: BookReading, learnt: Mapping[str, Learnt]
) -> tuple[BookReading, Mapping[BookOrderId, BookOrder]]:
    """Rows of orders that have ended count as ended; and as they are, by id."""
    told = {o.id: o for o in reading.orders if o.id in learnt and o.state.is_live}
    if not told:
        return reading, {}
    orders = tuple(_as_learnt(o, learnt[o.id]) if o.id in told else o for o in reading.orders)
    return replace(reading, orders=orders), told


def _as_learnt(order: BookOrder, learnt: Learnt) -> BookOrder:
    return replace(order, state=learnt.state, filled=max(order.filled, learnt.filled))


def _as_set_aside(order: BookOrder, row: SetAside | None) -> BookOrder:
    if row is None or not order.state.is_live or row.seen_status != order.raw_status:
        return order
    if row.final_status is None:
        return replace(order, state=OrderState.UNKNOWN)
    final = state_of(row.final_status)
    return replace(order, state=final) if final.is_terminal else order
