"""What an exception means: the kind, not found, and a line without secrets."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import ccxt as ccxt_errors
import pytest

from reconciler.domain.snapshot import AnswerKind
from reconciler.venue.answer_guard import Heard
from reconciler.venue.classify import (
    MOST_READ,
    classified,
    detail_of,
    kind_of,
    says_not_found,
)
from reconciler.venue.description import CallName, NotFoundWords
from reconciler.venue.descriptions.binanceusdm import BINANCEUSDM

LISTED = {
    "RateLimitExceeded": AnswerKind.THROTTLED,
    "DDoSProtection": AnswerKind.THROTTLED,
    "InvalidNonce": AnswerKind.CLOCK,
    # A subclass, of websockets only.
    "ChecksumError": AnswerKind.CLOCK,
    "AuthenticationError": AnswerKind.AUTH,
    "PermissionDenied": AnswerKind.AUTH,
    "AccountNotEnabled": AnswerKind.AUTH,
    "AccountSuspended": AnswerKind.AUTH,
    "ArgumentsRequired": AnswerKind.UNSUPPORTED,
    "NotSupported": AnswerKind.UNSUPPORTED,
}
ALL_OF_CCXT = sorted(
    name
    for name, value in vars(ccxt_errors).items()
    if isinstance(value, type) and issubclass(value, ccxt_errors.BaseError)
)


@pytest.mark.parametrize("name", ALL_OF_CCXT)
def test_every_ccxt_error_that_is_not_listed_is_no_answer(name: str) -> None:
    error = getattr(ccxt_errors, name)("binance {}")
    assert kind_of(error, {}) is LISTED.get(name, AnswerKind.NO_ANSWER)


@pytest.mark.parametrize(
    "error",
    [AttributeError("'str' has no 'keys'"), TypeError(), KeyError("x"), RuntimeError(), OSError()],
)
def test_any_other_exception_is_no_answer(error: Exception) -> None:
    assert kind_of(error, BINANCEUSDM.error_words) is AnswerKind.NO_ANSWER


def test_an_invalid_key_is_no_ban() -> None:
    error = ccxt_errors.DDoSProtection('binanceusdm {"code": -2015, "msg": "Invalid API-key"}')
    assert kind_of(error, BINANCEUSDM.error_words) is AnswerKind.AUTH


NOT_FOUND = ccxt_errors.OrderNotFound('binanceusdm {"code":-2013,"msg":"Order does not exist."}')


@pytest.mark.parametrize(
    ("error", "heard", "found"),
    [
        (NOT_FOUND, Heard(status=400, is_json=True), True),
        (NOT_FOUND, Heard(status=400, is_json=False), False),
        (NOT_FOUND, Heard(status=502, is_json=True), False),
        (NOT_FOUND, Heard(), False),
        (ccxt_errors.OrderNotFound("-2011"), Heard(status=400, is_json=True), False),
        (ccxt_errors.InvalidOrder("-2013"), Heard(status=400, is_json=True), False),
        (KeyError("-2013"), Heard(status=400, is_json=True), False),
    ],
)
def test_only_the_venues_own_words_say_not_found(
    error: Exception,
    heard: Heard,
    found: bool,
) -> None:
    assert says_not_found(error, heard, BINANCEUSDM.not_found) is found


def test_not_found_in_another_venues_words() -> None:
    words = (NotFoundWords(error="InvalidOrder", words="40410000"),)
    error = ccxt_errors.InvalidOrder('alpaca {"code":40410000,"message":"order not found"}')
    assert says_not_found(error, Heard(status=404, is_json=True), words)


@pytest.mark.parametrize(
    ("heard", "error", "no_such_call"),
    [
        (Heard(status=404), ccxt_errors.ExchangeNotAvailable("404"), True),
        (
            Heard(status=404, is_json=True),
            ccxt_errors.ExchangeError('{"code":-5000,"msg":"Path is invalid"}'),
            True,
        ),
        (Heard(status=404, is_json=True), ccxt_errors.ExchangeError("{}"), False),
        (Heard(status=502), ccxt_errors.ExchangeNotAvailable("502"), False),
    ],
)
def test_a_host_without_the_endpoint(
    heard: Heard,
    error: Exception,
    no_such_call: bool,
) -> None:
    said = classified(error, call=CallName.ORDER, description=BINANCEUSDM, heard=heard)
    assert said.no_such_call is no_such_call


def error_of(text: str, cause: Exception | None = None) -> Any:
    error = ccxt_errors.ExchangeError(text)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "has", "has_not"),
    [
        (
            error_of("binance GET https://fapi.x/fapi/v1/order?timestamp=1&signature=ab 502 Bad"),
            ["https://fapi.x/fapi/v1/order 502 Bad"],
            ["signature", "timestamp"],
        ),
        (error_of("POST body signature=abc&x=1"), ["signature=***"], ["abc"]),
        (error_of("the key my-api-key is wrong"), ["***"], ["my-api-key"]),
        (
            error_of("502 <html><style>p{}</style><h1>Bad</h1>" + "<p>word</p>" * 500),
            ["502 Bad word"],
            ["<", "p{}"],
        ),
        (
            error_of("binance GET https://x", aiohttp.ClientPayloadError("short body")),
            ["ClientPayloadError: short body"],
            [],
        ),
        (KeyError("x"), ["KeyError: 'x'"], []),
        (TimeoutError(), ["TimeoutError"], [":"]),
        (error_of("a\nb\r\n\tc"), ["a b c"], ["\n"]),
    ],
)
def test_details_are_one_redacted_line(error: Any, has: list[str], has_not: list[str]) -> None:
    text = detail_of(error, secrets=("my-api-key", ""))
    assert len(text) < 300
    assert "\n" not in text
    assert all(words in text for words in has), text
    assert not any(words in text for words in has_not), text


KEY = 'kQH5HW/8p1u+OVjb==\n"x'
SAID = {
    "as it is": KEY,
    "in JSON": json.dumps(KEY),
    "in JSON with escaped slashes": json.dumps(KEY).replace("/", "\\/"),
    "in JSON as code points": KEY.replace("/", "\\u002f").replace("=", "\\u003D"),
    "in a URL": quote(KEY, safe=""),
    "in a URL, lower case": quote(KEY, safe="").lower(),
    "in a page": KEY.replace("/", "&#x2F;").replace("+", "&#43;"),
    "on one line": KEY.replace("\n", " "),
}


@pytest.mark.parametrize("how", SAID)
def test_a_secret_is_known_in_any_writing(how: str) -> None:
    text = detail_of(error_of(f"binance said {SAID[how]} is wrong"), secrets=(KEY,))
    assert "said" in text
    assert "is wrong" in text
    assert not any(part in text.lower() for part in ("kqh5hw", "8p1u", "ovjb")), text


@pytest.mark.parametrize("before", range(200, 241, 5))
def test_a_secret_that_the_cut_goes_through_is_not_shown_in_part(before: int) -> None:
    text = detail_of(error_of("x" * before + "my-long-api-key" * 300), secrets=("my-long-api-key",))
    assert "my-long" not in text


def test_a_secret_at_the_end_of_what_is_read_is_not_shown_in_part() -> None:
    page = "<p>" + " " * (MOST_READ - 10) + "my-long-api-key"
    assert "my-l" not in detail_of(error_of(page), secrets=("my-long-api-key",))


def test_a_huge_page_is_read_in_no_time() -> None:
    begun = time.perf_counter()
    detail_of(error_of("?a" * 1_000_000 + "<script" * 100_000), secrets=("my-api-key",))
    assert time.perf_counter() - begun < 1


BAN = '{"code":-1003,"msg":"Way too many requests; IP(1.2.3.4) banned until %d."}'


@pytest.mark.parametrize(
    ("heard", "until", "least", "most"),
    [
        (Heard(status=418), timedelta(seconds=90), 80, 90),
        (Heard(status=429), timedelta(days=30), 86_400, 86_400),
        (Heard(status=418), timedelta(seconds=-9), 0, 0),
        (Heard(status=418, retry_after=timedelta(seconds=5)), timedelta(seconds=90), 5, 5),
    ],
)
def test_a_ban_without_a_header_says_its_end(
    heard: Heard, until: timedelta, least: int, most: int
) -> None:
    text = BAN % ((datetime.now(UTC) + until).timestamp() * 1000)
    error = ccxt_errors.DDoSProtection(f"binanceusdm 418 {text}")
    said = classified(error, call=CallName.ORDER, description=BINANCEUSDM, heard=heard).failure
    assert said.kind is AnswerKind.THROTTLED
    assert said.retry_after is not None
    assert least <= said.retry_after.total_seconds() <= most


def test_words_of_a_ban_elsewhere_ask_for_nothing() -> None:
    error = ccxt_errors.ExchangeError("binanceusdm " + BAN % 1_999_999_999_999)
    heard = Heard(status=400, is_json=True)
    said = classified(error, call=CallName.ORDER, description=BINANCEUSDM, heard=heard).failure
    assert said.retry_after is None
