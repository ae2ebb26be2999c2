"""Cancelling a stuck order at the venue: `orders cancel`, dry unless it is executed.

Only an order whose bot has asked for its end already (an open `stuck_order`). An orphan is left
alone: it may be a person's, and nobody has asked for its end.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from reconciler.domain.acting import Ambiguous, Declined, Sending, VenueRequest
from reconciler.domain.identity import AccountName
from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.snapshot import Found, Lookup, NotFound
from reconciler.incidents.acting import (
    ActionReport,
    declined_where_it_cannot,
    refused_where_it_cannot,
)
from reconciler.incidents.desk import Actor, Desk, checked_note
from reconciler.incidents.errors import RefusedError
from reconciler.incidents.intents import (
    SQL,
    Begun,
    Intent,
    all_pending,
    facts_of,
    intend,
    intending,
    refusals_kept,
    report_of,
    write_settled,
)
from reconciler.incidents.operating import refuse_unless
from reconciler.incidents.rows_of_books import RECENT, OrderPlace, find_order, order_in
from reconciler.incidents.settling import Settled, database_now, read_until, says
from reconciler.rules.policy import plan_cancelling
from reconciler.store.connecting import borrowed

OPERATION = "orders cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What would be sent."""

    place: OrderPlace
    incident_id: int
    found: VenueOrder
    lookup: Lookup
    read_at: datetime
    """Database clock before the venue was asked."""
    request: VenueRequest

    @property
    def left(self) -> Decimal:
        """What has not filled, in base units."""
        return (self.found.qty or self.place.order.qty) - self.found.filled

    @property
    def words(self) -> str:
        """What is done, in a few words."""
        order = self.place.order
        return (
            f"cancel order {order.id} ({order.raw_symbol} {order.side}, venue order "
            f"{self.found.venue_order_id}, {self.left:f} of {order.qty:f} left) on "
            f"{self.place.account}"
        )


async def cancel_order(
    desk: Desk,
    actor: Actor,
    order_id: str,
    *,
    note: str,
    execute: bool = False,
    book: str | None = None,
) -> ActionReport:
    """Cancel a stuck order that is live at the venue now. `order_id`: the book's own.

    Without `execute` nothing is sent and nothing written. Where an earlier command is not settled,
    `execute` settles it by reading, and sends nothing. The book is not written: the daemon learns
    the order's end as it learns any.

    Raises NotFoundError, RefusedError, UsageError, BookUnreadableError, DatabaseUnavailableError.
    """
    why = checked_note(note, needed=True)
    place = await _placed(desk, order_id, book)
    earlier = await _unsettled(desk, place)
    if not execute:
        refuse_unless(earlier is None, earlier.unsettled if earlier is not None else "")
        return _dry(await _plan(desk, place))
    if earlier is not None:
        return await _settle(desk, actor, earlier, place, None, request=None)
    begun = Begun()
    async with refusals_kept(
        desk, actor, OPERATION, account=place.account, target=order_id, details={"note": why}
    ):
        refuse_unless(desk.mode == "enforce", "mode is observe: nothing is sent")
        plan = await _plan(desk, place)
        intent = await _intend(desk, actor, plan, why)
    sent = begun.why_too_late() or await declined_where_it_cannot(
        desk.acting[place.account].cancel(plan.found)
    )
    return await _settle(desk, actor, intent, place, sent, request=plan.request)


async def _placed(desk: Desk, order_id: str, book: str | None) -> OrderPlace:
    place = await find_order(desk, order_id, book=book, changes=True)
    venue = desk.venues[place.account]
    with refused_where_it_cannot():
        await venue.prepare()
    # It was read without the venue: its market gets its one key only now.
    order = replace(place.order, symbol=venue.symbol_of(place.order.raw_symbol))
    return replace(place, order=order)


async def _unsettled(desk: Desk, place: OrderPlace) -> Intent | None:
    """An earlier command about it whose end is not known, whether its incident is over or not."""
    for intent in await all_pending(desk):
        about = (intent.operation, intent.account, intent.target)
        if about == (OPERATION, place.account, place.order.id):
            return intent
    return None


