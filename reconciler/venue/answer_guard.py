"""The check that makes a non-answer an error instead of an empty list.

ccxt hands a body that is no JSON on as text, and a parser that looks for a list in it finds none:
a maintenance page reads as "no open orders". `AnswerGuard` is set as `on_rest_response`, ccxt's
documented hook, which sees every response before it is parsed. A right answer passes untouched.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlsplit

from reconciler.venue.budget_headers import BudgetLeft, budget_left, used_weight
from reconciler.venue.description import AnswerShape, VenueDescription
from reconciler.venue.raw_json import found_at, keyed_rows, rows_in

HALF_A_SECOND = timedelta(seconds=0.5)
SUCCESS = 2
"""The first digit of an HTTP status that is one."""
NOT_THE_WHOLE = frozenset({202, 206, 207})
"""Accepted, partial content, many statuses: their rows need not be all of them."""
MOST_OF_A_BODY = 4000
"""Characters of a body that is no answer, for its error. Whoever shows it cuts it further, once the
secrets are out: cut first, half a key would not be known for one."""
LONGEST_SILENCE = timedelta(days=1)
"""A longer Retry-After is not believed: a bogus one would silence us for good."""


@dataclass(slots=True, kw_only=True)
class Heard:
    """What the responses to one call said besides their content. Filled in by the guard."""

    status: int | None = None
    """HTTP status of the last response, None where there was none."""
    is_json: bool = False
    document: Any = None
    """The last answer, parsed."""
    rows: int | None = None
    """Rows that all answers carried; None where some answer did not tell."""
    answers: int = 0
    retry_after: timedelta | None = None
    used_weight: int | None = None
    budget_left: BudgetLeft | None = None
    """What the venue says of its own count of requests, where it says it."""
    waited: float = 0.0
    """Seconds spent waiting for the rate budget, which are not the venue's."""
    venue_clock_skew: timedelta | None = None
    """Venue minus host, from the Date header."""


_heard: ContextVar[Heard | None] = ContextVar("heard", default=None)


@contextmanager
def listening() -> Iterator[Heard]:
    """Collect what the guard hears in this task (and in those that it starts)."""
    heard = Heard()
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def note_wait(seconds: float) -> None:
    """Add to what the current call has waited for the rate budget."""
    heard = _heard.get()
    if heard is not None:
        heard.waited += seconds


class ParsedText(str):
    """A body together with what it says, so that ccxt need not parse ten megabytes again."""

    __slots__ = ("document",)
    document: Any

    @classmethod
    def of(cls, body: str, document: Any) -> Self:
        """Return the body, carrying its document."""
        text = cls(body)
        text.document = document
        return text


def parsed_once(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return ccxt's `on_json_response`, which asks `parse` only of what the guard did not parse."""
    return lambda text: text.document if isinstance(text, ParsedText) else parse(text)


class AnswerGuard:
    """One exchange's `on_rest_response`."""

    def __init__(
        self, exchange: Any, description: VenueDescription, no_answer: type[Exception]
    ) -> None:
        self._exchange = exchange
        self._description = description
        self._no_answer = no_answer

    def __call__(  # noqa: PLR0917 - ccxt's signature
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        response_headers: Mapping[str, str],
        response_body: str,
        request_headers: Any,
        request_body: Any,
    ) -> str:
        """Return the body of a right answer.

        Raises:
            ccxt's error by the venue's own words where it has some, else BadResponse.

        """
        body = response_body.strip()
        document = self._exchange.parse_json(body)
        path = urlsplit(url).path
        shape = self._description.shape_of(path, str(request_body or ""))
        heard = _heard.get() or Heard()
        _note(heard, code, document, shape)
        _note_headers(heard, response_headers, self._description)
        why = why_not_an_answer(code, document, body, shape)
        if why is None and shape is not None:
            why = _why_no_success(document, self._description.success)
        if why is None:
            return ParsedText.of(body, document)
        exchange = self._exchange
        exchange.handle_errors(
            code, reason, url, method, response_headers, body, document,
            request_headers, request_body,
        )  # fmt: skip
        exchange.handle_http_status_code(code, reason or "", url, method, body)
        raise self._no_answer(f"{method} {path}: HTTP {code}, {why}: {body[:MOST_OF_A_BODY]}")


def why_not_an_answer(code: int, document: Any, body: str, shape: AnswerShape | None) -> str | None:
    """Return why a response is no answer; None where it is one."""
    if code // 100 != SUCCESS:
        return "not a success"
    if shape is not None and code in NOT_THE_WHOLE:
        return "not the whole answer"
    if document is None:
        return _what_the_text_is(body)
    if not document and isinstance(document, dict):
        return "an empty object"
    return _why_of_another_shape(document, shape) if shape else None


def _why_no_success(document: Any, words: Mapping[str, str]) -> str | None:
    """Return why an answer that has the right shape does not say that it is one."""
    if not isinstance(document, dict):
        return None
    wrong = [f"{key} is not {word}" for key, word in words.items() if _said(document, key) != word]
    return ", ".join(wrong) or None


def _said(document: Mapping[str, Any], key: str) -> str:
    return str(document.get(key))


def _what_the_text_is(body: str) -> str:
    if not body:
        return "an empty body"
    return "a page" if body.startswith("<") else "not a JSON object or list"


def _why_of_another_shape(document: Any, shape: AnswerShape) -> str | None:
    if shape.rows_at is not None:
        rows = _rows(document, shape)
        if rows is None:
            return "no list where the rows belong"
        return "an empty list" if not rows and not shape.may_be_empty else None
    if not isinstance(document, dict):
        return "a list where an object belongs"
    missing = [key for key in shape.keys if not _has(document, key)]
    return f"no {', '.join(missing)}" if missing else None


def _rows(document: Any, shape: AnswerShape | None) -> list[Any] | None:
    if shape is not None and shape.keyed:
        return keyed_rows(document, shape.rows_at or (), keyed_as="id")
    null_is_none = shape is not None and shape.null_is_none
    return rows_in(document, shape.rows_at if shape else None, null_is_none=null_is_none)


def _has(document: Any, key: str) -> bool:
    places = (found_at(document, tuple(place.split("."))) for place in key.split("|"))
    return any(value not in (None, "") for value in places)


def _note(heard: Heard, code: int, document: Any, shape: AnswerShape | None) -> None:
    heard.status = code
    heard.is_json = document is not None
    heard.document = document
    rows = _rows(document, shape)
    known = heard.answers == 0 or heard.rows is not None
    heard.answers += 1
    heard.rows = (heard.rows or 0) + len(rows) if rows is not None and known else None


def _note_headers(heard: Heard, headers: Mapping[str, str], description: VenueDescription) -> None:
    said = {name.lower(): value for name, value in headers.items()}
    now = datetime.now(UTC)
    heard.retry_after = _retry_after(said.get("retry-after"), now=now)
    at = _date(said.get("date"))
    if at is not None:
        # The header leaves the fraction out: the venue's time is half a second later on average.
        heard.venue_clock_skew = at + HALF_A_SECOND - now
    heard.used_weight = used_weight(said, description) or heard.used_weight
    venue_now = at + HALF_A_SECOND if at else now
    heard.budget_left = budget_left(said, description, venue_now=venue_now)


def _date(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    if value is None:
        return None
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
        return timedelta(seconds=min(float(value), LONGEST_SILENCE.total_seconds()))
    at = _date(value)
    return min(max(at - now, timedelta(0)), LONGEST_SILENCE) if at else None
