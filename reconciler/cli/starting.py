"""What every command starts with: settings, logs; and how it ends when they are wrong."""

import asyncio
import sys
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from reconciler.domain.errors import DatabaseUnavailableError, ReconcilerError
from reconciler.settings import ConfigurationError, Settings, load_settings
from reconciler.telemetry.logs import configure_logs
from reconciler.telemetry.redaction import Redactor

BAD_USAGE = 2
NOT_JUDGED = 3

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="reconciler.toml [default: $RECONCILER_CONFIG]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout, also on a terminal.")]
T = TypeVar("T")


def start(config: Path | None, *, quiet: bool = False) -> tuple[Settings, Redactor]:
    """Load settings and set up logs; exits 2 with every mistake named."""
    try:
        settings = load_settings(config)
    except ConfigurationError as error:
        fail(str(error), BAD_USAGE)
    redactor = Redactor(settings.secret_values())
    level = "warning" if quiet else settings.log.level
    configure_logs(level=level, format=settings.log.format, redactor=redactor)
    return settings, redactor


def fail(message: str, code: int) -> NoReturn:
    """Say why on stderr and exit."""
    typer.echo(f"reconciler: {message}", err=True)
    raise typer.Exit(code)


def finish(work: Coroutine[Any, Any, T], redactor: Redactor) -> T:
    """Run to the end; what cannot be done becomes one line and an exit code."""
    try:
        return asyncio.run(work)
    except DatabaseUnavailableError as error:
        fail(redactor.text(str(error)), NOT_JUDGED)
    except ReconcilerError as error:
        fail(redactor.text(str(error)), BAD_USAGE)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Exception:  # noqa: BLE001 - Python's exit code for it is 1, "discrepancies found"
        fail(redactor.text(traceback.format_exc()), NOT_JUDGED)


def wants_json(asked: bool) -> bool:  # noqa: FBT001 - the flag as typer gives it
    """A terminal gets a table, a pipe gets JSON."""
    return asked or not sys.stdout.isatty()
