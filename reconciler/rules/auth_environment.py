"""Whether SUPABASE_URL and the keys fit one another, seen without asking anybody."""

import base64
import hmac
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from reconciler.domain.auth_probes import TokenFacts
from reconciler.rules.auth_tokens import KeyKind, email_in, facts_of, kind_of_key

HOSTED = ".supabase.co"
LONG_ENOUGH = 32
"""Bytes of an HS256 secret (RFC 7518)."""
COPY_AGAIN = "copy it again from the dashboard, without quotes or line breaks"
SERVICE, ANON = "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_ANON_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthEnvironment:
    """What is configured. Holds secrets: never shown."""

    supabase_url: str | None
    issuer: str | None
    service_key: str | None
    anon_key: str | None
    jwt_secret: str | None
    bot_token: str | None
    canary_email: str | None
    expiry_warning: timedelta

    def __repr__(self) -> str:
        """Nothing of what it holds."""
        return "AuthEnvironment(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFinding:
    """One thing that does not fit, and the mend."""

    level: Literal["warn", "fail"]
    what: str
    says: str
    mend: str


def find_misfits(environment: AuthEnvironment, *, now: datetime) -> tuple[EnvironmentFinding, ...]:
    """Everything that does not fit; empty where all does."""
    return (
        *_of_url(environment),
        *_of_service_key(environment, now),
        *_of_anon_key(environment, now),
        *_of_secret(environment),
        *_of_bot_token(environment, now),
    )


def project_of(url: str | None) -> str | None:
    """The project's reference, where the address is a hosted one."""
    host = urlsplit(url).hostname if url else None
    return host.removesuffix(HOSTED) if host and host.endswith(HOSTED) else None


def is_canary_the_bot(environment: AuthEnvironment) -> bool:
    """Whether the canary has the bot's own address: signing in could end the bot's session."""
    email, bots = environment.canary_email, environment.bot_token
    claimed = email_in(bots) if bots else None
    return bool(email and claimed and email.lower() == claimed.lower())


def _of_url(environment: AuthEnvironment) -> Iterator[EnvironmentFinding]:
    url = environment.supabase_url
    if url is None:
        return
    parts = urlsplit(url)
    if parts.path not in {"", "/"}:
        # Whoever hosts it may have put it behind one; the APIs' own paths are added by everybody.
        is_wrong = project_of(url) is not None or "/v1" in parts.path
        says = f"has a path ({parts.path})"
        mend = "the project's address alone, unless a proxy of your own needs the path"
        yield (_fail if is_wrong else _warn)("SUPABASE_URL", says, mend)
    if parts.scheme == "http" and not _is_near(parts.hostname or ""):
        yield _warn("SUPABASE_URL", "is http: keys travel in clear", "use https")
    if (parts.hostname or "").endswith(".supabase.com"):
        yield _fail("SUPABASE_URL", "is the dashboard's address", "use https://REF.supabase.co")


