"""`reconciler orders`: the backlog, and one order as book and venue see it now."""

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.acting import ExecuteOption, end_with
from reconciler.cli.answering import (
    AccountOption,
    BookOption,
    ByOption,
    NoteOption,
    actor,
    ask,
    end_incomplete,
    show,
)
from reconciler.cli.showing import age, heading, line, moment, print_facts, print_table
from reconciler.cli.starting import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.incidents.answers import OrderReport, OrderRow, VenueAnswer

app = typer.Typer(help="Look at orders.", no_args_is_help=True)


@app.command("list")
def list_(
    stale: Annotated[bool, typer.Option("--stale", help="Only the stale backlog.")] = False,  # noqa: FBT002 - typer's flags
    account: AccountOption = None,
    profile: Annotated[str | None, typer.Option("--profile", help="Only this profile.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Orders that have not ended in the book, the oldest first. Asks no venue. Exit 3 where a book
    could not be read: it is named.
    """
    from reconciler.incidents.orders import list_orders  # noqa: PLC0415 - the heavy part

    unread: dict[str, str] = {}
    rows, redactor = ask(
        config,
        lambda desk: list_orders(
            desk, stale=stale, account=account, profile=profile, unread=unread
        ),
    )
    show(rows, redactor, as_json=as_json, shown=lambda found: _table(found, stale=stale))
    end_incomplete(unread, redactor)


def _table(rows: "Sequence[OrderRow]", *, stale: bool) -> None:
    columns = (
        ("order", lambda r: r.id),
        ("account", lambda r: r.account),
        ("profile", lambda r: r.profile_id),
        ("symbol", lambda r: r.symbol),
        ("side", lambda r: r.side),
        ("qty", lambda r: f"{r.qty:f}"),
        ("filled", lambda r: f"{r.filled:f}"),
        ("status", lambda r: r.status),
        ("age", lambda r: age(r.age_seconds)),
        ("stale", lambda r: r.stale),
        ("waits as", lambda r: "quarantined" if r.quarantined else r.suspicion),
    )
    print_table(rows, columns, empty=f"no {'stale' if stale else 'live'} order in the book")


@app.command("show")
def show_(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The book's id of it.")],
    book: BookOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """One order as the book has it and as the venue says it is now."""
    from reconciler.incidents.orders import show_order  # noqa: PLC0415 - the heavy part

    report, redactor = ask(config, lambda desk: show_order(desk, order, book=book))
    show(report, redactor, as_json=as_json, shown=_report)


@app.command("cancel")
def cancel(  # noqa: PLR0917 - typer hands them over by name
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The book's id of it.")],
    by: ByOption,
    note: NoteOption,
    execute: ExecuteOption = False,  # noqa: FBT002 - typer's flags
    book: BookOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Cancel a stuck order at the venue, where policy.cancel_stuck_orders lets you. Exit 0 where it
    has ended (or is only shown), 1 where it was not cancelled, 3 where that is not known yet.
    """
    from reconciler.incidents.cancelling import cancel_order  # noqa: PLC0415 - the heavy part

    who = actor(by)
    report, redactor = ask(
        config,
        lambda desk: cancel_order(desk, who, order, note=note, execute=execute, book=book),
    )
    end_with(report, redactor, as_json=as_json)


def _report(report: "OrderReport") -> None:
    heading("the book now")
    print_order(report.order)
    print_venue(report.venue)
    for incident in report.incidents:
        line(f"incident {incident.id}: {incident.severity} {incident.title}")


def print_order(row: "OrderRow") -> None:
    """One row of the book's orders."""
    print_facts(
        [
            ("order", row.id),
            ("account", row.account),
            ("profile", row.profile_id),
            ("symbol", row.symbol),
            ("side", row.side),
            ("qty", f"{row.qty:f}"),
            ("filled", f"{row.filled:f}"),
            ("status", row.status if row.status == row.state else f"{row.status} ({row.state})"),
            ("venue order id", row.venue_order_id),
            ("client order id", row.client_order_id),
            ("created", f"{moment(row.created_at)} UTC, {age(row.age_seconds)} ago"),
            ("updated", f"{moment(row.updated_at)} UTC"),
            ("stale", row.stale),
            ("waits as", "quarantined" if row.quarantined else row.suspicion),
        ]
    )


def print_venue(answer: "VenueAnswer") -> None:
    """What the venue said of one order just now."""
    heading("the venue now")
    print_facts(
        [
            ("says", answer.says),
            ("asked", f"{moment(answer.asked_at)} UTC"),
            ("found by", answer.by),
            ("state", answer.state),
            ("qty", f"{answer.qty:f}" if answer.qty is not None else None),
            ("filled", f"{answer.filled:f}" if answer.filled is not None else None),
            ("venue order id", answer.venue_order_id),
            ("client order id", answer.client_order_id),
        ]
    )
