"""Writes that are recorded and not known to be done: settled before the venue is asked, so that
its outage holds back no containment.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from reconciler.cycle.deactivations import settle_profile
from reconciler.cycle.hands import Hands
from reconciler.cycle.looking import Look
from reconciler.cycle.order_intents import settle_orders
from reconciler.domain.errors import LeaseLostError, ReconcilerError
from reconciler.domain.intents import Intent, IntentKind


async def settle_intents(hands: Hands) -> None:
    """Finish, drop or try each that is due. Raises LeaseLostError, DatabaseUnavailableError."""
    book = hands.tools.book
    if book.driver is None and not book.is_elsewhere and not hands.is_first:
        return  # one transaction spans everything
    intents = await hands.tools.store.intents(book=book.name, account=hands.tools.account)
    hands.is_first = hands.is_first and bool(intents)
    hands.pending = {
        i.target: i.last_error or "not confirmed yet"
        for i in intents
        if i.kind is IntentKind.DEACTIVATE
    }
    if not intents:
        return
    asks = (
        hands.judging.enforces
        and any(i.kind is not IntentKind.UPDATE_ORDERS for i in intents)
        and not await hands.tools.store.is_paused(hands.tools.account)
    )
    may = asks or book.driver is None  # then nobody is asked, and it is closed
    await _settle(hands, [i for i in intents if may or i.kind is IntentKind.UPDATE_ORDERS])


async def settle_now(look: Look, intents: Sequence[Intent]) -> None:
    """Those that this pass has just recorded."""
    hands = Hands.of(look)
    try:
        await _settle(hands, intents)
    finally:
        hands.tell(look)


async def _settle(hands: Hands, intents: Sequence[Intent]) -> None:
    """Bots are asked at once: one that hangs holds back no other."""
    is_due = [i.due_in <= timedelta(0) or hands.tools.book.driver is None for i in intents]
    due = [intent for intent, now in zip(intents, is_due, strict=True) if now]
    hands.recheck += [i.due_in for i, now in zip(intents, is_due, strict=True) if not now]
    for intent in due:
        if intent.kind is IntentKind.UPDATE_ORDERS and (lost := await _one(hands, intent)):
            raise lost
    bots = [_one(hands, i) for i in due if i.kind is not IntentKind.UPDATE_ORDERS]
    for lost in await asyncio.gather(*bots):
        if lost is not None:
            raise lost


async def _one(hands: Hands, intent: Intent) -> LeaseLostError | None:
    """What ends the pass, once the others had their turn."""
    try:
        if intent.kind is IntentKind.UPDATE_ORDERS:
            await settle_orders(hands, intent)
        else:
            await settle_profile(hands, intent)
    except LeaseLostError as error:
        return error
    except ReconcilerError as error:  # its book, or its row: the others go on
        hands.find("intent", str(intent.id), f"{intent.kind} not settled: {error}", "none")
        hands.recheck.append(intent.next_wait)
    return None
