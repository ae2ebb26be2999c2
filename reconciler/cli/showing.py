"""Tables, facts and ages for people at a terminal."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

COLOURS = {
    "SEV-1": "bold red",
    "SEV-2": "yellow",
    "SEV-3": "cyan",
    "open": "red",
    "acknowledged": "yellow",
    "resolved": "green",
    "pending": "yellow",
    "contained": "red",
    "paused": "magenta",
    "done": "green",
    "refused": "yellow",
    "failed": "red",
}
Column = tuple[str, Callable[[Any], Any]]
"""A heading, and what each row says under it."""
STEPS = (("d", 86_400), ("h", 3_600), ("min", 60))


def age(seconds: float) -> str:
    """`3 d 4 h`, `12 min`, `40 s`: two words at most."""
    left, words = int(max(seconds, 0)), []
    for unit, size in STEPS:
        number, left = divmod(left, size)
        if number:
            words.append(f"{number} {unit}")
    return " ".join(words[:2]) if words else f"{left} s"


def moment(at: datetime | None) -> str:
    """In UTC, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at is not None else ""


def print_table(rows: Sequence[Any], columns: Sequence[Column], *, empty: str) -> None:
    """One line for each row; an empty list says so."""
    console = Console()
    if not rows:
        console.print(empty, highlight=False)
        return
    table = Table(*(heading for heading, _ in columns))
    for row in rows:
        table.add_row(*(_cell(says(row)) for _, says in columns))
    console.print(table)


def print_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """`name  value`, one a line; what is not known is left out."""
    console, known = Console(), [(n, v) for n, v in facts if v not in (None, "", (), {}, [])]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        console.print(f"[bold]{name:<{width}}[/]  {_cell(value)}", highlight=False, soft_wrap=True)


def heading(text: str) -> None:
    """Above a part of a report."""
    Console().print(f"\n[bold]{escape(text)}[/]", highlight=False)


def line(text: str) -> None:
    """One line as it is."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def print_steps(steps: Iterable[Any]) -> None:
    """What to do next, each with its command."""
    for number, step in enumerate(steps, start=1):
        line(f"{number}. {step.text}")
        if step.command:
            line(f"     {step.command}")


def _cell(value: Any) -> str:
    text = moment(value) if isinstance(value, datetime) else _plain(value)
    colour = COLOURS.get(text)
    return f"[{colour}]{escape(text)}[/]" if colour else escape(text)


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{key} {item}" for key, item in value.items())
        case tuple() | list():
            return ", ".join(_plain(item) for item in value)
        case _:
            return str(value)
