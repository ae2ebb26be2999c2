"""Positions as venue and book say them now, with what is open about each."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from reconciler.domain.book import BookReading
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import AccountName
from reconciler.domain.snapshot import ScopeName, Snapshot
from reconciler.domain.verdicts import PositionVerdict, PositionVerdictKind
from reconciler.incidents.closing import OPERATION
from reconciler.incidents.desk import Desk
from reconciler.incidents.intents import SQL, Intent, all_pending
from reconciler.incidents.rows_of_books import RECENT
from reconciler.incidents.settling import database_now
from reconciler.rules.ghost_positions import judge_positions
from reconciler.rules.ownership import Ownership
from reconciler.rules.policy import find_breach
from reconciler.store.connecting import borrowed

ASK_WITHIN = timedelta(seconds=60)
ABOUT_POSITIONS = tuple(k.value for k in PositionVerdictKind if k.is_discrepancy)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """One (account, symbol, side). Quantities in base units."""

    account: str
    symbol: str
    side: str
    venue_qty: Decimal | None
    """None: the venue did not say in full."""
    book_qty: Decimal | None
    verdict: str
    """`in_parity`, `not_judged`, or the kind of discrepancy; not confirmed by being shown here."""
    says: str
    notional: Decimal | None
    """Of the difference, in quote currency."""
    incident_id: int | None
    threshold: dict[str, Any] | None
    """Set where `policy.ghost_threshold_notional` is reached."""
    unsettled: str | None
    """A request of ours whose end is not known, and how to settle it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What our tables say about the positions of one account."""

    account: AccountName
    incidents: Mapping[str, int]
    """By subject."""
    intents: Mapping[str, Intent]


async def list_positions(desk: Desk, *, account: str | None = None) -> tuple[PositionRow, ...]:
    """Read venue and book now. An account that does not answer is one row that says so.

    Raises NotFoundError, DatabaseUnavailableError.
    """
    if account is not None:
        desk.account(account)
    names = [name for name in desk.accounts if account in (None, name)]
    found = await asyncio.gather(*(_of_account(desk, name) for name in names))
    return tuple(row for rows in found for row in rows)


async def _of_account(desk: Desk, name: AccountName) -> tuple[PositionRow, ...]:
    venue, known = desk.venues[name], await _known(desk, name)
    now = await database_now(desk)
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            await venue.prepare()
            reading = await desk.book_of(name).read(name, reach=RECENT, symbol_of=venue.symbol_of)
            symbols = {row.symbol for row in reading.positions if row.open}
            snapshot = await venue.snapshot(
                now=now, symbols=symbols, only=frozenset({ScopeName.POSITIONS})
            )
    except TimeoutError:
        return (*_unread(desk, known, f"no answer within {ASK_WITHIN.total_seconds():.0f} s"),)
    except ReconcilerError as error:
        return (*_unread(desk, known, str(error)),)
    if not snapshot.positions_are_complete():
        why = "; ".join(failure.detail for failure in snapshot.failures())
        return (*_unread(desk, known, why or "the venue lists no positions"),)
    verdicts = _judged(desk, reading, snapshot)
    rows = [_row(desk, verdict, known) for verdict in verdicts]
    shown = {verdict.subject for verdict in verdicts}
    gone = [subject for subject in known.intents if subject not in shown]
    return (*rows, *(_settled_row(known, subject) for subject in gone))


def _judged(desk: Desk, reading: BookReading, snapshot: Snapshot) -> tuple[PositionVerdict, ...]:
    watched, venue = desk.accounts[reading.account], desk.venues[reading.account]
    ignored = frozenset(venue.symbol_of(raw) for raw in watched.ignored_symbols)
    return judge_positions(
        reading=reading,
        snapshot=snapshot,
        ownership=Ownership(ignored_symbols=ignored),
        changed_at={},
        first_seen={},
        now=snapshot.taken_at,
        limits=desk.policy.positions,
    )


async def _known(desk: Desk, name: AccountName) -> _Known:
    async with borrowed(desk.pool) as connection:
        rows = await connection.fetch(
            SQL["unresolved_positions"], desk.book_of(name).name, name, ABOUT_POSITIONS
        )
    intents = [i for i in await all_pending(desk) if (i.operation, i.account) == (OPERATION, name)]
    return _Known(
        account=name,
        incidents={row["subject"]: row["id"] for row in rows},
        intents={f"{i.details['symbol']}|{i.details['side']}": i for i in intents},
    )


def _row(desk: Desk, verdict: PositionVerdict, known: _Known) -> PositionRow:
    intent = known.intents.get(verdict.subject)
    threshold = desk.policy.ghost_threshold_notional
    breach = find_breach(verdict, account=known.account, threshold=threshold)
    return PositionRow(
        account=known.account,
        symbol=verdict.symbol,
        side=verdict.side,
        venue_qty=verdict.venue_qty,
        book_qty=verdict.book_qty,
        verdict=verdict.kind,
        says=verdict.reason,
        notional=verdict.notional,
        incident_id=known.incidents.get(verdict.subject),
        threshold=breach.details if breach is not None else None,
        unsettled=intent.unsettled if intent is not None else None,
    )


def _settled_row(known: _Known, subject: str) -> PositionRow:
    """Neither side has it any more; a request of ours about it is not settled."""
    return _bare(known, subject, Decimal(0), "in_parity", "neither venue nor book has it now")


def _unread(desk: Desk, known: _Known, why: str) -> Iterable[PositionRow]:
    """The account was not read: what is open about it, or one row that says so."""
    said = str(desk.redact(why))
    for subject in sorted({*known.incidents, *known.intents}) or ["|"]:
        yield _bare(known, subject, None, "not_judged", said)


def _bare(known: _Known, subject: str, qty: Decimal | None, verdict: str, says: str) -> PositionRow:
    symbol, _, side = subject.rpartition("|")
    intent = known.intents.get(subject)
    return PositionRow(
        account=known.account,
        symbol=symbol,
        side=side,
        venue_qty=qty,
        book_qty=qty,
        verdict=verdict,
        says=says,
        notional=None,
        incident_id=known.incidents.get(subject),
        threshold=None,
        unsettled=intent.unsettled if intent is not None else None,
    )
