"""The questions to Supabase: reach, keys, and a canary user with a session of its own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from reconciler.auth_probe.asking import Answered, Asker
from reconciler.domain.auth_probes import ProbeResult, ProbeStep, TokenFacts
from reconciler.http.callers import TokenRefusedError
from reconciler.rules.auth_tokens import KeyKind, facts_of, kind_of_key

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Asking the admin API for this user shows whether a key is a service key, and nobody's data."""
OK, NOT_FOUND, CREATED = 200, 404, range(200, 300)


class Verifier(Protocol):
    """Our own verifier of Supabase's tokens."""

    async def caller(self, token: str) -> object:
        """Raises TokenRefusedError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupabaseDoors:
    """Where Supabase is, and what it is asked with. Holds secrets: never shown."""

    url: str
    jwks_url: str
    service_key: str | None = field(default=None, repr=False)
    anon_key: str | None = field(default=None, repr=False)
    rest_table: str | None = None
    canary_email: str | None = field(default=None, repr=False)
    canary_password: str | None = field(default=None, repr=False)
    why_no_canary: str | None = None
    """Why the canary must not sign in."""
    bot_token: str | None = field(default=None, repr=False)
    issuer: str = ""
    verifier: Verifier | None = None
    why_no_verifier: Callable[[str | None], str | None] = lambda _algorithm: None
    """Why tokens of that algorithm cannot be verified here."""


@dataclass(slots=True, kw_only=True)
class Session:
    """The canary's, for one probe."""

    access: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)


