"""What a cycle needs from the world, as Protocols. Adapters implement them; tests may too."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from reconciler.domain.backlogs import BacklogSample
from reconciler.domain.book import BookReading, UnreadableRow
from reconciler.domain.containments import Containment
from reconciler.domain.deactivation import Deactivation
from reconciler.domain.decisions import Acceptance, Pause
from reconciler.domain.identity import (
    AccountName,
    BookName,
    BookOrderId,
    ProfileId,
    RunId,
    Symbol,
)
from reconciler.domain.incidents import IncidentDraft, Opened, OpenIncident, Severity
from reconciler.domain.intents import (
    Abandoned,
    Intent,
    IntentDraft,
    IntentKind,
    SetAside,
    WriteMark,
    WriteState,
)
from reconciler.domain.leases import Held, Lease
from reconciler.domain.memory import Baseline, Memory, OwnWrite, SeenSymbol
from reconciler.domain.orders import BookOrder, OrderUpdate
from reconciler.domain.outcome import Outcome
from reconciler.domain.snapshot import Lookup, ScopeName, Snapshot
from reconciler.domain.suspicions import Suspicion, SuspicionKey

SymbolOf: TypeAlias = Callable[[str], Symbol]
"""Brings any spelling of a market to its one key."""


class Venue(Protocol):
    """One account at one venue, read only."""

    @property
    def account(self) -> AccountName:
        """The account's name in the configuration."""

    async def prepare(self) -> None:
        """Load what translating needs (markets). Idempotent; cheap when done.

        Raises VenueUnavailableError with a classified failure.
        """

    def symbol_of(self, raw: str) -> Symbol:
        """The one key of a market, from any of its spellings. Pure; needs `prepare`."""

    async def snapshot(
        self,
        *,
        now: datetime,
        symbols: Iterable[Symbol] = (),
        only: frozenset[ScopeName] | None = None,
    ) -> Snapshot:
        """Every scope once (or `only` some), positions first. Never raises for the venue's
        failures: they are in the scopes.
        """

    async def look_up(self, order: BookOrder, *, now: datetime) -> Lookup:
        """Climb the ladder of rule 2 for one order."""

    async def close(self) -> None:
        """Release sockets. Idempotent."""


class Intents(Protocol):
    """Writes to the book that no transaction of ours spans: recorded before, ended after."""

    async def add(self, draft: IntentDraft) -> Intent:
        """One more, due at once; the one that stands where the profile has it already."""

    async def open(self) -> tuple[Intent, ...]:
        """What is not known to be done."""

    async def drop_other(self, kind: IntentKind, target: str) -> None:
        """What was to be done to the profile before is not to be done any more."""

    async def begin_attempt(self, intent: Intent) -> Intent | None:
        """One more attempt; None where another process makes one, or it is over."""

    async def fail(self, intent: Intent, why: str, *, again_in: timedelta) -> None:
        """Why it could not be done, and when it is tried again."""

    async def mark(self, intent: Intent, mark: WriteMark) -> Intent | None:
        """The transaction that is about to write the book; None where the intent is over."""

    async def finish(self, intent: Intent, outcome: str) -> bool:
        """It is done or dropped; False where it was already."""

    async def abandon(self, intent: Abandoned, why: str) -> str | None:
        """Nobody is asked any more: told on the timeline of what it was for, and closed. What is
        said, or None where it was over.
        """

    async def confirm_containments(self, profile_id: str) -> Sequence[Any]:
        """Those that waited: `incident_id`, `status_before`, `reason` of each."""

    async def drop_containments(self, profile_id: str, *, by: str) -> list[int]:
        """Those that were never confirmed; their incidents."""

    async def release_containments(self, profile_id: str, *, by: str) -> list[int]:
        """It trades again; the incidents."""

    async def close_review(self, order_id: str, review: Mapping[str, str]) -> int | None:
        """What a person said of a quarantined order: `status`, `by`, `note`; its incident."""

    async def pending_of(self, incident_id: int) -> tuple[str, ...]:
        """Profiles of this incident that wait for their bot."""

    async def details_of(self, incident_id: int) -> dict[str, Any]:
        """What is known of an incident, held until the end of the transaction."""

    async def keep_details(self, incident_id: int, details: Mapping[str, Any]) -> None:
        """What is known of it now."""


