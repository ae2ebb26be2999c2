"""Secrets out of anything that leaves the process (DESIGN rule 12).

Two nets, one over the other: the secrets we know, wherever they stand and however a URL, JSON or
`repr` spells them; and the shapes that secrets have, for those we were never told.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

MASK = "***"
SHORTEST_JWT_PART = 8
SHORTEST_SECRET = 4
"""Shorter values would mask half of every sentence. Longer than MASK: see `_without_secrets`."""
DEEPEST = 20
"""Nesting after which a value is shown as text: a venue decides how deep its answers are."""

_KEY_ENDS = (
    *("apikey", "apisecret", "accesskey", "secretkey", "privatekey", "rolekey", "anonkey"),
    *("secret", "password", "passwd", "pwd", "passphrase", "signature", "authorization"),
    *("token", "jwt", "cookie", "credential", "credentials", "listenkey", "apikeyid", "dsn"),
)
_VERBATIM = (bool, NoneType, date, time, timedelta, UUID)
"""What can hold no secret, and is left as it is (a datetime is a date)."""

_NAME = (
    r"(?:(?:api|access|private|secret|listen|service_role|anon)[_-]?key|secret|passw(?:or)?d"
    r"|passphrase|token|jwt|cookie|authorization|signature)[\w-]{0,24}|(?<![a-z0-9])sign\b"
)
_SCHEME = r"(?:(?:bearer|basic|token)\s{1,3})?"
_LIKELY = r"(?=[A-Za-z0-9+/_.~-]{0,40}\d)[A-Za-z0-9+/_.~-]{8,}={0,2}"
"""An unquoted value after a colon is masked only with a digit in it: `api_key: missing` is news."""

# Every pattern is linear: each repetition is bounded, or cannot begin again inside its own match.
_NAMED = re.compile(
    rf"(?i)({_NAME})(?:"
    # "name": "value", also inside JSON that was put into JSON
    rf"(\\?[\"']?\s{{0,3}}[:=]\s{{0,3}}(\\?[\"']))(?:(?!\3)(?:\\.|[^\r\n\\])){{1,4096}}"
    # name=value, and the same inside another URL
    rf"|((?:\s{{0,3}}=\s{{0,3}}|%3d){_SCHEME})[^\s&\"',;<>)\]}}\\]+"
    # a header
    rf"|(\\?[\"']?\s{{0,3}}:\s{{0,3}}{_SCHEME}){_LIKELY})"
)
_SHAPES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "PRIVATE KEY-",
        re.compile(
            r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,20}KEY-----)?"
        ),
        MASK,
    ),
    # scheme://user:password@host, also with an @ in the password
    (
        "@",
        re.compile(r"(?<=://)([^\s/?#@:\"'<>]{0,256}):[^\s/?#\"'<>]{1,512}@"),
        rf"\1:{MASK}@",
    ),
    # scheme://token@host, as in https://key@host
    ("@", re.compile(r"(?<=://)[A-Za-z0-9_-]{20,256}@"), f"{MASK}@"),
    ("", re.compile(rf"\b([Bb]earer|BEARER|[Bb]asic)(\s{{1,3}}|%20){_LIKELY}"), rf"\1\2{MASK}"),
    ("_", re.compile(r"\b(sb_secret_|gh[opsu]_)[\w-]{8,}"), rf"\1{MASK}"),
    ("xox", re.compile(r"\b(xox[abeprs]-)[\w-]{8,}"), rf"\1{MASK}"),
    # webhooks carry their secret in the path
    ("hooks.slack", re.compile(r"(hooks\.slack\.com/services/)[\w/-]{1,256}"), rf"\1{MASK}"),
    ("/webhooks/", re.compile(r"(/api/webhooks/\d{1,24}/)[\w-]{1,256}"), rf"\1{MASK}"),
    ("/bot", re.compile(r"(/bot\d{1,16}:)[\w-]{20,128}"), rf"\1{MASK}"),
)
"""A part that the text must have, what to look for, what to write instead."""
_DOTTED_RUN = re.compile(r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]{16,}")


class Redactor:
    """Masks the secrets it was given, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Secrets shorter than four characters are left out: see SHORTEST_SECRET."""
        spellings: set[str] = set()
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET:
                spellings.update(_spellings(secret))
        by_start: defaultdict[str, list[str]] = defaultdict(list)
        for spelling in sorted(spellings, key=len, reverse=True):
            by_start[spelling[:SHORTEST_SECRET]].append(spelling)
        self._by_start = dict(by_start)
        self._mask_can_join = any("*" in spelling for spelling in spellings)

    def text(self, text: str) -> str:
        """The text without secrets. Linear in its length."""
        shown = self._without_secrets(text)
        if "eyJ" in shown:
            shown = _DOTTED_RUN.sub(_without_jwt, shown)
        shown = _NAMED.sub(_without_value, shown)
        for needed, shape, mask in _SHAPES:
            if needed in shown:
                shown = shape.sub(mask, shown)
        return self._without_secrets(shown) if self._mask_can_join else shown

    def value(self, value: Any) -> Any:
        """A copy of any value without secrets; objects that are not plain data become text.

        The value of a key that names a secret is masked whatever it is.
        """
        return self._value(value, DEEPEST)

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, _VERBATIM):
            return value
        if isinstance(value, int | float | Decimal) and self.text(str(value)) == str(value):
            return value  # a passphrase or user id may be all digits
        if isinstance(value, Mapping) and depth > 0:
            return {self._key(k): self._entry(k, v, depth - 1) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth > 0:
            items = [self._value(item, depth - 1) for item in value]
            return tuple(items) if isinstance(value, tuple) else items
        return self.text(_described(value))

    def _key(self, key: Any) -> Any:
        return self.text(key) if isinstance(key, str) else self._value(key, 0)

    def _entry(self, key: Any, value: Any, depth: int) -> Any:
        if value is not None and isinstance(key, str) and names_a_secret(key):
            return MASK
        return self._value(value, depth)

    def _without_secrets(self, text: str) -> str:
        """Known secrets masked, longest first.

        The mask may join with what stands beside it to another secret that has a `*`. Each round
        makes the text shorter, as MASK is shorter than any secret: it ends.
        """
        while True:
            shown = self._one_round(text)
            if shown == text or not self._mask_can_join:
                return shown
            text = shown

    def _one_round(self, text: str) -> str:
        by_start = self._by_start
        if not by_start:
            return text
        parts: list[str] = []
        begin = 0
        # Four characters at a time against a dict: thousands of secrets cost no more than one.
        for at in range(len(text) - SHORTEST_SECRET + 1):
            found = by_start.get(text[at : at + SHORTEST_SECRET])
            if found is None or at < begin:
                continue
            for secret in found:
                if text.startswith(secret, at):
                    parts += (text[begin:at], MASK)
                    begin = at + len(secret)
                    break
        return "".join((*parts, text[begin:])) if parts else text


def names_a_secret(key: str) -> bool:
    """Whether a dict key, column or header names something that is not to be shown."""
    plain = key.lower().replace("_", "").replace("-", "").replace(" ", "")
    return plain.endswith(_KEY_ENDS) or plain == "sign" or key.lower().endswith(("-sign", "_sign"))


def _described(value: object) -> str:
    """The value as text; an object whose own `repr` fails must not take the log line with it."""
    if isinstance(value, str):
        return str(value)
    try:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
    except Exception as error:  # noqa: BLE001 - any foreign __repr__
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _spellings(secret: str) -> set[str]:
    """The ways in which URLs, JSON and Python write the same value."""
    # The one call a round trip through a log file needs, for each of the usual writers.
    spell: tuple[Callable[[str], str], ...] = (
        str,
        lambda s: json.dumps(s)[1:-1],
        lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
        lambda s: repr(s)[1:-1],
        lambda s: quote(s, safe="", errors="replace"),
        lambda s: quote(s, errors="replace"),
        lambda s: quote_plus(s, errors="replace"),
    )
    return {one(secret) for one in spell}


def _without_value(named: re.Match[str]) -> str:
    """`name=value` as `name=***`: the name, what stands between, the mask."""
    return f"{named[1]}{named[2] or named[4] or named[5]}{MASK}"


def _without_jwt(run: re.Match[str]) -> str:
    """A run of token characters, masked from where a JSON Web Token begins."""
    parts = run[0].split(".")
    for index, part in enumerate(parts[:-1]):
        at = part.find("eyJ")
        if (
            at >= 0
            and len(part) - at >= SHORTEST_JWT_PART
            and len(parts[index + 1]) >= SHORTEST_SECRET
        ):
            return ".".join((*parts[:index], part[:at] + MASK))
    return run[0]
