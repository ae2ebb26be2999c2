"""Of 401s and 403s: configuration, infrastructure, or a regression of the application.

The third runbook's question, answered from one probe's results (DESIGN section 6, `auth_failure`).
Purely computational: what was asked when is in the results.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.domain.auth_probes import (
    AuthClass,
    AuthJudgement,
    NoAnswer,
    ProbeResult,
    ProbeStep,
    TokenFacts,
)
from reconciler.domain.incidents import Severity
from reconciler.domain.suspicions import Suspicion, SuspicionKey
from reconciler.rules.auth_answers import About, Sign, sign_of

CONFIG, INFRA = AuthClass.CONFIG, AuthClass.INFRA
APP, UNSURE = AuthClass.APP_REGRESSION, AuthClass.INCONCLUSIVE

MOST_SKEW = timedelta(seconds=5)
"""GoTrue allows none; a `Date` header is good to about a second."""
FORGET_AFTER = timedelta(hours=3)
"""A failure last seen longer ago starts over: `once` may run hourly and still count to three."""
ASYMMETRIC = frozenset({"ES256", "RS256"})
CONTROL = (ProbeStep.BOT_STATUS, ProbeStep.BOT_WEBSOCKET)
"""Trading control endpoints that can be asked with a token, and trade nothing."""
_FRESH = frozenset({ProbeStep.CANARY_USER, ProbeStep.CANARY_REFRESH, ProbeStep.CANARY_VERIFIED})
_KEYED = frozenset({ProbeStep.SERVICE_KEY, ProbeStep.REST, ProbeStep.SUPABASE_HEALTH})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthContext:
    """What is known beside the answers."""

    legacy_secret: bool = False
    """A legacy HS256 secret is configured: the deployment once verified by it."""
    accepted_algorithm: str | None = None
    """How the last token was signed that the bot accepted; `opaque` for one that is no JWT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probe:
    """The results with what was found wrong in each."""

    results: dict[ProbeStep, ProbeResult]
    signs: dict[ProbeStep, Sign]
    skew: timedelta | None

    def passed(self, step: ProbeStep) -> bool:
        result = self.results.get(step)
        return result is not None and result.skipped is None and step not in self.signs

    def failed(self, step: ProbeStep) -> bool:
        return step in self.signs and self.signs[step].is_failure

    @property
    def is_canary_well(self) -> bool:
        asked = (ProbeStep.CANARY_SIGN_IN, *_FRESH)
        return self.passed(asked[0]) and not any(self.failed(step) for step in asked)

    @property
    def is_canary_asked(self) -> bool:
        return self.passed(ProbeStep.CANARY_SIGN_IN) or self.failed(ProbeStep.CANARY_SIGN_IN)

    @property
    def is_skewed(self) -> bool:
        return self.skew is not None and abs(self.skew) > MOST_SKEW


def judge_probe(results: Sequence[ProbeResult], *, context: AuthContext) -> AuthJudgement:
    """What one probe means. Supabase's own trouble explains the bot's; what contradicts itself is
    inconclusive, and what could not be judged is no bad token.
    """
    signs = {r.step: sign for r in results if (sign := sign_of(r)) is not None}
    skews = [r.clock_skew for r in results if r.clock_skew is not None and not r.step.is_of_bot]
    probe = _Probe(
        results={r.step: r for r in results},
        signs=signs,
        skew=max(skews, key=abs) if skews else None,
    )
    failures = [sign for sign in signs.values() if sign.is_failure]
    settled = [_settled(sign, probe, context) for sign in failures]
    judged = [sign for sign in settled if sign is not None]
    cause, why = _combined(judged)
    if cause is None and probe.is_skewed:
        # Nothing is refused yet; the next token that is checked to the second will be.
        cause = INFRA
    facts = [f"{sign.cause}: {sign.fact}" for sign in judged]
    facts += [f"follows: {s.fact}" for s, j in zip(failures, settled, strict=True) if j is None]
    if cause is not None and probe.is_skewed and probe.skew is not None:
        facts.insert(0, _clock(probe.skew))
    if why:
        facts.insert(0, why)
    doors = tuple(s.step for s in failures if s.about is About.OPEN)
    return AuthJudgement(
        cause=cause,
        severity=_severity(doors, probe),
        facts=tuple(facts),
        unknown=tuple(sign.fact for sign in signs.values() if not sign.is_failure),
        failing_tokens=_failing_tokens(failures, probe),
        open_doors=doors,
        clock_skew=probe.skew,
        states=tuple((r.step, _state(r, signs.get(r.step))) for r in results),
        passed=frozenset(r.step for r in results if probe.passed(r.step)),
        failed=frozenset(sign.step for sign in failures),
        undecided=frozenset(sign.step for sign in signs.values() if not sign.is_failure),
    )


