"""How one pass over one account ended: a sentence for people, a state for machines."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from reconciler.domain.identity import AccountName


class OutcomeState(StrEnum):
    """Ordered by weight: the heaviest of a pass decides the exit code of `once`."""

    PARITY = "parity"
    DISCREPANCY = "discrepancy"
    NOT_JUDGED = "not_judged"
    HELD = "held"
    """Another daemon judges this account."""
    FAILED = "failed"

    @property
    def exit_code(self) -> int:
        """0 parity, 1 discrepancies found, 3 something could not be judged (DESIGN section 7)."""
        match self:
            case OutcomeState.PARITY:
                return 0
            case OutcomeState.DISCREPANCY:
                return 1
            case _:
                return 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing worth a line: what was found, and what was done about it."""

    kind: str
    account: AccountName
    subject: str
    text: str
    action: str
    """`none`, `suspected`, `written`, `contained`, `incident`, `held back`, `would have …`."""
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one pass over one account."""

    account: AccountName
    state: OutcomeState
    sentence: str
    findings: tuple[Finding, ...] = ()
    recheck_after: timedelta | None = None
    """Something awaits confirmation: look again after this long, not a whole interval later."""
    retry_after: timedelta | None = None
    """The venue asked us to wait this long."""
