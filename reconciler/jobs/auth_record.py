"""What one run of the probe of sign-in leaves in our tables: suspicions, the incident, its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from reconciler.domain.auth_probes import (
    AuthClass,
    AuthJudgement,
    ProbeResult,
    ProbeStep,
    TokenFacts,
)
from reconciler.domain.identity import RunId
from reconciler.domain.incidents import IncidentKind, OpenIncident, Severity
from reconciler.domain.leases import Lease
from reconciler.domain.memory import Memory
from reconciler.domain.outcome import Finding, Outcome, OutcomeState
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.ports import Record, Store
from reconciler.rules.auth_failures import count_again
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

log = structlog.get_logger("reconciler.auth")

JOB: Final = "auth_probe"
_KIND: Final = IncidentKind.AUTH_FAILURE.value
ACCEPTED: Final = "auth_accepted"
"""Not suspected of anything: remembers how the last token was signed that the bot accepted."""
BOT: Final = "bot"
_CLASS, _GRAVE = "class", "sev-1"


@dataclass(slots=True, kw_only=True)
class AuthRecord:
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
        counted = self._count(judged, judged.cause) if judged.cause is not None else None
        keep, drop = self._suspicions(judged, counted)
        accepted = self._accepted(judged, results)
        if accepted is not None:
            keep.append(accepted)
        if counted is None and not keep and not drop and self.standing("") is None:
            return _passing(judged)  # a steady state writes nothing
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
                await record.add_run(job=JOB, outcome=outcome, started_at=self.memory.now)
        return outcome

    def _suspicions(
        self, judged: AuthJudgement, counted: Counted | None
    ) -> tuple[list[Suspicion], list[SuspicionKey]]:
        """What to keep and what to drop. A probe that judged nothing leaves all as it was."""
        known = {subject for kind, subject in self.memory.suspicions if kind == _KIND}
        if counted is None:
            over = known if judged.passed else set()
            return [], [_key(subject) for subject in sorted(over)]
        keep = [counted.failing, counted.of_class]
        if counted.grave is not None:
            return [*keep, counted.grave], []
        return keep, [_key(_GRAVE)] if _GRAVE in known else []

    def _accepted(self, judged: AuthJudgement, results: Sequence[ProbeResult]) -> Suspicion | None:
        """What is to be remembered of the token that the bot accepted, where it is news."""
        token = next((r.token for r in results if r.step is ProbeStep.BOT_STATUS), None)
        if token is None:
            return None
        saying = accepted_by_bot(judged, token.algorithm, is_jwt=token.is_jwt)
        before = self.memory.suspicions.get((ACCEPTED, BOT))
        if saying is None or (before is not None and before.saying == saying):
            return None
        now: datetime = self.memory.now
        key = SuspicionKey(book=BOOK, account=AUTH, kind=ACCEPTED, subject=BOT)
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
        if is_news(draft, standing, judged):
            opened = await record.open_incident(draft)
            action = "incident"
            before = standing.details.get("class") if standing is not None else None
            if before is not None and before != cause.value:
                text = f"class {before} → {cause}: {'; '.join(judged.facts[:3])}"
                await record.add_event(opened.id, "class_changed", text, draft.details)
        return _failing(judged, cause, action, f"{draft.severity}")

    async def _heal(self, record: Record, judged: AuthJudgement, *, confirmations: int) -> Outcome:
        """Nothing fails: parity is counted, where what failed was judged again."""
        outcome, standing = _passing(judged), self.standing("")
        if outcome.state is not OutcomeState.PARITY or standing is None:
            return outcome
        if why_not_over(standing, judged) is not None:
            return outcome
        ended = await self._count_parity(record, standing, confirmations=confirmations)
        return replace(outcome, findings=(ended,)) if ended is not None else outcome

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

    async def remember(self, note: Suspicion) -> None:
        """Keep one row that is no suspicion."""
        async with self.store.writing(
            self.lease, book=BOOK, run=self.run, mode=self.mode
        ) as record:
            await record.keep_suspicions(keep=[note], drop=[])

    async def settle_spike(
        self,
        why: str | None,
        rejections: Mapping[str, int],
        tokens: Sequence[TokenFacts],
        *,
        confirmations: int,
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
                await record.open_incident(spike_draft(why, rejections, tokens))
                log.warning(f"[AUTH] {why}")


def _key(subject: str) -> SuspicionKey:
    return SuspicionKey(book=BOOK, account=AUTH, kind=_KIND, subject=subject)


def _passing(judged: AuthJudgement) -> Outcome:
    """Parity, where anything was judged at all."""
    skipped = sum(1 for _, says in judged.states if says.startswith("skipped"))
    if not judged.passed:
        sentence = "; ".join(judged.unknown) or "no step of the probe is configured"
        return Outcome(account=AUTH, state=OutcomeState.NOT_JUDGED, sentence=sentence)
    sentence = f"sign-in works: {len(judged.passed)} steps passed, {skipped} skipped"
    if judged.unknown:
        sentence += f"; not judged: {'; '.join(judged.unknown)}"
    return Outcome(account=AUTH, state=OutcomeState.PARITY, sentence=sentence)


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