def _combined(signs: Sequence[Sign]) -> tuple[AuthClass | None, str]:
    """The class of all of them, and what is to be said of how it was reached."""
    of_supabase = [sign.cause for sign in signs if not sign.step.is_of_bot]
    causes = list(dict.fromkeys(of_supabase or [sign.cause for sign in signs]))
    if not causes:
        return None, ""
    if len(causes) == 1:
        return causes[0], ""
    return UNSURE, f"the answers contradict one another: {' and '.join(causes)}"


def _settled(sign: Sign, probe: _Probe, context: AuthContext) -> Sign | None:
    """The sign with its class; None where another failure explains it."""
    match sign.about:
        case About.EXPIRED | About.FUTURE:
            return _of_time(sign, probe)
        case About.REFUSED:
            return _refused(sign, probe, context)
        case _:
            return sign


def _of_time(sign: Sign, probe: _Probe) -> Sign | None:
    """Expired, or from the future: the token's fault or a clock's."""
    clock = _says(sign, INFRA, "a clock on the way is wrong, no token is")
    if sign.about is About.FUTURE or sign.step in _FRESH:
        return clock
    expired_by = probe.results[sign.step].expired_by
    if sign.step in _KEYED:
        if expired_by is not None and expired_by > timedelta(0):
            return _says(sign, CONFIG, "the key itself has expired")
        return clock
    if sign.step in CONTROL and not _is_sent_token_good(sign.step, probe):
        return None  # told by the step that shows the same token to Supabase
    if probe.is_canary_well:
        return _says(sign, APP, "a fresh token of the canary is accepted")
    if any(probe.failed(step) for step in _FRESH):
        return clock  # a fresh token is refused as well
    if probe.is_canary_asked:
        return _says(sign, UNSURE, "no fresh token could be had to compare with")
    if expired_by is None:
        return sign
    if expired_by > timedelta(0):
        return _says(sign, APP, f"it ran out {expired_by.total_seconds():.0f} s ago")
    return clock


def _refused(sign: Sign, probe: _Probe, context: AuthContext) -> Sign | None:
    """The bot refuses a token: a bad token, an old key at the bot, or a bot that is wrong."""
    if any(not step.is_of_bot and s.is_failure for step, s in probe.signs.items()):
        return None  # Supabase's own trouble explains it
    token = probe.results[sign.step].token
    accepted = context.accepted_algorithm
    if token is None or not _is_sent_token_good(sign.step, probe):
        if accepted == "opaque" and token is not None and not token.is_jwt:
            return _says(sign, APP, "it accepted such a token before")
        return _says(sign, UNSURE, "nobody but the bot can judge that token")
    if probe.is_skewed:
        return _says(sign, INFRA, "Supabase accepts the token, and its clock is off")
    algorithm = token.algorithm
    if algorithm in ASYMMETRIC and accepted != algorithm:
        if accepted == "HS256":
            return _says(
                sign, CONFIG, f"keys were rotated from HS256, which it accepted, to {algorithm}"
            )
        if context.legacy_secret or (accepted is None and _speaks_of_keys(sign)):
            return _says(
                sign,
                CONFIG,
                f"Supabase signs with {algorithm} and accepts the token: the bot seems to verify "
                "by the old HS256 secret still",
            )
    return _says(sign, APP, "Supabase issued that token, and accepts it")


