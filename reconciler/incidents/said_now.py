"""What book and venue say of one order, as evidence: kept when a person sets it aside.

A venue that does not answer is evidence too, and stops nobody.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import AccountName
from reconciler.domain.orders import BookOrder
from reconciler.domain.snapshot import (
    ORDER_SCOPES,
    AnswerKind,
    Completeness,
    Failure,
    Lookup,
    Scope,
    Snapshot,
    Unanswered,
)
from reconciler.incidents.desk import Desk
from reconciler.incidents.evidence import JudgedUnder, evidence_bundle
from reconciler.incidents.operating import SQL
from reconciler.incidents.rows_of_books import RECENT, OrderPlace, order_in
from reconciler.ports import SymbolOf, Venue
from reconciler.rules.matching import match_orders
from reconciler.rules.order_status import judge_order
from reconciler.rules.ownership import Ownership
from reconciler.store.connecting import borrowed

ASK_WITHIN = timedelta(seconds=15)
"""For the listing, and again for the lookup: a person waits."""


async def evidence_now(desk: Desk, place: OrderPlace, *, symbol_of: SymbolOf) -> dict[str, Any]:
    """A bundle that `replay` judges again. Raises what reading the book raises."""
    account, book = place.account, place.book
    async with borrowed(desk.pool) as connection:
        now: datetime = await connection.fetchval(SQL["clock"])
        waiting = await connection.fetch(SQL["suspicions"], book.name, account)
    reading = await book.read(account, reach=RECENT, symbol_of=symbol_of)
    order = order_in(reading, place.order.id)
    if order is None:
        order = replace(place.order, symbol=symbol_of(place.order.raw_symbol))
    venue, watched = desk.venues[account], desk.accounts[account]
    snapshot = await _listing(venue, account, order, now=now)
    others = [row for row in reading.orders if row.id != order.id]
    rows = (order, *others, *reading.stray_orders)
    listed = match_orders(rows=rows, listed=snapshot.orders).by_order.get(order.id)
    lookup = await _lookup(venue, order, now=now) if listed is None else None
    under = JudgedUnder(
        now=now, ownership=Ownership(), first_seen_at=_first_seen_at(waiting, order)
    )
    # A person has waited long enough: what was just touched is judged too.
    limits = replace(watched.orders, grace=timedelta(0))
    verdict = judge_order(
        row=order,
        listed=listed,
        why_incomplete=_why_incomplete(snapshot),
        lookup=lookup,
        first_seen_at=under.first_seen_at,
        now=now,
        limits=limits,
    )
    return evidence_bundle(
        reading=reading,
        snapshot=snapshot,
        symbol=order.symbol,
        verdict=verdict,
        limits={"orders": limits},
        lookup=lookup,
        under=under,
    )


async def _listing(
    venue: Venue, account: AccountName, order: BookOrder, *, now: datetime
) -> Snapshot:
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            await venue.prepare()
            return await venue.snapshot(now=now, symbols={order.symbol})
    except (ReconcilerError, TimeoutError) as error:
        failure = _failure("listing", error)
        return Snapshot(
            account=account,
            taken_at=now,
            scopes={
                name: Scope(name=name, completeness=Completeness.FAILED, failure=failure)
                for name in sorted(ORDER_SCOPES)
            },
        )


async def _lookup(venue: Venue, order: BookOrder, *, now: datetime) -> Lookup:
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            await venue.prepare()
            return await venue.look_up(order, now=now)
    except (ReconcilerError, TimeoutError) as error:
        return Unanswered(failure=_failure("lookup", error))


def _failure(call: str, error: Exception) -> Failure:
    said = str(error) or f"no answer within {ASK_WITHIN.total_seconds():.0f} s"
    return Failure(kind=AnswerKind.NO_ANSWER, call=call, detail=said)


def _why_incomplete(snapshot: Snapshot) -> str | None:
    if snapshot.orders_are_complete():
        return None
    said = "; ".join(f"{f.call}: {f.detail}" for f in snapshot.failures())
    return f"the venue's open orders are not complete ({said})"


def _first_seen_at(waiting: Iterable[Any], order: BookOrder) -> datetime | None:
    return min((r["first_seen_at"] for r in waiting if r["subject"] == order.id), default=None)
