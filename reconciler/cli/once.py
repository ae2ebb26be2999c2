"""`reconciler once`: one full pass and out."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from reconciler.cli.starting import ConfigOption, JsonOption, finish, start, wants_json
from reconciler.domain.outcome import Outcome, OutcomeState
from reconciler.settings import Settings
from reconciler.telemetry.redaction import Redactor

COLOURS = {
    OutcomeState.PARITY: "green",
    OutcomeState.DISCREPANCY: "yellow",
    OutcomeState.NOT_JUDGED: "red",
    OutcomeState.HELD: "magenta",
    OutcomeState.FAILED: "red",
}


def once(
    config: ConfigOption = None,
    account: Annotated[str | None, typer.Option("--account", help="Only this account.")] = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """One full pass and out. Exit 0 parity, 1 discrepancies found, 2 bad usage or configuration,
    3 something could not be judged.
    """
    settings, redactor = start(config, quiet=True)
    outcomes = finish(_once(settings, redactor, account), redactor)
    if wants_json(as_json):
        typer.echo(json.dumps(redactor.value(_report(outcomes)), indent=2, default=str))
    else:
        _show(outcomes, redactor)
    raise typer.Exit(exit_code(outcomes))


async def _once(settings: Settings, redactor: Redactor, account: str | None) -> tuple[Outcome, ...]:
    from reconciler.service.assembly import assembled  # noqa: PLC0415 - the heavy part
    from reconciler.service.once import run_once  # noqa: PLC0415 - as above

    async with assembled(settings, redactor) as assembly:
        return await run_once(assembly, account=account)


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """The heaviest account decides: 3 outranks 1."""
    return max((outcome.state.exit_code for outcome in outcomes), default=0)


def _report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "exit_code": exit_code(outcomes),
        "accounts": {
            outcome.account: {
                "state": outcome.state.value,
                "sentence": outcome.sentence,
                "findings": [
                    {
                        "kind": str(f.kind),
                        "subject": f.subject,
                        "text": f.text,
                        "action": f.action,
                        **f.details,
                    }
                    for f in outcome.findings
                ],
            }
            for outcome in outcomes
        },
    }


def _show(outcomes: Sequence[Outcome], redactor: Redactor) -> None:
    console = Console()
    for outcome in outcomes:
        colour = COLOURS[outcome.state]
        console.print(
            f"[bold]{outcome.account}[/]  [{colour}]{outcome.state.value}[/]  ",
            end="",
            highlight=False,
        )
        console.print(redactor.text(outcome.sentence), markup=False, highlight=False)
        if outcome.findings:
            table = Table("kind", "what", "why", "done")
            for f in outcome.findings:
                table.add_row(str(f.kind), f.subject, redactor.text(f.text), f.action)
            console.print(table)
