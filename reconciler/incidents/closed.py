"""What came of closing a position: the order is looked up, and the position read again."""

from decimal import Decimal
from typing import Any

from reconciler.domain.acting import Accepted, Declined, Sending, VenueRequest
from reconciler.domain.identity import (
    AccountName,
    BookOrderId,
    ClientOrderId,
    ProfileId,
    Symbol,
    VenueOrderId,
)
from reconciler.domain.orders import BookOrder, OrderSide, OrderState
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import Found, Lookup, NotFound
from reconciler.incidents.acting import ActionReport
from reconciler.incidents.desk import Actor, Desk
from reconciler.incidents.intents import Intent, report_of, write_settled
from reconciler.incidents.settling import Settled, held_now, read_until, says


async def settle_closing(
    desk: Desk,
    actor: Actor,
    intent: Intent,
    sent: Sending | None,
    *,
    request: VenueRequest | None,
) -> ActionReport:
    """Read until it is known, and write that. `sent` None: an earlier command's, read now."""
    details: dict[str, Any] = {}
    account, side = AccountName(intent.account), PositionSide(intent.details["side"])
    if isinstance(sent, Declined):
        why = f"the venue declined, nothing was changed: {sent.why}"
        settled = Settled(outcome="not_done", said=why)
    else:
        order = _as_row(intent, sent.venue_order_id if isinstance(sent, Accepted) else None)
        await desk.venues[account].prepare()
        lookup = await read_until(desk, account, order, lambda told: _is_known(told, intent, sent))
        held = await held_now(desk, account, order.symbol, side)
        details["held_after"] = held
        settled = _of_lookup(lookup, intent, sent).and_position(held)
    await write_settled(desk, actor, intent, settled, details)
    return report_of(intent, settled, request)


def _as_row(intent: Intent, venue_order_id: VenueOrderId | None) -> BookOrder:
    """Our own order in the form in which orders are looked up."""
    side = PositionSide(intent.details["side"])
    symbol = Symbol(intent.details["symbol"])
    return BookOrder(
        id=BookOrderId(f"operation {intent.id}"),
        profile_id=ProfileId(""),
        symbol=symbol,
        raw_symbol=symbol,
        side=OrderSide.SELL if side is PositionSide.LONG else OrderSide.BUY,
        qty=Decimal(str(intent.details["qty"])),
        filled=Decimal(0),
        state=OrderState.IN_FLIGHT,
        raw_status="intended",
        client_order_id=ClientOrderId(intent.details["client_order_id"]),
        venue_order_id=venue_order_id,
        created_at=intent.at,
        updated_at=intent.at,
        type="market",
        reduce_only=True,
    )


def _is_known(lookup: Lookup, intent: Intent, sent: Sending | None) -> bool:
    """Whether more reading can tell no more."""
    if isinstance(lookup, Found):
        return lookup.order.state.is_terminal
    # An old one that nobody knows never arrived; one just sent may be shown a second later.
    return isinstance(lookup, NotFound) and sent is None and not intent.may_be_under_way


def _of_lookup(lookup: Lookup, intent: Intent, sent: Sending | None) -> Settled:
    qty = Decimal(str(intent.details["qty"]))
    match lookup:
        case Found(order=order) if order.state.is_terminal:
            return _of_filled(order.filled, qty, f"the order is {order.state}")
        case NotFound(fills=fills) if fills:
            return _of_filled(sum((f.qty for f in fills), start=Decimal(0)), qty, "by its fills")
        case NotFound() if sent is None and not intent.may_be_under_way:
            return Settled(outcome="not_done", said="the venue knows no such order: none arrived")
        case _:
            return Settled(
                outcome="unknown",
                said=f"not known yet whether it was closed: {says(lookup)}; the same command "
                "with --execute reads again, and sends nothing",
            )


def _of_filled(filled: Decimal, qty: Decimal, how: str) -> Settled:
    if filled <= 0:
        return Settled(outcome="not_done", said=f"nothing was closed: {how}", done_qty=filled)
    if filled < qty:
        return Settled(
            outcome="partial", said=f"closed {filled:f} of {qty:f}: {how}", done_qty=filled
        )
    return Settled(outcome="confirmed", said=f"closed {filled:f}: {how}", done_qty=filled)
