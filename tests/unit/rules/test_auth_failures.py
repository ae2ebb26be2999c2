"""What one probe means, from its results alone; the catalogue over HTTP is a scenario."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.domain.auth_probes import (
    AuthClass,
    AuthJudgement,
    NoAnswer,
    ProbeResult,
    ProbeStep,
    TokenFacts,
)
from reconciler.domain.identity import AccountName, BookName
from reconciler.domain.incidents import Severity
from reconciler.domain.suspicions import SuspicionKey
from reconciler.rules.auth_answers import CATALOGUE, sign_of
from reconciler.rules.auth_failures import AuthContext, count_again, judge_probe
from reconciler.rules.auth_spikes import (
    RejectionSample,
    rejections_over,
    samples_within,
    why_a_spike,
)

S = ProbeStep
NOW = datetime(2026, 11, 23, tzinfo=UTC)
FRESH = TokenFacts(fingerprint="fresh", is_jwt=True, algorithm="ES256")
OPAQUE = TokenFacts(fingerprint="opaque")
KEY = SuspicionKey(book=BookName("main"), account=AccountName("a"), kind="auth_failure", subject="")


def ok(step: ProbeStep, **more: Any) -> ProbeResult:
    return ProbeResult(step=step, status=200, is_expected=True, **more)


def bad(step: ProbeStep, status: int, **more: Any) -> ProbeResult:
    return ProbeResult(step=step, status=status, **more)


CANARY = (ok(S.CANARY_SIGN_IN, token=FRESH), ok(S.CANARY_USER, token=FRESH))


def judged(*results: ProbeResult, **context: Any) -> AuthJudgement:
    return judge_probe(results, context=AuthContext(**context))


def test_nothing_asked_is_nothing_wrong() -> None:
    said = judged(*(ProbeResult(step=step, skipped="not set") for step in S))
    assert (said.cause, said.passed, said.facts) == (None, frozenset(), ())


@pytest.mark.parametrize("step", S)
@pytest.mark.parametrize("no_answer", NoAnswer)
def test_no_answer_is_infra_but_for_what_the_settings_have_wrong(
    step: ProbeStep, no_answer: NoAnswer
) -> None:
    said = judged(ProbeResult(step=step, no_answer=no_answer))
    of_settings = no_answer in {NoAnswer.NAME_UNKNOWN, NoAnswer.UNSENDABLE}
    assert said.cause is (AuthClass.CONFIG if of_settings else AuthClass.INFRA)


def test_every_row_of_the_catalogue_can_be_reached() -> None:
    """No earlier row hides it: rows of codes before rows of statuses alone."""
    first_bare = next(i for i, row in enumerate(CATALOGUE) if row.status == frozenset({429}))
    assert all(row.codes or row.words or row.status for row in CATALOGUE)
    assert all(row.codes or row.words or 429 not in row.status for row in CATALOGUE[:first_bare])


@pytest.mark.parametrize(
    ("accepted", "legacy", "cause"),
    [
        ("HS256", False, AuthClass.CONFIG),
        ("ES256", True, AuthClass.APP_REGRESSION),
        (None, True, AuthClass.CONFIG),
        (None, False, AuthClass.APP_REGRESSION),
        ("opaque", False, AuthClass.APP_REGRESSION),
    ],
)
def test_a_good_token_that_the_bot_refuses(
    accepted: str | None, legacy: bool, cause: AuthClass
) -> None:
    refused = bad(S.BOT_STATUS, 401, token=FRESH)
    said = judged(*CANARY, refused, accepted_algorithm=accepted, legacy_secret=legacy)
    assert (said.cause, said.severity) == (cause, Severity.SEV_1)


def test_a_bot_that_speaks_of_signatures_after_a_rotation_nobody_saw() -> None:
    refused = bad(S.BOT_STATUS, 401, token=FRESH, message="The specified alg value is not allowed")
    assert judged(*CANARY, refused).cause is AuthClass.CONFIG


@pytest.mark.parametrize(
    ("accepted", "cause"),
    [("opaque", AuthClass.APP_REGRESSION), (None, AuthClass.INCONCLUSIVE)],
)
def test_an_opaque_token_that_the_bot_refuses(accepted: str | None, cause: AuthClass) -> None:
    said = judged(bad(S.BOT_STATUS, 401, token=OPAQUE), accepted_algorithm=accepted)
    assert (said.cause, said.severity) == (cause, Severity.SEV_1)


@pytest.mark.parametrize("seconds", [40, -40, 5, -5])
def test_a_skewed_clock_alone_is_infra(seconds: int) -> None:
    said = judged(ok(S.SUPABASE_HEALTH, clock_skew=timedelta(seconds=seconds)))
    assert said.cause is (AuthClass.INFRA if abs(seconds) > 5 else None)
    assert said.clock_skew == timedelta(seconds=seconds)
    assert said.failed == frozenset()


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("invalid JWT: token is expired", AuthClass.INFRA),
        ("invalid JWT: token used before issued", AuthClass.INFRA),
        ("invalid JWT: signing method HS256 is invalid", AuthClass.CONFIG),
    ],
)
def test_words_without_a_code(words: str, cause: AuthClass) -> None:
    said = judged(CANARY[0], bad(S.CANARY_USER, 401, token=FRESH, message=words))
    assert said.cause is cause


@pytest.mark.parametrize(("seconds", "is_clock"), [(5, False), (6, True), (-6, True)])
def test_a_skewed_clock_explains_a_refusal(seconds: int, is_clock: bool) -> None:
    health = ok(S.SUPABASE_HEALTH, clock_skew=timedelta(seconds=seconds))
    said = judged(health, *CANARY, bad(S.BOT_STATUS, 401, token=FRESH))
    assert (said.cause is AuthClass.INFRA) is is_clock
    assert said.facts[0].startswith("clock: Supabase's clock is 6 s") is is_clock


def test_one_control_endpoint_that_works_is_not_all() -> None:
    said = judged(*CANARY, bad(S.BOT_STATUS, 401, token=FRESH), ok(S.BOT_WEBSOCKET, token=FRESH))
    assert said.severity is Severity.SEV_2


def test_a_handshake_that_is_closed_at_once_is_a_refusal() -> None:
    closed = bad(S.BOT_WEBSOCKET, 101, code="closed_4401", token=FRESH)
    assert judged(*CANARY, closed).cause is AuthClass.APP_REGRESSION
    without = ok(S.BOT_WEBSOCKET_CLOSED)
    assert sign_of(without) is None


def test_words_that_nobody_knows_are_inconclusive() -> None:
    said = judged(bad(S.CANARY_USER, 418, message="teapot"))
    assert said.cause is AuthClass.INCONCLUSIVE


@pytest.mark.parametrize(
    ("refused", "cause"),
    [
        ("ImmatureSignatureError: The token is not yet valid (iat)", AuthClass.INFRA),
        ("ExpiredSignatureError: Signature has expired", AuthClass.INFRA),
        ("InvalidIssuerError: Invalid issuer", AuthClass.CONFIG),
        ("InvalidSignatureError: Signature verification failed", AuthClass.CONFIG),
    ],
)
def test_our_own_verifier(refused: str, cause: AuthClass) -> None:
    said = judged(*CANARY, ProbeResult(step=S.CANARY_VERIFIED, refused=refused, token=FRESH))
    assert said.cause is cause


def test_counting_in_a_row() -> None:
    one = count_again(key=KEY, previous=None, now=NOW, saying="infra")
    two = count_again(key=KEY, previous=one, now=NOW + timedelta(hours=2), saying="infra")
    other = count_again(key=KEY, previous=two, now=NOW + timedelta(hours=3), saying="config")
    late = count_again(key=KEY, previous=two, now=NOW + timedelta(hours=6), saying="infra")
    assert [s.count for s in (one, two, other, late)] == [1, 2, 1, 1]
    assert other.first_seen_at == NOW


def sample(minutes: int, **totals: int) -> RejectionSample:
    return RejectionSample(at=timedelta(minutes=minutes), totals=totals)


def test_spikes_are_counted_over_a_time() -> None:
    within = timedelta(minutes=5)
    seen = (sample(0, api=3), sample(4, api=10), sample(9, api=12, bot=2))
    kept = samples_within(seen, now=timedelta(minutes=9), within=within)
    assert kept == seen[1:]
    grown = rejections_over(kept)
    assert grown == {"api": 2, "bot": 2}
    assert why_a_spike(grown, limit=4, within=within) is None
    assert why_a_spike(grown, limit=3, within=within) == (
        "4 requests were refused within 5 min (api 2, bot 2)"
    )
    assert rejections_over(()) == {}
