"""One look: the book, the venue, and what we remember; everything that judging starts from."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.cycle.bots import ask_bots, with_statuses
from reconciler.cycle.facts import PassFacts
from reconciler.cycle.judging import Judging
from reconciler.cycle.suspicion_book import POSITION_FAMILY, SuspicionBook
from reconciler.cycle.tools import Tools
from reconciler.domain.book import BookReading
from reconciler.domain.decisions import Acceptance, Ignored
from reconciler.domain.identity import Asset, BookOrderId, ProfileId, RunId, Symbol
from reconciler.domain.incidents import IncidentKind, OpenIncident
from reconciler.domain.leases import Lease
from reconciler.domain.memory import Baseline, Memory, OwnWrite, SeenSymbol
from reconciler.domain.orders import BookOrder
from reconciler.domain.outcome import Finding
from reconciler.domain.snapshot import ScopeName, Snapshot
from reconciler.domain.verdicts import PositionVerdict
from reconciler.ports import Record, Venue
from reconciler.rules.book_changes import changed_at_by_symbol, digests_of, note_changes
from reconciler.rules.ghost_positions import judge_positions, mark_moved
from reconciler.rules.ownership import Ownership
from reconciler.rules.set_aside import as_learnt, as_set_aside, learnt_of

MIN_REACH = timedelta(minutes=10)
"""Rows that changed this long ago are still read, though they ended: for grace and for orphans."""


@dataclass(slots=True, kw_only=True)
class Look:
    """One look at one account, and what comes of it. Lives for one pass."""

    tools: Tools
    judging: Judging
    lease: Lease
    run: RunId
    memory: Memory
    reading: BookReading
    snapshot: Snapshot
    ownership: Ownership
    noted: dict[Symbol, SeenSymbol]
    own_writes: dict[BookOrderId, OwnWrite]
    changed_at: dict[Symbol, datetime]
    suspicions: SuspicionBook
    told: Mapping[ProfileId, bool] = field(default_factory=dict)
    """Contained profiles whose bots were asked: whether each may enter trades."""
    learnt: Mapping[BookOrderId, BookOrder] = field(default_factory=dict)
    """Orders that are known to have ended, as their rows say still: they are not ours to write."""
    positions: tuple[PositionVerdict, ...] = ()
    baselines: Mapping[Asset, Baseline] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    facts: PassFacts = field(default_factory=PassFacts)
    still_there: set[tuple[IncidentKind, str]] = field(default_factory=set)
    """(kind, subject) of incidents that this pass shows to be true still."""
    judged_kinds: set[IncidentKind] = field(default_factory=set)
    """Kinds that this pass judged in full: an incident of them that is not there any more heals."""
    settled: set[str] = field(default_factory=set)
    """Suspicion kinds that this pass judged in full."""
    recheck: list[timedelta] = field(default_factory=list)
    gaps: tuple[str, ...] = ()
    """What nobody watches on this account, beyond the described limits of its venue."""
    unjudged: list[str] = field(default_factory=list)
    """Why something could not be judged, in words."""
    differs: bool = False

    def leave_for(self, subject: str) -> Acceptance | None:
        """A person's leave to let a held mass change of this subject (orders, positions) through;
        unused where nothing is written.

        It is for what was held when it was given: a change that is held later waits for another.
        """
        leave, held = self.memory.acceptance, self.incident_of(IncidentKind.MASS_CHANGE, subject)
        if leave is None or held is None or not self.judging.enforces:
            return None
        return leave if held.opened_at <= leave.accepted_at else None

    @property
    def pending(self) -> frozenset[ProfileId]:
        """Profiles whose bots have not confirmed yet that they are inactive: they are asked on."""
        if self.tools.book.driver is None:
            return frozenset()
        return frozenset(c.profile_id for c in self.memory.containments if c.pending)

    def incident_of(self, kind: IncidentKind, subject: str) -> OpenIncident | None:
        """The unresolved incident, as it was at the start of this look."""
        wanted = (kind, subject)
        return next(
            (i for i in self.memory.incidents if (i.key.kind, i.key.subject) == wanted), None
        )

    def news_of(self, verdicts: Iterable[PositionVerdict]) -> list[PositionVerdict]:
        """Differences of positions that no grace explains, and that have no incident yet."""
        known = {(i.key.kind.value, i.key.subject) for i in self.memory.incidents}
        return [
            v
            for v in verdicts
            if v.kind.is_discrepancy
            and not v.explained_by_change
            and (v.kind.value, v.subject) not in known
        ]

    @property
    def now(self) -> datetime:
        """Database clock at the start of this look."""
        return self.memory.now

    def find(self, kind: str, subject: str, text: str, action: str, **details: object) -> None:
        """Add one line to the outcome."""
        self.findings.append(
            Finding(
                kind=kind,
                account=self.tools.account,
                subject=subject,
                text=text,
                action=action,
                details=details,
            )
        )

    def writing(self) -> AbstractAsyncContextManager[Record]:
        """A write transaction of this look (rule 11). Raises LeaseLostError."""
        return self.tools.writing(self.lease, self.run, self.judging.mode)

    @contextlib.asynccontextmanager
    async def acting(self) -> AsyncIterator[Record]:
        """A write transaction for what is done to the book. A person may have paused the account
        since the look began: from here on it is judged, and not acted on.
        """
        async with self.writing() as record:
            pause = await record.heed_pause() if self.judging.enforces else None
            if pause is not None:
                self.judging = replace(self.judging, mode="paused")
                self.memory = replace(self.memory, pause=pause)
                self.facts.paused = pause.sentence
            yield record

    def judge_positions_of(
        self,
        reading: BookReading,
        changed_at: dict[Symbol, datetime],
        *,
        snapshot: Snapshot | None = None,
    ) -> tuple[PositionVerdict, ...]:
        """Position verdicts of this snapshot (or another) against any reading of the book."""
        first_seen = self.first_seen_of(
            f"{symbol}|{side}" for symbol in self._symbols(reading) for side in ("long", "short")
        )
        return judge_positions(
            reading=reading,
            snapshot=snapshot or self.snapshot,
            ownership=self.ownership,
            changed_at=changed_at,
            first_seen=first_seen,
            now=max(self.now, reading.read_at),
            limits=self.judging.positions,
        )

    def first_seen_of(self, subjects: Iterable[str]) -> dict[str, datetime]:
        """Since when something about these positions is suspected."""
        return {
            subject: at
            for subject in subjects
            if (at := self.suspicions.first_seen_at(POSITION_FAMILY, subject)) is not None
        }

    def _symbols(self, reading: BookReading) -> set[Symbol]:
        held = {p.symbol for p in self.snapshot.positions}
        return held | {p.symbol for p in reading.positions}


async def take_look(tools: Tools, judging: Judging, lease: Lease, run: RunId) -> Look:
    """Read the book (1), then the venue (2). A paused account is judged as in observe.

    Raises BookUnreadableError, DatabaseUnavailableError, VenueUnavailableError.
    """
    await tools.venue.prepare()
    reach = max(MIN_REACH, 5 * judging.positions.grace, 5 * judging.orders.grace)
    symbol_of = tools.venue.symbol_of
    reading = await tools.book.read(tools.account, reach=reach, symbol_of=symbol_of)
    memory = await tools.store.memory(book=tools.book.name, account=tools.account)
    told, silent = await ask_bots(tools, memory)
    if memory.pause is not None and judging.enforces:
        judging = replace(judging, mode="paused")
    noted = note_changes(seen=memory.seen, digests=digests_of(reading), now=memory.now)
    own_writes = dict(memory.own_writes)
    if noted != memory.seen:
        async with tools.writing(lease, run, judging.mode) as record:
            await record.keep_reading(seen=noted, own_writes=own_writes, read_at=reading.read_at)
    reading = with_statuses(await _with_set_aside(tools, reading), told)
    learnt: Mapping[BookOrderId, BookOrder] = {}
    if not tools.book.writes_orders:
        ended = learnt_of(memory.suspicions.values(), confirmations=judging.order_confirmations)
        reading, learnt = as_learnt(reading, ended)
    asked = {p.symbol for p in reading.positions} | {o.symbol for o in reading.orders}
    asked |= {b.symbol for b in (memory.baselines or {}).values() if b.symbol is not None}
    snapshot = await tools.venue.snapshot(now=memory.now, symbols=asked)
    look = Look(
        tools=tools,
        judging=judging,
        lease=lease,
        run=run,
        memory=memory,
        reading=reading,
        snapshot=snapshot,
        ownership=_ownership(judging, memory.ignored, tools.venue),
        noted=noted,
        own_writes=own_writes,
        changed_at=changed_at_by_symbol(reading=reading, noted=noted, own=own_writes),
        told=told,
        learnt=learnt,
        suspicions=SuspicionBook(
            memory.suspicions, book=tools.book.name, account=tools.account, now=memory.now
        ),
    )
    look.positions = await _read_twice(look, look.judge_positions_of(reading, look.changed_at))
    look.facts.snapshot = snapshot
    unwatched = (*_strays(reading), *_unwatched(reading, judging))
    look.facts.not_covered = (*snapshot.not_covered, *unwatched)
    look.gaps = tuple(dict.fromkeys((*snapshot.gaps(), *unwatched)))
    look.facts.paused = memory.pause.sentence if memory.pause is not None else ""
    look.facts.skew_of_database = memory.clock_skew
    look.facts.skew_of_venue = snapshot.venue_clock_skew
    for profile_id, why in silent.items():
        look.find("containment", profile_id, f"its bot does not tell its state: {why}", "none")
    return look


async def _with_set_aside(tools: Tools, reading: BookReading) -> BookReading:
    """Where the orders are the bot's alone to write, what was said of them is in our tables."""
    live = [order.id for order in reading.orders if order.state.is_live]
    if tools.book.writes_orders or not live:
        return reading
    rows = await tools.store.set_aside(book=tools.book.name, order_ids=live)
    return as_set_aside(reading, rows)