async def _plan(desk: Desk, place: OrderPlace) -> _Plan:
    """Look the order up, and have the request written. Raises RefusedError."""
    if not desk.policy.cancel_stuck_orders:
        raise RefusedError('policy.cancel_stuck_orders is "never": set it to "operator"')
    async with borrowed(desk.pool) as connection:
        incident_id = await connection.fetchval(
            SQL["stuck_order"], place.book.name, place.account, place.order.id
        )
    if incident_id is None:
        raise RefusedError(
            f"order {place.order.id} has no open incident stuck_order: only those are cancelled"
        )
    now = await database_now(desk)
    lookup = await desk.venues[place.account].look_up(place.order, now=now)
    found = _judged(desk, place.order, lookup)
    with refused_where_it_cannot():
        request = await desk.acting[place.account].preview_cancel(found)
    return _Plan(
        place=place,
        incident_id=incident_id,
        found=found,
        lookup=lookup,
        read_at=now,
        request=request,
    )


def _judged(desk: Desk, order: BookOrder, lookup: Lookup) -> VenueOrder:
    found = plan_cancelling(order=order, lookup=lookup, policy=desk.policy)
    if isinstance(found, str):
        raise RefusedError(found)
    return found


def _dry(plan: _Plan) -> ActionReport:
    order = plan.place.order
    return ActionReport(
        operation=OPERATION,
        account=plan.place.account,
        target=order.id,
        symbol=order.symbol,
        side=order.side,
        incident_id=plan.incident_id,
        outcome="dry_run",
        said=f"dry run, nothing is sent; --execute would {plan.words}",
        request=plan.request,
        client_order_id=order.client_order_id,
        qty=plan.left,
    )


async def _intend(desk: Desk, actor: Actor, plan: _Plan, why: str) -> Intent:
    """Read the row again in the transaction that holds the incident, and write the intent."""
    place = plan.place
    async with intending(
        desk,
        actor,
        OPERATION,
        account=place.account,
        target=place.order.id,
        incident_id=plan.incident_id,
        read_at=plan.read_at,
    ) as operation:
        reading = await place.book.read_within(
            operation.connection,
            place.account,
            reach=RECENT,
            symbol_of=desk.venues[place.account].symbol_of,
        )
        row = order_in(reading, place.order.id)
        if row is None:
            raise RefusedError(f"the book has no order {place.order.id} any more")
        _judged(desk, row, plan.lookup)
        details = {
            "client_order_id": place.order.client_order_id,
            "venue_order_id": plan.found.venue_order_id,
            "symbol": place.order.symbol,
            "side": place.order.side,
            "qty": plan.left,
            "request": facts_of(plan.request),
            "note": why,
        }
        return await intend(operation, f"{actor.who} has it {plan.words}: {why}", details)


async def _settle(
    desk: Desk,
    actor: Actor,
    intent: Intent,
    place: OrderPlace,
    sent: Sending | None,
    *,
    request: VenueRequest | None,
) -> ActionReport:
    if isinstance(sent, Declined):
        why = f"the venue declined, nothing was changed: {sent.why}"
        settled = Settled(outcome="not_done", said=why)
    else:
        account = AccountName(intent.account)
        lookup = await read_until(
            desk, account, place.order, lambda told: _is_known(told, intent, sent)
        )
        settled = _of_lookup(lookup, intent, sent)
    await write_settled(desk, actor, intent, settled, {})
    return report_of(intent, settled, request)


def _is_known(lookup: Lookup, intent: Intent, sent: Sending | None) -> bool:
    """Whether more reading can tell no more."""
    match lookup:
        case Found(order=order):
            return order.state.is_terminal or _never_took(intent, sent)
        case NotFound():
            return True  # it was shown before: it has ended, and the venue forgets such orders
        case _:
            return False


def _never_took(intent: Intent, sent: Sending | None) -> bool:
    """An earlier command's, so old that it would have taken effect."""
    return sent is None and not intent.may_be_under_way


def _of_lookup(lookup: Lookup, intent: Intent, sent: Sending | None) -> Settled:
    match lookup:
        case Found(order=order) if order.state is OrderState.FILLED:
            said = f"it filled before it could be cancelled: {order.filled:f}"
            return Settled(outcome="not_done", said=said, done_qty=order.filled)
        case Found(order=order) if order.state.is_terminal:
            said = f"the order is {order.state} at the venue, {order.filled:f} filled"
            return Settled(outcome="confirmed", said=said, done_qty=order.filled)
        case NotFound():
            return Settled(outcome="confirmed", said="the venue does not know it any more")
        case Found() if _never_took(intent, sent):
            return Settled(outcome="not_done", said=f"it was not cancelled: {says(lookup)}")
        case _:
            why = f" ({sent.why})" if isinstance(sent, Ambiguous) else ""
            return Settled(
                outcome="unknown",
                said=f"not known yet whether it was cancelled{why}: {says(lookup)}; the same "
                "command with --execute reads again, and sends nothing",
            )
