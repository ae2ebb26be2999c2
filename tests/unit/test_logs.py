"""Log lines: one JSON object each, tags first, no secret in any of them."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import structlog

from reconciler.telemetry.logs import Tag, configure_logs, get_logger
from reconciler.telemetry.redaction import Redactor

SECRET = "hunter2-of-the-venue"
log = get_logger("reconciler.tests.logs")  # taken before anything is configured, as modules do


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _fail(error: Exception) -> None:
    raise error


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("reconciler")
    before = (list(root.handlers), root.level, ours.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def _configured(level: Any = "info", format: Any = "auto") -> io.StringIO:  # noqa: A002 - as there
    stream = io.StringIO()
    configure_logs(level=level, format=format, redactor=Redactor([SECRET]), stream=stream)
    return stream


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_and_event_first() -> None:
    stream = _configured()
    log.info(f"{Tag.RECONCILE} parity", account="main", run_id="r1")
    (line,) = _lines(stream)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line["event"] == "[Reconcile] parity"
    assert (line["level"], line["account"], line["run_id"]) == ("info", "main", "r1")
    written_at = datetime.fromisoformat(line["timestamp"])
    assert written_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - written_at) < timedelta(minutes=1)


def test_values_json_has_no_word_for() -> None:
    stream = _configured()
    log.info(
        "x", qty=Decimal("0.10"), age=timedelta(minutes=1), at=datetime(2026, 1, 2, tzinfo=UTC)
    )
    (line,) = _lines(stream)
    assert (line["qty"], line["age"]) == ("0.10", 60.0)
    assert line["at"].startswith("2026-01-02")


def test_secrets_are_masked_in_event_fields_and_tracebacks() -> None:
    stream = _configured()
    try:
        _fail(ConnectionError(f"cannot reach postgresql://bot:pw-unknown@db with {SECRET}"))
    except ConnectionError:
        log.exception(f"{Tag.VENUE} {SECRET}", url=f"https://x/?signature={SECRET}", api_key="ab")
    text = stream.getvalue()
    assert SECRET not in text
    assert "pw-unknown" not in text
    (line,) = _lines(stream)
    assert "ConnectionError" in line["exception"]
    assert line["api_key"] == "***"


@pytest.mark.parametrize("name", ["uvicorn.error", "apscheduler", "alembic", "asyncpg", "ccxt"])
def test_other_libraries_take_the_same_way_from_warning_on(name: str) -> None:
    stream = _configured(level="info")
    logging.getLogger(name).info("chatter")
    logging.getLogger(name).warning("took %s seconds with %s", 3, SECRET)
    (line,) = _lines(stream)
    assert line["event"] == "took 3 seconds with ***"
    assert (line["level"], line["logger"]) == ("warning", name)
    assert "timestamp" in line


def test_tracebacks_of_other_libraries_are_masked() -> None:
    stream = _configured()
    try:
        _fail(ValueError(SECRET))
    except ValueError:
        logging.getLogger("apprise").exception("failed")
    assert SECRET not in stream.getvalue()
    assert "ValueError: ***" in _lines(stream)[0]["exception"]


def test_debug_lets_other_libraries_speak() -> None:
    stream = _configured(level="debug")
    logging.getLogger("apscheduler").debug("request")
    log.debug("ours")
    assert [line["event"] for line in _lines(stream)] == ["request", "ours"]


def test_level_is_kept() -> None:
    stream = _configured(level="warning")
    log.info("quiet")
    log.warning("loud")
    assert [line["event"] for line in _lines(stream)] == ["loud"]


def test_warnings_of_python_are_lines_too() -> None:
    stream = _configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"old call with {SECRET}", DeprecationWarning, stacklevel=1)
    assert "old call with ***" in _lines(stream)[0]["event"]


def test_configuring_again_does_not_double_lines() -> None:
    first, second = _configured(), _configured()
    log.info("once")
    assert first.getvalue() == ""
    assert len(_lines(second)) == 1


def test_a_terminal_gets_colours_and_no_secret() -> None:
    stream = _Terminal()
    configure_logs(redactor=Redactor([SECRET]), stream=stream)
    try:
        _fail(ValueError(SECRET))
    except ValueError:
        log.exception(f"{Tag.GHOST} found", symbol="BTC/USDT", key=SECRET)
    text = stream.getvalue()
    assert "\x1b[" in text
    assert "[GHOST] found" in text
    assert "BTC/USDT" in text
    assert "ValueError" in text
    assert SECRET not in text


def test_pretty_without_a_terminal_has_no_colours() -> None:
    stream = _configured(format="pretty")
    log.info("plain", account="main")
    assert "\x1b[" not in stream.getvalue()
    assert "account=main" in stream.getvalue()


def test_a_stream_that_has_gone_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = _configured()
    stream.close()
    log.warning("into the void", secret=SECRET)
    logging.getLogger("ccxt").error(SECRET)
    assert SECRET not in "".join(capsys.readouterr())


def test_bound_context_is_on_every_line() -> None:
    stream = _configured()
    with structlog.contextvars.bound_contextvars(run_id="r7"):
        log.info("ours")
        logging.getLogger("asyncpg").warning("theirs")
    assert [line["run_id"] for line in _lines(stream)] == ["r7", "r7"]


def test_tags_are_what_the_runbook_greps_for() -> None:
    promised = {"[Reconcile]", "[OrderSync]", "[QUARANTINE]", "[GHOST]", "[AUTH]", "[GUARD]"}
    assert promised <= {tag.value for tag in Tag}
