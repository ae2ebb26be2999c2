"""What an exception of a call to a venue means: `AnswerKind`, not found, and one redacted line.

By name, not by class: ccxt is imported only when an account is connected, and an unlisted error
must be "no answer" whatever it is.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from reconciler.domain.snapshot import AnswerKind, Failure
from reconciler.venue.answer_guard import LONGEST_SILENCE, Heard
from reconciler.venue.description import CallName, NotFoundWords, VenueDescription

KINDS: Mapping[str, AnswerKind] = {
    "RateLimitExceeded": AnswerKind.THROTTLED,
    "DDoSProtection": AnswerKind.THROTTLED,
    "InvalidNonce": AnswerKind.CLOCK,
    "AuthenticationError": AnswerKind.AUTH,
    "AccountSuspended": AnswerKind.AUTH,
    "ArgumentsRequired": AnswerKind.UNSUPPORTED,
    "NotSupported": AnswerKind.UNSUPPORTED,
}
"""The nearest of these among an error's classes decides; all others are NO_ANSWER."""

LONGEST_DETAIL = 240
LONGEST_PAGE = 120
MOST_READ = 4000
"""Characters of an error that are looked at: patterns over megabytes would block the event loop."""
SERVER_ERROR = 500
NOT_THERE = 404
TOO_MANY = frozenset({418, 429})
BANNED_UNTIL = re.compile(r"banned until (\d{13})(?!\d)")
"""Milliseconds since 1970. A proxy may drop the header that says the same."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class VenueCallError(Exception):
    """A call that did not give what was asked for, already classified."""

    def __init__(self, failure: Failure, *, not_found: bool, no_such_call: bool) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.not_found = not_found
        """The venue said, in its own words, that it does not know the order."""
        self.no_such_call = no_such_call
        """HTTP 404, and not about an order: this host may not offer the endpoint."""


def classified(
    error: Exception,
    *,
    call: CallName,
    description: VenueDescription,
    heard: Heard,
    secrets: Iterable[str] = (),
) -> VenueCallError:
    """Return the classified form of any exception that a call raised."""
    kind = kind_of(error, description.error_words)
    if kind is AnswerKind.NO_ANSWER and heard.status in TOO_MANY:
        # OKX's 429 and others are "not available" to ccxt.
        kind = AnswerKind.THROTTLED
    no_such_call = heard.status == NOT_THERE and (
        not heard.is_json or kind is AnswerKind.UNSUPPORTED
    )
    failure = Failure(
        kind=kind,
        call=call,
        detail=detail_of(error, secrets=secrets),
        retry_after=_retry_after(error, heard) if kind is not AnswerKind.AUTH else None,
    )
    return VenueCallError(
        failure,
        not_found=says_not_found(error, heard, description.not_found),
        no_such_call=no_such_call,
    )


def _retry_after(error: Exception, heard: Heard) -> timedelta | None:
    """Return how long the venue wants no call: by its header, else by Binance's words of a ban."""
    if heard.retry_after is not None or heard.status not in TOO_MANY:
        return heard.retry_after
    named = BANNED_UNTIL.search(str(error)[:MOST_READ])
    if named is None:
        return None
    left = timedelta(milliseconds=int(named.group(1))) - (datetime.now(UTC) - EPOCH)
    return min(max(left, timedelta(0)), LONGEST_SILENCE)


def kind_of(error: Exception, error_words: Mapping[str, AnswerKind]) -> AnswerKind:
    """Return what kind of non-answer an exception is."""
    names = [cls.__name__ for cls in type(error).__mro__ if _is_ccxt(cls)]
    if names:
        text = str(error).replace(" ", "")
        for words, kind in error_words.items():
            if words in text:
                return kind
    return next((KINDS[name] for name in names if name in KINDS), AnswerKind.NO_ANSWER)


def says_not_found(error: Exception, heard: Heard, not_found: Iterable[NotFoundWords]) -> bool:
    """Tell whether the venue answered, in its words, that it does not know the order.

    Only a JSON answer counts, and no server error: a page is not the venue's word.
    """
    if not heard.is_json or heard.status is None or heard.status >= SERVER_ERROR:
        return False
    return says_one_of(error, not_found)


def says_one_of(error: BaseException | None, words: Iterable[NotFoundWords]) -> bool:
    """Tell whether an error of ccxt is one of these."""
    name, text = type(error).__name__, str(error)
    return _is_ccxt(type(error)) and any(name == one.error and one.words in text for one in words)


def detail_of(error: BaseException, *, secrets: Iterable[str] = ()) -> str:
    """Return one line for people: no query strings, no secrets, pages cut to their first words."""
    text = str(error) or (repr(error.__cause__) if error.__cause__ else "")
    cause = error.__cause__
    if cause is not None and str(cause) and str(cause) not in text:
        text = f"{text} ({type(cause).__name__}: {cause})"
    text = _without(text, [secret for secret in secrets if secret])
    text = re.sub(r"\?\S*=\S*", "", text)
    text = re.sub(r"(?i)(signature|timestamp|apikey|api_key|recvwindow)=[^\s&]*", r"\1=***", text)
    head, opening, page = text.partition("<")
    if opening:
        page = re.sub(r"(?is)<(script|style).*?(</\1>|$)", " ", opening + page)
        text = f"{head}{_one_line(re.sub(r'<[^>]*>?', ' ', page))[:LONGEST_PAGE]}"
    text = _one_line(text)[:LONGEST_DETAIL]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _without(text: str, secrets: list[str]) -> str:
    """Return the beginning of the text without the secrets, or half of one at its end."""
    is_cut = len(text) > MOST_READ
    text = text[:MOST_READ]
    for secret in secrets:
        text = _as_it_is_said(secret).sub("***", text)
    return text[: -max(map(len, secrets))] if is_cut and secrets else text


@lru_cache(maxsize=1024)
def _as_it_is_said(secret: str) -> re.Pattern[str]:
    """Return what finds a secret as venues say it: in JSON, in a URL, in a page."""
    return re.compile("".join(map(_forms_of, secret)), re.IGNORECASE)


def _forms_of(sign: str) -> str:
    if sign.isalnum():
        return sign
    code, plain = ord(sign), re.escape(sign)
    forms = [plain, rf"\\{plain}", f"%{code:02x}", rf"\\u{code:04x}", f"&#x{code:x};", f"&#{code};"]
    if sign.isspace():
        # A key of several lines, as one.
        forms += [r"\\n", r"\s"]
    return f"(?:{'|'.join(forms)})"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _is_ccxt(cls: type) -> bool:
    return cls.__module__.split(".", 1)[0] == "ccxt"


def refused_locally(
    kind: AnswerKind, call: CallName, detail: str, *, retry_after: timedelta | None = None
) -> VenueCallError:
    """Return the error of a call that was not made, or whose answer cannot be the right one."""
    failure = Failure(kind=kind, call=call, detail=detail, retry_after=retry_after)
    return VenueCallError(failure, not_found=False, no_such_call=False)


def again(error: VenueCallError) -> VenueCallError:
    """Return the same failure as a new exception, for another who waited for the same call."""
    return VenueCallError(error.failure, not_found=error.not_found, no_such_call=error.no_such_call)
