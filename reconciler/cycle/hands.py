"""What settles writes to a book that no transaction of ours spans: before a look, or after it."""

from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from reconciler.cycle.facts import PassFacts
from reconciler.cycle.judging import Judging
from reconciler.cycle.looking import Look
from reconciler.cycle.tools import Tools
from reconciler.domain.identity import RunId
from reconciler.domain.leases import Lease
from reconciler.domain.outcome import Finding, Outcome
from reconciler.ports import Record


@dataclass(slots=True, kw_only=True)
class Hands:
    """Of one pass. What they did is told with its outcome, whether there was a look or not."""

    tools: Tools
    judging: Judging
    run: RunId
    lease: Lease | None = None
    is_first: bool = False
    """Of this process: the configuration may be another than that of the intents."""
    findings: list[Finding] = field(default_factory=list)
    recheck: list[timedelta] = field(default_factory=list)
    deactivated: int = 0
    pending: dict[str, str] | None = None
    """As in `PassFacts`; None: no bot is asked."""
    synced: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0

    @classmethod
    def of(cls, look: Look) -> "Hands":
        """Of a look that is under way."""
        return cls(tools=look.tools, judging=look.judging, run=look.run, lease=look.lease)

    def writing(self) -> AbstractAsyncContextManager[Record]:
        """A write transaction (rule 11). Raises LeaseLostError."""
        assert self.lease is not None
        return self.tools.writing(self.lease, self.run, self.judging.mode)

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

    def tell(self, look: Look) -> None:
        """What was done after the look began."""
        look.findings += self.findings
        look.recheck += self.recheck
        self.count_in(look.facts)

    def count_in(self, facts: PassFacts) -> None:
        """The numbers."""
        facts.deactivated += self.deactivated
        if self.pending is not None:
            facts.pending = {**(facts.pending or {}), **self.pending}
        facts.quarantined += self.quarantined
        facts.synced += self.synced

    def added_to(self, outcome: Outcome) -> Outcome:
        """What was done before the look."""
        waits = [*self.recheck, *([outcome.recheck_after] if outcome.recheck_after else [])]
        return replace(
            outcome,
            findings=(*self.findings, *outcome.findings),
            recheck_after=min(waits, default=None),
        )
