"""Supabase's address and keys: what does not fit is said before anybody is asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from reconciler.rules.auth_environment import (
    AuthEnvironment,
    find_misfits,
    is_canary_the_bot,
    project_of,
)
from reconciler.rules.auth_tokens import KeyKind, facts_of, kind_of_key

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECRET = "a legacy secret of this project, which is long enough"
REF = "abcdefghijklmnopqrst"
ISSUER = f"https://{REF}.supabase.co/auth/v1"


def key(role: str, *, ref: str = REF, days: int = 3650, secret: str = SECRET) -> str:
    exp = int((NOW + timedelta(days=days)).timestamp())
    return jwt.encode({"iss": "supabase", "ref": ref, "role": role, "exp": exp}, secret, "HS256")


GOOD = AuthEnvironment(
    supabase_url=f"https://{REF}.supabase.co",
    issuer=ISSUER,
    service_key=key("service_role"),
    anon_key=key("anon"),
    jwt_secret=SECRET,
    bot_token=None,
    canary_email="canary@example.test",
    expiry_warning=timedelta(days=7),
)
NEW_KEYS = replace(
    GOOD,
    service_key="sb_secret_0123456789abcdefghij",
    anon_key="sb_publishable_0123456789abcdef",
    jwt_secret=None,
)


def bots(**claims: object) -> str:
    exp = int((NOW + timedelta(hours=1)).timestamp())
    return jwt.encode({"iss": ISSUER, "sub": "u", "exp": exp, **claims}, SECRET, "HS256")


@pytest.mark.parametrize("environment", [GOOD, NEW_KEYS, replace(GOOD, supabase_url=None)])
def test_what_fits_is_not_mentioned(environment: AuthEnvironment) -> None:
    assert find_misfits(environment, now=NOW) == ()


MISFITS: dict[str, tuple[dict[str, Any], str, str]] = {
    "path": ({"supabase_url": f"https://{REF}.supabase.co/rest/v1"}, "fail", "has a path"),
    "path of its own": (
        {"supabase_url": "https://example.com/supabase", "issuer": None},
        "warn",
        "has a path (/supabase)",
    ),
    "API's path": (
        {"supabase_url": "https://example.com/auth/v1", "issuer": None},
        "fail",
        "has a path",
    ),
    "http": ({"supabase_url": "http://supabase.example.com"}, "warn", "is http"),
    "dashboard": ({"supabase_url": "https://app.supabase.com"}, "fail", "the dashboard"),
    "anon as service": ({"service_key": key("anon")}, "fail", "has the role anon"),
    "publishable as service": (
        {"service_key": "sb_publishable_0123456789abcdef"},
        "fail",
        "is a publishable key",
    ),
    "nonsense as service": ({"service_key": "changeme"}, "fail", "is no key of Supabase's"),
    "quoted": ({"service_key": f'"{key("service_role")}"'}, "fail", "is no key of Supabase's"),
    "with its line break": (
        {"service_key": f"{NEW_KEYS.service_key}\n"},
        "fail",
        "is no key of Supabase's",
    ),
    "service as anon": ({"anon_key": key("service_role")}, "fail", "is a secret key"),
    "secret as anon": ({"anon_key": NEW_KEYS.service_key}, "fail", "is a secret key"),
    "another project": (
        {"service_key": key("service_role", ref="zzzzzzzzzzzzzzzzzzzz")},
        "fail",
        "is of project zzzzzzzzzzzzzzzzzzzz",
    ),
    "expired": ({"service_key": key("service_role", days=-1)}, "fail", "expired on 2026-11-22"),
    "about to expire": ({"anon_key": key("anon", days=6)}, "warn", "in 6 days"),
    "key as secret": ({"jwt_secret": key("anon")}, "fail", "is an API key"),
    "short secret": ({"jwt_secret": "short"}, "warn", "fewer than 32 bytes"),
    "secret of another": ({"jwt_secret": "x" * 40}, "warn", "is not what SUPABASE_SERVICE_ROLE"),
    "issuer": (
        {"bot_token": bots(iss="https://other.supabase.co/auth/v1")},
        "fail",
        "was issued by https://other",
    ),
    "expired bot token": ({"bot_token": bots(exp=int(NOW.timestamp()) - 60)}, "fail", "expired at"),
    "canary is the bot": (
        {"bot_token": bots(email="Canary@Example.test")},
        "fail",
        "is the bot's own user",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_said(name: str) -> None:
    changes, level, words = MISFITS[name]
    found = find_misfits(replace(GOOD, **changes), now=NOW)
    assert any(f.level == level and words in f.says for f in found), found
    assert all(f.mend for f in found)
    for secret in (GOOD.service_key, GOOD.anon_key, SECRET, *changes.values()):
        if secret and not str(secret).startswith("http"):
            assert str(secret) not in str(found)


def test_swapped_keys_have_their_own_mend() -> None:
    swapped = replace(GOOD, service_key=GOOD.anon_key, anon_key=GOOD.service_key)
    assert "swap the two keys" in [f.mend for f in find_misfits(swapped, now=NOW)]


def test_the_environment_shows_nothing_of_itself() -> None:
    assert repr(GOOD) == "AuthEnvironment(…)"


def test_project_of() -> None:
    assert project_of(GOOD.supabase_url) == REF
    assert project_of("https://auth.example.com") is None
    assert project_of(None) is None


def test_without_a_token_the_canary_is_nobody_else() -> None:
    assert not is_canary_the_bot(GOOD)
    assert not is_canary_the_bot(replace(GOOD, bot_token="opaque"))


@pytest.mark.parametrize(
    "token", ["", "opaque", "a.b.c", "..", "eyJ.eyJ.x", "e30.W10.x", "é.é.é", "eyJhIjoxfQ.bnVsbA.x"]
)
def test_what_is_no_jwt_has_a_fingerprint_only(token: str) -> None:
    facts = facts_of(token)
    assert not facts.is_jwt
    assert len(facts.fingerprint) == 12
    assert kind_of_key(token) is KeyKind.OTHER


def test_odd_claims_are_left_out() -> None:
    facts = facts_of(jwt.encode({"exp": 1e300, "ref": 7, "aud": ["a", "b"]}, SECRET, "HS256"))
    assert facts.is_jwt
    assert (facts.expires_at, facts.project, facts.audience) == (None, None, "a, b")
