"""Who has no right gets 401 or 403 for every operation, and nothing is changed."""

import asyncio
import re

import jwt
import pytest
import structlog

from tests.integration.api.setting import MUTATIONS, Api, serving
from tests.integration.api.tokens import (
    OPERATOR_SUB,
    OPERATOR_TOKEN,
    VIEWER_SUB,
    VIEWER_TOKEN,
    Jwks,
    bad_tokens,
    forbidden_tokens,
)
from tests.scenarios.setting import Setting

FOR_NAMES = Jwks(url="http://127.0.0.1:1")
FORBIDDEN = sorted(forbidden_tokens(FOR_NAMES))
READ = ("/api/status", "/api/openapi.json", "/api/no/such", "/api")


async def test_every_mutation_is_tried_here(api: Api) -> None:
    _, description = await api.ask("GET", "/api/openapi.json")
    changing = {
        operation["operationId"]
        for methods in description["paths"].values()
        for method, operation in methods.items()
        if method not in {"get", "head", "options"}
    }
    assert changing == set(MUTATIONS)


async def test_a_bad_token_opens_nothing(api: Api) -> None:
    before = await api.dump()
    api.setting.venue.requests.clear()
    tokens = bad_tokens(api.jwks)
    for wrong, token in tokens.items():
        said = set()
        for path, body in MUTATIONS.values():
            status, answer, raw = await api.ask_in_full("POST", path, token=token, json=body)
            assert status == 401, (wrong, path, answer)
            assert raw.headers["WWW-Authenticate"] == "Bearer"
            assert raw.headers["Cache-Control"] == "no-store"
            said.add(str(answer))
        assert said == {"{'detail': 'A valid bearer token is needed.', 'reasons': []}"}, wrong
        for path in READ:
            assert (await api.ask("GET", path, token=token))[0] == 401, (wrong, path)
        assert await api.dump() == before, wrong
    assert api.setting.venue.requests.count() == 0
    rejected = api.parts.metrics.auth_rejections_total.labels("api", "401")._value.get()
    assert rejected == len(tokens) * (len(MUTATIONS) + len(READ))


@pytest.mark.parametrize("who", FORBIDDEN)
async def test_who_may_not_change_changes_nothing(api: Api, who: str) -> None:
    token = forbidden_tokens(api.jwks)[who]
    before = await api.dump()
    for path, body in MUTATIONS.values():
        assert (await api.ask("POST", path, token=token, json=body))[0] == 403, path
    for method in ("PUT", "PATCH", "DELETE", "PROPFIND"):
        assert (await api.ask(method, "/api/incidents/1", token=token))[0] == 403
    assert await api.dump() == before
    assert (await api.ask("GET", "/api/incidents", token=token))[0] == (
        403 if "stranger" in who else 200
    )


async def test_who_may_is_let_in_by_every_kind_of_token(api: Api) -> None:
    jwks = api.jwks
    names = {
        OPERATOR_TOKEN: ("night-shift", "operator"),
        VIEWER_TOKEN: ("dashboard", "viewer"),
        jwks.signed(): (OPERATOR_SUB, "operator"),
        jwks.signed_by_rsa(sub=VIEWER_SUB): (VIEWER_SUB, "viewer"),
        jwks.signed_by_secret(email="ann@example.com"): (
            f"ann@example.com ({OPERATOR_SUB})",
            "operator",
        ),
        jwks.signed(email="x" * 300): (OPERATOR_SUB, "operator"),
        jwks.signed(email="night-shift\n"): (OPERATOR_SUB, "operator"),
        jwks.signed(exp=jwks.claims()["iat"] - 20): (OPERATOR_SUB, "operator"),  # within the leeway
        jwks.signed(aud=["other", "authenticated"]): (OPERATOR_SUB, "operator"),
    }
    for token, (who, role) in names.items():
        status, answer = await api.ask("GET", "/api/status", token=token)
        assert (status, answer.get("who"), answer.get("role")) == (200, who, role)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic b3A6b3A=", OPERATOR_TOKEN, f"Bearer {OPERATOR_TOKEN} x"],
)
async def test_a_header_of_another_shape_is_no_token(api: Api, header: str) -> None:
    answer = await api.ask("GET", "/api/status", token=None, headers={"Authorization": header})
    assert answer[0] == 401


async def test_two_tokens_are_none(api: Api) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
    request = (
        f"GET /api/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR_TOKEN}\r\n"
        f"Authorization: Bearer {OPERATOR_TOKEN}\r\nConnection: close\r\n\r\n"
    )
    writer.write(request.encode())
    assert b" 401 " in await reader.readline()
    writer.close()


async def test_the_log_says_why_and_never_the_token(api: Api) -> None:
    token = api.jwks.signed(aud="somebody else")
    with structlog.testing.capture_logs() as logs:
        await api.ask("POST", "/api/reconcile", token=token)
        await api.ask("POST", "/api/reconcile", token=VIEWER_TOKEN)
    first, second = logs
    assert first["event"] == second["event"] == "[AUTH] request refused"
    assert (first["code"], second["code"]) == (401, 403)
    assert "Audience" in first["reason"]
    assert second["reason"] == "dashboard has the role viewer"
    assert all(re.fullmatch(r"[0-9a-f]{12}", line["fingerprint"]) for line in logs)
    assert token not in str(logs)
    assert VIEWER_TOKEN not in str(logs)


@pytest.mark.parametrize("mood", ["down", "garbage", "elsewhere"])
async def test_no_jwt_is_good_while_no_key_is_known(api: Api, mood: str) -> None:
    api.jwks.mood = mood
    assert (await api.ask("GET", "/api/status", token=api.jwks.signed()))[0] == 401
    assert (await api.ask("GET", "/api/status", token=OPERATOR_TOKEN))[0] == 200
    assert (await api.ask("GET", "/api/status", token=api.jwks.signed_by_secret()))[0] == 200


async def test_nobody_is_let_in_where_nothing_is_configured(setting: Setting, jwks: Jwks) -> None:
    async with serving(setting, jwks, api={"tokens": {}, "jwt": {}}) as api:
        for token in (None, OPERATOR_TOKEN, jwks.signed(), jwks.signed_by_secret()):
            status, answer = await api.ask("GET", "/api/status", token=token)
            assert status == 401
            assert "none is configured" in answer["detail"]
        assert jwks.asked == 0


async def test_a_short_secret_verifies_nothing(setting: Setting, jwks: Jwks) -> None:
    auth = {"supabase_url": jwks.url, "jwt_secret": "short"}
    async with serving(setting, jwks, auth=auth) as api:
        with pytest.warns(jwt.InsecureKeyLengthWarning):
            token = jwt.encode(jwks.claims(), "short", "HS256")
        assert (await api.ask("GET", "/api/status", token=token))[0] == 401
