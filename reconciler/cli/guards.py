"""`reconciler guards`: held mass changes, and letting one through once."""

from typing import TYPE_CHECKING

import typer

from reconciler.cli.accounts import AccountArgument
from reconciler.cli.answering import (
    AccountOption,
    ByOption,
    NoteOption,
    actor,
    ask,
    say_done,
    show,
)
from reconciler.cli.showing import print_table
from reconciler.cli.starting import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.incidents.answers import GuardRow

app = typer.Typer(help="Held mass changes.", no_args_is_help=True)


@app.command("list")
def list_(
    account: AccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """What is held back now, and who let it through."""
    from reconciler.incidents.guards import list_guards  # noqa: PLC0415 - the heavy part

    rows, redactor = ask(config, lambda desk: list_guards(desk, account=account))
    show(rows, redactor, as_json=as_json, shown=_table)


def _table(rows: "Sequence[GuardRow]") -> None:
    columns = (
        ("account", lambda r: r.account),
        ("guard", lambda r: r.guard),
        ("of", lambda r: r.subject),
        ("incident", lambda r: r.incident_id),
        ("since (UTC)", lambda r: r.held_since),
        ("why", lambda r: r.why),
        ("accepted by", lambda r: r.accepted_by),
        ("until (UTC)", lambda r: r.accepted_until),
    )
    print_table(rows, columns, empty="nothing is held back")


@app.command("accept")
def accept(
    account: AccountArgument,
    by: ByOption,
    note: NoteOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Let the held change of this account through once, within 15 minutes."""
    from reconciler.incidents.guards import accept as let_through  # noqa: PLC0415 - heavy

    who = actor(by)
    done, redactor = ask(config, lambda desk: let_through(desk, who, account, note=note))
    say_done(done, redactor, as_json=as_json)
