"""What the doctor says, and how long it may take to find out."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from reconciler.domain.errors import ReconcilerError

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One answer of the doctor."""

    level: Level
    what: str
    says: str
    mend: str = ""
    topic: str = ""
    """The lines of one topic stand together; empty: of `what` itself."""


async def answered(
    work: Awaitable[list[Line]], *, what: str, topic: str, within: timedelta, level: Level = "fail"
) -> list[Line]:
    """The lines of one piece of work. One that fails or hangs is a line, and hides no other."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await work
    except TimeoutError:
        says = f"not looked at: no answer within {within.total_seconds():.0f} s"
    except ReconcilerError as error:
        says = f"not looked at: {error}"
    return [Line(level=level, what=what, says=says, topic=topic)]


def counted(words: Mapping[str, int], *, most: int = 5) -> str:
    """`DOGE (3), XRP (1) and 4 more`: the most frequent first."""
    ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{word} ({number})" for word, number in ranked[:most])
    return shown + (f" and {len(ranked) - most} more" if len(ranked) > most else "")


def listed(names: Iterable[str], *, most: int = 5) -> str:
    """`a, b and 4 more`."""
    found = list(names)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")
