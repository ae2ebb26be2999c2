"""The end: what happened, what the daemon did, and how things stand."""

from collections.abc import Iterable
from typing import TextIO

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reconciler.simulation.demo.performance import Ending, Performance
from reconciler.simulation.demo.scene import OrderLine, Scene, plain

PIPE_WIDTH = 160
ENDINGS = {
    Ending.AS_IT_SHOULD: "green",
    Ending.FAILED: "bold red",
    Ending.UNDER_WAY: "yellow",
}


def print_summary(performance: Performance, out: TextIO) -> None:
    """A table of the story, the incidents, the book; plain text in a pipe."""
    console = Console(file=out, width=None if out.isatty() else PIPE_WIDTH, highlight=False)
    console.print(Text(f"\nThe demo ended after {performance.seconds():.1f} s."), soft_wrap=True)
    if not performance.played:
        console.print(Text("It ended before the story began; nothing is left behind."))
        return
    console.print(_story(performance))
    if performance.scene is not None:
        for line in _state(performance.scene):
            console.print(Text(line), soft_wrap=True)
    console.print(Text(_conclusion(performance)), soft_wrap=True)


def _story(performance: Performance) -> Table:
    table = Table("", "what happened", "what the daemon did", "seconds", box=SIMPLE)
    table.columns[1].ratio = table.columns[2].ratio = 1
    table.columns[3].justify = "right"
    for chapter in performance.played:
        took = f"{chapter.ended - chapter.began:.1f}" if chapter.ended is not None else ""
        reaction = chapter.reaction or chapter.ending.value
        table.add_row(
            Text(str(chapter.number)),
            Text(f"{chapter.title}: {chapter.deed}"),
            Text(reaction, ENDINGS[chapter.ending]),
            Text(took),
        )
    return table


def _state(scene: Scene) -> Iterable[str]:
    yield "Incidents:" if scene.incidents else "Incidents: none."
    for line in scene.incidents:
        yield f"  {line.id}  {line.severity}  {line.status:<8}  {line.title}"
    yield "Book:"
    yield "  profiles   " + ", ".join(f"{name} {status}" for name, status in scene.profiles.items())
    yield "  positions  " + ", ".join(
        f"{line.symbol} {plain(line.book)} (venue {plain(line.venue)}, {line.verdict})"
        for line in scene.positions
    )
    yield "  orders     " + ", ".join(_order(line) for line in scene.orders)


def _order(line: OrderLine) -> str:
    if line.avg_price is None:
        return f"{line.id} {line.status}"
    return f"{line.id} {line.status} {plain(line.filled)} at {plain(line.avg_price)}"


def _conclusion(performance: Performance) -> str:
    failed = list(performance.failed())
    if failed:
        return f"FAILED: {', '.join(chapter.title for chapter in failed)}."
    done = sum(1 for one in performance.played if one.ending is Ending.AS_IT_SHOULD)
    rest = "" if done == len(performance.titles) else " (more time shows more)"
    return f"{done} of {len(performance.titles)} chapters ended as they should{rest}."
