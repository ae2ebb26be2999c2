"""How a command of the desk is run, and how it ends: one answer or one reason, one exit code."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from reconciler.cli.starting import BAD_USAGE, NOT_JUDGED, fail, finish, start, wants_json
from reconciler.domain.errors import DatabaseRefusedError
from reconciler.incidents.errors import NotFoundError, RefusedError, UsageError
from reconciler.settings import Settings
from reconciler.telemetry.redaction import Redactor

if TYPE_CHECKING:
    from reconciler.incidents.answers import Done, Written
    from reconciler.incidents.desk import Actor, Desk  # the heavy part, for the run only
    from reconciler.incidents.rows_of_books import Unread

T = TypeVar("T")
REFUSED = 1

ByOption = Annotated[str, typer.Option("--by", metavar="WHO", help="Who asks; it is recorded.")]
NoteOption = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; it is recorded.")]
BookOption = Annotated[
    str | None, typer.Option("--book", help="The book, where two have the same id.")
]
AccountOption = Annotated[str | None, typer.Option("--account", help="Only this account.")]
LimitOption = Annotated[int, typer.Option("--limit", help="At most so many.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    """Why a command was not done."""

    message: str
    code: int


def ask(config: Path | None, operation: "Callable[[Desk], Awaitable[T]]") -> tuple[T, Redactor]:
    """Run one operation. Exits 1 where it is refused or nothing has that name, 2 on bad usage,
    3 where the database is away.
    """
    settings, redactor = start(config, quiet=True)
    answer = finish(_asked(settings, redactor, operation), redactor)
    if isinstance(answer, _Failed):
        fail(redactor.text(answer.message), answer.code)
    return answer, redactor


async def _asked(
    settings: Settings, redactor: Redactor, operation: "Callable[[Desk], Awaitable[T]]"
) -> T | _Failed:
    from reconciler.service.assembly import assembled  # noqa: PLC0415 - the heavy part
    from reconciler.service.desk import desk_of  # noqa: PLC0415 - as above

    async with assembled(settings, redactor) as assembly:
        try:
            return await operation(desk_of(assembly))
        except RefusedError as error:
            return _Failed(message="refused: " + "\n  ".join(error.reasons), code=REFUSED)
        except NotFoundError as error:
            return _Failed(message=str(error), code=REFUSED)
        except UsageError as error:
            return _Failed(message=str(error), code=BAD_USAGE)
        except DatabaseRefusedError as error:
            mend = (
                "; bring the schema up with: reconciler migrate"
                if "Undefined" in str(error)
                else ""
            )
            return _Failed(message=f"{error}{mend}", code=NOT_JUDGED)


def actor(who: str) -> "Actor":
    """Whoever is at the terminal; exits 2 for a name that is none."""
    from reconciler.incidents.desk import Actor  # noqa: PLC0415 - the heavy part

    try:
        return Actor(who=who, surface="cli")
    except UsageError as error:
        fail(f"--by: {error}", BAD_USAGE)


def show(answer: Any, redactor: Redactor, *, as_json: bool, shown: Callable[[Any], None]) -> None:
    """A pipe gets JSON, a terminal gets tables."""
    if wants_json(as_json):
        print_json(answer, redactor)
    else:
        shown(answer)


def end_incomplete(unread: "Unread", redactor: Redactor) -> None:
    """Name the books that the answer lacks, on stderr, and exit 3; nothing where it lacks none."""
    for book, why in unread.items():
        typer.echo(redactor.text(f"reconciler: book {book} is not in this: {why}"), err=True)
    if unread:
        raise typer.Exit(NOT_JUDGED)


def print_json(answer: Any, redactor: Redactor) -> None:
    """The same fields as over HTTP."""
    import json  # noqa: PLC0415 - for the run only

    from pydantic_core import to_jsonable_python  # noqa: PLC0415 - as above

    value = redactor.value(to_jsonable_python(answer))
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def say_done(done: "Done", redactor: Redactor, *, as_json: bool) -> None:
    """What was done, in a sentence; JSON only where it is asked for or piped."""
    if wants_json(as_json):
        print_json(done, redactor)
    else:
        typer.echo(redactor.text(done.said))


def hand_over(
    written: "Written", redactor: Redactor, *, file: Path | None, as_json: bool = False
) -> None:
    """A text as it is, on stdout or into a file; as JSON only where that is asked for."""
    if as_json:
        print_json(written, redactor)
        return
    if file is None:
        sys.stdout.write(written.text)
        return
    place = file / written.filename if file.is_dir() else file
    try:
        place.write_text(written.text, encoding="utf-8")
    except OSError as error:
        fail(f"{place}: {error.strerror}", BAD_USAGE)
    typer.echo(f"written to {place}")
