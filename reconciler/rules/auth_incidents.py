"""The `auth_failure` incidents: what they are called, what they say, when they are over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.domain.auth_probes import AuthClass, AuthJudgement, ProbeStep, TokenFacts
from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.incidents import (
    IncidentDraft,
    IncidentKey,
    IncidentKind,
    OpenIncident,
    Severity,
)
from reconciler.domain.suspicions import Suspicion

AUTH: Final = AccountName("auth:supabase")
"""The lease of the probe, and the account of its incidents: no configured account has a colon."""
BOOK: Final = BookName("main")
MOST_FACTS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How often in a row each thing was said."""

    failing: Suspicion
    """That something fails, whatever its class."""
    of_class: Suspicion
    """That it is of this very class."""
    grave: Suspicion | None
    """That it is SEV-1."""


def key_of(subject: str) -> IncidentKey:
    """Empty for the probe's own incident, `rejections` for a spike."""
    return IncidentKey(kind=IncidentKind.AUTH_FAILURE, book=BOOK, account=AUTH, subject=subject)


def class_that_stands(
    counted: Counted, standing: OpenIncident | None, *, confirmations: int
) -> AuthClass | None:
    """The class that enough probes in a row agreed on. Where they agree that something fails, and
    not on what: the one of before, else inconclusive. None: not confirmed yet.
    """
    if counted.of_class.count >= confirmations:
        return AuthClass(counted.of_class.saying)
    if standing is not None:
        return AuthClass(standing.details.get("class", AuthClass.INCONCLUSIVE))
    return AuthClass.INCONCLUSIVE if counted.failing.count >= confirmations else None


def draft_of(
    judged: AuthJudgement,
    cause: AuthClass,
    counted: Counted,
    standing: OpenIncident | None,
    *,
    confirmations: int,
) -> IncidentDraft:
    """The incident as it should stand. It stays as grave as it ever was until it is over."""
    was_grave = standing is not None and standing.severity is Severity.SEV_1
    is_grave = counted.grave is not None and counted.grave.count >= confirmations
    first = judged.facts[0] if judged.facts else "no step says why"
    return IncidentDraft(
        key=key_of(""),
        severity=Severity.SEV_1 if is_grave or was_grave else Severity.SEV_2,
        title=f"sign-in fails ({cause}): {first.removeprefix(f'{cause}: ')}",
        details={
            "class": cause.value,
            "facts": list(judged.facts[:MOST_FACTS]),
            "not_judged": list(judged.unknown),
            "steps": [{"step": step.value, "says": says} for step, says in judged.states],
            "failed_steps": sorted(step.value for step in judged.failed),
            "failing_claims": [_claims(token) for token in judged.failing_tokens],
            "open_doors": [step.value for step in judged.open_doors],
            "clock_skew_seconds": (
                round(judged.clock_skew.total_seconds()) if judged.clock_skew else 0
            ),
            "probes_in_a_row": counted.failing.count,
        },
    )


def is_news(draft: IncidentDraft, standing: OpenIncident | None, judged: AuthJudgement) -> bool:
    """Whether the incident would say anything that it does not say yet. Facts of another class
    wait until that class stands.
    """
    if standing is None or draft.severity is not standing.severity:
        return True
    if judged.cause is None or draft.details["class"] != judged.cause.value:
        return False
    told = ("class", "failed_steps", "open_doors")
    return any(standing.details.get(name) != draft.details[name] for name in told)


def why_not_over(incident: OpenIncident, judged: AuthJudgement) -> str | None:
    """A step that failed must have passed; one that is not configured any more is left out."""
    failed = set(incident.details.get("failed_steps", ()))
    open_still = sorted(step.value for step in judged.undecided if step.value in failed)
    return f"{', '.join(open_still)} could not be judged" if open_still else None


def spike_draft(
    why: str, rejections: Mapping[str, int], tokens: Sequence[TokenFacts]
) -> IncidentDraft:
    """The incident of a spike; `tokens` as bots told of them."""
    details: dict[str, Any] = {
        "class": AuthClass.INCONCLUSIVE.value,
        "facts": [why],
        "by_surface": dict(rejections),
        "failing_claims": [_claims(token) for token in tokens],
    }
    return IncidentDraft(
        key=key_of("rejections"),
        severity=Severity.SEV_2,
        title=f"sign-in is refused often: {why}",
        details=details,
    )


def _claims(token: TokenFacts) -> dict[str, Any]:
    """What may be told of a token: never itself."""
    claims = {
        "fingerprint": token.fingerprint,
        "issuer": token.issuer,
        "audience": token.audience,
        "exp": token.expires_at.isoformat() if token.expires_at else None,
        "user_id": token.user_id,
        "role": token.role,
        "key_id": token.key_id,
        "algorithm": token.algorithm,
    }
    return {name: value for name, value in claims.items() if value is not None}


def accepted_by_bot(judged: AuthJudgement, algorithm: str | None, *, is_jwt: bool) -> str | None:
    """How the token was signed that the bot has just accepted; None: it accepted none."""
    if ProbeStep.BOT_STATUS not in judged.passed:
        return None
    return (algorithm or "unknown") if is_jwt else "opaque"
