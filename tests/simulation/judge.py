"""The omniscient judge: at every commit, and after every pass, whether the daemon was right."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reconciler.cycle.account_cycle import PassResult
from reconciler.domain.book import Profile
from reconciler.domain.incidents import IncidentStatus, OpenIncident
from reconciler.domain.orders import BookOrder, OrderState
from reconciler.domain.outcome import OutcomeState
from reconciler.domain.snapshot import Completeness, Found, NotFound
from tests.simulation.book import ORDERS, POSITIONS, PROFILES
from tests.simulation.bot import Bot
from tests.simulation.clock import VirtualLoop
from tests.simulation.database import Database, Transaction
from tests.simulation.exchange import Exchange, Legs
from tests.simulation.missed import MissedWatch
from tests.simulation.process import Process
from tests.simulation.settings import MAX_SKEW, POSITION_GRACE, QUARANTINE_AFTER, WINDOWS
from tests.simulation.store import Quarantined
from tests.simulation.trace import Trace
from tests.simulation.truth import (
    CONTAINED,
    PHANTOM,
    QUANTITY,
    BookLegs,
    differences,
    legs_of_beliefs,
    legs_of_rows,
)

REPORTED = frozenset({PHANTOM, QUANTITY})
KEEP_BELIEFS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that must not happen."""

    rule: str
    at: float
    subject: str
    text: str


@dataclass(slots=True)
class Tally:
    """What the daemon did, and whether it was right."""

    contained: int = 0
    quarantined: int = 0
    synced: int = 0
    incidents: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    passes: int = 0