def _is_near(host: str) -> bool:
    """Names without a dot are containers' and Kubernetes' own."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))


def _of_service_key(environment: AuthEnvironment, now: datetime) -> Iterator[EnvironmentFinding]:
    key = environment.service_key
    if key is None:
        return
    match kind_of_key(key):
        case KeyKind.PUBLISHABLE:
            yield _fail(SERVICE, "is a publishable key", "put the sb_secret key there")
        case KeyKind.OTHER:
            yield _fail(SERVICE, "is no key of Supabase's", COPY_AGAIN)
        case KeyKind.LEGACY:
            facts = facts_of(key)
            if facts.role != "service_role":
                swapped = environment.anon_key is not None and (
                    facts_of(environment.anon_key).role == "service_role"
                )
                says = f"has the role {facts.role}, not service_role"
                mend = "swap the two keys" if swapped else "put the service_role key there"
                yield _fail(SERVICE, says, mend)
            yield from _of_legacy_key(SERVICE, facts, environment, now)
        case KeyKind.SECRET:
            return  # says nothing about itself: it is judged by use


def _of_anon_key(environment: AuthEnvironment, now: datetime) -> Iterator[EnvironmentFinding]:
    key = environment.anon_key
    if key is None:
        return
    facts = facts_of(key)
    if kind_of_key(key) is KeyKind.SECRET or facts.role == "service_role":
        yield _fail(
            ANON,
            "is a secret key, in the place of the public one: it may be public already",
            "put the anon or sb_publishable key there, and rotate the secret one",
        )
    elif kind_of_key(key) is KeyKind.OTHER:
        yield _fail(ANON, "is no key of Supabase's", COPY_AGAIN)
    if facts.is_jwt:
        yield from _of_legacy_key(ANON, facts, environment, now)


def _of_legacy_key(
    name: str, facts: TokenFacts, environment: AuthEnvironment, now: datetime
) -> Iterator[EnvironmentFinding]:
    project = project_of(environment.supabase_url)
    if project and facts.project and facts.project != project:
        says = f"is of project {facts.project}, the address is of {project}"
        yield _fail(name, says, "take address and key from one project")
    yield from _of_expiry(name, facts, environment, now)


def _of_expiry(
    name: str, facts: TokenFacts, environment: AuthEnvironment, now: datetime
) -> Iterator[EnvironmentFinding]:
    if facts.expires_at is None:
        return
    left = facts.expires_at - now
    if left <= timedelta(0):
        yield _fail(name, f"expired on {facts.expires_at:%Y-%m-%d}", "rotate it")
    elif left <= environment.expiry_warning:
        says = f"expires on {facts.expires_at:%Y-%m-%d}, in {left.days} days"
        yield _warn(name, says, "rotate it before")


def _of_secret(environment: AuthEnvironment) -> Iterator[EnvironmentFinding]:
    secret = environment.jwt_secret
    if secret is None:
        return
    name = "SUPABASE_JWT_SECRET"
    if kind_of_key(secret) is not KeyKind.OTHER:
        yield _fail(name, "is an API key, not the JWT secret", "copy it from the JWT settings")
    elif len(secret.encode()) < LONG_ENOUGH:
        yield _warn(name, f"has fewer than {LONG_ENOUGH} bytes", "rotate it to a longer one")
    for title, key in ((SERVICE, environment.service_key), (ANON, environment.anon_key)):
        if key and facts_of(key).algorithm == "HS256" and not _is_signed_by(key, secret):
            says = f"is not what {title} was signed with"
            yield _warn(name, says, "take both from one project, after its last rotation")


def _is_signed_by(token: str, secret: str) -> bool:
    said, _, signature = token.rpartition(".")
    try:
        given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(secret.encode(), said.encode(), "sha256"), given)


def _of_bot_token(environment: AuthEnvironment, now: datetime) -> Iterator[EnvironmentFinding]:
    name = "auth.bot.token"
    facts = facts_of(environment.bot_token) if environment.bot_token else None
    if facts is None or not facts.is_jwt:
        return
    if environment.issuer and facts.issuer and facts.issuer != environment.issuer:
        says = f"was issued by {facts.issuer}, the address is of {environment.issuer}"
        yield _fail(name, says, "set SUPABASE_URL to the project that issues the bot's tokens")
    if facts.expires_at is not None and facts.expires_at <= now:
        yield _fail(name, f"expired at {facts.expires_at:%Y-%m-%d %H:%M} UTC", "renew it")
    if is_canary_the_bot(environment):
        yield _fail(
            "auth.canary.email",
            "is the bot's own user: signing in could end the bot's session",
            "make a user of its own for the probe",
        )


def _fail(what: str, says: str, mend: str) -> EnvironmentFinding:
    return EnvironmentFinding(level="fail", what=what, says=says, mend=mend)


def _warn(what: str, says: str, mend: str) -> EnvironmentFinding:
    return EnvironmentFinding(level="warn", what=what, says=says, mend=mend)
