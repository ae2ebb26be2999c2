"""`reconciler incidents`: see them, take them, end them, tell of them, learn from them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.answering import (
    AccountOption,
    ByOption,
    LimitOption,
    NoteOption,
    actor,
    ask,
    hand_over,
    say_done,
    show,
)
from reconciler.cli.showing import age, heading, line, moment, print_facts, print_steps, print_table
from reconciler.cli.starting import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.incidents.answers import IncidentReport, IncidentRow

app = typer.Typer(help="Work on incidents.", no_args_is_help=True)
IdArgument = Annotated[int, typer.Argument(metavar="ID", help="The incident's number.")]
FileOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="A file or folder. [default: stdout]")
]


@app.command("list")
def list_(
    *,
    status: Annotated[
        str,
        typer.Option(help="unresolved, open, acknowledged, resolved or all."),
    ] = "unresolved",
    severity: Annotated[str | None, typer.Option(help="SEV-1, SEV-2 or SEV-3.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as ghost_position.")] = None,
    account: AccountOption = None,
    limit: LimitOption = 200,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Incidents, unresolved and grave ones first."""
    from reconciler.incidents.listing import list_incidents  # noqa: PLC0415 - the heavy part

    rows, redactor = ask(
        config,
        lambda desk: list_incidents(
            desk, status=status, severity=severity, kind=kind, account=account, limit=limit
        ),
    )
    show(rows, redactor, as_json=as_json, shown=lambda found: _table(found, status))


def _table(rows: "Sequence[IncidentRow]", status: str) -> None:
    columns = (
        ("id", lambda r: r.id),
        ("severity", lambda r: r.severity),
        ("status", lambda r: r.status),
        ("kind", lambda r: r.kind),
        ("account", lambda r: r.account),
        ("age", lambda r: age(r.age_seconds)),
        ("what", lambda r: r.title),
    )
    print_table(rows, columns, empty=f"no {status} incident")


@app.command("show")
def show_(
    incident_id: IdArgument,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """One incident: facts, timeline, evidence, what was written, what to do next."""
    from reconciler.incidents.listing import show_incident  # noqa: PLC0415 - the heavy part

    report, redactor = ask(config, lambda desk: show_incident(desk, incident_id))
    show(report, redactor, as_json=as_json, shown=_report)


def _report(report: "IncidentReport") -> None:
    incident = report.incident
    print_facts(
        [
            (f"#{incident.id}", incident.title),
            ("severity", incident.severity),
            ("status", incident.status),
            ("kind", incident.kind),
            ("account", incident.account),
            ("book", incident.book),
            ("profile", incident.profile_id),
            ("symbol", incident.symbol),
            ("order", incident.order_id),
            ("opened", f"{moment(incident.opened_at)} UTC, {age(incident.age_seconds)} ago"),
            ("acknowledged by", incident.acknowledged_by),
            ("resolved by", incident.resolved_by),
            ("how sure", report.how_sure),
            ("runbook", report.runbook),
        ]
    )
    shown = {k: v for k, v in report.details.items() if k not in {"symbol", "mode"}}
    heading("facts")
    print_facts(shown.items())
    heading("timeline (UTC)")
    for event in report.timeline:
        by = f"  (by {event.by})" if event.by else ""
        line(f"{moment(event.at)}  {event.event:<16}  {event.text}{by}")
    if report.evidence:
        heading("evidence")
    for bundle in report.evidence:
        scopes = ", ".join(f"{name} {said}" for name, said in bundle.scopes.items())
        line(f"{moment(bundle.at)}  bundle {bundle.id}: {bundle.reason or bundle.verdict}")
        line(f"    book {bundle.book_read_at}, venue {bundle.venue_taken_at} ({scopes})")
        for call in bundle.calls:
            line(f"    {call}")
    if report.audit:
        heading("written to the book")
    for write in report.audit:
        done = "" if write.applied else "  (not done: observed only)"
        by = f"  (by {write.by})" if write.by else ""
        changed = {k: (write.before.get(k), v) for k, v in write.after.items()}
        words = ", ".join(f"{k} {a} → {b}" for k, (a, b) in changed.items() if a != b)
        line(f"{moment(write.at)}  {write.target} {write.target_id}: {words}{by}{done}")
    if report.next_steps:
        heading("what to do next")
    print_steps(report.next_steps)


@app.command("ack")
def ack(
    incident_id: IdArgument,
    by: ByOption,
    note: NoteOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """Say that you have it: reminders stop."""
    from reconciler.incidents.resolving import acknowledge  # noqa: PLC0415 - the heavy part

    who = actor(by)
    done, redactor = ask(config, lambda desk: acknowledge(desk, who, incident_id, note=note))
    say_done(done, redactor, as_json=as_json)


@app.command("resolve")
def resolve(
    incident_id: IdArgument,
    by: ByOption,
    note: NoteOption,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """End it by hand. What the daemon still sees it opens again."""
    from reconciler.incidents.resolving import resolve as end  # noqa: PLC0415 - the heavy part

    who = actor(by)
    done, redactor = ask(config, lambda desk: end(desk, who, incident_id, note=note))
    say_done(done, redactor, as_json=as_json)


@app.command("message")
def message(
    incident_id: IdArgument,
    output: FileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """The communication template, filled in, ready to paste."""
    from reconciler.incidents.messages import write_message  # noqa: PLC0415 - the heavy part

    written, redactor = ask(config, lambda desk: write_message(desk, incident_id))
    hand_over(written, redactor, file=output, as_json=as_json)


@app.command("rca")
def rca(
    incident_id: IdArgument,
    output: FileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - typer's flags
) -> None:
    """A root cause draft in Markdown: timeline, suspected cause, facts for and against."""
    from reconciler.incidents.root_cause import write_root_cause  # noqa: PLC0415 - the heavy part

    written, redactor = ask(config, lambda desk: write_root_cause(desk, incident_id))
    hand_over(written, redactor, file=output, as_json=as_json)


@app.command("export")
def export(
    incident_id: IdArgument,
    as_test: Annotated[  # noqa: FBT002 - typer's flags
        bool, typer.Option("--as-test", help="A pytest file that replays it.")
    ] = False,
    output: FileOption = None,
    config: ConfigOption = None,
) -> None:
    """The evidence bundle as JSON, or a regression test of it."""
    from reconciler.incidents.exporting import export_bundle, export_test  # noqa: PLC0415 - heavy

    wanted = export_test if as_test else export_bundle
    written, redactor = ask(config, lambda desk: wanted(desk, incident_id))
    hand_over(written, redactor, file=output)