class SupabaseQuestions:
    """One probe's questions to Supabase."""

    def __init__(self, asker: Asker, doors: SupabaseDoors) -> None:
        self._asker = asker
        self._doors = doors
        self.session = Session()
        asker.hide(doors.service_key, doors.anon_key, doors.canary_password, doors.bot_token)

    async def surface(self) -> list[ProbeResult]:
        """What needs no session, at once."""
        asked = (self._health(), self._jwks(), self._service_key(), self._rest())
        return list(await asyncio.gather(*asked))

    async def canary(self, *, is_jwks_known: bool) -> list[ProbeResult]:
        """A session of the canary's own, from sign-in to refresh."""
        later = (ProbeStep.CANARY_VERIFIED, ProbeStep.CANARY_USER, ProbeStep.CANARY_REFRESH)
        signed_in = await self._sign_in()
        if not self.session.access:
            why = signed_in.skipped or "no token could be had"
            return [signed_in, *(ProbeResult(step=step, skipped=why) for step in later)]
        return [
            signed_in,
            await self._verified(is_jwks_known=is_jwks_known),
            await self._user(ProbeStep.CANARY_USER, self.session.access),
            await self._refresh(),
        ]

    async def bot_token(self) -> ProbeResult:
        """The token that the bot uses, shown to its issuer."""
        token, step = self._doors.bot_token, ProbeStep.BOT_TOKEN
        if token is None:
            return ProbeResult(step=step, skipped="auth.bot.token is not set")
        facts = facts_of(token)
        if not facts.is_jwt:
            return ProbeResult(step=step, skipped="auth.bot.token is no JWT")
        if facts.issuer not in {None, self._doors.issuer}:
            return ProbeResult(step=step, skipped="auth.bot.token has another issuer")
        return await self._user(step, token)

    async def sign_out(self) -> None:
        """End the canary's session, and no other: they would pile up."""
        if self.session.access:
            url = f"{self._doors.url}/auth/v1/logout?scope=local"
            await self._asker.ask("POST", url, headers=self._headers(self.session.access))

    async def _health(self) -> ProbeResult:
        answered = await self._ask("GET", "/auth/v1/health")
        is_there = isinstance(answered.body, dict) and "version" in answered.body
        return _result(ProbeStep.SUPABASE_HEALTH, answered, ok=answered.status == OK and is_there)

    async def _jwks(self) -> ProbeResult:
        """An empty key set is normal: projects that sign with the legacy secret publish none."""
        answered = await self._asker.ask("GET", self._doors.jwks_url)
        body = answered.body
        is_set = isinstance(body, dict) and isinstance(body.get("keys"), list)
        return _result(ProbeStep.JWKS, answered, ok=answered.status == OK and is_set)

    async def _service_key(self) -> ProbeResult:
        key, step = self._doors.service_key, ProbeStep.SERVICE_KEY
        if key is None:
            return ProbeResult(step=step, skipped="auth.service_role_key is not set")
        path = f"/auth/v1/admin/users/{NOBODY}"
        answered = await self._ask("GET", path, headers=_with_key(key))
        # Older releases of GoTrue, which people host themselves, give no code.
        words = answered.code or answered.message.lower().replace(" ", "_")
        let_in = answered.status == NOT_FOUND and words == "user_not_found"
        return _result(step, answered, ok=let_in or answered.status == OK, token=facts_of(key))

    async def _rest(self) -> ProbeResult:
        key, table, step = self._doors.service_key, self._doors.rest_table, ProbeStep.REST
        if key is None or table is None:
            return ProbeResult(step=step, skipped="auth.rest_table or service_role_key is not set")
        path = f"/rest/v1/{quote(table, safe='')}?limit=0"
        answered = await self._ask("GET", path, headers=_with_key(key))
        ok = answered.status in {OK, 206} and isinstance(answered.body, list)
        return _result(step, answered, ok=ok, token=facts_of(key))

    async def _sign_in(self) -> ProbeResult:
        doors, step = self._doors, ProbeStep.CANARY_SIGN_IN
        if doors.why_no_canary:
            return ProbeResult(step=step, skipped=doors.why_no_canary)
        if not doors.canary_email or not doors.canary_password:
            return ProbeResult(step=step, skipped="auth.canary is not set")
        answered = await self._ask(
            "POST",
            "/auth/v1/token?grant_type=password",
            json_body={"email": doors.canary_email, "password": doors.canary_password},
        )
        ok = self._take(answered)
        token = facts_of(self.session.access) if ok else None
        return _result(step, answered, ok=ok, token=token)

    async def _refresh(self) -> ProbeResult:
        before = facts_of(self.session.access)
        answered = await self._ask(
            "POST",
            "/auth/v1/token?grant_type=refresh_token",
            json_body={"refresh_token": self.session.refresh},
        )
        is_new = _token_in(answered, "access_token") is not None
        ok = answered.status in CREATED and is_new
        if ok:
            self._asker.hide(
                _token_in(answered, "access_token"), _token_in(answered, "refresh_token")
            )
        return _result(ProbeStep.CANARY_REFRESH, answered, ok=ok, token=before)

    async def _verified(self, *, is_jwks_known: bool) -> ProbeResult:
        step, token = ProbeStep.CANARY_VERIFIED, facts_of(self.session.access)
        why = self._doors.why_no_verifier(token.algorithm)
        if self._doors.verifier is None or why:
            return ProbeResult(step=step, skipped=why or "tokens are not verified here")
        try:
            await self._doors.verifier.caller(self.session.access)
        except TokenRefusedError as error:
            if token.algorithm != "HS256" and not is_jwks_known:
                return ProbeResult(step=step, skipped="the signing keys could not be fetched")
            said = self._asker.masked(error.reason)
            return ProbeResult(step=step, refused=said, token=token)
        return ProbeResult(step=step, is_expected=True, token=token)

    async def _user(self, step: ProbeStep, token: str) -> ProbeResult:
        answered = await self._ask("GET", "/auth/v1/user", headers=self._headers(token))
        body = answered.body
        ok = answered.status == OK and isinstance(body, dict) and "id" in body
        return _result(step, answered, ok=ok, token=facts_of(token))

    def _take(self, answered: Answered) -> bool:
        """Keep the session's tokens for the rest of this probe."""
        access, refresh = (_token_in(answered, n) for n in ("access_token", "refresh_token"))
        self._asker.hide(access, refresh)
        if answered.status not in CREATED or access is None:
            return False
        self.session.access, self.session.refresh = access, refresh or ""
        return True

    def _headers(self, token: str | None = None) -> dict[str, str]:
        key = self._doors.anon_key or self._doors.service_key
        headers = {"apikey": key} if key else {}
        return headers | ({"Authorization": f"Bearer {token}"} if token else {})

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        json_body: Any = None,
    ) -> Answered:
        return await self._asker.ask(
            method, self._doors.url + path, headers=headers or self._headers(), json_body=json_body
        )


def _with_key(key: str) -> dict[str, str]:
    """Legacy keys are JWTs, and go twice; opaque ones go in `apikey` only."""
    twice = {"Authorization": f"Bearer {key}"} if kind_of_key(key) is KeyKind.LEGACY else {}
    return {"apikey": key, **twice}


def _token_in(answered: Answered, name: str) -> str | None:
    value = answered.body.get(name) if isinstance(answered.body, dict) else None
    return value if isinstance(value, str) and value else None


def _result(
    step: ProbeStep, answered: Answered, *, ok: bool, token: TokenFacts | None = None
) -> ProbeResult:
    return ProbeResult(
        step=step,
        status=answered.status,
        code="" if ok else answered.code,
        message="" if ok else answered.message,
        is_expected=ok,
        no_answer=answered.no_answer,
        token=token,
        expired_by=_expired_by(token, answered.clock_skew),
        clock_skew=answered.clock_skew,
    )


def _expired_by(token: TokenFacts | None, skew: timedelta | None) -> timedelta | None:
    """By the server's clock, where it told it."""
    if token is None or token.expires_at is None:
        return None
    return datetime.now(UTC) + (skew or timedelta(0)) - token.expires_at
