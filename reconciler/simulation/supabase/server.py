"""The simulated project as an HTTP server on a loopback port: gateway first, then GoTrue and
PostgREST behind it.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from wsgiref.handlers import format_date_time

from aiohttp import web

from reconciler.simulation.loopback import LoopbackService
from reconciler.simulation.supabase.keys import ProjectKeys, TokenRefused
from reconciler.simulation.supabase.users import Refused, Session, Users

JWKS_PATH = "/auth/v1/.well-known/jwks.json"
PAUSED = 540
HANGS_FOR = 60
"""Seconds: longer than anybody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """An answer in place of the true one."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class SimulatedSupabase(LoopbackService):
    """One project, on 127.0.0.1 only; use it with `async with`."""

    def __init__(self, *, keys: ProjectKeys | None = None) -> None:
        super().__init__()
        self.keys = keys or ProjectKeys()
        self.users = Users()
        self.tables: set[str] = {"profiles"}
        self.is_paused = False
        self.is_hanging = False
        """Accepts connections, and answers nothing."""
        self.echoes = False
        """Puts every secret that it was shown into headers and into the words of its errors."""
        self.skew = timedelta(0)
        """The project's clock minus the true one."""
        self.verifier_skew = timedelta(0)
        """On top of it, of the node that verifies tokens."""
        self.token_lifetime = timedelta(hours=1)
        self.forced: dict[str, Forced] = {}
        """By the start of the path."""
        self.asked: list[str] = []
        """Method and path of each request, in order."""
        self.issued: list[str] = []
        """Every token ever given out: what must be found nowhere else."""

    @property
    def issuer(self) -> str:
        """What its tokens say."""
        return f"{self.url}/auth/v1"

    @property
    def now(self) -> datetime:
        """The project's clock."""
        return datetime.now(UTC) + self.skew

    def application(self) -> web.Application:
        """Every path: the gateway decides."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    def issue(self, session: Session, *, lifetime: timedelta | None = None) -> str:
        """An access token of a session."""
        now = self.now
        claims = {
            "iss": self.issuer,
            "aud": "authenticated",
            "sub": session.user.id,
            "email": session.user.email,
            "role": "authenticated",
            "session_id": session.id,
            "iat": int((now + min(lifetime or timedelta(0), timedelta(0))).timestamp()),
            "exp": int((now + (lifetime or self.token_lifetime)).timestamp()),
        }
        token = self.keys.sign(claims)
        self.issued.append(token)
        return token

    async def _serve(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        if self.is_hanging:
            await asyncio.sleep(HANGS_FOR)
        answer = await self._answer(request)
        if self.echoes:
            answer = await _echoing(request, answer)
        answer.headers["Date"] = format_date_time(self.now.timestamp())
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        for start, forced in self.forced.items():
            if request.path.startswith(start):
                return web.json_response(forced.body, status=forced.status, headers=forced.headers)
        if self.is_paused:
            return web.json_response({"message": "Project paused"}, status=PAUSED)
        if request.path == JWKS_PATH:
            return web.json_response(self.keys.published())
        if why := self._why_not_through(request.headers.get("apikey")):
            return web.json_response(why, status=401)
        try:
            return await self._behind_gateway(request)
        except Refused as refused:
            return _refusal(refused)
        except TokenRefused as refused:
            return _refusal(Refused(403, "bad_jwt", str(refused)))

    def _why_not_through(self, key: str | None) -> dict[str, str] | None:
        """What the gateway says against a key."""
        if not key:
            return {
                "message": "No API key found in request",
                "hint": "No `apikey` request header or url param was found.",
            }
        if key in {self.keys.secret_key, self.keys.publishable_key}:
            return None
        if self.keys.legacy_disabled and key.startswith("eyJ"):
            return {
                "message": "Legacy API keys are disabled",
                "hint": "Your legacy API keys (anon, service_role) were disabled.",
            }
        if self._role_of(key) is None:
            return {
                "message": "Invalid API key",
                "hint": "Double check your Supabase `anon` or `service_role` API key.",
            }
        return None

    def _role_of(self, key: str) -> str | None:
        """The role that an API key opens."""
        if key == self.keys.secret_key:
            return "service_role"
        if key == self.keys.publishable_key:
            return "anon"
        signed = ProjectKeys(jwt_secret=self.keys.jwt_secret)
        try:
            role = signed.verify(key, now=self.now).get("role")
        except TokenRefused:
            return None
        return role if isinstance(role, str) else None

    async def _behind_gateway(self, request: web.Request) -> web.Response:
        match request.method, request.path:
            case "GET", "/auth/v1/health":
                return web.json_response({"version": "v2.180.0", "name": "GoTrue"})
            case "POST", "/auth/v1/token":
                return await self._token(request)
            case "GET", "/auth/v1/user":
                user = self.users.behind(self._claims(request))
                return web.json_response({"id": user.id, "email": user.email})
            case "POST", "/auth/v1/logout":
                self.users.sign_out(self._claims(request))
                return web.Response(status=204)
            case "GET", path if path.startswith("/auth/v1/admin/users/"):
                if self._role_of(request.headers["apikey"]) != "service_role":
                    raise Refused(403, "not_admin", "User not allowed")
                raise Refused(404, "user_not_found", "User not found")
            case "GET", path if path.startswith("/rest/v1/"):
                return self._rows(path.removeprefix("/rest/v1/"))
            case _:
                return web.json_response({"message": "no Route matched"}, status=404)

    def _rows(self, table: str) -> web.Response:
        if table in self.tables:
            return web.json_response([])
        words = f"Could not find the table 'public.{table}' in the schema cache"
        return web.json_response({"code": "PGRST205", "message": words}, status=404)

    async def _token(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        if request.query.get("grant_type") == "password":
            session = self.users.sign_in(body.get("email"), body.get("password"))
        else:
            session = self.users.refresh(body.get("refresh_token"))
        refresh = session.next_token()
        self.issued.append(refresh)
        return web.json_response(
            {"access_token": self.issue(session), "refresh_token": refresh, "token_type": "bearer"}
        )

    def _claims(self, request: web.Request) -> dict[str, Any]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "no_authorization", "This endpoint requires a Bearer token")
        return self.keys.verify(token, now=self.now + self.verifier_skew)


async def _echoing(request: web.Request, answer: web.Response) -> web.Response:
    """The answer as a badly written proxy would give it."""
    headers = request.headers
    shown = [headers.get("apikey", ""), headers.get("Authorization", "").partition(" ")[2]]
    with suppress(ValueError):
        sent = json.loads(await request.text())
        shown += [str(sent.get(name, "")) for name in ("password", "refresh_token")]
    said = " ".join(each for each in shown if each)
    words = json.loads(answer.text or "{}")
    if isinstance(words, dict) and answer.status >= 400:  # noqa: PLR2004 - HTTP's errors
        text = {k: f"{said} {v}" for k, v in words.items() if k in {"msg", "message", "hint"}}
        answer = web.json_response({**words, **text}, status=answer.status, headers=_kept(answer))
    names = ("WWW-Authenticate", "Location", "Server", "X-Echo")
    answer.headers.update(dict.fromkeys(names, said))
    return answer


def _kept(answer: web.Response) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if k.lower().startswith("x-")}


def _refusal(refused: Refused) -> web.Response:
    """As GoTrue says it: the code in a header and in the body."""
    return web.json_response(
        {"code": refused.status, "error_code": refused.code, "msg": refused.message},
        status=refused.status,
        headers={"x-sb-error-code": refused.code},
    )
