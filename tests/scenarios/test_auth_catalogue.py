"""Every row of the response catalogue, from HTTP to the class and severity on the incident."""

import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from reconciler.simulation.supabase import Forced
from reconciler.simulation.supabase.users import Session
from tests.scenarios.auth_setting import CANARY, AuthSetting, auth, seconds

__all__ = ["auth"]

USER, TOKEN, REST = "/auth/v1/user", "/auth/v1/token", "/rest/v1/"
EVERYTHING = "/"
Arrange = Callable[[AuthSetting], object]


def force(path: str, status: int, code: str = "", words: str = "") -> Arrange:
    """GoTrue's or PostgREST's own answer, whatever is asked there."""

    def arrange(auth: AuthSetting) -> None:
        headers = {"x-sb-error-code": code} if code and not code.startswith("PGRST") else {}
        body: Any = {"code": code or status, "message": words}
        auth.supabase.forced[path] = Forced(status=status, body=body, headers=headers)

    return arrange


def through_the_bot(code: str, words: str) -> Arrange:
    """The bot passes on what Supabase told it."""

    def arrange(auth: AuthSetting) -> None:
        auth.bot.forced["/api/status"] = (401, {"code": code, "message": words})

    return arrange


def no_key(auth: AuthSetting) -> None:
    del auth.auth["anon_key"], auth.auth["service_role_key"], auth.auth["rest_table"]


def wrong_key(auth: AuthSetting) -> None:
    auth.auth["anon_key"] = "sb_publishable_of_another_project_1234"


def legacy_disabled(auth: AuthSetting) -> None:
    auth.supabase.keys.legacy_disabled = True


def paused(auth: AuthSetting) -> None:
    auth.supabase.is_paused = True


def expired_bot_token(auth: AuthSetting) -> None:
    auth.use_bot_token(lifetime=seconds(-600))


def verifier_behind(auth: AuthSetting) -> None:
    """The node that verifies is ahead by more than a token lives: no token can be good."""
    auth.supabase.verifier_skew = seconds(7200)


def old_signing_method(auth: AuthSetting) -> None:
    auth.use_bot_token()
    auth.supabase.keys.rotate(revoke=True)


def old_key_id(auth: AuthSetting) -> None:
    auth.supabase.keys.rotate()
    auth.use_bot_token()
    auth.supabase.keys.rotate()


def user_gone(auth: AuthSetting) -> None:
    user = auth.supabase.users.sign_in("bot@example.test", "bot-password-4711").user
    auth.use_bot_token()
    auth.supabase.users.remove(user)


def user_banned(auth: AuthSetting) -> None:
    auth.use_bot_token()
    auth.supabase.users.sign_in("bot@example.test", "bot-password-4711").user.is_banned = True


def session_revoked(auth: AuthSetting) -> None:
    auth.use_bot_token()
    auth.supabase.users.sessions.clear()


def session_expired(auth: AuthSetting) -> None:
    auth.use_bot_token()
    for session in auth.supabase.users.sessions.values():
        session.is_expired = True


def session_ended_by_a_newer_login(auth: AuthSetting) -> None:
    auth.use_bot_token()
    auth.bot.forced["/api/status"] = (
        401,
        {"error_code": "session_expired", "msg": "Session Expired (Revoked by Newer Login)"},
    )


def no_service_key(auth: AuthSetting) -> None:
    auth.auth["service_role_key"] = auth.supabase.keys.anon_key


def wrong_password(auth: AuthSetting) -> None:
    auth.auth["canary"] = {"email": CANARY[0], "password": "no longer this one"}


ROWS: dict[str, tuple[Arrange, str]] = {
    # gateway
    "401 no API key found": (no_key, "config"),
    "401 invalid API key": (wrong_key, "config"),
    "401 legacy API keys are disabled": (legacy_disabled, "config"),
    "521": (force(EVERYTHING, 521), "infra"),
    "522": (force(EVERYTHING, 522), "infra"),
    "525": (force(EVERYTHING, 525), "infra"),
    "540 paused": (paused, "infra"),
    "402 restricted": (force(EVERYTHING, 402), "infra"),
    # GoTrue
    "401 no_authorization": (
        through_the_bot("no_authorization", "This endpoint requires a Bearer token"),
        "app_regression",
    ),
    "403 bad_jwt expired, fresh token good": (expired_bot_token, "app_regression"),
    "403 bad_jwt expired, fresh token too": (verifier_behind, "infra"),
    "403 bad_jwt signing method": (old_signing_method, "config"),
    "403 bad_jwt unrecognized kid": (old_key_id, "config"),
    "403 user_not_found": (user_gone, "app_regression"),
    "403 session_not_found": (session_revoked, "app_regression"),
    "403 user_banned": (user_banned, "app_regression"),
    "403 not_admin": (no_service_key, "config"),
    "400 session_expired": (session_expired, "app_regression"),
    "403 session_expired, by a newer login": (session_ended_by_a_newer_login, "app_regression"),
    "400 invalid_credentials": (wrong_password, "config"),
    "429 over_request_rate_limit": (
        force(TOKEN, 429, "over_request_rate_limit", "Request rate limit reached"),
        "infra",
    ),
    "429 without a code": (force(TOKEN, 429), "infra"),
    "504 request_timeout": (force(USER, 504, "request_timeout", "took too long"), "infra"),
    "500 unexpected_failure": (
        force(USER, 500, "unexpected_failure", "Unexpected failure"),
        "infra",
    ),
    # PostgREST
    "401 PGRST301": (force(REST, 401, "PGRST301", "No suitable key was found"), "config"),
    "401 PGRST302": (force(REST, 401, "PGRST302", "Anonymous access is disabled"), "config"),
    "401 PGRST303 expired": (through_the_bot("PGRST303", "JWT expired"), "app_regression"),
    "401 PGRST303 future": (force(REST, 401, "PGRST303", "JWT issued at future"), "infra"),
    "500 PGRST300": (force(REST, 500, "PGRST300", "Server lacks JWT secret"), "config"),
    "403 42501": (force(REST, 403, "42501", "permission denied for table"), "app_regression"),
    "503 PGRST000": (force(REST, 503, "PGRST000", "Could not connect"), "infra"),
    "503 08006": (force(REST, 503, "08006", "connection failure"), "infra"),
    "503 53300": (force(REST, 503, "53300", "too many connections"), "infra"),
}


