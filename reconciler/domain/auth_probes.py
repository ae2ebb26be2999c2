"""What a probe of sign-in asked, what came back, and what that means. Never a token or a key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.domain.incidents import Severity


class ProbeStep(StrEnum):
    """Every question of the probe, in the order in which one would ask them."""

    SUPABASE_HEALTH = "supabase_health"
    JWKS = "jwks"
    SERVICE_KEY = "service_key"
    REST = "rest"
    CANARY_SIGN_IN = "canary_sign_in"
    CANARY_VERIFIED = "canary_verified"
    CANARY_USER = "canary_user"
    CANARY_REFRESH = "canary_refresh"
    BOT_TOKEN = "bot_token"  # noqa: S105 - a step's name
    BOT_LIVE = "bot_live"
    BOT_READY = "bot_ready"
    BOT_STATUS = "bot_status"
    BOT_TRADE = "bot_trade"
    BOT_WEBSOCKET = "bot_websocket"
    BOT_WEBSOCKET_CLOSED = "bot_websocket_closed"

    @property
    def is_of_bot(self) -> bool:
        """Whether it asks the bot's own surface; else it asks Supabase."""
        return self.value.startswith("bot_") and self is not ProbeStep.BOT_TOKEN


class AuthClass(StrEnum):
    """What kind of trouble it is: who has to mend it."""

    CONFIG = "config"
    INFRA = "infra"
    APP_REGRESSION = "app_regression"
    INCONCLUSIVE = "inconclusive"


class NoAnswer(StrEnum):
    """Why there was no HTTP answer at all."""

    NAME_UNKNOWN = "the name does not exist, and the resolver knows its parent"
    NAME_UNRESOLVED = "the name was not resolved, nor was its parent"
    REFUSED = "nothing accepts connections there"
    TIMEOUT = "no answer within the deadline"
    TLS = "no TLS connection"
    BROKEN = "the connection broke"
    UNSENDABLE = "not asked: a line break is in the key or token"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What may be kept of a token: its unverified claims, and the start of its SHA-256."""

    fingerprint: str
    is_jwt: bool = False
    algorithm: str | None = None
    key_id: str | None = None
    issuer: str | None = None
    audience: str | None = None
    user_id: str | None = None
    role: str | None = None
    project: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """One question and its answer."""

    step: ProbeStep
    skipped: str | None = None
    """Why it was not asked."""
    status: int | None = None
    """HTTP's; 101 for a WebSocket handshake that was accepted."""
    code: str = ""
    """The error code in header or body."""
    message: str = ""
    """The error's words, short and without anything that we sent."""
    is_expected: bool = False
    """The answer is what the step hopes for: status and shape."""
    no_answer: NoAnswer | None = None
    refused: str | None = None
    """What our own verifier said against the token."""
    token: TokenFacts | None = None
    """The token that was asked with."""
    expired_by: timedelta | None = None
    """The server's clock minus the token's expiry; negative while it is valid."""
    clock_skew: timedelta | None = None
    """The server's clock minus this host's, to about a second."""
    quoted: tuple[str, ...] = ()
    """What the bot's readiness calls degraded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthJudgement:
    """What one probe means as a whole."""

    cause: AuthClass | None
    """None: nothing failed."""
    severity: Severity
    facts: tuple[str, ...] = ()
    """What decided it, in sentences."""
    unknown: tuple[str, ...] = ()
    """What could not be judged, and is no failure."""
    failing_tokens: tuple[TokenFacts, ...] = ()
    open_doors: tuple[ProbeStep, ...] = ()
    clock_skew: timedelta | None = None
    states: tuple[tuple[ProbeStep, str], ...] = ()
    """Of each step: passed, failed, unknown or skipped, with the reason."""
    passed: frozenset[ProbeStep] = frozenset()
    failed: frozenset[ProbeStep] = frozenset()
    undecided: frozenset[ProbeStep] = frozenset()
    """Asked, and neither."""
