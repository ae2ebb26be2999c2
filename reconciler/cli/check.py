"""`reconciler check`: the doctor. One line each: what, what it means, the mend."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from reconciler.cli.starting import ConfigOption, JsonOption, finish, start, wants_json
from reconciler.settings import Settings
from reconciler.telemetry.redaction import Redactor

if TYPE_CHECKING:
    from reconciler.service.checking import Line  # the heavy part, for this command only

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002 - typer's flags
    """Look at configuration, database, book, venues and clocks. Changes nothing. Exit 0 where
    nothing fails, 1 where something does, 2 where the configuration cannot be read.
    """
    settings, redactor = start(config, quiet=True)
    lines = finish(_check(settings, redactor), redactor)
    if wants_json(as_json):
        report = [
            {
                "level": line.level,
                "what": line.what,
                "says": redactor.text(line.says),
                "mend": line.mend,
            }
            for line in lines
        ]
        typer.echo(json.dumps(report, indent=2))
    else:
        _show(lines, redactor)
    raise typer.Exit(1 if any(line.level == "fail" for line in lines) else 0)


async def _check(settings: Settings, redactor: Redactor) -> "Sequence[Line]":
    from reconciler.service.assembly import assembled  # noqa: PLC0415 - the heavy part
    from reconciler.service.checking import run_checks  # noqa: PLC0415 - as above

    async with assembled(settings, redactor) as assembly:
        return await run_checks(assembly)


def _show(lines: "Sequence[Line]", redactor: Redactor) -> None:
    console = Console()
    for line in lines:
        console.print(f"[{COLOURS[line.level]}]{line.level:4}[/]  [bold]{line.what}[/]  ", end="")
        console.print(redactor.text(line.says), markup=False, highlight=False)
        if line.mend:
            console.print(f"      → {line.mend}", markup=False, highlight=False)
