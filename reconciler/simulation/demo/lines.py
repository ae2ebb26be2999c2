"""The demo in a pipe: one plain line for each event, flushed at once."""

from typing import TextIO

from reconciler.simulation.demo.log_tail import LogLine
from reconciler.simulation.demo.performance import Ending, Performance, Played


class Lines:
    """`seconds  who  text`; who is demo, story, daemon, bot or log."""

    def __init__(self, performance: Performance, out: TextIO) -> None:
        self._performance = performance
        self._out = out
        self._logged: set[LogLine] = set()

    def say(self, text: str, *, who: str = "demo") -> None:
        """One event."""
        self._out.write(f"{self._performance.seconds():6.1f} s  {who:<6}  {text}\n")

    def begin(self, chapter: Played) -> None:
        """A chapter and what is done to venue or book."""
        number = f"{chapter.number} of {len(self._performance.titles)}"
        self.say(f"{number}: {chapter.title}: {chapter.deed}", who="story")

    def end(self, chapter: Played) -> None:
        """What the daemon did."""
        took = (chapter.ended or chapter.began) - chapter.began
        word = "FAILED: " if chapter.ending is Ending.FAILED else ""
        self.say(f"{word}{chapter.reaction} (after {took:.1f} s)", who="daemon")

    def log(self, line: LogLine) -> None:
        """The daemon's warnings, each once: it repeats them in every pass."""
        if line.level in {"warning", "error", "critical"} and line not in self._logged:
            self._logged.add(line)
            self.say(str(line), who="log")

    def draw(self) -> None:
        """Nothing is redrawn in a pipe."""

    def close(self) -> None:
        """Nothing is held open."""