class Record(Protocol):
    """One write transaction that holds the account's lease: all of it, or nothing."""

    @property
    def connection(self) -> Any:
        """The open transaction, as the book takes it."""

    @property
    def intents(self) -> Intents:
        """Writes to the book that no transaction of ours spans."""

    async def span(self) -> tuple[datetime, datetime]:
        """When this transaction began and what the clock says now, a second on either side."""

    async def keep_suspicions(
        self, *, keep: Iterable[Suspicion], drop: Iterable[SuspicionKey]
    ) -> None:
        """Suspicions as they stand after a look."""

    async def keep_reading(
        self,
        *,
        seen: Mapping[Symbol, SeenSymbol],
        own_writes: Mapping[BookOrderId, OwnWrite],
        read_at: datetime,
    ) -> None:
        """Remember the book's rows as they were read."""

    async def keep_baselines(self, baselines: Iterable[Baseline]) -> None:
        """Note that the balances were read in full, and what these baselines are; those of other
        currencies stay.
        """

    async def accounts_turned(
        self,
        *,
        kinds: Iterable[str],
        accounts: Iterable[AccountName],
        around: datetime,
        window: timedelta,
    ) -> frozenset[AccountName]:
        """Accounts whose positions turned about the same time (rule 9)."""

    async def open_incident(self, draft: IncidentDraft) -> Opened:
        """Open or reopen; an incident that is open already learns what is new."""

    async def add_event(
        self, incident_id: int, event: str, text: str, details: Mapping[str, Any] | None = None
    ) -> int:
        """One line of the timeline; its id."""

    async def add_event_once(self, incident_id: int, event: str, text: str) -> None:
        """The same line once for each time the incident was opened."""

    async def note_parity(
        self, incident: OpenIncident, *, streak: int, at: datetime | None
    ) -> None:
        """How many complete looks in a row did not show it."""

    async def resolve(self, incident: OpenIncident, *, why: str) -> None:
        """End an incident: an event, a notice, an announcement."""

    async def change_severity(
        self, incident: OpenIncident, severity: Severity, *, why: str, details: Mapping[str, Any]
    ) -> None:
        """It means more, or less, than it did: an event; where it is worse, a notice."""

    async def notify(self, key: str, incident_id: int | None, payload: Mapping[str, Any]) -> None:
        """A notice for people, and an announcement."""

    async def announce(self, payload: Mapping[str, Any]) -> None:
        """`reconciler_event`, for whoever listens."""

    async def audit(
        self,
        *,
        applied: bool,
        rule: str,
        target: str,
        target_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        incident_id: int | None = None,
    ) -> bool:
        """Every write to the book, and (once) every one that observe left out: False if that
        was recorded before.
        """

    async def add_containment(
        self,
        *,
        profile_id: ProfileId,
        incident_id: int,
        reason: str,
        status_before: str,
        held: Iterable[str] = (),
        driver_key: str | None = None,
    ) -> bool:
        """One contained profile; True if it had been contained for this incident before. `held`:
        the markets in which something was held then. `driver_key`: it is pending until its bot
        confirms; what the bot knows it by.
        """

    async def keep_parity(self, containments: Iterable[Containment]) -> None:
        """How many complete looks in a row agreed, as these say."""

    async def release_containment(self, containment: Containment, *, by: str, why: str) -> None:
        """It trades again: the row, the timeline, an announcement."""

    async def heed_pause(self) -> Pause | None:
        """A pause that stands now; what this transaction records is recorded as paused then."""

    async def use_acceptance(self, acceptance: Acceptance) -> None:
        """What a person let through is through."""

    async def keep_backlog(self, samples: Iterable[BacklogSample]) -> None:
        """Stale orders of this account's profiles; those of days ago go."""

    async def backlog_elsewhere(self, *, within: timedelta) -> tuple[BacklogSample, ...]:
        """Stale orders of the book's other accounts, over the time before now."""

    async def add_quarantine(
        self,
        *,
        order_id: str,
        profile_id: str,
        symbol: str,
        reason: str,
        status_before: str,
        incident_id: int,
        details: Mapping[str, Any],
    ) -> None:
        """One order set aside for a person."""

    async def close_review(self, order_id: str, review: Mapping[str, str]) -> None:
        """How a quarantined order ended: `status`, `by`, `note`."""

    async def note_seen_again(self, *, order_id: str, details: Mapping[str, Any]) -> int | None:
        """The review row says the order is seen again; its incident, the first time."""

    async def add_run(self, *, job: str, outcome: Outcome, started_at: datetime) -> None:
        """A pass that found something."""


