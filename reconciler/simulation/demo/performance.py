"""What was played so far: the story as it stands, for the screen, the lines and the summary."""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.simulation.demo.log_tail import LogLine
from reconciler.simulation.demo.scene import Scene

REMARKS_KEPT = 50
LOG_LINES_KEPT = 50


class Ending(StrEnum):
    """How a chapter stands."""

    UNDER_WAY = "under way"
    AS_IT_SHOULD = "as it should"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Played:
    """One chapter that was begun. Seconds since the start of the command."""

    number: int
    title: str
    deed: str
    """What was done to the venue or the book."""
    began: float
    ended: float | None = None
    ending: Ending = Ending.UNDER_WAY
    reaction: str = ""
    """What the daemon did, or what failed."""


@dataclass(slots=True, kw_only=True)
class Performance:
    """Grows while the demo runs; read by whatever shows it."""

    started: float
    """Monotonic seconds at the start of the command."""
    titles: tuple[str, ...] = ()
    url: str = ""
    """The daemon's HTTP address, once it listens."""
    played: list[Played] = field(default_factory=list)
    scene: Scene | None = None
    remarks: deque[str] = field(default_factory=lambda: deque(maxlen=REMARKS_KEPT))
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES_KEPT))

    def seconds(self) -> float:
        """Time since the start of the command."""
        return time.monotonic() - self.started

    def failed(self) -> Iterable[Played]:
        """Chapters that did not end as they should."""
        return (chapter for chapter in self.played if chapter.ending is Ending.FAILED)
