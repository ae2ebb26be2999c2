"""`reconciler positions`: what venue and book hold now, and closing a ghost under policy."""

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.acting import ExecuteOption, end_with
from reconciler.cli.answering import AccountOption, ByOption, NoteOption, actor, ask, show
from reconciler.cli.showing import line, print_table
from reconciler.cli.starting import NOT_JUDGED, ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from reconciler.incidents.positions import PositionRow

app = typer.Typer(help="Look at positions; close a ghost.", no_args_is_help=True)


@app.command("list")
def list_(
    account: AccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Positions as venue and book say them now, and what is open about each. Exit 3 where an
    account, or one of its positions, could not be judged.
    """
    from reconciler.incidents.positions import list_positions  # noqa: PLC0415 - the heavy part

    rows, redactor = ask(config, lambda desk: list_positions(desk, account=account))
    show(rows, redactor, as_json=as_json, shown=_table)
    if any(row.verdict == "not_judged" for row in rows):
        raise typer.Exit(NOT_JUDGED)


def _table(rows: "Sequence[PositionRow]") -> None:
    columns = (
        ("account", lambda r: r.account),
        ("symbol", lambda r: r.symbol),
        ("side", lambda r: r.side),
        ("venue", lambda r: _qty(r.venue_qty)),
        ("book", lambda r: _qty(r.book_qty)),
        ("verdict", lambda r: r.verdict if r.venue_qty is not None else r.says),
        ("notional", lambda r: _qty(r.notional)),
        ("incident", lambda r: r.incident_id),
        ("threshold", lambda r: "reached" if r.threshold else None),
    )
    print_table(rows, columns, empty="neither venue nor book holds a position")
    for row in rows:
        if row.threshold:
            line(f"{row.account} {row.symbol} {row.side}: {row.threshold['advice']}")
        if row.unsettled:
            line(f"{row.account} {row.symbol} {row.side}: {row.unsettled}")


def _qty(qty: "Decimal | None") -> str | None:
    return None if qty is None else f"{qty:f}"


@app.command("close")
def close(  # noqa: PLR0917 - typer hands them over by name
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its name in the settings.")],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="In any spelling.")],
    by: ByOption,
    note: NoteOption,
    side: Annotated[
        str | None, typer.Argument(metavar="SIDE", help="long or short, where both are open.")
    ] = None,
    execute: ExecuteOption = False,  # noqa: FBT002 - typer's flags
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Close a ghost at the market, reduce-only, capped by policy.close_max_notional. Exit 0 where
    it is closed (or only shown), 1 where it is not or in part, 3 where that is not known yet.
    """
    from reconciler.incidents.closing import close_position  # noqa: PLC0415 - the heavy part

    who = actor(by)
    report, redactor = ask(
        config,
        lambda desk: close_position(desk, who, account, symbol, side, note=note, execute=execute),
    )
    end_with(report, redactor, as_json=as_json)
