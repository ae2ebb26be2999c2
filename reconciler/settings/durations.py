"""Durations as people write them: `500ms`, `60s`, `15m`, `24h`, `1h30m`, `2d`."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

# A century: more is a slip of the hand, and `now - duration` must stay a date.
LONGEST = timedelta(days=36_500)

ACCEPTED = 'a duration such as "500ms", "60s", "15m", "24h", "1h30m" or "2d" (a number is seconds)'

_MICROSECONDS = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
}
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_WRITTEN = re.compile("".join(f"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit in _MICROSECONDS))
_SECONDS = re.compile(_NUMBER)


def parse_duration(value: object) -> timedelta:
    """Read a duration from text, or from a number of seconds.

    Raises:
        ValueError: It is none, is negative, or is longer than a century. The text does not repeat
            the value.

    """
    microseconds = _microseconds(value)
    if microseconds is None or microseconds < 0:
        raise ValueError(ACCEPTED)
    if microseconds > LONGEST // timedelta(microseconds=1):
        raise ValueError(f"{ACCEPTED}, at most {LONGEST.days}d")
    return timedelta(microseconds=int(microseconds))


def _microseconds(value: object) -> Decimal | None:
    match value:
        case timedelta():
            return Decimal(value // timedelta(microseconds=1))
        case bool():
            return None
        case int() | float():
            seconds = Decimal(str(value))
            return seconds * _MICROSECONDS["s"] if seconds.is_finite() else None
        case str():
            return _microseconds_of_text(value.strip())
        case _:
            return None


def _microseconds_of_text(text: str) -> Decimal | None:
    if _SECONDS.fullmatch(text):
        return Decimal(text) * _MICROSECONDS["s"]
    written = _WRITTEN.fullmatch(text)
    if not text or written is None:
        return None
    parts = {unit: number for unit, number in written.groupdict().items() if number is not None}
    return sum(
        (Decimal(number) * _MICROSECONDS[unit] for unit, number in parts.items()), Decimal(0)
    )


def format_duration(duration: timedelta) -> str:
    """Write a duration so that `parse_duration` reads the same one: `1h30m`, `500ms`, `0s`.

    `duration` is not negative.
    """
    left = Decimal(duration // timedelta(microseconds=1))
    parts: list[str] = []
    for unit, size in _MICROSECONDS.items():
        count = left / size if unit == "ms" else left // size
        left -= count * size
        if count:
            parts.append(f"{count.normalize():f}{unit}")
    return "".join(parts) or "0s"


def _validated(value: object) -> timedelta:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError(
            "duration", "expected {accepted}", {"accepted": str(error)}
        ) from None


def _longer_than_zero(duration: timedelta) -> timedelta:
    if duration == timedelta(0):
        raise PydanticCustomError(
            "duration", "expected {accepted}, longer than zero", {"accepted": ACCEPTED}
        )
    return duration


Duration = Annotated[
    timedelta,
    BeforeValidator(_validated),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""A duration that may be zero."""

Interval = Annotated[
    timedelta,
    BeforeValidator(_validated),
    AfterValidator(_longer_than_zero),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""A duration longer than zero."""
