"""What `/health` shows: a board in memory that the daemon's parts write on. No I/O.

Ready means: startup reconciliation is over, every job succeeds for at least one account, and the
database answers. Trouble of single accounts degrades; it never takes the daemon out of service,
since the other accounts still need it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from reconciler.domain.incidents import Severity
from reconciler.domain.outcome import Outcome, OutcomeState

FULL_JOB = "reconciliation"
"""Its pass settles orders too: where it succeeds, no trouble of another job is left."""
PATIENCE_INTERVALS = 5
PATIENCE_AT_LEAST = timedelta(minutes=5)
"""A job may go without any success for the longer of the two: a venue's restart is no outage."""

JUDGED_WITHIN_INTERVALS = 2
"""For the heartbeat: one look may be late or fail, not two."""


class Startup(StrEnum):
    """How far startup reconciliation is."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


class Status(StrEnum):
    """The daemon's state in one word. `failing` is exactly: not ready."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


@dataclass(slots=True, kw_only=True)
class _AccountState:
    last_success_at: datetime | None = None
    not_covered: tuple[str, ...] = ()
    troubles: dict[str, str] = field(default_factory=dict)
    """By job: why its last cycle did not judge."""
    stale: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By profile: how many, and the age of the oldest in seconds, when it was told."""
    quarantined: int = 0
    orders_told: float = 0.0
    interval: timedelta | None = None
    note: str | None = None
    is_held: bool = False
    """Another daemon judges it."""
    paused: str | None = None
    """By whom and until when a person wants it judged, and not acted on."""
    pending: dict[str, str] = field(default_factory=dict)
    """By profile that is to be set inactive: why its bot has not confirmed it."""


@dataclass(slots=True, kw_only=True)
class _JobState:
    patience: timedelta
    since: float
    """Monotonic seconds of the last success of any account, or of the first expectation."""


class HealthBoard:
    """Everything that `/health` and `/health/ready` answer, kept in memory."""

    def __init__(
        self,
        *,
        mode: str,
        version: str,
        redact: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`redact` sees every sentence that comes from outside; `clock` tells monotonic seconds."""
        self._mode = mode
        self._version = version
        self._redact = redact
        self._clock = clock
        self._startup = Startup.RUNNING
        self._startup_why = "startup reconciliation has not begun"
        self._accounts: dict[str, _AccountState] = {}
        self._awaited: set[str] = set()
        self._jobs: dict[str, _JobState] = {}
        self._troubles: dict[str, str] = {}
        self._incidents: dict[str, int] = dict.fromkeys(Severity, 0)
        self._database_why: str | None = "not asked yet"
        self._requests: dict[str, Any] = {"heard_by": None, "up": False, "why": "not begun"}

    # What the daemon tells the board -----------------------------------------------------------

    def startup_begun(self, accounts: Sequence[str]) -> None:
        """These accounts are configured, and each is to be attempted once before we are ready."""
        self._accounts = {name: self._accounts.get(name, _AccountState()) for name in accounts}
        self._awaited = set(accounts)
        self._startup = Startup.RUNNING
        self._startup_why = ""
        self._complete_startup()

    def account_attempted(self, account: str) -> None:
        """The first pass over an account ended, however it ended."""
        self._awaited.discard(account)
        self._complete_startup()

    def startup_failed(self, why: str) -> None:
        """Startup cannot go on (a schema too new, say), until `startup_begun` is called again."""
        self._startup = Startup.FAILED
        self._startup_why = self._redact(why)

    def job_expected(self, job: str, interval: timedelta) -> None:
        """This job runs every `interval`: readiness fails when it succeeds for no account."""
        patience = max(PATIENCE_INTERVALS * interval, PATIENCE_AT_LEAST)
        known = self._jobs.get(job)
        self._jobs[job] = _JobState(
            patience=patience, since=known.since if known else self._clock()
        )

    def job_succeeded(self, job: str) -> None:
        """A job did its work; for jobs that have no account."""
        if job in self._jobs:
            self._jobs[job].since = self._clock()

    def cycle_finished(self, job: str, account: str, outcome: Outcome, at: datetime) -> None:
        """One pass over one account ended at `at` (aware)."""
        state = self._accounts.setdefault(account, _AccountState())
        state.is_held = outcome.state is OutcomeState.HELD
        match outcome.state:
            case OutcomeState.PARITY | OutcomeState.DISCREPANCY:
                state.last_success_at = at
                if job == FULL_JOB:
                    state.troubles.clear()
                state.troubles.pop(job, None)
                self.job_succeeded(job)
            case OutcomeState.HELD:
                # another daemon judges it: a healthy standby, though nothing was judged here
                state.troubles.pop(job, None)
                self.job_succeeded(job)
            case OutcomeState.NOT_JUDGED | OutcomeState.FAILED:
                state.troubles[job] = self._redact(outcome.sentence)

    def set_interval(self, account: str, interval: timedelta, *, note: str | None) -> None:
        """How often an account is reconciled; `note` says why it is not as configured. It is no
        trouble: the account is judged, only later than was wished.
        """
        state = self._accounts.setdefault(account, _AccountState())
        state.interval, state.note = interval, note

    def set_pause(self, account: str, why: str | None) -> None:
        """Whether an account is judged and not acted on; no trouble: a person wants it so."""
        state = self._accounts.setdefault(account, _AccountState())
        state.paused = None if why is None else self._redact(why)

    def set_pending(self, account: str, pending: Mapping[str, str]) -> None:
        """Profiles that are to be set inactive, and why their bots have not confirmed it yet."""
        state = self._accounts.setdefault(account, _AccountState())
        state.pending = {profile: self._redact(why) for profile, why in pending.items()}

    def set_coverage(self, account: str, not_covered: Sequence[str]) -> None:
        """What an account may hold that no call shows, in words for people."""
        state = self._accounts.setdefault(account, _AccountState())
        state.not_covered = tuple(not_covered)

    def set_orders(
        self, account: str, stale: Mapping[str, tuple[int, float]], *, quarantined: int
    ) -> None:
        """Stale orders by profile (count, age of the oldest in seconds) of one account."""
        state = self._accounts.setdefault(account, _AccountState())
        state.stale = {profile: entry for profile, entry in stale.items() if entry[0] > 0}
        state.quarantined = quarantined
        state.orders_told = self._clock()

    def set_incidents(self, counts: Mapping[str, int]) -> None:
        """Incidents that are not resolved, by severity; a severity left out has none."""
        self._incidents = {severity: counts.get(severity, 0) for severity in Severity}

    def database_up(self, up: bool, why: str = "") -> None:  # noqa: FBT001 - what is told is a bool
        """Whether Postgres answers, and what it said where it does not."""
        self._database_why = None if up else self._redact(why or "the database does not answer")

    def set_requests(self, heard_by: str, why: str | None) -> None:
        """How requests for a pass reach us, `listen` or `poll`; `why` not, where they do not."""
        redacted = None if why is None else self._redact(why)
        self._requests = {"heard_by": heard_by, "up": why is None, "why": redacted}

    def degraded(self, what: str, why: str) -> None:
        """Something of the daemon does not work; it goes on without."""
        self._troubles[what] = self._redact(why)

    def recovered(self, what: str) -> None:
        """It works again."""
        self._troubles.pop(what, None)

    # What the board answers --------------------------------------------------------------------

    def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Whether traffic may come, and the body of `GET /health/ready`."""
        failing, degraded = self._failing(), self._degraded()
        status = Status.FAILING if failing else Status.DEGRADED if degraded else Status.OK
        named = [{"what": what, "why": why} for what, why in failing + degraded]
        return not failing, {"status": status.value, "degraded": named}

    def why_not_judging(self, now: datetime) -> str | None:
        """Why the outside must not believe that all is watched; None where every account was
        judged within its last two intervals. Those of other daemons are theirs to tell.
        """
        if self._database_why is not None:
            return "the database does not answer"
        if self._startup is not Startup.COMPLETE:
            return "startup reconciliation is not complete"
        ours = {name: state for name, state in self._accounts.items() if not state.is_held}
        for name, state in ours.items():
            patience = JUDGED_WITHIN_INTERVALS * (state.interval or timedelta(0))
            if state.last_success_at is None or now - state.last_success_at > patience:
                return f"account {name} was not judged for {JUDGED_WITHIN_INTERVALS} intervals"
        return None if ours else "no account is judged by this daemon"

    def report(self) -> dict[str, Any]:
        """The body of `GET /health` (DESIGN section 8)."""
        _, ready = self.readiness()
        return {
            "status": ready["status"],
            "mode": self._mode,
            "startup_reconciliation": self._startup.value,
            "stale_orders": self._stale_orders(),
            "quarantined_orders": sum(state.quarantined for state in self._accounts.values()),
            "incidents_open": {str(name): count for name, count in self._incidents.items()},
            "accounts": {name: _shown(state) for name, state in self._accounts.items()},
            "database": {"up": self._database_why is None, "why": self._database_why},
            "requests": self._requests,
            "version": self._version,
            "degraded": ready["degraded"],
        }

    # -------------------------------------------------------------------------------------------

    def _complete_startup(self) -> None:
        if self._startup is Startup.RUNNING and not self._awaited:
            self._startup = Startup.COMPLETE
            now = self._clock()
            for job in self._jobs.values():  # their patience begins when startup is over
                job.since = max(job.since, now)

    def _failing(self) -> list[tuple[str, str]]:
        """Each reason why we are not ready."""
        found: list[tuple[str, str]] = []
        if self._startup is Startup.RUNNING:
            waiting = f"{len(self._awaited)} of {len(self._accounts)} accounts not attempted yet"
            found.append(("startup_reconciliation", self._startup_why or waiting))
        elif self._startup is Startup.FAILED:
            found.append(("startup_reconciliation", self._startup_why))
        if self._database_why is not None:
            found.append(("database", self._database_why))
        if self._startup is Startup.COMPLETE and self._accounts:
            found += self._overdue_jobs()
        return found

    def _overdue_jobs(self) -> list[tuple[str, str]]:
        now = self._clock()
        return [
            (
                f"job {name}",
                f"succeeded for no account for {timedelta(seconds=int(now - job.since))}",
            )
            for name, job in self._jobs.items()
            if now - job.since > job.patience.total_seconds()
        ]

    def _degraded(self) -> list[tuple[str, str]]:
        """Each thing that is wrong and does not stop us."""
        accounts = [
            (f"account {name}", why)
            for name, state in self._accounts.items()
            for why in dict.fromkeys(state.troubles.values())
        ]
        accounts += [
            (f"profile {profile} of account {name}", f"containment pending: {why}")
            for name, state in self._accounts.items()
            for profile, why in state.pending.items()
        ]
        return accounts + list(self._troubles.items())

    def _stale_orders(self) -> dict[str, Any]:
        now = self._clock()
        by_profile: dict[str, int] = {}
        oldest = 0.0
        for state in self._accounts.values():
            for profile, (count, age) in state.stale.items():
                by_profile[profile] = by_profile.get(profile, 0) + count
                oldest = max(oldest, age + now - state.orders_told)
        return {
            "total": sum(by_profile.values()),
            "oldest_age_seconds": round(oldest),
            "by_profile": by_profile,
        }


def _shown(state: _AccountState) -> dict[str, Any]:
    last = state.last_success_at
    return {
        "last_success": last.astimezone(UTC).isoformat() if last else None,
        "coverage": {"complete": not state.not_covered, "not_covered": list(state.not_covered)},
        "degraded": bool(state.troubles or state.pending),
        "pending_containments": dict(state.pending),
        "interval_seconds": state.interval.total_seconds() if state.interval else None,
        "note": state.note,
        "paused": state.paused,
    }