class Judge:
    """Knows what is true, what the bot believes, and what the daemon was shown."""

    def __init__(
        self,
        loop: VirtualLoop,
        database: Database,
        exchange: Exchange,
        bot: Bot,
        *,
        trace: Trace,
    ) -> None:
        self._loop = loop
        self._database = database
        self._exchange = exchange
        self._bot = bot
        self._trace = trace
        self.tally = Tally()
        self.violations: list[Violation] = []
        self.stop: Callable[[], None] = lambda: None
        self._beliefs: list[tuple[float, BookLegs]] = [(0.0, legs_of_beliefs({}))]
        self._notices: dict[int, str] = {}
        self.missed = MissedWatch(loop, database, exchange, bot, violate=self.violate)
        database.watcher = self
        database.written = self._written
        bot.believed = self._believed
        exchange.changed = self.missed.refresh

    def violate(self, rule: str, subject: str, text: str) -> None:
        """Record it; the run ends at the first."""
        violation = Violation(rule=rule, at=self._loop.now, subject=subject, text=text)
        self._trace(f"VIOLATION {rule}: {subject}: {text}")
        self.violations.append(violation)
        self.stop()

    def _believed(self) -> None:
        now = self._loop.now
        self._beliefs.append((now, legs_of_beliefs(self._bot.believes)))
        while len(self._beliefs) > 2 and self._beliefs[1][0] < now - KEEP_BELIEFS:
            del self._beliefs[0]
        self.missed.refresh()

    def _written(self, table: str, key: object) -> None:
        if table in {POSITIONS, PROFILES}:
            self.missed.refresh()
        if table in {POSITIONS, PROFILES, ORDERS}:
            self._trace(f"book {table} {_short(self._database.tables[table].get(key))}")

    def _book(self) -> BookLegs:
        rows = self._database.tables[POSITIONS].values()
        return legs_of_rows(rows, hedged=self._exchange.hedged)

    def begun(self, transaction: Transaction) -> None:
        """Nothing was read yet."""

    def looked(self, transaction: Transaction) -> None:
        """What the book says now is what the transaction must act on."""
        transaction.found = (self._book(), self._beliefs[-1][1])

    def committing(self, transaction: Transaction) -> None:
        """Everything that this transaction is about to make visible."""
        self.tally.commits += 1
        self._check_lease(transaction)
        writes = transaction.writes
        audited = {(a.target, a.target_id) for a in writes["audit"].values() if a.applied}
        for key, row in list(writes[ORDERS].items()):
            self._check_order(transaction, self._database.tables[ORDERS][key], row)
            if ("order", key) not in audited:
                self.violate("audit missing", str(key), "an order was written without its audit")
        for key in list(writes[PROFILES]):
            self._check_containment(transaction, str(key))
            if ("profile", key) not in audited:
                self.violate("audit missing", str(key), "a profile was set without its audit")
        for row_id in transaction.unseen:
            self.violate("row that moved", row_id, "an UPDATE overwrote what the bot wrote")
        quarantined: dict[Any, Quarantined] = dict(writes["quarantine"])
        for (_, order_id), row in quarantined.items():
            self._check_reason(order_id, row.reason)
        for incident in list(writes["incidents"].values()):
            self._check_incident(transaction, incident)
        self._check_notices(transaction)

    def _check_lease(self, transaction: Transaction) -> None:
        lease = transaction.lease
        row = self._database.tables["leases"].get("main")
        if lease is None or row is None or (row.holder, row.epoch) != (lease.holder, lease.epoch):
            holder = lease.holder if lease is not None else "nobody"
            self.violate("two writers", holder, f"wrote while {row and row.holder} has the lease")

    def _process(self, transaction: Transaction) -> Process:
        assert isinstance(transaction.client, Process)
        return transaction.client

    def _check_order(self, transaction: Transaction, old: BookOrder, new: BookOrder) -> None:
        self._trace(f"sync {new.id} {old.raw_status} {old.filled} → {new.raw_status} {new.filled}")
        if new.filled < old.filled:
            self.violate("filled lowered", new.id, f"{old.filled} → {new.filled}")
        if new.state is OrderState.UNKNOWN:
            self._check_quarantine(transaction, old)
            return
        self.tally.synced += 1
        truth = self._exchange.truth(old)
        if truth is None:
            self.violate("false order status", new.id, f"{new.state}: the venue never had it")
            return
        if not new.state.is_terminal:
            if new.filled > truth.filled:
                text = f"{new.filled} filled, the venue {truth.filled}"
                self.violate("false order status", new.id, text)
            return
        if (truth.state, truth.filled) != (new.state, new.filled):
            text = f"{new.state} {new.filled}, the venue has it {truth.state} {truth.filled}"
            self.violate("false order status", new.id, text)
        seen = self._process(transaction).seen
        if not seen.orders_complete or not isinstance(seen.lookups.get(new.id), Found):
            self.violate("inconclusive evidence", new.id, "ended without a listing and a lookup")

    def _check_quarantine(self, transaction: Transaction, row: BookOrder) -> None:
        self.tally.quarantined += 1
        seen = self._process(transaction).seen
        known = self._exchange.lookup(row)
        if known is not None:
            self.violate("false quarantine", row.id, f"the venue has it {known.state}")
        age = self._database.clock() - row.created_at
        if age <= QUARANTINE_AFTER:
            self.violate("false quarantine", row.id, f"only {age} old")
        if seen.skew > MAX_SKEW:
            self.violate("false quarantine", row.id, f"clocks differ by {seen.skew}")
        if not seen.orders_complete or not isinstance(seen.lookups.get(row.id), NotFound):
            text = "quarantined without a complete listing and an answered lookup"
            self.violate("inconclusive evidence", row.id, text)

    def _check_reason(self, order_id: str, reason: str) -> None:
        row: BookOrder = self._database.tables[ORDERS][order_id]
        age = self._database.clock() - row.created_at
        right = "forgotten" if age > self._exchange.retention else "never_seen"
        if reason != right:
            self.violate("false reason", order_id, f"{reason}, it is {right}")

    def _check_containment(self, transaction: Transaction, profile: str) -> None:
        self.tally.contained += 1
        subjects = [
            (i.key.subject, i.key.kind.value)
            for i in transaction.writes["incidents"].values()
            if i.key.kind.value in CONTAINED
        ]
        self._trace(f"contain {profile} for {subjects}")
        if not subjects:
            self.violate("false containment", profile, "without an incident")
        for subject, kind in subjects:
            if not self._is_real(transaction, subject, kind):
                self.violate("false containment", subject, f"{profile}: no real {kind}")
            symbol = subject.partition("|")[0]
            traders = {
                row.profile_id
                for table in (ORDERS, POSITIONS)
                for row in self._database.tables[table].values()
                if row.symbol == symbol
            }
            if traders and profile not in traders:
                self.violate("false containment", subject, f"{profile} never traded it")
        seen = self._process(transaction).seen
        # A second reading that fails holds a ghost back for its five windows, and no longer.
        torn = not seen.read_again and not all(
            self._has_stood(state.legs, transaction.found[1], subject)
            for subject, _ in subjects
            for state in self._exchange.since(self._loop.now)
            if transaction.found is not None
        )
        if seen.positions_scope is Completeness.FAILED or torn:
            self.violate("inconclusive evidence", profile, "contained without a listing")

    def _is_real(self, transaction: Transaction, subject: str, kind: str) -> bool:
        """The venue was, since what the daemon saw, in a state that makes the verdict true: both
        against the book as the transaction found it, and against what the bot believed then, so
        that what is only on its way into the book is no cause. A ghost that has stood for all its
        windows may grow by an entry of the bot's while it is contained (rule 5).
        """
        seen = self._process(transaction).seen
        if seen.positions is None or transaction.found is None:
            return False
        book, belief = transaction.found
        return any(
            differences(state.legs, book).get(subject) == kind
            and (
                differences(state.legs, belief).get(subject) in CONTAINED
                or self._has_stood(state.legs, belief, subject)
            )
            for state in self._exchange.since(seen.positions.at)
        )

    def _has_stood(self, legs: Legs, belief: BookLegs, subject: str) -> bool:
        """It still differs from what the bot believes, and was a ghost when its windows began."""
        begun = self._loop.now - WINDOWS * POSITION_GRACE
        if subject not in differences(legs, belief) or begun < self._beliefs[0][0]:
            return False
        believed = next(b for at, b in reversed(self._beliefs) if at <= begun)
        return differences(self._exchange.at(begun).legs, believed).get(subject) in CONTAINED

    def _check_incident(self, transaction: Transaction, incident: OpenIncident) -> None:
        before = self._database.tables["incidents"].get(incident.key)
        was_open = before is not None and before.status is not IncidentStatus.RESOLVED
        if was_open or incident.status is IncidentStatus.RESOLVED:
            return
        kind, subject = incident.key.kind.value, incident.key.subject
        self.tally.incidents[kind] += 1
        self._trace(f"incident {kind} {subject}: {incident.title}")
        seen = self._process(transaction).seen
        if kind not in REPORTED or seen.is_wrong_account:
            return
        symbol = subject.partition("|")[0]
        states = self._exchange.since(seen.positions.at) if seen.positions is not None else []
        beliefs = [b for i, (_, b) in enumerate(self._beliefs) if self._held_since(i, seen.began)]
        real = any(
            found.startswith(f"{symbol}|")
            for state in states
            for belief in beliefs
            for found in differences(state.legs, belief)
        )
        if not real:
            self.violate("false incident", subject, f"no real {kind}")

    def _held_since(self, index: int, time: float) -> bool:
        """Whether this belief was held at that time or later."""
        return index + 1 == len(self._beliefs) or self._beliefs[index + 1][0] >= time

    def _check_notices(self, transaction: Transaction) -> None:
        """An incident is opened once until it is resolved."""
        for incident_id, event in transaction.writes["outbox"].values():
            if event in {"incident_opened", "incident_reopened"}:
                if self._notices.get(incident_id) == "open":
                    self.violate("incident doubled", str(incident_id), f"{event} while open")
                self._notices[incident_id] = "open"
            elif event == "incident_resolved":
                self._notices[incident_id] = "resolved"

    def pass_ended(self, process: Process, result: PassResult) -> None:
        """Whether something should have been done by now."""
        self.tally.passes += 1
        outcome, seen = result.outcome, process.seen
        if outcome.state is OutcomeState.FAILED:
            self.violate("pass failed", process.name, outcome.sentence)
        if outcome.state is not OutcomeState.PARITY:
            self._trace(f"pass of {process.name}: {outcome.state}: {outcome.sentence[:200]}")
        if outcome.state is OutcomeState.HELD:
            return
        self.missed.pass_ended(seen, outcome)

    def died(self) -> None:
        """Nobody looks, for a while."""
        self.missed.disturbed()


def _short(row: object) -> str:
    match row:
        case BookOrder():
            return f"{row.id} {row.symbol} {row.raw_status} {row.filled}/{row.qty}"
        case Profile():
            return f"{row.id} {row.status}"
        case None:
            return "deleted"
        case _:
            return f"{row.id} {row.side} {row.qty} open={row.open}"  # type: ignore[attr-defined]
