"""The probe of sign-in, wired: from settings to doors, and from results to metrics and health."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from aiohttp.abc import AbstractResolver
from pydantic import SecretStr

from reconciler.auth_probe.bot import BotDoors
from reconciler.auth_probe.prober import Prober
from reconciler.auth_probe.supabase import SupabaseDoors
from reconciler.domain.auth_probes import ProbeResult, ProbeStep
from reconciler.domain.auth_rejections import CLOSES
from reconciler.domain.identity import BookName
from reconciler.domain.outcome import OutcomeState
from reconciler.http.authentication import LONG_ENOUGH
from reconciler.http.signing_keys import SigningKeys
from reconciler.http.supabase_tokens import SupabaseTokens
from reconciler.jobs.auth_probe import AuthLimits, AuthProbed, AuthProbeService
from reconciler.jobs.auth_spikes import RowsOfBook, SpikeWatch
from reconciler.rules.auth_environment import (
    AuthEnvironment,
    EnvironmentFinding,
    find_misfits,
    is_canary_the_bot,
)
from reconciler.rules.auth_incidents import AUTH
from reconciler.settings import Settings
from reconciler.settings.auth import AuthSettings
from reconciler.store.leases import Leases
from reconciler.store.postgres import PostgresStore
from reconciler.telemetry.health import HealthBoard
from reconciler.telemetry.metrics import AUTH_REJECTIONS, Metrics

log = structlog.get_logger("reconciler.service")

JOB = AuthProbeService.name
ENVIRONMENT = "sign-in environment"


def is_probed(auth: AuthSettings) -> bool:
    """Whether there is anything to ask."""
    return bool(auth.supabase_url or auth.bot.url or auth.bot.websocket_url)


def environment_of(settings: Settings) -> AuthEnvironment:
    """What is configured of Supabase."""
    auth = settings.auth
    return AuthEnvironment(
        supabase_url=auth.supabase_url,
        issuer=issuer_of(settings),
        service_key=_revealed(auth.service_role_key),
        anon_key=_revealed(auth.anon_key),
        jwt_secret=_revealed(auth.jwt_secret),
        bot_token=_revealed(auth.bot.token),
        canary_email=auth.canary.email,
        expiry_warning=auth.expiry_warning,
    )


def issuer_of(settings: Settings) -> str | None:
    """Who must have issued a token, as our own API asks it."""
    url = settings.auth.supabase_url
    return settings.api.jwt.issuer or (f"{url}/auth/v1" if url else None)


def misfits_of(settings: Settings) -> tuple[EnvironmentFinding, ...]:
    """What of the environment does not fit, by this host's clock."""
    return find_misfits(environment_of(settings), now=datetime.now(UTC))


def tell_misfits(settings: Settings, health: HealthBoard, *, known: str = "") -> str:
    """At start, and when they are no longer those that were `known`: a line for each, and
    `/health` shows them. What is known now.
    """
    found = misfits_of(settings)
    said = "; ".join(f"{each.what} {each.says}" for each in found)
    if said == known:
        return said
    for each in found:
        write = log.error if each.level == "fail" else log.warning
        write(f"[AUTH] {each.what} {each.says}", mend=each.mend)
    if found:
        health.degraded(ENVIRONMENT, said)
    else:
        health.recovered(ENVIRONMENT)
    return said


def prober_of(settings: Settings, *, resolver: AbstractResolver | None = None) -> Prober:
    """What asks."""
    bot = settings.auth.bot
    return Prober(
        supabase=_supabase_of(settings),
        bot=BotDoors(
            url=bot.url,
            websocket_url=bot.websocket_url,
            token=_revealed(bot.token),
            live_path=bot.live_path,
            ready_path=bot.ready_path,
            status_path=bot.status_path,
            trade_path=bot.trade_path,
        ),
        timeout=settings.auth.timeout,
        resolver=resolver,
    )


def auth_probe_of(
    settings: Settings,
    *,
    store: PostgresStore,
    leases: Leases,
    health: HealthBoard,
    metrics: Metrics,
    redact: Callable[[str], str],
    books: Sequence[RowsOfBook] = (),
    prober: Prober | None = None,
) -> AuthProbeService:
    """The job; without a prober where nothing is configured that could be asked."""
    auth = settings.auth
    metrics.declare_job(JOB, AUTH)
    teller = _Teller(settings, health, metrics)
    return AuthProbeService(
        prober or (prober_of(settings) if is_probed(auth) else None),
        store=store,
        leases=leases,
        limits=AuthLimits(
            confirmations=auth.confirmations,
            legacy_secret=auth.jwt_secret is not None,
            timeout=auth.timeout,
        ),
        mode=settings.mode,
        tell=teller.tell,
        spikes=SpikeWatch(
            limit=auth.rejections,
            within=auth.rejections_within,
            totals=metrics.rejections,
            count=teller.count,
            books=books,
            tell=teller.tell_rows,
        ),
        redact=redact,
    )


