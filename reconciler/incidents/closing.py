"""Closing a ghost: `positions close`, reduce-only, capped, dry unless it is executed.

The intent is written, then the order is sent once, then the venue is read until it is settled.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from reconciler.domain.acting import ReducingOrder, VenueRequest
from reconciler.domain.book import BookReading
from reconciler.domain.identity import AccountName, Symbol
from reconciler.domain.positions import PositionSide
from reconciler.domain.snapshot import ScopeName, Snapshot
from reconciler.domain.verdicts import PositionVerdictKind
from reconciler.incidents.acting import (
    ActionReport,
    declined_where_it_cannot,
    refused_where_it_cannot,
)
from reconciler.incidents.closed import settle_closing
from reconciler.incidents.desk import Actor, Desk, DeskBook, checked_note
from reconciler.incidents.errors import NotFoundError, RefusedError, UsageError
from reconciler.incidents.ignores import list_ignores
from reconciler.incidents.intents import (
    SQL,
    Begun,
    Intent,
    all_pending,
    facts_of,
    intend,
    intending,
    refusals_kept,
)
from reconciler.incidents.operating import refuse_unless
from reconciler.incidents.rows_of_books import RECENT
from reconciler.incidents.settling import database_now
from reconciler.rules.policy import CLOSABLE, Closing, Unexplained, plan_closing
from reconciler.store.connecting import borrowed

OPERATION = "positions close"
TOKEN_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ghost:
    """The position that an open incident is about, and where it is."""

    account: AccountName
    book: DeskBook
    incident_id: int
    position: Unexplained

    @property
    def target(self) -> str:
        return f"{self.position.symbol} {self.position.side}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What would be sent, proven."""

    closing: Closing
    order: ReducingOrder
    request: VenueRequest
    snapshot: Snapshot
    read_at: datetime


async def close_position(
    desk: Desk,
    actor: Actor,
    account: str,
    symbol: str,
    side: str | None = None,
    *,
    note: str,
    execute: bool = False,
) -> ActionReport:
    """Close what the venue holds and the book does not know: as much as the cap allows.

    Without `execute` nothing is sent and nothing written: the report holds the request. Where an
    earlier one is not settled, `execute` settles it by reading, and sends nothing.

    Raises NotFoundError, RefusedError, UsageError, BookUnreadableError, DatabaseUnavailableError.
    """
    desk.account(account)
    name, why = AccountName(account), checked_note(note, needed=True)
    if side not in {None, *PositionSide}:
        raise UsageError(f"side is long or short, not {side!r}")
    with refused_where_it_cannot():
        await desk.venues[name].prepare()
    asked = desk.venues[name].symbol_of(symbol)
    earlier = await _unsettled(desk, name, asked, side)
    if not execute:
        refuse_unless(earlier is None, earlier.unsettled if earlier is not None else "")
        ghost = await _ghost(desk, name, asked, side)
        return _dry(ghost, await _plan(desk, ghost))
    if earlier is not None:
        return await settle_closing(desk, actor, earlier, None, request=None)
    begun, target = Begun(), f"{asked} {side}" if side else asked
    async with refusals_kept(
        desk, actor, OPERATION, account=account, target=target, details={"note": why}
    ):
        refuse_unless(desk.mode == "enforce", "mode is observe: nothing is sent")
        ghost = await _ghost(desk, name, asked, side)
        plan = await _plan(desk, ghost)
        intent = await _intend(desk, actor, ghost, plan, why)
    sent = begun.why_too_late() or await declined_where_it_cannot(
        desk.acting[name].close(plan.order)
    )
    return await settle_closing(desk, actor, intent, sent, request=plan.request)


async def _unsettled(
    desk: Desk, account: AccountName, symbol: Symbol, side: str | None
) -> Intent | None:
    """An earlier command about it whose end is not known, whether its incident is over or not."""
    for intent in await all_pending(desk):
        if (intent.operation, intent.account) == (OPERATION, account):
            about = intent.details["side"]
            if intent.details["symbol"] == symbol and side in (None, about):
                return intent
    return None


