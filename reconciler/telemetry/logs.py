"""Structured logs: JSON lines for machines, colours on a terminal, one pipeline for everybody.

Lines of the standard library's logging (uvicorn, apscheduler, alembic, ccxt …) take the same way as
our own, so that the redactor sees each of them, tracebacks included, last before it is written.
"""

import contextlib
import logging
import sys
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from reconciler.telemetry.redaction import Redactor

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "pretty"]

OWN_LOGGERS: Final = "reconciler"
"""Loggers of this name and below follow `level`; all others speak from warning on."""


class Tag(StrEnum):
    """What the event text of a line starts with: the runbook greps for these."""

    RECONCILE = "[Reconcile]"
    ORDER_SYNC = "[OrderSync]"
    QUARANTINE = "[QUARANTINE]"
    GHOST = "[GHOST]"
    AUTH = "[AUTH]"
    GUARD = "[GUARD]"
    INCIDENT = "[INCIDENT]"
    LEASE = "[Lease]"
    NOTIFY = "[Notify]"
    SERVICE = "[Service]"
    VENUE = "[Venue]"


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module (`get_logger(__name__)`); may be taken before `configure_logs`."""
    return structlog.stdlib.get_logger(name)


def configure_logs(
    *,
    level: Level = "info",
    format: Format = "auto",  # noqa: A002 - the setting's name
    redactor: Redactor,
    stream: TextIO | None = None,
) -> None:
    """Route structlog and the standard library's logging to one stream; may be called again.

    `auto` is pretty on a terminal, JSON lines elsewhere. The stream is stderr unless given.
    """
    out = sys.stderr if stream is None else stream
    pretty = format == "pretty" or (format == "auto" and out.isatty())
    writer = _Writer(out)
    writer.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=list(_enrich()),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _Redact(redactor),
                *_renderers(pretty=pretty, colors=out.isatty()),
            ],
        )
    )
    _install(writer, level=level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_enrich(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # a logger taken at import must follow a later configuration
        cache_logger_on_first_use=False,
    )


def _enrich() -> Iterable[Processor]:
    """What every line gets, ours or not."""
    yield structlog.contextvars.merge_contextvars
    yield structlog.stdlib.add_logger_name
    yield structlog.stdlib.add_log_level
    yield structlog.stdlib.PositionalArgumentsFormatter()
    yield structlog.processors.TimeStamper(fmt="iso", utc=True)
    yield structlog.processors.StackInfoRenderer()
    # as text, and without local variables, before the redactor looks
    yield structlog.processors.format_exc_info


def _renderers(*, pretty: bool, colors: bool) -> Iterable[Processor]:
    if pretty:
        yield structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback
        )
    else:
        yield _first_things_first
        yield structlog.processors.JSONRenderer(default=_as_json)


def _install(writer: "_Writer", *, level: Level) -> None:
    root = logging.getLogger()
    for earlier in [one for one in root.handlers if isinstance(one, _Writer)]:
        root.removeHandler(earlier)
    root.addHandler(writer)
    root.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.getLogger(OWN_LOGGERS).setLevel(level.upper())
    logging.captureWarnings(capture=True)


class _Writer(logging.StreamHandler[TextIO]):
    """Writes lines; a line that cannot be written is dropped.

    The original prints the record, unredacted, with a traceback; and a daemon goes on judging when
    the reader of its logs has gone.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that a line is missing, if even that can be written."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(f'{{"event": "a line of {record.module} could not be written"}}\n')


class _Redact:
    """The redactor as the last step before rendering. Time and level are ours, and stay."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        ours = {key: event.pop(key) for key in ("timestamp", "level") if key in event}
        return {**ours, **self._redactor.value(event)}


def _first_things_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Time, level and event before the fields: lines are also read by people."""
    first = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    return {**first, **event}


def _as_json(value: Any) -> Any:
    """What JSON has no word for: durations in seconds, the rest as text (Decimal, datetime)."""
    return value.total_seconds() if isinstance(value, timedelta) else str(value)
