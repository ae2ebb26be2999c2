"""`reconciler quarantine`: orders set aside for a person, and their review."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.answering import (
    AccountOption,
    BookOption,
    ByOption,
    LimitOption,
    NoteOption,
    actor,
    ask,
    say_done,
    show,
)
from reconciler.cli.orders import print_order, print_venue
from reconciler.cli.showing import age, heading, line, moment, print_facts, print_steps, print_table
from reconciler.cli.starting import BAD_USAGE, ConfigOption, JsonOption, fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.incidents.answers import QuarantineReport, QuarantineRow

app = typer.Typer(help="Review quarantined orders.", no_args_is_help=True)
OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="The book's id of it.")]


@app.command("list")
def list_(
    review: Annotated[str, typer.Option(help="pending, resolved or all.")] = "pending",
    account: AccountOption = None,
    limit: LimitOption = 200,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Quarantined orders, the youngest first."""
    from reconciler.incidents.quarantine import list_quarantine  # noqa: PLC0415 - the heavy part

    rows, redactor = ask(
        config, lambda desk: list_quarantine(desk, review=review, account=account, limit=limit)
    )
    show(rows, redactor, as_json=as_json, shown=lambda found: _table(found, review))


def _table(rows: "Sequence[QuarantineRow]", review: str) -> None:
    columns = (
        ("order", lambda r: r.order_id),
        ("account", lambda r: r.account),
        ("profile", lambda r: r.profile_id),
        ("symbol", lambda r: r.symbol),
        ("reason", lambda r: r.reason),
        ("since", lambda r: age(r.age_seconds)),
        ("review", lambda r: r.final_status or r.review),
        ("seen again", lambda r: r.seen_again_at),
        ("incident", lambda r: r.incident_id),
    )
    print_table(rows, columns, empty=f"no {review} quarantined order")


@app.command("show")
def show_(
    order: OrderArgument,
    live: Annotated[bool, typer.Option("--live", help="Ask the venue what it says now.")] = False,  # noqa: FBT002 - typer's flags
    book: BookOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """One quarantined order: why, the evidence, the book's row now, the venue's answer."""
    from reconciler.incidents.quarantine import show_quarantined  # noqa: PLC0415 - the heavy part

    report, redactor = ask(config, lambda desk: show_quarantined(desk, order, book=book, live=live))
    show(report, redactor, as_json=as_json, shown=_report)


def _report(report: "QuarantineReport") -> None:
    row = report.quarantine
    print_facts(
        [
            ("order", row.order_id),
            ("account", row.account),
            ("profile", row.profile_id),
            ("symbol", row.symbol),
            ("reason", row.reason),
            ("status before", row.status_before),
            ("quarantined", f"{moment(row.quarantined_at)} UTC, {age(row.age_seconds)} ago"),
            ("review", row.review),
            ("final status", row.final_status),
            ("reviewed by", row.reviewed_by),
            ("note", row.note),
            ("seen again", row.seen_again_at),
            ("incident", row.incident_id),
            *row.details.items(),
        ]
    )
    heading("the book now")
    if report.order is None:
        line("no such row any more")
    else:
        print_order(report.order)
    if report.venue is not None:
        print_venue(report.venue)
    if report.evidence:
        heading("evidence")
    for bundle in report.evidence:
        line(f"{moment(bundle.at)}  bundle {bundle.id}: {bundle.reason or bundle.verdict}")
        for call in bundle.calls:
            line(f"    {call}")
    if report.next_steps:
        heading("what to do next")
    print_steps(report.next_steps)


@app.command("add")
def add(
    order: OrderArgument,
    *,
    by: ByOption,
    note: NoteOption,
    book: BookOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set an order aside by hand: its status becomes the book's word for unknown."""
    from reconciler.incidents.quarantine import add_to_quarantine  # noqa: PLC0415 - the heavy part

    who = actor(by)
    done, redactor = ask(
        config, lambda desk: add_to_quarantine(desk, who, order, note=note, book=book)
    )
    say_done(done, redactor, as_json=as_json)


@app.command("resolve")
def resolve(
    order: OrderArgument,
    *,
    status: Annotated[
        str, typer.Option(help="filled, canceled, expired, rejected; open, partially_filled.")
    ],
    by: ByOption,
    note: NoteOption,
    filled: Annotated[
        str | None,
        typer.Option(help="What was filled, in base units. [as in the book; filled: all of it]"),
    ] = None,
    book: BookOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how it ended: the book is written, the review closed, its incident resolved."""
    from reconciler.incidents.quarantine import resolve_quarantined  # noqa: PLC0415 - heavy

    who, amount = actor(by), _amount(filled)
    done, redactor = ask(
        config,
        lambda desk: resolve_quarantined(
            desk, who, order, status=status, note=note, filled=amount, book=book
        ),
    )
    say_done(done, redactor, as_json=as_json)


def _amount(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        fail(f"--filled {text!r} is no quantity", BAD_USAGE)
    return amount
