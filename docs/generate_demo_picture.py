"""Writes docs/demo.svg: the demo's own screen, drawn while the real demo runs."""

import asyncio
import io
import re
import time
from pathlib import Path

from rich.console import Console

from reconciler.simulation.demo.performance import Performance, Played
from reconciler.simulation.demo.running import run_demo
from reconciler.simulation.demo.screen import Screen

PICTURE = Path(__file__).parent / "demo.svg"
WIDTH, HEIGHT = 120, 38
LAST_CHAPTER = 4
"""The picture is taken when this chapter ends: a ghost, a forgotten order and a missed fill."""
FONT_FACES = re.compile(r"@font-face\s*{[^}]*}")


class Photographer(Screen):
    """The screen of the demo, on paper."""

    def __init__(self, performance: Performance, *, taken: asyncio.Event) -> None:
        super().__init__(performance, io.StringIO(), seconds=None)
        self._taken = taken
        self._chapters = 0
        self._console = Console(
            file=io.StringIO(), record=True, width=WIDTH, height=HEIGHT, force_terminal=True
        )

    def say(self, text: str, *, who: str = "demo") -> None:
        """Remarks are not in the picture."""

    def draw(self) -> None:
        """Nothing is shown while the story is told."""

    def end(self, chapter: Played) -> None:
        """Take the picture after the last chapter that is to be seen."""
        del chapter
        self._chapters += 1
        if self._chapters == LAST_CHAPTER:
            self._console.print(self.picture())
            svg = self._console.export_svg(title="reconciler demo")
            PICTURE.write_text(FONT_FACES.sub("", svg), encoding="utf-8")
            self._taken.set()


async def _take() -> None:
    taken = asyncio.Event()
    performance = Performance(started=time.monotonic())
    photographer = Photographer(performance, taken=taken)
    await run_demo(performance, photographer, server_url=None, asked=taken, ends_at=None)


if __name__ == "__main__":
    asyncio.run(_take())
