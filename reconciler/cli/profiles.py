"""`reconciler profiles`: which are contained, and letting one trade again."""

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.answering import (
    AccountOption,
    BookOption,
    ByOption,
    NoteOption,
    actor,
    ask,
    end_incomplete,
    say_done,
    show,
)
from reconciler.cli.showing import heading, line, moment, print_facts, print_table
from reconciler.cli.starting import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reconciler.incidents.answers import ProfileReport, ProfileRow

app = typer.Typer(help="Look at profiles, and re-enable them.", no_args_is_help=True)
ProfileArgument = Annotated[str, typer.Argument(metavar="PROFILE", help="The book's id of it.")]


@app.command("list")
def list_(
    account: AccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Profiles of the configured accounts. Exit 3 where a book could not be read: it is named."""
    from reconciler.incidents.profiles import list_profiles  # noqa: PLC0415 - the heavy part

    unread: dict[str, str] = {}
    rows, redactor = ask(config, lambda desk: list_profiles(desk, account=account, unread=unread))
    show(rows, redactor, as_json=as_json, shown=_table)
    end_incomplete(unread, redactor)


def _table(rows: "Sequence[ProfileRow]") -> None:
    columns = (
        ("profile", lambda r: r.id),
        ("account", lambda r: r.account),
        ("name", lambda r: r.name),
        ("status", lambda r: r.status),
        ("contained", _contained),
        ("parity", lambda r: f"{r.parity_streak} of {r.parity_needed}" if r.contained else ""),
        ("incidents", lambda r: r.incidents),
    )
    print_table(rows, columns, empty="no profile of a configured account in the book")


def _contained(row: "ProfileRow") -> "str | datetime":
    if row.pending is not None:
        return f"pending, {row.pending}"
    return row.contained_at or "no" if row.contained else "no"


@app.command("show")
def show_(
    profile: ProfileArgument,
    book: BookOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """One profile, and what stands between it and trading."""
    from reconciler.incidents.profiles import show_profile  # noqa: PLC0415 - the heavy part

    report, redactor = ask(config, lambda desk: show_profile(desk, profile, book=book))
    show(report, redactor, as_json=as_json, shown=_report)


def _report(report: "ProfileReport") -> None:
    row = report.profile
    print_facts(
        [
            ("profile", row.id),
            ("account", row.account),
            ("name", row.name),
            ("status", row.status),
            ("contained", moment(row.contained_at) or "no"),
            ("pending", row.pending),
            ("status before", row.status_before),
            ("parity", f"{row.parity_streak} of {row.parity_needed}" if row.contained else None),
        ]
    )
    if row.contained:
        heading("re-enabling it")
        for reason in report.missing or ("nothing is missing:",):
            line(reason)
        if not report.missing:
            line(f"     reconciler profiles reenable {row.id} --by WHO")
    if report.containments:
        heading("containments (UTC)")
    for each in report.containments:
        until = f", released {moment(each.released_at)} by {each.released_by}"
        line(f"{moment(each.contained_at)}  {each.reason}{until if each.released_at else ''}")
    for incident in report.incidents:
        line(f"incident {incident.id}: {incident.severity} {incident.status}: {incident.title}")


@app.command("reenable")
def reenable(
    profile: ProfileArgument,
    *,
    by: ByOption,
    note: NoteOption = "",
    book: BookOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a contained profile trade again; refused, with all that is missing, before parity is
    confirmed.
    """
    from reconciler.incidents.profiles import reenable as let  # noqa: PLC0415 - the heavy part

    who = actor(by)
    done, redactor = ask(config, lambda desk: let(desk, who, profile, note=note, book=book))
    say_done(done, redactor, as_json=as_json)
