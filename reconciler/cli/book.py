"""`reconciler book`: looking at a bot's database, and proposing how it is read."""

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.showing import heading, line, print_facts, print_table
from reconciler.cli.starting import (
    BAD_USAGE,
    ConfigOption,
    JsonOption,
    fail,
    finish,
    start,
    wants_json,
)
from reconciler.settings import Settings
from reconciler.telemetry.redaction import Redactor

if TYPE_CHECKING:
    from reconciler.domain.orders import BookOrder
    from reconciler.domain.positions import BookPosition
    from reconciler.service.book_init import BookReport, Wanted  # the heavy part, for the run only

app = typer.Typer(help="How the bot's tables are read.", no_args_is_help=True)
SHOWN = 5
"""Rows of each kind on a terminal."""
STDOUT = Path("-")
NEW_FILE = """# Written by `reconciler book init`. Still needed: DATABASE_URL (or database.url)
# and an account:
#   [accounts.{account}]
#   venue = "binanceusdm"
mode = "observe"

"""


@app.callback()
def book() -> None:
    """How the bot's tables are read."""


@app.command("init")
def init(  # noqa: PLR0913 - one option each
    *,
    url: Annotated[
        str | None,
        typer.Option("--url", help="The bot's database [default: book.url, else database.url]."),
    ] = None,
    schema: Annotated[str | None, typer.Option("--schema", help="Look at this one alone.")] = None,
    account: Annotated[
        list[str] | None,
        typer.Option("--account", help="Whose rows these are [default: those configured]."),
    ] = None,
    name: Annotated[
        str, typer.Option("--book", help="For [books.NAME], where there are several.")
    ] = "main",
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", help="The zone of timestamps without one, such as UTC."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="This one alone, or `own`: statements, whatever fits."),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Add the section to this file; - is stdout, it alone."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a bot's database, read-only, and propose its [book] section. Exit 0 where the check
    accepts it, 1 where something is left to write, 2 on bad usage, 3 where the database is away.
    """
    settings, redactor = start(config, quiet=True)
    address, redactor = _address(url, settings, name, redactor)
    wanted = _wanted(address, settings, name, account=account, schema=schema)
    wanted = _with(wanted, timezone=timezone, preset=preset)
    report = finish(_looked_at(wanted), redactor)
    if write is not None and write != STDOUT:
        _add_to(write, report, wanted)
    if write == STDOUT:
        typer.echo(report.section, nl=False)
    elif wants_json(as_json):
        typer.echo(json.dumps(_plain(report, redactor), indent=2, ensure_ascii=False))
    else:
        _show(report, redactor, wanted=wanted, written=write)
    raise typer.Exit(0 if report.refused is None else 1)


def _address(
    url: str | None, settings: Settings, name: str, redactor: Redactor
) -> tuple[str, Redactor]:
    """Where to look, and a redactor that knows its password."""
    if url is None:
        told = settings.all_books.get(name)
        secret = (told.url if told is not None else None) or settings.database.url
        if secret is None:
            fail("no database: give --url, or set database.url (DATABASE_URL)", BAD_USAGE)
        return secret.get_secret_value(), redactor
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - for this option only

    from reconciler.settings.redaction import secrets_within  # noqa: PLC0415 - as above
    from reconciler.settings.values import DatabaseUrl  # noqa: PLC0415 - as above

    try:
        secret = TypeAdapter(DatabaseUrl).validate_python(url)
    except ValidationError:
        fail("--url: expected postgresql://user:password@host:5432/database", BAD_USAGE)
    return secret.get_secret_value(), Redactor((*settings.secret_values(), *secrets_within(secret)))


def _wanted(
    address: str, settings: Settings, name: str, *, account: list[str] | None, schema: str | None
) -> "Wanted":
    from reconciler.service.book_init import Wanted  # noqa: PLC0415 - the heavy part

    configured = [n for n, each in settings.accounts.items() if each.book == name]
    return Wanted(url=address, schema=schema, accounts=tuple(account or configured), book=name)


def _with(wanted: "Wanted", *, timezone: str | None, preset: str | None) -> "Wanted":
    """With what was asked for, where it can be."""
    from dataclasses import replace  # noqa: PLC0415 - for this command only
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - as above

    from reconciler.book.preset import preset_names  # noqa: PLC0415 - as above

    try:
        if timezone is not None:
            ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        fail(f"--timezone: {timezone!r} is no name of a zone, such as Europe/Berlin", BAD_USAGE)
    if preset not in (None, "own", *preset_names()):
        fail(f"--preset: expected own, {', '.join(preset_names())}", BAD_USAGE)
    return replace(wanted, timezone=timezone, preset=preset)


async def _looked_at(wanted: "Wanted") -> "BookReport":
    from reconciler.service.book_init import look_at  # noqa: PLC0415 - the heavy part

    return await look_at(wanted)


def _add_to(file: Path, report: "BookReport", wanted: "Wanted") -> None:
    """Append the section; a file that speaks of this book already is left as it is."""
    account = wanted.accounts[0] if wanted.accounts else "main"
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else None
        tree = tomllib.loads(before or "")
        there = "book" in tree if wanted.book == "main" else wanted.book in tree.get("books", {})
        if there:
            fail(f"{file} has a [{wanted.place}] already: nothing was written", BAD_USAGE)
        start_of_it = (
            NEW_FILE.format(account=account) if before is None else before.rstrip() + "\n\n"
        )
        file.write_text(start_of_it + report.section, encoding="utf-8")
    except (OSError, ValueError) as error:
        fail(f"{file}: {error}", BAD_USAGE)


def _plain(report: "BookReport", redactor: Redactor) -> dict[str, object]:
    """The report as JSON; the section as it is, since it holds names alone."""
    reading = report.reading
    told = {
        "preset": report.preset,
        "also_fit": list(report.also_fit),
        "accepted": report.refused is None,
        "refused": report.refused,
        "tables": dict(report.tables),
        "columns": {
            table: [
                {"column": m.name, "from": m.source, "sureness": m.sureness.value, "why": m.why}
                for m in mapped
            ]
            for table, mapped in report.mapped.items()
        },
        "could_not_be_told": list(report.untold),
        "concluded": list(report.assumed),
        "unmapped_status_words": list(report.status_words),
        "not_permitted": list(report.not_permitted),
        "grants": list(report.grants),
        "profiles": [
            {"id": p.id, "account": p.account, "status": p.status, "active": p.is_active}
            for p in (reading.profiles if reading else ())
        ],
        "orders": [_order(o) for o in (reading.orders if reading else ())],
        "positions": [_position(p) for p in (reading.positions if reading else ())],
        "unreadable": list(reading.unreadable if reading else ()),
    }
    cleaned: dict[str, object] = redactor.value(told)
    return {**cleaned, "section": report.section}


def _order(order: "BookOrder") -> dict[str, object]:
    return {
        "id": order.id,
        "profile_id": order.profile_id,
        "symbol": order.raw_symbol,
        "side": order.side.value,
        "qty": str(order.qty),
        "filled": str(order.filled),
        "state": order.state.value,
        "status": order.raw_status,
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "created_at": order.created_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
    }


def _position(position: "BookPosition") -> dict[str, object]:
    return {
        "id": position.id,
        "profile_id": position.profile_id,
        "symbol": position.raw_symbol,
        "side": position.side.value,
        "qty": str(position.qty),
        "open": position.open,
        "updated_at": position.updated_at.isoformat(),
    }


def _show(
    report: "BookReport", redactor: Redactor, *, wanted: "Wanted", written: Path | None
) -> None:
    if report.preset is not None:
        line(f"recognised: {report.preset}")
    else:
        line("no preset fits as well as these statements, which are proposed:")
        print_facts((what, table) for what, table in report.tables.items())
    for what, mapped in report.mapped.items():
        if mapped:
            heading(what)
            columns = (
                ("column", lambda m: m.name),
                ("from", lambda m: m.source),
                ("how sure", lambda m: m.sureness.value),
                ("why", lambda m: m.why),
            )
            print_table(mapped, columns, empty="")
    _show_rows(report, redactor)
    for title, notes in (
        ("could not be told", report.untold),
        ("concluded; look whether it is right", report.assumed),
        ("this role may not", report.not_permitted),
    ):
        if notes:
            heading(title)
            for note in notes:
                line(f"- {redactor.text(note)}")
    if report.grants:
        heading("the least that the daemon's role needs")
        for grant in report.grants:
            line(grant)
    if written is None:
        heading("for reconciler.toml")
        line(report.section)
    _show_next(report, wanted, written)


def _show_rows(report: "BookReport", redactor: Redactor) -> None:
    reading = report.reading
    if reading is None:
        return
    for what, rows in (
        (
            "profiles",
            [{"id": p.id, "account": p.account, "status": p.status} for p in reading.profiles],
        ),
        ("orders", [_order(o) for o in reading.orders]),
        ("positions", [_position(p) for p in reading.positions]),
    ):
        heading(f"{what} as the daemon reads them: the first of {len(rows)} looked at")
        names = list(rows[0]) if rows else []
        columns = tuple((name, lambda row, name=name: row[name]) for name in names)
        print_table(redactor.value(rows[:SHOWN]), columns, empty="no row")
    if reading.unreadable:
        heading(f"{len(reading.unreadable)} rows cannot be read")
        for why in reading.unreadable[:SHOWN]:
            line(f"- {redactor.text(why)}")


def _show_next(report: "BookReport", wanted: "Wanted", written: Path | None) -> None:
    heading("next")
    if written is not None:
        line(f"written to {written}: read its comments")
    if report.refused is None:
        line("the check accepts these statements; then, with the account and its keys configured:")
        line("  reconciler check")
        line("  reconciler once")
        return
    line(f"the check refuses them: {report.refused}")
    line(f"write what is missing in [{wanted.place}], then: reconciler check")
