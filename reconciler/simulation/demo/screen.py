"""The demo on a terminal: the story on the left, venue beside book on the right."""

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from reconciler.simulation.demo.log_tail import LogLine
from reconciler.simulation.demo.performance import Ending, Performance, Played
from reconciler.simulation.demo.scene import Scene, plain

TALL = 34
"""From this many rows on there is room for the deeds of chapters that are over, and more log."""
MARKS = {
    Ending.UNDER_WAY: ("▶", "bold yellow"),
    Ending.AS_IT_SHOULD: ("✓", "green"),
    Ending.FAILED: ("✗", "bold red"),
}
SEVERITIES = {"SEV-1": "bold red", "SEV-2": "yellow", "SEV-3": "cyan"}
LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red"}


class Screen:
    """Lines until the daemon works, then the whole screen; `close` gives it back."""

    def __init__(self, performance: Performance, out: TextIO, *, seconds: float | None) -> None:
        """`seconds`: how long the demo runs; None until somebody ends it."""
        self._performance = performance
        self._seconds = seconds
        self._console = Console(file=out)
        self._live: Live | None = None

    def say(self, text: str, *, who: str = "demo") -> None:
        """One remark."""
        self._performance.remarks.append(text)
        if self._live is None:
            line = Text(f"{self._performance.seconds():6.1f} s  {who:<6}  {text}")
            self._console.print(line, soft_wrap=True)

    def begin(self, chapter: Played) -> None:
        """Show the chapter at once."""
        del chapter
        self.draw()

    def end(self, chapter: Played) -> None:
        """Show its effect at once."""
        del chapter
        self.draw()

    def log(self, line: LogLine) -> None:
        """Kept for the foot of the screen, a line that repeats once."""
        if not self._performance.log or self._performance.log[-1] != line:
            self._performance.log.append(line)

    def draw(self) -> None:
        """The whole screen anew."""
        if self._live is None:
            self._live = Live(
                console=self._console,
                screen=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(self.picture(), refresh=True)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def picture(self) -> RenderableType:
        """What the screen shows now."""
        width, height = self._console.size
        tall = height >= TALL
        layout = Layout()
        layout.split_column(
            Layout(self._header(), size=3),
            Layout(name="body"),
            Layout(self._foot(8 if tall else 2), size=9 if tall else 3),
        )
        layout["body"].split_row(
            Layout(Padding(self._story(tall=tall), (0, 2, 0, 0)), name="story", size=width // 2),
            Layout(self._sides(height - (12 if tall else 6), tall=tall), name="sides"),
        )
        return layout

    def _header(self) -> RenderableType:
        performance = self._performance
        clock = f"{performance.seconds():.0f} s"
        if self._seconds is not None:
            clock += f" of {self._seconds:.0f} s"
        first = Text.assemble(
            ("reconciler demo", "bold"), f"   {clock}   ", ("Ctrl-C ends it", "dim")
        )
        at = performance.url
        second = Text.assemble(
            "open ", (f"{at}/health", "cyan"), " and ", (f"{at}/metrics", "cyan")
        )
        for line in (first, second):
            line.no_wrap = True
        return Group(first, second, Rule(style="dim"))

    def _story(self, *, tall: bool) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column()
        played = self._performance.played
        for chapter in played:
            mark, style = MARKS[chapter.ending]
            table.add_row(Text(mark, style), self._chapter(chapter, tall=tall))
        for title in self._performance.titles[len(played) :]:
            table.add_row("", Text(title, "dim"))
        is_over = len(played) == len(self._performance.titles) and played[-1].ended is not None
        if is_over and self._performance.remarks:
            table.add_row("", Text(self._performance.remarks[-1], "italic"))
        return table

    def _chapter(self, chapter: Played, *, tall: bool) -> Text:
        text = Text(chapter.title, "bold")
        if chapter.ended is None:
            waited = self._performance.seconds() - chapter.began
            text.append(f"  {waited:.0f} s …", "yellow")
        else:
            text.append(f"  {chapter.ended - chapter.began:.1f} s", "dim")
        if tall or chapter.ended is None:
            text.append(f"\n{chapter.deed}", "not bold")
        if chapter.reaction:
            style = "not bold red" if chapter.ending is Ending.FAILED else "not bold green"
            text.append(f"\n→ {chapter.reaction}", style)
        return text

    def _sides(self, rows: int, *, tall: bool) -> RenderableType:
        scene = self._performance.scene
        if scene is None:
            return Text("")
        incidents = list(_incidents(scene, most=10 if tall else 5))
        orders = max(2, rows - len(scene.positions) - len(incidents) - (9 if tall else 5))
        sections: tuple[RenderableType, ...] = (
            _positions(scene),
            _orders(scene, most=orders),
            _profiles(scene),
            _account(scene),
            Group(
                Text("incidents", "bold underline") if incidents else Text("no incident", "dim"),
                *incidents,
            ),
        )
        return Group(*(Padding(one, (0, 0, 1, 0)) if tall else one for one in sections))

    def _foot(self, rows: int) -> RenderableType:
        lines = [
            Text(str(line), LEVELS.get(line.level, "dim"), no_wrap=True, overflow="ellipsis")
            for line in list(self._performance.log)[-rows:]
        ]
        return Group(Rule("the daemon's log", style="dim", align="left"), *lines)


def _table(*heads: str) -> Table:
    table = Table(
        *heads,
        box=None,
        padding=(0, 2, 0, 0),
        header_style="bold underline",
    )
    for column in table.columns:
        column.no_wrap = True
    return table


def _positions(scene: Scene) -> Table:
    table = _table("position", "venue", "book", "")
    for line in scene.positions:
        style = "green" if line.verdict == "agree" else "bold red"
        base = line.symbol.partition("/")[0]
        table.add_row(base, plain(line.venue), plain(line.book), Text(line.verdict, style))
    return table


def _orders(scene: Scene, *, most: int) -> Table:
    table = _table("order", "venue", "book")
    for line in scene.orders[:most]:
        book = f"{line.status} {plain(line.filled)}" if line.filled else line.status
        agree = line.status == line.venue or (line.status, line.venue) == ("open", "new")
        style = "magenta" if line.status == "unknown" else "green" if agree else "bold red"
        table.add_row(line.id, line.venue, Text(book, style))
    return table


def _profiles(scene: Scene) -> Text:
    text = Text("profiles", "bold underline")
    for name, status in scene.profiles.items():
        is_active = status == "active"
        text.append(
            f"  {'●' if is_active else '○'} {name}",
            f"not bold not underline {'green' if is_active else 'bold red'}",
        )
    text.no_wrap = True
    return text


def _account(scene: Scene) -> Text:
    text = Text("account ", "bold underline", no_wrap=True, overflow="ellipsis")
    if scene.health.trouble is not None:
        return text.append(f"  NOT JUDGED: {scene.health.trouble}", "not underline bold red")
    return text.append("  judged", "not bold not underline green")


def _incidents(scene: Scene, *, most: int) -> Iterable[Text]:
    for line in scene.incidents[-most:]:
        about = line.order_id or (line.symbol or "").partition("/")[0]
        is_over = line.status == "resolved"
        style = "dim" if is_over else SEVERITIES.get(line.severity, "")
        text = Text(f"{line.id} {line.severity} {line.kind} {about} ", style, no_wrap=True)
        yield text.append(line.status, "dim" if is_over else "")