@pytest.mark.parametrize("row", ROWS)
async def test_row_of_the_catalogue(auth: AuthSetting, row: str) -> None:
    arrange, cause = ROWS[row]
    arrange(auth)
    await auth.probe(3)
    incident = await auth.incident()
    facts = incident["details"]["facts"]
    assert incident["details"]["class"] == cause, facts
    assert incident["severity"] == "SEV-2", facts
    assert facts


@pytest.mark.parametrize("how", ["refresh_token_not_found", "refresh_token_already_used"])
async def test_a_refresh_token_that_somebody_else_used(
    auth: AuthSetting, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Another process has the same session, and is quicker."""
    users, refresh = auth.supabase.users, auth.supabase.users.refresh

    def too_late(token: object) -> Session:
        if how == "refresh_token_already_used":
            refresh(token).next_token()
        else:
            users.sessions.clear()
        return refresh(token)

    monkeypatch.setattr(users, "refresh", too_late)
    await auth.probe(3)
    incident = await auth.incident()
    assert incident["details"]["class"] == "app_regression"
    assert any(how in fact for fact in incident["details"]["facts"])


class Names(AbstractResolver):
    """A resolver that knows some names only."""

    def __init__(self, *known: str) -> None:
        self.known = known

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("known", "cause"), [(("supabase.test",), "config"), ((), "infra")], ids=["wrong ref", "no DNS"]
)
async def test_a_name_that_is_not_resolved(
    auth: AuthSetting, known: tuple[str, ...], cause: str
) -> None:
    auth.auth["supabase_url"] = "http://wrongref.supabase.test"
    await auth.probe(3, resolver=Names(*known))
    assert await auth.found() == (cause, "SEV-2")


async def test_a_resolver_that_says_later_is_no_wrong_name(auth: AuthSetting) -> None:
    class Later(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            if host not in self.known:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            return await super().resolve(host, port, family)

    auth.auth["supabase_url"] = "http://ref.supabase.test"
    await auth.probe(3, resolver=Later("supabase.test"))
    assert await auth.found() == ("infra", "SEV-2")


async def test_a_real_resolver_and_a_name_that_nobody_has(auth: AuthSetting) -> None:
    """`.invalid` is nobody's (RFC 2606), so its parent is not there either."""
    auth.auth["supabase_url"] = "http://ref.supabase.invalid"
    await auth.probe(3)
    assert await auth.found() == ("infra", "SEV-2")


async def test_nothing_listens_there(auth: AuthSetting) -> None:
    await auth.supabase.stop()
    await auth.probe(3)
    assert await auth.found() == ("infra", "SEV-2")


async def test_a_skewed_clock_is_named_with_its_seconds(auth: AuthSetting) -> None:
    auth.supabase.skew = seconds(-90)
    auth.supabase.verifier_skew = seconds(-3600)
    await auth.probe(3)
    incident = await auth.incident()
    assert incident["details"]["class"] == "infra"
    assert incident["details"]["clock_skew_seconds"] in {-89, -90, -91}
    assert re.match(
        r"clock: Supabase's clock is (89|90|91) s behind", incident["details"]["facts"][0]
    )


@pytest.mark.parametrize("off", [120, -120])
async def test_a_skewed_clock_alone_is_named(auth: AuthSetting, off: int) -> None:
    """The project's clock is off as a whole: what it issues, it accepts."""
    auth.supabase.skew = seconds(off)
    await auth.probe(3)
    incident = await auth.incident()
    assert (incident["details"]["class"], incident["severity"]) == ("infra", "SEV-2")
    assert abs(incident["details"]["clock_skew_seconds"] - off) <= 1
    way = "ahead of" if off > 0 else "behind"
    assert re.search(rf"clock is (119|120|121) s {way} this host's", incident["title"])


async def test_an_expired_service_key(auth: AuthSetting) -> None:
    key = auth.supabase.keys.legacy_key("service_role", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    auth.auth["service_role_key"] = key
    await auth.probe(3)
    assert await auth.found() == ("config", "SEV-2")


def test_the_page_has_every_row_and_names_tests_that_exist() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "why" / "auth-classes.md").read_text(encoding="utf-8")
    assert {row for row in ROWS if f"`{row}`" not in page} == set()
    for row, (_, cause) in ROWS.items():
        [line] = [line for line in page.splitlines() if f"`{row}`" in line]
        assert f"| {cause} |" in line, line
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_auth_*.py"))
    named = set(re.findall(r"`(test_[a-z0-9_]+)", page)) - {
        "test_auth_catalogue",
        "test_auth_probe",
    }
    assert {name for name in named if f"def {name}(" not in tests} == set()
