"""AuthProbeService: the third runbook. It probes sign-in, says what kind of trouble it is, and
keeps the incident. One daemon at a time: it holds a lease as an account does.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
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
from reconciler.ports import Leases, Store
from reconciler.rules.auth_failures import AuthContext, judge_probe
from reconciler.rules.auth_incidents import AUTH, BOOK
from reconciler.rules.auth_spikes import (
    RejectionSample,
    rejections_over,
    samples_within,
    why_a_spike,
)

log = structlog.get_logger("reconciler.auth")

DEADLINE: Final = timedelta(minutes=3)
"""Fifteen steps of 10 s, most of them side by side, and the database."""
_PROBED: Final = frozenset({"supabase", "bot", "websocket"})


class Prober(Protocol):
    """Asks every step."""

    async def probe(self) -> tuple[ProbeResult, ...]:
        """Every step, asked or skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthLimits:
    """The operator's numbers."""

    confirmations: int
    """Probes in a row before anything is said, or is over."""
    rejections: int
    rejections_within: timedelta
    legacy_secret: bool
    """Whether a legacy HS256 secret is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthProbed:
    """One run."""

    outcome: Outcome
    results: tuple[ProbeResult, ...] = ()
    judged: AuthJudgement | None = None
    """None: nothing was probed."""


class AuthProbeService:
    """Probes on schedule, in `once`, and never twice at a time."""

    name: ClassVar[str] = JOB

    def __init__(
        self,
        prober: Prober,
        *,
        store: Store,
        leases: Leases,
        limits: AuthLimits,
        mode: str,
        tell: Callable[[AuthProbed], None],
        rejections: Callable[[], Mapping[str, int]],
        redact: Callable[[str], str],
    ) -> None:
        """`rejections` tells how many requests were refused since this process began, by surface;
        `tell` hears of each run before they are counted.
        """
        self._prober = prober
        self._store = store
        self._leases = leases
        self._limits = limits
        self._mode = mode
        self._tell = tell
        self._rejections = rejections
        self._redact = redact
        self._samples: tuple[RejectionSample, ...] = ()
        self._turn = asyncio.Lock()

    async def run(self) -> Outcome:
        """One probe, judged and recorded. Never raises but CancelledError."""
        async with self._turn:
            probed = await self._guarded()
        self._log(probed)
        return probed.outcome

    async def _guarded(self) -> AuthProbed:
        run = RunId(f"{time.time_ns():x}-{secrets.token_hex(4)}")
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                return await self._run(run)
        except LeaseLostError as error:
            failed = self._ended(OutcomeState.HELD, str(error))
        except ReconcilerError as error:
            failed = self._ended(OutcomeState.NOT_JUDGED, str(error))
        except TimeoutError:
            failed = self._ended(OutcomeState.NOT_JUDGED, f"the probe took over {DEADLINE}")
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
            return held
        memory = await self._store.memory(book=BOOK, account=AUTH)
        results = await self._prober.probe()
        remembered = memory.suspicions.get((ACCEPTED, BOT))
        context = AuthContext(
            legacy_secret=self._limits.legacy_secret,
            accepted_algorithm=remembered.saying if remembered else None,
        )
        judged = judge_probe(results, context=context)
        writing = AuthRecord(
            store=self._store, lease=lease, run=run, mode=self._mode, memory=memory
        )
        outcome = await writing.settle(judged, results, confirmations=self._limits.confirmations)
        probed = AuthProbed(outcome=outcome, results=results, judged=judged)
        self._tell(probed)
        await self._look_for_spike(writing)
        return probed

    async def _look_for_spike(self, writing: AuthRecord) -> None:
        """The counters are this process's own: after a start the time begins anew."""
        within, now = self._limits.rejections_within, writing.memory.now
        sample = RejectionSample(at=now, totals=dict(self._rejections()))
        self._samples = samples_within((*self._samples, sample), now=now, within=within)
        grown = rejections_over(self._samples)
        if writing.standing("") is not None:  # it says already what the probe is refused
            grown = {surface: n for surface, n in grown.items() if surface not in _PROBED}
        why = why_a_spike(grown, limit=self._limits.rejections, within=within)
        await writing.settle_spike(why, grown, confirmations=self._limits.confirmations)

    @staticmethod
    def _log(probed: AuthProbed) -> None:
        """The decision in a line; what decided it in a line each."""
        outcome, judged = probed.outcome, probed.judged
        if outcome.state is OutcomeState.PARITY:
            log.info("[AUTH] probe passed", says=outcome.sentence)
            return
        facts = list(judged.facts) if judged is not None else []
        log.warning(
            f"[AUTH] {outcome.sentence}",
            state=outcome.state.value,
            cause=judged.cause.value if judged is not None and judged.cause else None,
            facts=facts,
        )
