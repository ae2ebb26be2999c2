"""`reconciler operations`: what people did, or were refused."""

import typer

from reconciler.cli.answering import AccountOption, LimitOption, ask, show
from reconciler.cli.showing import print_table
from reconciler.cli.starting import ConfigOption, JsonOption

COLUMNS = (
    ("at (UTC)", lambda r: r.at),
    ("who", lambda r: r.who),
    ("by", lambda r: r.surface),
    ("operation", lambda r: r.operation),
    ("target", lambda r: r.target),
    ("outcome", lambda r: r.outcome),
    ("said", lambda r: r.said),
)
app = typer.Typer(help="What people did.", no_args_is_help=True)


@app.command("list")
def list_(
    account: AccountOption = None,
    limit: LimitOption = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Every command that changed something, or was refused; the newest first."""
    from reconciler.incidents.listing import list_operations  # noqa: PLC0415 - the heavy part

    rows, redactor = ask(config, lambda desk: list_operations(desk, account=account, limit=limit))
    show(
        rows,
        redactor,
        as_json=as_json,
        shown=lambda found: print_table(found, COLUMNS, empty="nobody has done anything yet"),
    )
