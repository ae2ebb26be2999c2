"""`reconciler ignore`: known manual positions and orders, never judged."""

from typing import TYPE_CHECKING, Annotated

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

    from reconciler.incidents.answers import IgnoreRow

app = typer.Typer(help="Known manual positions and orders.", no_args_is_help=True)
WhatArgument = Annotated[str, typer.Argument(metavar="symbol|order")]
ValueArgument = Annotated[
    str, typer.Argument(metavar="VALUE", help="The symbol, or the venue's id of the order.")
]


@app.command("list")
def list_(
    account: AccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """What is ignored, by the configuration and by the desk."""
    from reconciler.incidents.ignores import list_ignores  # noqa: PLC0415 - the heavy part

    rows, redactor = ask(config, lambda desk: list_ignores(desk, account=account))
    show(rows, redactor, as_json=as_json, shown=_table)


def _table(rows: "Sequence[IgnoreRow]") -> None:
    columns = (
        ("account", lambda r: r.account),
        ("what", lambda r: r.what),
        ("value", lambda r: r.value),
        ("by", lambda r: r.ignored_by or r.source),
        ("since (UTC)", lambda r: r.ignored_at),
        ("note", lambda r: r.note),
    )
    print_table(rows, columns, empty="nothing is ignored")


@app.command("add")
def add(
    account: AccountArgument,
    what: WhatArgument,
    value: ValueArgument,
    *,
    by: ByOption,
    note: NoteOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """From the next look on it is not judged."""
    from reconciler.incidents.ignores import add_ignore  # noqa: PLC0415 - the heavy part

    who = actor(by)
    done, redactor = ask(
        config, lambda desk: add_ignore(desk, who, account, what=what, value=value, note=note)
    )
    say_done(done, redactor, as_json=as_json)


@app.command("remove")
def remove(
    account: AccountArgument,
    what: WhatArgument,
    value: ValueArgument,
    *,
    by: ByOption,
    note: NoteOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge it again."""
    from reconciler.incidents.ignores import remove_ignore  # noqa: PLC0415 - the heavy part

    who = actor(by)
    done, redactor = ask(
        config, lambda desk: remove_ignore(desk, who, account, what=what, value=value, note=note)
    )
    say_done(done, redactor, as_json=as_json)
