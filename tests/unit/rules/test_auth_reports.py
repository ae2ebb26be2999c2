"""What bots report of refused requests: bounded, whatever they say."""

import json
from typing import Any

import pytest

from reconciler.domain.auth_rejections import BOTS_SURFACES
from reconciler.rules.auth_reports import (
    LONGEST_REPORT,
    MOST_AT_ONCE,
    MOST_ENTRIES,
    claims_of,
    report_in,
)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLWEtdG9rZW4"


def said(*entries: Any) -> str:
    return json.dumps({"auth_rejections": list(entries)})


def counted(text: str) -> list[tuple[str, str, int]]:
    return [(each.surface, each.code, each.count) for each in report_in(text) or ()]


def test_a_report_is_read() -> None:
    text = said(
        {"surface": "bot_api", "code": 401, "count": 3},
        {"surface": "WebSocket", "code": "4401"},
        {"surface": "supabase", "code": 403, "count": 2, "more": "is left out"},
        {"surface": "an exchange", "code": 403},
    )
    assert counted(text) == [
        ("bot_api", "401", 3),
        ("bot_websocket", "4401", 1),
        ("bot_supabase", "403", 2),
        ("bot_other", "403", 1),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[]",
        "null",
        '{"auth_rejections": 3}',
        '{"auth_rejections": {"surface": "bot_api"}}',
        "{" * LONGEST_REPORT,
        '{"a":' * 1500,
        '{"auth_rejections": ' + "[" * 7000,
        '{"auth_rejections": [' + "9" * 7000 + "]}",
        said({"surface": "bot_api", "code": 401}) + " " * LONGEST_REPORT,
    ],
)
def test_what_is_no_report(text: str) -> None:
    assert not report_in(text)


@pytest.mark.parametrize(
    "entry",
    [
        3,
        None,
        {"surface": "bot_api"},
        {"surface": "bot_api", "code": 200},
        {"surface": "bot_api", "code": True},
        {"surface": "bot_api", "code": 4401},
        {"surface": "bot_api", "code": [401]},
        {"surface": "bot_api", "code": "401" * 500},
        {"surface": "bot_api", "code": 401, "count": 0},
        {"surface": "bot_api", "code": 401, "count": -5},
        {"surface": "bot_api", "code": 401, "count": True},
        {"surface": "bot_api", "code": 401, "count": "3"},
        {"surface": "bot_api", "code": 401, "count": 1e308},
    ],
)
def test_an_entry_that_is_not_understood_is_left_out(entry: Any) -> None:
    good = {"surface": "bot_api", "code": 403}
    assert counted(said(entry, good)) == [("bot_api", "403", 1)]


def test_counts_and_labels_are_bounded() -> None:
    entries = [{"surface": f"s{n}" * 9, "code": 401, "count": 10**200} for n in range(20)]
    report = report_in(said(*entries))
    assert report is not None
    assert len(report) == MOST_ENTRIES
    assert {(each.surface, each.count) for each in report} == {("bot_other", MOST_AT_ONCE)}
    assert all(each.code in BOTS_SURFACES[each.surface] for each in report)


def test_more_entries_than_most_are_left_out() -> None:
    report = report_in(said(*[{"surface": "ws", "code": 401}] * 100))
    assert report is not None
    assert len(report) == MOST_ENTRIES


def test_claims_are_kept_and_a_token_is_not() -> None:
    facts = claims_of(
        {
            "fingerprint": "0123456789abcdef",
            "iss": "https://ref.supabase.co/auth/v1",
            "aud": "authenticated",
            "sub": "u1",
            "kid": "k1",
            "alg": "HS256",
            "exp": 1_700_000_000,
            "token": JWT,
            "role": JWT,
        }
    )
    assert facts is not None
    assert facts.fingerprint == "0123456789ab"
    assert (facts.issuer, facts.audience, facts.user_id) == (
        "https://ref.supabase.co/auth/v1",
        "authenticated",
        "u1",
    )
    assert facts.role is None
    assert "eyJ" not in repr(facts)


@pytest.mark.parametrize(
    "given",
    [
        None,
        3,
        [],
        {},
        {"fingerprint": JWT},
        {"sub": JWT},
        {"sub": 3, "exp": True},
        {"iss": "line\nbreak"},
        {"exp": 1e300},
        {"exp": float("nan")},
    ],
)
def test_claims_that_say_nothing(given: Any) -> None:
    assert claims_of(given) is None


def test_long_claims_are_cut() -> None:
    facts = claims_of({"sub": "x " * 4000})
    assert facts is not None
    assert len(facts.user_id or "") == 200
