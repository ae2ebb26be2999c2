"""Finds every text in the settings that must never be shown."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import BaseModel, SecretStr

# Shorter parts of a notification address are words like `v1` or `services`, not tokens.
_SHORTEST_TOKEN = 8


def secrets_within(value: object) -> Iterator[str]:
    """Yield every secret text beneath `value`, never an empty one."""
    match value:
        case SecretStr():
            yield from _texts_of(value.get_secret_value())
        case BaseModel():
            for field in type(value).model_fields:
                yield from secrets_within(getattr(value, field))
        case Mapping():
            for item in value.values():
                yield from secrets_within(item)
        case tuple():
            for item in value:
                yield from secrets_within(item)
        case _:
            return


def _texts_of(secret: str) -> Iterator[str]:
    yield secret
    if "://" not in secret:
        return
    try:
        parts = urlsplit(secret)
    except ValueError:
        return
    for text in (*_passwords(parts), *_tokens(parts)):
        yield from {text, unquote(text)} - {""}


def _passwords(parts: SplitResult) -> Iterator[str]:
    yield parts.netloc.rpartition("@")[0].partition(":")[2]
    for key, value in parse_qsl(parts.query):
        if "password" in key.lower():
            yield value


def _tokens(parts: SplitResult) -> Iterator[str]:
    # Apprise and heartbeat addresses carry tokens as user, host, path or query; the log lines of
    # their HTTP clients show them rearranged, so each part is a secret of its own. What has a dot
    # is a host name.
    if parts.scheme in {"postgresql", "postgres"}:
        return
    for text in re.split(r"[/:@?&=]", parts.netloc + parts.path + "?" + parts.query):
        if len(text) >= _SHORTEST_TOKEN and "." not in text:
            yield text
