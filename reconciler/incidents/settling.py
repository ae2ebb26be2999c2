"""What came of a request to a venue: read until it is known, or for 15 seconds."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.domain.identity import AccountName, Symbol
from reconciler.domain.orders import BookOrder
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import (
    AnswerKind,
    Failure,
    Found,
    Lookup,
    NotFound,
    ScopeName,
    Unanswered,
)
from reconciler.incidents.acting import Outcome
from reconciler.incidents.desk import Desk
from reconciler.incidents.operating import SQL as DESK
from reconciler.store.connecting import borrowed

READ_WITHIN = timedelta(seconds=15)
READ_EVERY = timedelta(seconds=1)
"""Venues answer from replicas: what was just accepted may not be shown yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What reading has shown. `unknown`: nothing yet."""

    outcome: Outcome
    said: str
    done_qty: Decimal | None = None

    def and_position(self, held: Decimal | None) -> "Settled":
        """The same, with what the venue holds now; None: it could not be read in full."""
        now = "could not be read" if held is None else f"is {held:f}"
        return replace(self, said=f"{self.said}; the position now {now}")


async def database_now(desk: Desk) -> datetime:
    """The clock that ages are measured by."""
    async with borrowed(desk.pool) as connection:
        now: datetime = await connection.fetchval(DESK["clock"])
        return now


async def read_until(
    desk: Desk, account: AccountName, order: BookOrder, is_known: Callable[[Lookup], bool]
) -> Lookup:
    """Look the order up until the answer is one to go by; the last answer when time is over."""
    venue, now = desk.venues[account], await database_now(desk)
    loop = asyncio.get_running_loop()
    until = loop.time() + READ_WITHIN.total_seconds()
    lookup: Lookup = _no_answer()
    while True:
        try:
            async with asyncio.timeout_at(until):
                lookup = await venue.look_up(order, now=now)
        except TimeoutError:
            return lookup
        if is_known(lookup) or loop.time() + READ_EVERY.total_seconds() >= until:
            return lookup
        await asyncio.sleep(READ_EVERY.total_seconds())


async def held_now(
    desk: Desk, account: AccountName, symbol: Symbol, side: PositionSide
) -> Decimal | None:
    """What the venue holds now on that side, in base units; None where it does not say in full."""
    now = await database_now(desk)
    try:
        async with asyncio.timeout(READ_WITHIN.total_seconds()):
            snapshot = await desk.venues[account].snapshot(
                now=now, symbols={symbol}, only=frozenset({ScopeName.POSITIONS})
            )
    except TimeoutError:
        return None
    if not snapshot.positions_are_complete():
        return None
    held = (p.qty for p in snapshot.positions if (p.symbol, p.side) == (symbol, side))
    return sum(held, start=Decimal(0))


def says(lookup: Lookup) -> str:
    """What the venue said, in a few words."""
    match lookup:
        case Found(order=order):
            return f"the venue shows it {order.state}, {order.filled:f} filled"
        case NotFound():
            return "the venue does not know it"
        case Unanswered(failure=failure):
            return f"the venue gave no answer ({failure.call}: {failure.detail})"


def _no_answer() -> Lookup:
    detail = f"no answer within {READ_WITHIN.total_seconds():g} s"
    return Unanswered(failure=Failure(kind=AnswerKind.NO_ANSWER, call="order", detail=detail))
