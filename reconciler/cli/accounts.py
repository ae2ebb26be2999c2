"""`reconciler accounts`: who judges them, and pausing (judged, not acted on)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.answering import ByOption, NoteOption, actor, ask, say_done, show
from reconciler.cli.showing import print_table
from reconciler.cli.starting import BAD_USAGE, ConfigOption, JsonOption, fail
from reconciler.settings.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.incidents.answers import AccountRow

app = typer.Typer(help="Look at accounts, and pause them.", no_args_is_help=True)
AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT")]


@app.command("list")
def list_(config: ConfigOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002 - typer's flags
    """Configured accounts: mode, pause, who judges them, what is open."""
    from reconciler.incidents.accounts import list_accounts  # noqa: PLC0415 - the heavy part

    rows, redactor = ask(config, list_accounts)
    show(rows, redactor, as_json=as_json, shown=_table)


def _table(rows: "Sequence[AccountRow]") -> None:
    columns = (
        ("account", lambda r: r.name),
        ("venue", lambda r: r.venue),
        ("book", lambda r: r.book),
        ("mode", lambda r: r.mode),
        ("until (UTC)", lambda r: r.pause.until if r.pause else None),
        ("by", lambda r: r.pause.paused_by if r.pause else None),
        ("judged by", lambda r: r.judged_by or "nobody now"),
        ("open", lambda r: r.incidents_open),
        ("quarantined", lambda r: r.quarantined),
        ("contained", lambda r: r.contained_profiles),
    )
    print_table(rows, columns, empty="no account")


@app.command("pause")
def pause(
    account: AccountArgument,
    *,
    by: ByOption,
    duration: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="Such as 30m, 2h, 1d.")
    ] = "2h",
    note: NoteOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the account and do not act on it, until an end."""
    from reconciler.incidents.accounts import pause as begin  # noqa: PLC0415 - the heavy part

    who, span = actor(by), _span(duration)
    done, redactor = ask(config, lambda desk: begin(desk, who, account, duration=span, note=note))
    say_done(done, redactor, as_json=as_json)


@app.command("resume")
def resume(
    account: AccountArgument,
    by: ByOption,
    note: NoteOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """End a pause now."""
    from reconciler.incidents.accounts import resume as end  # noqa: PLC0415 - the heavy part

    who = actor(by)
    done, redactor = ask(config, lambda desk: end(desk, who, account, note=note))
    say_done(done, redactor, as_json=as_json)


def _span(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        fail(f"--for: expected {error}", BAD_USAGE)
