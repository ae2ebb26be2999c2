"""What the daemon remembers of one account, out of our tables and back."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from reconciler.domain.identity import AccountName, Asset, BookName, BookOrderId, Symbol
from reconciler.domain.incidents import (
    IncidentKey,
    IncidentKind,
    IncidentStatus,
    OpenIncident,
    Severity,
)
from reconciler.domain.memory import Baseline, Memory, OwnWrite, SeenSymbol
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.rules.book_changes import FORGET_AFTER
from reconciler.store.connecting import Connection
from reconciler.store.decisions import load_decisions
from reconciler.store.queries import queries

SUSPICIONS = queries("suspicions")
INCIDENTS = queries("incidents")
RECORDS = queries("records")


async def load_memory(connection: Connection, *, book: BookName, account: AccountName) -> Memory:
    """Everything a pass starts from, in a few small statements."""
    before = datetime.now(UTC)
    now: datetime = await connection.fetchval(RECORDS["clock"])
    host = before + (datetime.now(UTC) - before) / 2
    suspicions = await connection.fetch(SUSPICIONS["of_account"], book, account)
    incidents = await connection.fetch(INCIDENTS["unresolved_of_account"], book, account)
    reading = await connection.fetchrow(RECORDS["read_reading"], book, account)
    recent = await connection.fetchval(RECORDS["quarantined_since"], account, timedelta(hours=1))
    baselines = await connection.fetch(RECORDS["read_baselines"], book, account)
    decisions = await load_decisions(connection, book=book, account=account)
    return Memory(
        now=now,
        clock_skew=now - host,
        suspicions={(r["kind"], r["subject"]): _suspicion(r, book, account) for r in suspicions},
        # A kind that a newer program opened is that program's: ours must not stumble over it.
        incidents=tuple(
            _incident(r, book, account) for r in incidents if r["kind"] in set(IncidentKind)
        ),
        seen=None if reading is None else _seen(json.loads(reading["symbols"])),
        own_writes={} if reading is None else _own_writes(json.loads(reading["own_writes"]), now),
        quarantined_last_hour=recent,
        baselines=_baselines(baselines),
        pause=decisions.pause,
        acceptance=decisions.acceptance,
        ignored=decisions.ignored,
        containments=decisions.containments,
        backlog=decisions.backlog,
    )


async def keep_suspicions(
    connection: Connection,
    *,
    book: BookName,
    account: AccountName,
    keep: Iterable[Suspicion],
    drop: Iterable[SuspicionKey],
) -> None:
    """Write suspicions as they stand after a look."""
    kept, dropped = list(keep), list(drop)
    if dropped:
        await connection.execute(
            SUSPICIONS["drop"],
            book,
            account,
            [key.kind for key in dropped],
            [key.subject for key in dropped],
        )
    if kept:
        await connection.execute(
            SUSPICIONS["keep"],
            book,
            account,
            [s.key.kind for s in kept],
            [s.key.subject for s in kept],
            [s.first_seen_at for s in kept],
            [s.last_seen_at for s in kept],
            [s.count for s in kept],
            [s.counted_at for s in kept],
            [s.tried_at for s in kept],
            [s.saying for s in kept],
        )


async def keep_reading(
    connection: Connection,
    *,
    book: BookName,
    account: AccountName,
    seen: Mapping[Symbol, SeenSymbol],
    own_writes: Mapping[BookOrderId, OwnWrite],
    read_at: datetime,
) -> None:
    """Remember the book's rows as they were read."""
    symbols = {
        symbol: [s.digest, s.changed_at.isoformat() if s.changed_at else None]
        for symbol, s in seen.items()
    }
    own = {
        order_id: [w.status, w.written_from.isoformat(), w.written_to.isoformat()]
        for order_id, w in own_writes.items()
    }
    await connection.execute(
        RECORDS["keep_reading"], book, account, json.dumps(symbols), json.dumps(own), read_at
    )


async def keep_baselines(
    connection: Connection,
    *,
    book: BookName,
    account: AccountName,
    baselines: Iterable[Baseline],
) -> None:
    """Note that the balances were read, and what these baselines are."""
    kept = list(baselines)
    await connection.execute(RECORDS["note_baseline_reading"], book, account)
    await connection.execute(
        RECORDS["keep_baselines"],
        book,
        account,
        [b.asset for b in kept],
        [b.qty for b in kept],
        [b.symbol for b in kept],
    )


async def accounts_turned(
    connection: Connection,
    *,
    kinds: Iterable[str],
    accounts: Iterable[AccountName],
    around: datetime,
    window: timedelta,
) -> frozenset[AccountName]:
    """Accounts whose positions turned about the same time (rule 9)."""
    rows = await connection.fetch(
        SUSPICIONS["accounts_turned"], list(kinds), list(accounts), around, window
    )
    return frozenset(AccountName(row["account"]) for row in rows)


def _suspicion(row: asyncpg.Record, book: BookName, account: AccountName) -> Suspicion:
    return Suspicion(
        key=SuspicionKey(book=book, account=account, kind=row["kind"], subject=row["subject"]),
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        count=row["count"],
        counted_at=row["counted_at"],
        tried_at=row["tried_at"],
        saying=row["saying"],
    )


def _incident(row: asyncpg.Record, book: BookName, account: AccountName) -> OpenIncident:
    return OpenIncident(
        id=row["id"],
        key=IncidentKey(
            kind=IncidentKind(row["kind"]), book=book, account=account, subject=row["subject"]
        ),
        severity=Severity(row["severity"]),
        status=IncidentStatus(row["status"]),
        title=row["title"],
        opened_at=row["opened_at"],
        parity_streak=row["parity_streak"],
        parity_seen_at=row["parity_seen_at"],
        details=json.loads(row["details"]),
        profile_id=row["profile_id"],
        symbol=row["symbol"],
    )


def _baselines(rows: Iterable[asyncpg.Record]) -> dict[Asset, Baseline] | None:
    """None: no reading was noted. A reading of no balances at all is one row of nulls."""
    found = list(rows)
    if not found:
        return None
    return {
        Asset(row["asset"]): Baseline(
            asset=Asset(row["asset"]),
            qty=row["qty"],
            symbol=Symbol(row["symbol"]) if row["symbol"] else None,
        )
        for row in found
        if row["asset"] is not None
    }


def _seen(symbols: Mapping[str, Any]) -> dict[Symbol, SeenSymbol]:
    return {
        Symbol(symbol): SeenSymbol(
            digest=digest, changed_at=datetime.fromisoformat(at) if at else None
        )
        for symbol, (digest, at) in symbols.items()
    }


def _own_writes(writes: Mapping[str, Any], now: datetime) -> dict[BookOrderId, OwnWrite]:
    """Those of the last hour: an older one explains nothing any more either way."""
    parsed = {
        BookOrderId(order_id): OwnWrite(
            status=status,
            written_from=datetime.fromisoformat(begun),
            written_to=datetime.fromisoformat(done),
        )
        for order_id, (status, begun, done) in writes.items()
    }
    return {i: write for i, write in parsed.items() if now - write.written_to < FORGET_AFTER}
