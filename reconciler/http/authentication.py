"""Bearer tokens: from the header of a request to a caller, or to a refusal that says nothing."""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

import structlog

from reconciler.http.callers import Caller, TokenRefusedError
from reconciler.http.operator_tokens import OperatorTokens
from reconciler.http.signing_keys import SigningKeys
from reconciler.http.supabase_tokens import SupabaseTokens
from reconciler.settings import Settings

log = structlog.get_logger("reconciler.http")

LONGEST_TOKEN: Final = 8192
LONG_ENOUGH: Final = 32
"""Bytes of an HS256 secret: RFC 7518 asks for as many as the hash has."""
_BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


class Authentication:
    """Operator tokens, and Supabase's where they are configured."""

    def __init__(self, tokens: OperatorTokens, supabase: SupabaseTokens | None) -> None:
        self._tokens = tokens
        self._supabase = supabase

    @property
    def is_configured(self) -> bool:
        """Whether anybody can be let in at all."""
        return bool(self._tokens) or self._supabase is not None

    async def caller(self, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """Who calls. Raises TokenRefusedError."""
        token = token_of(headers)
        if caller := self._tokens.caller(token):
            return caller
        if self._supabase is None:
            raise TokenRefusedError("not a token of ours")
        return await self._supabase.caller(token)


def token_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The token of the only Authorization header. Raises TokenRefusedError."""
    given = [value for name, value in headers if name.lower() == b"authorization"]
    if len(given) != 1:
        raise TokenRefusedError("no token" if not given else "several Authorization headers")
    if len(given[0]) > LONGEST_TOKEN or (found := _BEARER.fullmatch(given[0])) is None:
        raise TokenRefusedError("no bearer token")
    return found[1].decode("ascii")


def fingerprint_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The start of the token's SHA-256: tells one token from another, and opens nothing."""
    try:
        return hashlib.sha256(token_of(headers).encode()).hexdigest()[:12]
    except TokenRefusedError:
        return None


def authentication_of(settings: Settings) -> Authentication:
    """What `[api]` and `[auth]` let in; nobody where they say nothing."""
    return Authentication(OperatorTokens(settings.api.tokens), _supabase_of(settings))


def _supabase_of(settings: Settings) -> SupabaseTokens | None:
    people, auth = settings.api.jwt, settings.auth
    if not people.viewers and not people.operators:
        return None  # nobody is listed: also no key is ever fetched
    issuer = people.issuer or (f"{auth.supabase_url}/auth/v1" if auth.supabase_url else None)
    if issuer is None:
        log.warning(
            "[AUTH] api.jwt lists people and no issuer is known: their tokens are refused. "
            "Set auth.supabase_url or api.jwt.issuer"
        )
        return None
    secret = auth.jwt_secret.get_secret_value() if auth.jwt_secret else None
    if secret is not None and len(secret.encode()) < LONG_ENOUGH:
        log.warning(
            f"[AUTH] auth.jwt_secret has fewer than {LONG_ENOUGH} bytes: it is not used to verify "
            "tokens, since it could be guessed"
        )
        secret = None
    return SupabaseTokens(
        issuer=issuer,
        audience=people.audience,
        keys=SigningKeys(auth.jwks_url or f"{issuer}/.well-known/jwks.json"),
        secret=secret,
        viewers=people.viewers,
        operators=people.operators,
    )
