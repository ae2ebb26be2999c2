"""What commands that write at a venue share: their options, and how their report is shown."""

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.answering import REFUSED, show
from reconciler.cli.showing import heading, line, print_facts
from reconciler.cli.starting import NOT_JUDGED
from reconciler.telemetry.redaction import Redactor

if TYPE_CHECKING:
    from reconciler.incidents.acting import ActionReport

ExecuteOption = Annotated[
    bool, typer.Option("--execute", help="Send it. Without this, only show what would be sent.")
]
EXIT_CODES = {"dry_run": 0, "confirmed": 0, "partial": REFUSED, "not_done": REFUSED}


def end_with(report: "ActionReport", redactor: Redactor, *, as_json: bool) -> None:
    """Show it, and exit 0 for what is done (or only shown), 1 for less, 3 where it is not known."""
    show(report, redactor, as_json=as_json, shown=_report)
    raise typer.Exit(EXIT_CODES.get(report.outcome, NOT_JUDGED))


def _report(report: "ActionReport") -> None:
    line(report.said)
    print_facts(
        [
            ("outcome", report.outcome.replace("_", " ")),
            ("incident", report.incident_id),
            ("operation", report.operation_id),
            ("client order id", report.client_order_id),
            ("qty", f"{report.qty:f}" if report.qty is not None else None),
            ("done", f"{report.done_qty:f}" if report.done_qty is not None else None),
        ]
    )
    if report.request is not None:
        heading("the request" if report.outcome != "dry_run" else "the request, not sent")
        line(f"{report.request.method} {report.request.path}")
        print_facts(report.request.params.items())
