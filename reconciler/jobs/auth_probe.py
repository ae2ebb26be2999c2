"""AuthProbeService: the third runbook. It probes sign-in, says what kind of trouble it is, and
keeps the incident. One daemon at a time: it holds a lease as an account does.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

import structlog

from reconciler.domain.auth_probes import AuthClass, AuthJudgement, ProbeResult, ProbeStep
from reconciler.domain.errors import LeaseLostError, ReconcilerError
from reconciler.domain.identity import RunId
from reconciler.domain.incidents import IncidentKind, OpenIncident, Severity
from reconciler.domain.leases import Held, Lease
from reconciler.domain.memory import Memory
from reconciler.domain.outcome import Finding, Outcome, OutcomeState
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.ports import Leases, Record, Store
from reconciler.rules.auth_failures import AuthContext, count_again, judge_probe
from reconciler.rules.auth_incidents import (
    AUTH,
    BOOK,
    Counted,
    accepted_by_bot,
    class_that_stands,
    draft_of,
    is_news,
    spike_draft,
    why_not_over,
)
from reconciler.rules.auth_spikes import (
    RejectionSample,
    rejections_over,
    samples_within,
    why_a_spike,
)

log = structlog.get_logger("reconciler.auth")

DEADLINE: Final = timedelta(minutes=3)
"""Fifteen steps of 10 s, most of them side by side, and the database."""
_KIND: Final = IncidentKind.AUTH_FAILURE.value
_ACCEPTED: Final = "auth_accepted"
"""Not suspected of anything: remembers how the last token was signed that the bot accepted."""
_CLASS, _GRAVE, _BOT = "class", "sev-1", "bot"
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

    name: ClassVar[str] = "auth_probe"

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
        remembered = memory.suspicions.get((_ACCEPTED, _BOT))
        context = AuthContext(
            legacy_secret=self._limits.legacy_secret,
            accepted_algorithm=remembered.saying if remembered else None,
        )
        judged = judge_probe(results, context=context)
        writing = _Writing(store=self._store, lease=lease, run=run, mode=self._mode, memory=memory)
        outcome = await writing.settle(judged, results, confirmations=self._limits.confirmations)
        probed = AuthProbed(outcome=outcome, results=results, judged=judged)
        self._tell(probed)
        await self._look_for_spike(writing)
        return probed

    async def _look_for_spike(self, writing: "_Writing") -> None:
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


@dataclass(slots=True, kw_only=True)
class _Writing:
    """What one run writes, in one transaction where it writes at all."""

    store: Store
    lease: Lease
    run: RunId
    mode: str
    memory: Memory

    def standing(self, subject: str) -> OpenIncident | None:
        """The incident that is not resolved."""
        found = (i for i in self.memory.incidents if i.key.subject == subject)
        return next((i for i in found if i.key.kind is IncidentKind.AUTH_FAILURE), None)

    async def settle(
        self, judged: AuthJudgement, results: Sequence[ProbeResult], *, confirmations: int
    ) -> Outcome:
        """Suspicions, incident, timeline and run, as this probe has them; how it ended."""
        keep, drop = [], []
        accepted = self._accepted(judged, results)
        if accepted is not None:
            keep.append(accepted)
        counted: Counted | None = None
        if judged.cause is not None:
            counted = self._count(judged, judged.cause)
            keep += [counted.failing, counted.of_class]
            if counted.grave is None:
                drop.append(_key(_GRAVE))
            else:
                keep.append(counted.grave)
        elif judged.passed:
            drop += [_key(""), _key(_CLASS), _key(_GRAVE)]
        known = {s.key for s in self.memory.suspicions.values()}
        drop = [key for key in drop if key in known]
        async with self.store.writing(
            self.lease, book=BOOK, run=self.run, mode=self.mode
        ) as record:
            if keep or drop:
                await record.keep_suspicions(keep=keep, drop=drop)
            if counted is None:
                outcome = await self._heal(record, judged, confirmations=confirmations)
            else:
                outcome = await self._note(record, judged, counted, confirmations=confirmations)
            if any(f.action in {"incident", "resolved"} for f in outcome.findings):
                await record.add_run(
                    job=AuthProbeService.name, outcome=outcome, started_at=self.memory.now
                )
        return outcome

    def _accepted(self, judged: AuthJudgement, results: Sequence[ProbeResult]) -> Suspicion | None:
        """What is to be remembered of the token that the bot accepted, where it is news."""
        token = next((r.token for r in results if r.step is ProbeStep.BOT_STATUS), None)
        if token is None:
            return None
        saying = accepted_by_bot(judged, token.algorithm, is_jwt=token.is_jwt)
        before = self.memory.suspicions.get((_ACCEPTED, _BOT))
        if saying is None or (before is not None and before.saying == saying):
            return None
        now: datetime = self.memory.now
        key = SuspicionKey(book=BOOK, account=AUTH, kind=_ACCEPTED, subject=_BOT)
        return Suspicion(
            key=key, first_seen_at=now, last_seen_at=now, count=0, counted_at=None, saying=saying
        )

    def _count(self, judged: AuthJudgement, cause: AuthClass) -> Counted:
        is_grave = judged.severity is Severity.SEV_1
        return Counted(
            failing=self._again("", ""),
            of_class=self._again(_CLASS, cause.value),
            grave=self._again(_GRAVE, "") if is_grave else None,
        )

    def _again(self, subject: str, saying: str) -> Suspicion:
        previous = self.memory.suspicions.get((_KIND, subject))
        return count_again(key=_key(subject), previous=previous, now=self.memory.now, saying=saying)

    async def _note(
        self, record: Record, judged: AuthJudgement, counted: Counted, *, confirmations: int
    ) -> Outcome:
        """Something fails: suspected, or an incident."""
        standing = self.standing("")
        if standing is not None and standing.parity_streak:
            await record.note_parity(standing, streak=0, at=None)
        cause = class_that_stands(counted, standing, confirmations=confirmations)
        if cause is None:
            times = f"{counted.failing.count} of {confirmations} probes"
            return _failing(judged, judged.cause, "suspected", f"suspected, {times}")
        draft = draft_of(judged, cause, counted, standing, confirmations=confirmations)
        action = "incident open"
        if is_news(draft, standing):
            opened = await record.open_incident(draft)
            action = "incident"
            before = standing.details.get("class") if standing is not None else None
            if before is not None and before != cause.value:
                text = f"class {before} → {cause}: {'; '.join(judged.facts[:3])}"
                await record.add_event(opened.id, "class_changed", text, draft.details)
        return _failing(judged, cause, action, f"{draft.severity}")

    async def _heal(self, record: Record, judged: AuthJudgement, *, confirmations: int) -> Outcome:
        """Nothing fails: parity, where anything was judged at all."""
        skipped = sum(1 for _, says in judged.states if says.startswith("skipped"))
        passed = len(judged.passed)
        if not passed:
            sentence = "; ".join(judged.unknown) or "no step of the probe is configured"
            return Outcome(account=AUTH, state=OutcomeState.NOT_JUDGED, sentence=sentence)
        sentence = f"sign-in works: {passed} steps passed, {skipped} skipped"
        if judged.unknown:
            sentence += f"; not judged: {'; '.join(judged.unknown)}"
        findings: tuple[Finding, ...] = ()
        standing = self.standing("")
        if standing is not None and why_not_over(standing, judged) is None:
            ended = await self._count_parity(record, standing, confirmations=confirmations)
            findings = (ended,) if ended is not None else ()
        return Outcome(
            account=AUTH, state=OutcomeState.PARITY, sentence=sentence, findings=findings
        )

    async def _count_parity(
        self, record: Record, incident: OpenIncident, *, confirmations: int
    ) -> Finding | None:
        streak = incident.parity_streak + 1
        if streak < confirmations:
            await record.note_parity(incident, streak=streak, at=self.memory.now)
            return None
        await record.resolve(incident, why=f"{streak} probes in a row passed")
        return Finding(
            kind=_KIND,
            account=AUTH,
            subject=incident.key.subject,
            text=f"{incident.title}: over",
            action="resolved",
            details={"id": incident.id},
        )

    async def settle_spike(
        self, why: str | None, rejections: Mapping[str, int], *, confirmations: int
    ) -> None:
        """A rate over a time is its own confirmation."""
        standing = self.standing("rejections")
        if why is None and standing is None:
            return
        if why is not None and standing is not None and not standing.parity_streak:
            return
        async with self.store.writing(
            self.lease, book=BOOK, run=self.run, mode=self.mode
        ) as record:
            if standing is not None and why is not None:
                await record.note_parity(standing, streak=0, at=None)
            elif standing is not None:
                await self._count_parity(record, standing, confirmations=confirmations)
            elif why is not None:
                await record.open_incident(spike_draft(why, rejections))
                log.warning(f"[AUTH] {why}")


def _key(subject: str) -> SuspicionKey:
    return SuspicionKey(book=BOOK, account=AUTH, kind=_KIND, subject=subject)


def _failing(judged: AuthJudgement, cause: AuthClass | None, action: str, how: str) -> Outcome:
    first = judged.facts[0] if judged.facts else ""
    is_sure = cause is not None and cause is not AuthClass.INCONCLUSIVE
    text = f"sign-in fails ({cause}, {how}): {first}"
    return Outcome(
        account=AUTH,
        state=OutcomeState.DISCREPANCY if is_sure else OutcomeState.NOT_JUDGED,
        sentence=text,
        findings=(
            Finding(
                kind=_KIND,
                account=AUTH,
                subject="",
                text=text,
                action=action,
                details={"class": cause.value if cause else None, "facts": list(judged.facts)},
            ),
        ),
    )