class Store(Protocol):
    """Our own tables."""

    async def memory(self, *, book: BookName, account: AccountName) -> Memory:
        """What was remembered of an account. Raises DatabaseUnavailableError."""

    async def intents(self, *, book: BookName, account: AccountName) -> tuple[Intent, ...]:
        """What is not known to be done. Raises DatabaseUnavailableError."""

    async def is_paused(self, account: AccountName) -> bool:
        """Whether a person wants it judged, and not acted on. Raises DatabaseUnavailableError."""

    async def set_aside(self, *, book: BookName, order_ids: Sequence[str]) -> tuple[SetAside, ...]:
        """Those of these orders that were quarantined or reviewed.

        Raises DatabaseUnavailableError.
        """

    def writing(
        self, lease: Lease, *, book: BookName, run: RunId, mode: str
    ) -> AbstractAsyncContextManager[Record]:
        """A write transaction that checks the lease first. Raises LeaseLostError."""


class Leases(Protocol):
    """Rule 11: one judge per account."""

    def mine(self, account: AccountName) -> Lease | None:
        """The lease this process believes it has; each write checks it again."""

    async def acquire(self, account: AccountName) -> Lease | Held:
        """Take the account if it is free, lapsed, or already ours. Does not wait for a lapse."""


class Book(Protocol):
    """The tables of one bot. Every method raises BookUnreadableError where they do not fit, and
    DatabaseUnavailableError or DatabaseRefusedError where the server does not serve.
    """

    @property
    def name(self) -> BookName:
        """The book's name in the configuration."""

    @property
    def is_elsewhere(self) -> bool:
        """In another database than our own tables: no transaction spans both."""

    @property
    def writes_orders(self) -> bool:
        """Whether its orders are ours to write; else what we say of them is in our tables."""

    @property
    def why_no_deactivation(self) -> str | None:
        """Why no profile of it can be set inactive, or None."""

    @property
    def driver(self) -> "DeactivationDriver | None":
        """How a profile is set inactive where no transaction of ours can; None: by `deactivate`."""

    @property
    def tells_status(self) -> bool:
        """Whether the rows say if a profile is active; else its driver does."""

    def writing(self) -> AbstractAsyncContextManager[Any]:
        """A write transaction in the book's own database, where that is another one."""

    async def mark(self, connection: Any, ids: Iterable[str]) -> WriteMark:
        """What tells later whether this transaction was committed, with the rows it wrote."""

    async def state_of(self, mark: WriteMark) -> WriteState:
        """What became of that transaction."""

    async def read(
        self, account: AccountName, *, reach: timedelta, symbol_of: SymbolOf
    ) -> BookReading:
        """The rows of one account: all that are open, and any that changed within `reach`."""

    async def read_within(
        self, connection: Any, account: AccountName, *, reach: timedelta, symbol_of: SymbolOf
    ) -> BookReading:
        """The same, inside a write transaction: the second look of DESIGN section 2."""

    async def find_orders(
        self,
        *,
        venue_order_ids: Sequence[str],
        client_order_ids: Sequence[str],
        symbol_of: SymbolOf,
    ) -> tuple[tuple[BookOrder, ...], tuple[UnreadableRow, ...]]:
        """Orders of those ids, whatever their status and profile, and those that cannot be read."""

    async def deactivate(
        self, connection: Any, profile_ids: Sequence[ProfileId]
    ) -> frozenset[ProfileId]:
        """Set profiles inactive where still active; those that were."""

    async def update_orders(
        self, connection: Any, updates: Sequence[OrderUpdate]
    ) -> frozenset[str]:
        """Write orders whose status is still the one seen; the ids that were written."""

    def word_to_write(self, update: OrderUpdate) -> str:
        """The status word: the book's own where the state does not change."""


class DeactivationDriver(Protocol):
    """A bot's own way to enter no more trades, where no row of its book decides that. Every method
    is idempotent, has a deadline of its own, and raises DriverFailedError.
    """

    @property
    def name(self) -> str:
        """The driver's name in the configuration."""

    async def deactivate(self, wanted: Deactivation) -> None:
        """Ask the bot to enter no trade for the profile. Returning is no proof: read it back."""

    async def activate(self, wanted: Deactivation) -> None:
        """Ask the bot to let the profile trade again."""

    async def is_active(self, wanted: Deactivation) -> bool:
        """Read back whether the bot lets the profile enter trades."""