class _Teller:
    """Knows which result goes where."""

    def __init__(self, settings: Settings, health: HealthBoard, metrics: Metrics) -> None:
        self._settings = settings
        self._misfits = "; ".join(f"{each.what} {each.says}" for each in misfits_of(settings))
        self._health = health
        self._metrics = metrics

    def tell(self, probed: AuthProbed) -> None:
        """After each run."""
        state, sentence = probed.outcome.state, probed.outcome.sentence
        self._metrics.cycle_finished(JOB, AUTH, state)
        is_done = probed.judged is not None or state is OutcomeState.PARITY
        if is_done or state is OutcomeState.HELD:
            self._health.job_succeeded(JOB)
        if is_done:
            now = datetime.now(UTC).timestamp()
            self._metrics.last_success_timestamp_seconds.labels(JOB, AUTH).set(now)
        if state is OutcomeState.HELD:  # what was seen here last is the other's to tell now
            self._health.recovered("sign-in")
            for step in ProbeStep:
                self._metrics.auth_probe(step, passed=None)
        if probed.judged is None:
            return
        # A daemon runs for months: keys come near their end meanwhile.
        self._misfits = tell_misfits(self._settings, self._health, known=self._misfits)
        if state is OutcomeState.PARITY:
            self._health.recovered("sign-in")
        else:
            self._health.degraded("sign-in", sentence)
        found = probed.judged.cause or ("passed" if state is OutcomeState.PARITY else None)
        if found is not None:
            self._metrics.auth_probes_total.labels(found).inc()
        for step in ProbeStep:
            self._metrics.auth_probe(step, _shown(step, probed))
        skew = probed.judged.clock_skew
        if skew is not None:
            self._metrics.clock_skew_seconds.labels("supabase").set(skew.total_seconds())
        for result in probed.results:
            self._count(result, failed=result.step in probed.judged.failed)

    def count(self, surface: str, code: str, more: int) -> None:
        """Refusals that a bot reports."""
        self._metrics.auth_rejections_total.labels(surface, code).inc(more)

    def tell_rows(self, book: BookName, why: str | None) -> None:
        """Whether the rows of refusals of a book can be read."""
        what = f"auth rejections of book {book}"
        if why is None:
            self._health.recovered(what)
        else:
            self._health.degraded(what, why)

    def _count(self, result: ProbeResult, *, failed: bool) -> None:
        """Refusals that we did not ask for: those of an open question are what we want."""
        surface = _surface_of(result.step)
        code = result.code.removeprefix("closed_") if surface == "websocket" else ""
        code = code if code in CLOSES else str(result.status)
        if failed and code in AUTH_REJECTIONS[surface]:
            self.count(surface, code, 1)


def _shown(step: ProbeStep, probed: AuthProbed) -> bool | None:
    """Passed or failed; None where it was not judged."""
    assert probed.judged is not None
    if step in probed.judged.passed:
        return True
    return False if step in probed.judged.failed else None


def _surface_of(step: ProbeStep) -> str:
    if step in {ProbeStep.BOT_WEBSOCKET, ProbeStep.BOT_WEBSOCKET_CLOSED}:
        return "websocket"
    return "bot" if step.is_of_bot else "supabase"


def _supabase_of(settings: Settings) -> SupabaseDoors | None:
    auth, issuer = settings.auth, issuer_of(settings)
    if auth.supabase_url is None or issuer is None:
        return None
    same = "the canary is the bot's own user: signing in could end the bot's session"
    jwks_url = auth.jwks_url or f"{auth.supabase_url}/auth/v1/.well-known/jwks.json"
    secret = _revealed(auth.jwt_secret)
    usable = secret if secret is not None and len(secret.encode()) >= LONG_ENOUGH else None
    return SupabaseDoors(
        url=auth.supabase_url,
        jwks_url=jwks_url,
        service_key=_revealed(auth.service_role_key),
        anon_key=_revealed(auth.anon_key),
        rest_table=auth.rest_table,
        canary_email=auth.canary.email,
        canary_password=_revealed(auth.canary.password),
        why_no_canary=same if is_canary_the_bot(environment_of(settings)) else None,
        bot_token=_revealed(auth.bot.token),
        issuer=issuer,
        verifier=SupabaseTokens(
            issuer=issuer,
            audience=settings.api.jwt.audience,
            keys=SigningKeys(jwks_url),
            secret=usable,
        ),
        why_no_verifier=_why_no_verifier(usable),
    )


def _why_no_verifier(secret: str | None) -> Callable[[str | None], str | None]:
    def why(algorithm: str | None) -> str | None:
        lacks = algorithm == "HS256" and secret is None
        return "auth.jwt_secret is not set, or too short" if lacks else None

    return why


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