async def _read_twice(
    look: Look, verdicts: tuple[PositionVerdict, ...]
) -> tuple[PositionVerdict, ...]:
    """Positions, orders, positions: a new discrepancy is read again once the orders are in.

    One that grace explains, or that has its incident, costs the venue nothing more.
    """
    new = look.news_of(verdicts)
    if not new:
        return verdicts
    snapshot = await look.tools.venue.snapshot(
        now=look.now,
        # All that the book names: a row of a market that is not in the snapshot is a doubt.
        symbols={v.symbol for v in new} | {p.symbol for p in look.reading.positions},
        only=frozenset({ScopeName.POSITIONS}),
    )
    failures = snapshot.failures()
    again = look.judge_positions_of(look.reading, look.changed_at, snapshot=snapshot)
    failed = failures[0].detail if failures else None
    marked = mark_moved(
        first=new,
        again=again,
        failed=failed,
        first_seen=look.first_seen_of(v.subject for v in new),
        now=look.now,
        grace=look.judging.positions.grace,
    )
    if failed is not None and any(v.moved for v in marked):
        look.unjudged.append(f"positions, asked again: {failed}")
    by_subject = {v.subject: v for v in marked}
    return tuple(by_subject.get(v.subject, v) for v in verdicts)


def _strays(reading: BookReading) -> tuple[str, ...]:
    """Rows whose profile is not among the profiles belong to no account."""
    strays = len(reading.stray_orders) + len(reading.stray_positions)
    if not strays:
        return ()
    profiles = {o.profile_id for o in reading.stray_orders}
    profiles |= {p.profile_id for p in reading.stray_positions}
    return (f"{strays} rows of the book whose profile is not known: {', '.join(sorted(profiles))}",)