async def _ghost(desk: Desk, account: AccountName, asked: Symbol, side: str | None) -> _Ghost:
    """The only open incident about it. Raises RefusedError by policy, NotFoundError."""
    if not desk.policy.close_ghosts:
        raise RefusedError(
            'policy.close_ghosts is "never": set it to "operator", with policy.close_max_notional'
        )
    venue, book = desk.venues[account], desk.book_of(account)
    async with borrowed(desk.pool) as connection:
        rows = await connection.fetch(
            SQL["unresolved_positions"], book.name, account, sorted(CLOSABLE)
        )
    found = []
    for row in rows:
        about, _, which = row["subject"].rpartition("|")
        if venue.symbol_of(about) == asked and side in (None, which):
            found.append((row, PositionSide(which)))
    what = f"{side} {asked}" if side else asked
    if not found:
        raise NotFoundError(
            f"account {account} has no open incident of a ghost or a wrong side about {what}"
        )
    if len(found) > 1:
        raise UsageError(f"{asked} has {len(found)} open incidents: say long or short")
    row, which = found[0]
    await _refuse_ignored(desk, account, asked)
    return _Ghost(
        account=account,
        book=book,
        incident_id=row["id"],
        position=Unexplained(
            kind=PositionVerdictKind(row["kind"]),
            symbol=asked,
            side=which,
            opened_at=row["opened_at"],
        ),
    )


async def _refuse_ignored(desk: Desk, account: AccountName, symbol: Symbol) -> None:
    """An incident that is still open when its symbol is ignored is nobody's to close."""
    venue = desk.venues[account]
    for row in await list_ignores(desk, account=account):
        if row.what == "symbol" and venue.symbol_of(row.value) == symbol:
            raise RefusedError(f"{symbol} is ignored on account {account}: people hold it")


async def _plan(desk: Desk, ghost: _Ghost) -> _Plan:
    """Read venue and book, judge again, and have the request written. Raises RefusedError."""
    venue, acting = desk.venues[ghost.account], desk.acting[ghost.account]
    now = await database_now(desk)
    snapshot = await venue.snapshot(
        now=now, symbols={ghost.position.symbol}, only=frozenset({ScopeName.POSITIONS})
    )
    reading = await ghost.book.read(ghost.account, reach=RECENT, symbol_of=venue.symbol_of)
    closing = _judged(desk, ghost, snapshot, reading, now)
    with refused_where_it_cannot():
        order = ReducingOrder(
            symbol=ghost.position.symbol,
            position_side=ghost.position.side,
            leg=closing.held.hedged is True,
            qty=closing.qty,
            client_order_id=await acting.client_order_id(secrets.token_hex(TOKEN_BYTES)),
        )
        request = await acting.preview_close(order)
    return _Plan(closing=closing, order=order, request=request, snapshot=snapshot, read_at=now)


def _judged(
    desk: Desk, ghost: _Ghost, snapshot: Snapshot, reading: BookReading, now: datetime
) -> Closing:
    found = plan_closing(
        ghost.position, reading=reading, snapshot=snapshot, now=now, policy=desk.policy
    )
    if isinstance(found, str):
        raise RefusedError(found)
    return found


def _words(ghost: _Ghost, plan: _Plan) -> str:
    closing, order = plan.closing, plan.order
    of = f" of {closing.held.qty:f}, the cap allows no more" if closing.capped else ""
    return (
        f"close {order.position_side} {order.symbol} on {ghost.account}: {order.side} "
        f"{order.qty:f}{of} (worth {closing.notional:f}) at the market, reduce-only"
    )


def _dry(ghost: _Ghost, plan: _Plan) -> ActionReport:
    return ActionReport(
        operation=OPERATION,
        account=ghost.account,
        target=ghost.target,
        symbol=plan.order.symbol,
        side=plan.order.position_side,
        incident_id=ghost.incident_id,
        outcome="dry_run",
        said=f"dry run, nothing is sent; --execute would {_words(ghost, plan)}",
        request=plan.request,
        client_order_id=plan.order.client_order_id,
        qty=plan.order.qty,
    )


async def _intend(desk: Desk, actor: Actor, ghost: _Ghost, plan: _Plan, why: str) -> Intent:
    """Judge the book again in the transaction that holds the incident, and write the intent."""
    async with intending(
        desk,
        actor,
        OPERATION,
        account=ghost.account,
        target=ghost.target,
        incident_id=ghost.incident_id,
        read_at=plan.read_at,
    ) as operation:
        reading = await ghost.book.read_within(
            operation.connection,
            ghost.account,
            reach=RECENT,
            symbol_of=desk.venues[ghost.account].symbol_of,
        )
        _judged(desk, ghost, plan.snapshot, reading, plan.read_at)
        details = {
            "client_order_id": plan.order.client_order_id,
            "symbol": plan.order.symbol,
            "side": plan.order.position_side,
            "qty": plan.order.qty,
            "held": plan.closing.held.qty,
            "notional": plan.closing.notional,
            "request": facts_of(plan.request),
            "note": why,
        }
        return await intend(operation, f"{actor.who} has it {_words(ghost, plan)}: {why}", details)
