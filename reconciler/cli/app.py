"""The program's commands."""

import typer

from reconciler.cli import (
    accounts,
    book,
    check,
    demo,
    guards,
    ignores,
    incidents,
    migrate,
    once,
    operations,
    orders,
    positions,
    profiles,
    quarantine,
    replay,
    run,
)

app = typer.Typer(
    name="reconciler",
    help="The daemon that keeps a trading bot honest.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("once")(once.once)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("migrate")(migrate.migrate)
app.command("replay")(replay.replay)
for name, noun in {
    "book": book.app,
    "incidents": incidents.app,
    "quarantine": quarantine.app,
    "orders": orders.app,
    "positions": positions.app,
    "profiles": profiles.app,
    "accounts": accounts.app,
    "guards": guards.app,
    "ignore": ignores.app,
    "operations": operations.app,
}.items():
    app.add_typer(noun, name=name)


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version and exit."),  # noqa: FBT001, FBT003 - typer's flags
) -> None:
    """The daemon that keeps a trading bot honest."""
    if show:
        from reconciler import __version__  # noqa: PLC0415 - reads the installed metadata

        typer.echo(__version__)
        raise typer.Exit
