"""`reconciler check`: the doctor. One line each: what, what it means, the mend."""

import contextlib
import json
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reconciler.cli.starting import ConfigOption, JsonOption, finish, start, wants_json
from reconciler.settings import Settings
from reconciler.telemetry.redaction import Redactor

if TYPE_CHECKING:
    from reconciler.service.checking import Line  # the heavy part, for this command only

COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002 - typer's flags
    """Look at configuration, database, books, venues, keys and clocks. Changes nothing. Exit 0
    where nothing fails, 1 where something does, 2 where the configuration cannot be read. What each
    line means: docs/check.md.
    """
    settings, redactor = start(config, quiet=True)
    with _progress():
        lines = finish(_check(settings, redactor), redactor)
    if wants_json(as_json):
        _print_json(lines, redactor)
    else:
        _show(lines, redactor)
    raise typer.Exit(1 if any(line.level == "fail" for line in lines) else 0)


async def _check(settings: Settings, redactor: Redactor) -> "Sequence[Line]":
    from reconciler.service.assembly import assembled  # noqa: PLC0415 - the heavy part
    from reconciler.service.checking import run_checks  # noqa: PLC0415 - as above

    async with assembled(settings, redactor) as assembly:
        return await run_checks(assembly)


def _progress() -> contextlib.AbstractContextManager[object]:
    """A terminal is told that something goes on; a pipe is not."""
    if not sys.stderr.isatty():
        return contextlib.nullcontext()
    return Console(stderr=True).status("asking the database and the venues …")


def _print_json(lines: "Sequence[Line]", redactor: Redactor) -> None:
    """A list with one line for each answer, so that `grep` finds whole ones."""
    told = [
        json.dumps(
            {
                "level": line.level,
                "topic": redactor.text(line.topic or line.what),
                "what": redactor.text(line.what),
                "says": redactor.text(line.says),
                "mend": redactor.text(line.mend),
            },
            ensure_ascii=False,
        )
        for line in lines
    ]
    typer.echo("[\n" + ",\n".join(told) + "\n]")


def _show(lines: "Sequence[Line]", redactor: Redactor) -> None:
    """A block for each topic, the levels in colour, and a sum."""
    console = Console()
    for topic, group in groupby(lines, key=lambda line: line.topic or line.what):
        console.print(Text(redactor.text(topic), style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(max_width=34)
        table.add_column(overflow="fold")
        for line in group:
            says = Text(redactor.text(line.says))
            if line.mend:
                says.append(f"\n→ {redactor.text(line.mend)}", style="cyan")
            table.add_row(Text(f"  {line.level}", style=COLOURS[line.level]), _short(line), says)
        console.print(table)
        console.print()
    counts = {level: sum(line.level == level for line in lines) for level in COLOURS}
    console.print(", ".join(f"{number} {level}" for level, number in counts.items()))


def _short(line: "Line") -> str:
    """What is asked, without the topic that stands above it."""
    return line.what.removeprefix(line.topic).lstrip(", ") or line.what
