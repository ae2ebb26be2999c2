"""No secret leaves: those we know wherever they stand, those we do not by their shape."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.telemetry.redaction import MASK, Redactor, names_a_secret

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl"

secrets = st.lists(st.text(min_size=4, max_size=40), min_size=1, max_size=5)


@given(known=secrets, around=st.lists(st.text(max_size=20), min_size=6, max_size=6))
def test_no_known_secret_survives_in_text(known: list[str], around: list[str]) -> None:
    text = "".join(a + b for a, b in zip(around, [*known, ""] * 6, strict=False))
    shown = Redactor(known).text(text)
    assert [secret for secret in known if secret in shown] == []


@given(
    known=secrets,
    keys=st.lists(st.text(max_size=8), min_size=1, max_size=4),
    leaf=st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.binary()),
)
def test_no_known_secret_survives_in_values(known: list[str], keys: list[str], leaf: Any) -> None:
    value = {key: [{"in": (secret, leaf)}] for key in keys for secret in known}
    shown = _leaves(Redactor(known).value([value, {secret: secret for secret in known}]))
    assert [(s, one) for s in known for one in shown if s in one] == []


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for pair in value.items() for one in pair for leaf in _leaves(one)]
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value] if isinstance(value, str) else []


@given(secret=st.text(min_size=4, max_size=40))
def test_a_secret_is_known_in_every_spelling(secret: str) -> None:
    redactor = Redactor([secret])
    for spell in (quote, quote_plus, lambda s: quote(s, safe=""), json.dumps, repr):
        try:
            spelled = spell(secret)
        except UnicodeEncodeError:  # a lone surrogate has no URL
            continue
        assert redactor.text(f"a {spelled} b").count(secret) == 0
        assert MASK in redactor.text(f"a {spelled} b")


@pytest.mark.parametrize(
    ("known", "text", "shown"),
    [
        (["abcd", "abcdef"], "xabcdefy", "x***y"),  # the longest first
        (["abcdefgh", "bcde"], "abcdefghij", "***ij"),  # one inside another
        (["abc*", "SECRET"], "abcSECRETd", "*****d"),  # the mask made a secret of its own
        (["zz**", "abc*", "SECRET"], "zzabcSECRET", "******"),  # and that another
        (["abcd"], "abcdabcd", "******"),
        (["abc"], "abc", "abc"),  # too short to be masked everywhere
    ],
)
def test_secrets_that_touch(known: list[str], text: str, shown: str) -> None:
    assert Redactor(known).text(text) == shown


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("GET /fapi/v1/order?symbol=BTCUSDT&signature=5f1c0ffee&timestamp=1", "5f1c0ffee"),
        ("https://x/y?next=%2Fa%3Fsignature%3D5f1c0ffee%26b", "5f1c0ffee"),
        ("headers: {'X-MBX-APIKEY': 'vmPUZE6mv9SD5VNHk4'}", "vmPUZE6mv9SD5VNHk4"),
        ("OK-ACCESS-SIGN: nUZ8t4yx9Qm3pLkR", "nUZ8t4yx9Qm3pLkR"),
        ("KC-API-PASSPHRASE: tH1s1sAsecret", "tH1s1sAsecret"),
        ('{"apiKey": "kk kk", "symbol": "BTC"}', "kk kk"),
        ('{"body": "{\\"secret\\": \\"abc def\\", \\"a\\": 1}"}', "abc def"),
        (r'{"password": "with \"quotes\" inside", "a": 1}', "inside"),
        ("postgresql://bot:hunter2@db:5432/bot", "hunter2"),
        ("postgresql://bot:p@ss@db/bot", "p@ss"),
        ("redis://:onlypass@cache/0", "onlypass"),
        ("host=db user=bot password=hunter2 dbname=x", "hunter2"),
        ("https://0123456789abcdef0123@sentry.example/1", "0123456789abcdef0123"),
        ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
        ("authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        (f"token {JWT} was refused", JWT),
        (f"Bearer%20{JWT}", JWT.split(".")[1]),
        (f"a.b.{JWT}.c", JWT.split(".")[2]),
        ("key sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz", "N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"),
        ("POST https://hooks.slack.com/services/T00/B00/XXXXXXXX", "XXXXXXXX"),
        ("https://discord.com/api/webhooks/123456/abcDEF-ghi", "abcDEF-ghi"),
        ("https://api.telegram.org/bot123456:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K/x", "AAEhBOweik6"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY----- end", "MHcCAQ"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, hidden: str) -> None:
    shown = Redactor().text(text)
    assert hidden not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        "[Reconcile] main: parity after 3 confirmations",
        "accounts.main.api_key: Field required",
        "RECONCILER_CONFIG=/etc/reconciler.toml, secret not set",
        "GET https://fapi.binance.com/fapi/v1/openOrders?symbol=BTCUSDT failed at 12:30:45",
        "designed: 2024-01-01T00:00:00, assigned=3, signal=SIGTERM",
        "order 8389765512345678901234 of bot-a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6 at 60000.10",
        "reconciler.telemetry.redaction.something_long and 10.0.0.1:8080",
        "user@example.com wrote to postgresql://bot@db/x",
    ],
)
def test_what_people_need_is_left_alone(text: str) -> None:
    assert Redactor(["another-secret"]).text(text) == text


def test_a_private_key_mask_leaves_what_follows() -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMHcC\n-----END PRIVATE KEY----- then this"
    assert Redactor().text(pem) == "*** then this"


def test_keys_that_name_secrets_hide_their_values_whatever_these_are() -> None:
    value = {"api_key": "k", "X-MBX-APIKEY": 7, "Password": ["a"], "symbol": "BTC", "jwt": None}
    shown = Redactor().value(value)
    assert shown.pop("symbol") == "BTC"
    assert shown.pop("jwt") is None  # that there is none is no secret
    assert shown == {"api_key": MASK, "X-MBX-APIKEY": MASK, "Password": MASK}


@pytest.mark.parametrize("key", ["symbol", "design", "tokens_left", "key", "order_id", "assigned"])
def test_ordinary_keys_are_not_secret(key: str) -> None:
    assert not names_a_secret(key)


def test_plain_data_keeps_its_type() -> None:
    value = {"n": 1, "d": Decimal("0.10"), "f": 0.5, "b": True, "t": datetime.now(UTC), "l": (1,)}
    assert Redactor(["abcd"]).value(value) == value


def test_a_number_that_is_a_secret_is_masked() -> None:
    assert Redactor(["123456"]).value({"uid": 123456, "qty": 12}) == {"uid": MASK, "qty": 12}


class _Rude:
    def __repr__(self) -> str:
        raise ValueError("no")


def test_any_object_becomes_safe_text() -> None:
    redactor = Redactor(["hunter22"])
    assert redactor.value(ValueError("it was hunter22")) == "ValueError('it was ***')"
    assert redactor.value(b"hunter22") == MASK
    assert redactor.value(_Rude()) == "<_Rude: ValueError>"


def test_bottomless_nesting_ends() -> None:
    deep: list[Any] = ["hunter22"]
    for _ in range(5000):
        deep = [deep]
    assert "hunter22" not in str(Redactor(["hunter22"]).value(deep))


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "eyJ", "eyJ.", "://", "://a:", "secret", "secret=", 'secret="', "secret: "),
        *("token ", "=", "bearer ", " ", "sb_secret_", "abcd", "/bot1", '\\"', "sign"),
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_time_grows_with_length_only(piece: str) -> None:
    redactor = Redactor(["abcdefgh", "abcdefgi"])

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        begun = time.process_time()
        redactor.text(text)
        return time.process_time() - begun

    small = max(seconds(20_000), seconds(20_000), 0.002)
    assert seconds(200_000) < 40 * small  # ten times the text; quadratic would be a hundred times


def test_thousands_of_secrets_cost_no_more_than_one() -> None:
    text = "[Reconcile] main: parity, 12 orders and 2 positions agree " * 400

    def seconds(count: int) -> float:
        redactor = Redactor(f"{index:04x}-secret-of-an-account" for index in range(count))
        begun = time.process_time()
        redactor.text(text)
        return time.process_time() - begun

    assert seconds(5000) < 10 * max(seconds(1), seconds(1), 0.002)