def _unwatched(reading: BookReading, judging: Judging) -> tuple[str, ...]:
    """Profiles may name accounts that nobody configured, or configured with another book: their
    rows here are nobody's.
    """
    missing = sorted(reading.other_accounts - set(judging.accounts))
    bound = sorted(reading.other_accounts & judging.other_books.keys())
    gaps = []
    if missing:
        gaps.append(
            f"accounts that profiles name and the configuration lacks: {', '.join(missing)}"
        )
    if bound:
        named = ", ".join(f"{name} (book {judging.other_books[name]})" for name in bound)
        gaps.append(f"accounts that profiles name and that are watched with another book: {named}")
    return tuple(gaps)


def _ownership(judging: Judging, ignored: Ignored, venue: Venue) -> Ownership:
    """The configured symbols, and those that people ignore, in their one form."""
    symbols = judging.symbols
    return Ownership(
        symbols=None if symbols is None else frozenset(venue.symbol_of(s) for s in symbols),
        ignored_symbols=frozenset(
            venue.symbol_of(s) for s in (*judging.ignored_symbols, *ignored.symbols)
        ),
        ignored_order_ids=frozenset((*judging.ignored_order_ids, *ignored.venue_order_ids)),
        client_order_id_prefix=judging.client_order_id_prefix,
    )