def _speaks_of_keys(sign: Sign) -> bool:
    words = sign.fact.lower()
    return any(each in words for each in ("algorithm", "alg ", "signature", "kid", "signing"))


def _is_sent_token_good(step: ProbeStep, probe: _Probe) -> bool:
    """Whether Supabase accepts the token that the bot was asked with."""
    asked = _shown_to_supabase(step, probe)
    return asked is not None and probe.passed(asked)


def _is_sent_token_bad(step: ProbeStep, probe: _Probe) -> bool:
    """Whether Supabase refuses that token: not merely that it could not say."""
    asked = _shown_to_supabase(step, probe)
    if asked is None or not probe.failed(asked):
        return False
    result = probe.results[asked]
    is_refusal = result.status is not None and 400 <= result.status < 500  # noqa: PLR2004 - HTTP's
    return is_refusal and result.status != 429  # noqa: PLR2004 - HTTP's


def _shown_to_supabase(step: ProbeStep, probe: _Probe) -> ProbeStep | None:
    """The step that showed the same token to Supabase."""
    sent = probe.results[step].token
    for asked in (ProbeStep.BOT_TOKEN, ProbeStep.CANARY_USER):
        result = probe.results.get(asked)
        shown = result.token if result is not None else None
        if sent is not None and shown is not None and shown.fingerprint == sent.fingerprint:
            return asked
    return None


def _severity(doors: Sequence[ProbeStep], probe: _Probe) -> Severity:
    """SEV-1 when every trading control endpoint fails, or a protected one is open. One that
    refuses a token which Supabase refuses too does its work; where nobody can say whether the
    token is good, nobody controls the bot.
    """
    asked = [s for s in CONTROL if probe.passed(s) or probe.failed(s)]
    lost = [s for s in asked if probe.failed(s) and _is_endpoints_fault(s, probe)]
    is_lost = bool(asked) and len(lost) == len(asked)
    return Severity.SEV_1 if doors or is_lost else Severity.SEV_2


def _is_endpoints_fault(step: ProbeStep, probe: _Probe) -> bool:
    result = probe.results[step]
    if result.no_answer is NoAnswer.UNSENDABLE:
        return False  # nobody asked it
    if result.no_answer is not None or (result.status or 0) >= 500:  # noqa: PLR2004 - HTTP's
        return True
    return not _is_sent_token_bad(step, probe)


def _failing_tokens(failures: Sequence[Sign], probe: _Probe) -> tuple[TokenFacts, ...]:
    """Each token that was refused, once."""
    tokens: dict[str, TokenFacts] = {}
    for sign in failures:
        result = probe.results[sign.step]
        if result.token is not None and result.no_answer is None:
            tokens.setdefault(result.token.fingerprint, result.token)
    return tuple(tokens.values())


def _state(result: ProbeResult, sign: Sign | None) -> str:
    if result.skipped is not None:
        return f"skipped: {result.skipped}"
    if sign is None:
        quoted = f" (degraded: {'; '.join(result.quoted)})" if result.quoted else ""
        return f"passed{quoted}"
    return f"{'failed' if sign.is_failure else 'unknown'}: {sign.fact}"


def _says(sign: Sign, cause: AuthClass, why: str) -> Sign:
    return replace(sign, cause=cause, fact=f"{sign.fact}; {why}")


def _clock(skew: timedelta) -> str:
    seconds = skew.total_seconds()
    where = "ahead of" if seconds > 0 else "behind"
    return f"clock: Supabase's clock is {abs(seconds):.0f} s {where} this host's"


def count_again(
    *, key: SuspicionKey, previous: Suspicion | None, now: datetime, saying: str
) -> Suspicion:
    """One more probe in a row that said the same; another saying counts from the start."""
    if previous is None or now - previous.last_seen_at > FORGET_AFTER:
        previous = None
    same = previous is not None and previous.saying == saying
    return Suspicion(
        key=key,
        first_seen_at=previous.first_seen_at if previous is not None else now,
        last_seen_at=now,
        count=previous.count + 1 if previous is not None and same else 1,
        counted_at=now,
        saying=saying,
    )
