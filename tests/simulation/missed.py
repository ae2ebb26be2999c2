"""What should have been done by now: ghosts that stand, orders that nobody settles."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.domain.identity import BookOrderId
from reconciler.domain.orders import BookOrder
from reconciler.domain.outcome import Outcome, OutcomeState
from reconciler.domain.snapshot import Completeness, Unanswered
from tests.simulation.book import ORDERS, POSITIONS, PROFILES
from tests.simulation.bot import Bot
from tests.simulation.clock import VirtualLoop
from tests.simulation.database import Database
from tests.simulation.exchange import Exchange
from tests.simulation.process import Seen
from tests.simulation.settings import (
    INTERVAL,
    MAX_SKEW,
    QUARANTINE_AFTER,
    SLOW_PASS,
    TO_CONFIRM,
    TO_STOP_EXPLAINING,
    TO_STOP_EXPLAINING_A_CHANGE,
)
from tests.simulation.truth import CONTAINED, differences, legs_of_beliefs, legs_of_rows

COUNTED_AFTER = 30.0
"""A ghost that stands for so many seconds is counted as one."""
CLEAN_PASSES = 60
"""Undisturbed passes within which an order that ended, or that nobody knows, must be settled."""
LOOK_AT_ORDERS_EVERY = 30
"""Passes between two looks at all orders: they are many."""


@dataclass(slots=True, kw_only=True)
class _Ghost:
    """A difference that contains, and stands."""

    kind: str
    since: float
    is_counted: bool = False
    profiles: frozenset[str] | None = None
    """Who is to be set inactive: those with rows of the symbol, or everybody; found when needed."""


class MissedWatch:
    """Bounds: see `settings` and docs/why/simulation.md."""

    def __init__(
        self,
        loop: VirtualLoop,
        database: Database,
        exchange: Exchange,
        bot: Bot,
        *,
        violate: Callable[[str, str, str], None],
    ) -> None:
        self._loop = loop
        self._database = database
        self._exchange = exchange
        self._bot = bot
        self._violate = violate
        self.ghosts: dict[str, _Ghost] = {}
        self._active_since: dict[str, float] = {}
        self._disturbed_until = 0.0
        self._clean = 0
        self._passes = 0
        self._waiting: dict[BookOrderId, int] = {}
        """Orders to be settled, by the count of clean passes when they were first seen so."""
        self.seen_ghosts = 0

    def disturbed(self) -> None:
        """Nobody could look until now."""
        self._disturbed_until = self._loop.now

    def refresh(self) -> None:
        """Venue, book, beliefs or profiles have changed."""
        self._note_profiles()
        venue = self._exchange.now.legs
        rows = self._database.tables[POSITIONS].values()
        in_book = differences(venue, legs_of_rows(rows, hedged=self._exchange.hedged))
        real = differences(venue, legs_of_beliefs(self._bot.believes))
        standing = {s: k for s, k in in_book.items() if k in CONTAINED and real.get(s) == k}
        for subject in [s for s, g in self.ghosts.items() if standing.get(s) != g.kind]:
            del self.ghosts[subject]
        for subject, kind in standing.items():
            if subject not in self.ghosts:
                self.ghosts[subject] = _Ghost(kind=kind, since=self._loop.now)

    def _note_profiles(self) -> None:
        for profile in self._database.tables[PROFILES].values():
            if not profile.is_active:
                self._active_since.pop(profile.id, None)
            else:
                self._active_since.setdefault(profile.id, self._loop.now)

    def _concerned(self, subject: str) -> frozenset[str]:
        symbol = subject.partition("|")[0]
        traders = {
            row.profile_id
            for table in (ORDERS, POSITIONS)
            for row in self._database.tables[table].values()
            if row.symbol == symbol
        }
        return frozenset(traders or self._database.tables[PROFILES])

    def pass_ended(self, seen: Seen, outcome: Outcome) -> None:
        """Was this pass a fair chance, and what should have been done by now?"""
        now = self._loop.now
        slow = now - seen.began > SLOW_PASS
        blind = seen.positions_scope is not Completeness.COMPLETE or not seen.read_again
        failed = outcome.state in {OutcomeState.HELD, OutcomeState.FAILED}
        wait = outcome.retry_after
        broken = self._database.why_down is not None or self._database.loses_replies
        if slow or blind or failed or seen.is_wrong_account or broken:
            self._disturbed_until = max(self._disturbed_until, now)
        if wait is not None:  # the venue asked us to stay away for so long
            self._disturbed_until = max(self._disturbed_until, now + wait.total_seconds())
        for subject, ghost in self.ghosts.items():
            self._check_ghost(subject, ghost, now)
        answered = not any(isinstance(a, Unanswered) for a in seen.lookups.values())
        if seen.orders_complete and answered and not blind and not seen.is_wrong_account:
            self._clean += seen.skew <= MAX_SKEW and not broken
        self._passes += 1
        if self._passes % LOOK_AT_ORDERS_EVERY == 0:
            self._check_orders()

    def _check_ghost(self, subject: str, ghost: _Ghost, now: float) -> None:
        if not ghost.is_counted and now - ghost.since > COUNTED_AFTER:
            ghost.is_counted = True
            self.seen_ghosts += 1
        if ghost.profiles is None:
            ghost.profiles = self._concerned(subject)
        left = [p for p in sorted(ghost.profiles) if p in self._active_since]
        if not left:
            return
        enabled = max(self._active_since[p] for p in left)
        start = max(ghost.since, self._disturbed_until, enabled)
        symbol = subject.partition("|")[0]
        changed = self._bot.changed.get(symbol, -1e9)  # type: ignore[call-overload]
        explained = min(changed + TO_STOP_EXPLAINING_A_CHANGE, start + TO_STOP_EXPLAINING)
        late = now - max(start + INTERVAL, explained) - TO_CONFIRM
        if late > 0:
            text = (
                f"{ghost.kind} stands for {now - ghost.since:.0f} s, {late:.0f} s past its bound, "
                f"and {', '.join(left)} may still trade"
            )
            self._violate("missed ghost", subject, text)

    def _check_orders(self) -> None:
        """Orders that the venue has ended, or forgotten for a day, and the book has live."""
        overdue = {
            row.id
            for row in self._database.current(ORDERS)
            if row.state.is_live and self._is_overdue(row)
        }
        self._waiting = {i: self._waiting.get(i, self._clean) for i in sorted(overdue)}
        for row_id, since in self._waiting.items():
            if self._clean - since > CLEAN_PASSES:
                text = f"not settled after {self._clean - since} undisturbed passes"
                self._violate("missed order", row_id, text)

    def _is_overdue(self, row: BookOrder) -> bool:
        known = self._exchange.lookup(row)
        if known is None:
            return self._database.clock() - row.created_at > QUARANTINE_AFTER
        return known.state.is_terminal
