"""`reconciler run`: the daemon."""

import asyncio

from reconciler.cli.starting import ConfigOption, finish, start
from reconciler.settings import Settings
from reconciler.telemetry.redaction import Redactor


def run(config: ConfigOption = None) -> None:
    """The daemon: migrate, startup reconciliation, schedule, HTTP. SIGTERM ends it cleanly,
    SIGHUP asks for a pass now.
    """
    settings, redactor = start(config)
    finish(_run(settings, redactor), redactor)


async def _run(settings: Settings, redactor: Redactor) -> None:
    from reconciler.service.daemon import run_daemon, stop_on_signals  # noqa: PLC0415 - the heavy part

    stop, pass_now = asyncio.Event(), asyncio.Event()
    stop_on_signals(asyncio.get_running_loop(), stop, pass_now)
    await run_daemon(settings, redactor, stop=stop, pass_now=pass_now)
