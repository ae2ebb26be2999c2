"""AuthProbeService: the third runbook. It probes sign-in, says what kind of trouble it is, and
keeps the incident. One daemon at a time: it holds a lease as an account does.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final, Protocol

import structlog

from reconciler.domain.auth_probes import AuthJudgement, ProbeResult
from reconciler.domain.errors import LeaseLostError, ReconcilerError
from reconciler.domain.identity import RunId
from reconciler.domain.leases import Held
from reconciler.domain.outcome import Outcome, OutcomeState
from reconciler.jobs.auth_record import ACCEPTED, BOT, JOB, AuthRecord
from reconciler.jobs.auth_spikes import SpikeWatch
from reconciler.ports import Leases, Store
from reconciler.rules.auth_failures import AuthContext, judge_probe
from reconciler.rules.auth_incidents import AUTH, BOOK

log = structlog.get_logger("reconciler.auth")

MOST_IN_A_ROW: Final = 10
"""Requests that wait for one another; the other steps are asked side by side."""
BESIDES: Final = timedelta(minutes=1)
"""For the database."""


class Prober(Protocol):
    """Asks every step."""

    async def probe(self) -> tuple[ProbeResult, ...]:
        """Every step, asked or skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthLimits:
    """The operator's numbers."""

    confirmations: int
    """Probes in a row before anything is said, or is over."""
    legacy_secret: bool
    """Whether a legacy HS256 secret is configured."""
    timeout: timedelta
    """Of one request."""

    @property
    def deadline(self) -> timedelta:
        """Of one run: it ends by what its requests say, not by this, however slow they may be."""
        return MOST_IN_A_ROW * self.timeout + BESIDES


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthProbed:
    """One run."""

    outcome: Outcome
    results: tuple[ProbeResult, ...] = ()
    judged: AuthJudgement | None = None
    """None: nothing was probed."""


class AuthProbeService:
    """Probes on schedule, in `once`, and never twice at a time. Where nothing is configured that
    could be probed, it watches for spikes of refused requests alone.
    """

    name: ClassVar[str] = JOB

    def __init__(
        self,
        prober: Prober | None,
        *,
        store: Store,
        leases: Leases,
        limits: AuthLimits,
        mode: str,
        tell: Callable[[AuthProbed], None],
        spikes: SpikeWatch,
        redact: Callable[[str], str],
    ) -> None:
        """`tell` hears of each run before spikes are looked for."""
        self._prober = prober
        self._store = store
        self._leases = leases
        self._limits = limits
        self._mode = mode
        self._tell = tell
        self.spikes = spikes
        self._redact = redact
        self._turn = asyncio.Lock()

    @property
    def has_work(self) -> bool:
        """Whether one run alone can find anything: a step to ask, or rows to read."""
        return self._prober is not None or self.spikes.reads_rows

    async def run(self) -> Outcome:
        """One probe, judged and recorded. Never raises but CancelledError."""
        async with self._turn:
            probed = await self._guarded()
        self._log(probed)
        return probed.outcome

    async def _guarded(self) -> AuthProbed:
        run = RunId(f"{time.time_ns():x}-{secrets.token_hex(4)}")
        deadline = self._limits.deadline
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                return await self._run(run)
        except LeaseLostError as error:
            failed = self._ended(OutcomeState.HELD, str(error))
        except ReconcilerError as error:
            failed = self._ended(OutcomeState.NOT_JUDGED, str(error))
        except TimeoutError:
            failed = self._ended(OutcomeState.NOT_JUDGED, f"the probe took over {deadline}")
        except Exception as error:  # the one catch-all: a probe never ends the daemon
            log.exception("[AUTH] probe failed", run_id=run)
            failed = self._ended(OutcomeState.FAILED, f"{type(error).__name__}: {error}")
        self._tell(failed)
        return failed

    def _ended(self, state: OutcomeState, why: str) -> AuthProbed:
        sentence = self._redact(why)
        return AuthProbed(outcome=Outcome(account=AUTH, state=state, sentence=sentence))

    async def _run(self, run: RunId) -> AuthProbed:
        lease = await self._leases.acquire(AUTH)
        if isinstance(lease, Held):
            held = self._ended(OutcomeState.HELD, f"held by another daemon ({lease.holder})")
            self._tell(held)
            self.spikes.sample()
            return held
        memory = await self._store.memory(book=BOOK, account=AUTH)
        writing = AuthRecord(
            store=self._store, lease=lease, run=run, mode=self._mode, memory=memory
        )
        if self._prober is None:
            probed = self._ended(OutcomeState.PARITY, "sign-in is not probed: nothing is set")
        else:
            probed = await self._probe(self._prober, writing)
        self._tell(probed)
        self.spikes.sample()
        await self.spikes.settle(
            writing,
            confirmations=self._limits.confirmations,
            is_probe_failing=probed.judged is not None and probed.judged.cause is not None,
        )
        return probed

    async def _probe(self, prober: Prober, writing: AuthRecord) -> AuthProbed:
        results = await prober.probe()
        remembered = writing.memory.suspicions.get((ACCEPTED, BOT))
        context = AuthContext(
            legacy_secret=self._limits.legacy_secret,
            accepted_algorithm=remembered.saying if remembered else None,
        )
        judged = judge_probe(results, context=context)
        outcome = await writing.settle(judged, results, confirmations=self._limits.confirmations)
        return AuthProbed(outcome=outcome, results=results, judged=judged)

    @staticmethod
    def _log(probed: AuthProbed) -> None:
        """The decision in a line; what decided it in a line each."""
        outcome, judged = probed.outcome, probed.judged
        if outcome.state is OutcomeState.PARITY:
            if judged is not None:
                log.info("[AUTH] probe passed", says=outcome.sentence)
            return
        if outcome.state is OutcomeState.HELD:
            log.info(f"[AUTH] {outcome.sentence}")
            return
        facts = list(judged.facts) if judged is not None else []
        log.warning(
            f"[AUTH] {outcome.sentence}",
            state=outcome.state.value,
            cause=judged.cause.value if judged is not None and judged.cause else None,
            facts=facts,
        )
