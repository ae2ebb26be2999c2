"""`reconciler demo`: the real daemon, a made-up bot and venue, and a story to watch."""

import asyncio
import os
import signal
import sys
import time
import traceback
from typing import Annotated

import typer

from reconciler.cli.starting import BAD_USAGE
from reconciler.domain.errors import ReconcilerError
from reconciler.simulation.demo.outlet import Outlet

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WENT_WRONG = 1


class StopRequest:
    """Ctrl-C, however often and whenever: it is remembered, and interrupts nothing half made."""

    def __init__(self) -> None:
        self._asked = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    def install(self) -> None:
        """For the rest of this process."""
        for number in ENDING_SIGNALS:
            signal.signal(number, lambda _number, _frame: self.ask())

    def ask(self) -> None:
        """End the demo. From a signal handler, or where the reader has gone."""
        self._asked = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    def listen(self) -> asyncio.Event:
        """The event of the running loop, set already where somebody asked before it ran."""
        self._loop = asyncio.get_running_loop()
        if self._asked:
            self._event.set()
        return self._event


def demo(
    seconds: Annotated[
        float | None,
        typer.Option("--for", min=0, metavar="SECONDS", help="End after so long. [until Ctrl-C]"),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url",
            help="A Postgres server to use instead of a private one: a database of the demo's own "
            "is made there, and dropped at the end. DATABASE_URL is never used.",
        ),
    ] = None,
) -> None:
    """Watch the daemon work: the real one, on a private Postgres and a simulated venue.

    Reads no configuration, touches no file of yours, leaves nothing behind. Exit 0 where every
    chapter that was played ended as it should, 1 where one did not, 2 without a Postgres.
    """
    started = time.monotonic()
    stop = StopRequest()
    stop.install()
    out = Outlet(sys.stdout, closed=stop.ask)
    first = "connecting to the server" if database_url else "starting PostgreSQL"
    out.write(f"{0:6.1f} s  demo    {first} …\n")
    raise typer.Exit(asyncio.run(_demo(started, seconds, database_url, stop, out)))


async def _demo(
    started: float, seconds: float | None, database_url: str | None, stop: StopRequest, out: Outlet
) -> int:
    asked = stop.listen()
    # the heavy part: ccxt, FastAPI, asyncpg; only after the first line is out
    from reconciler.simulation.demo.lines import Lines  # noqa: PLC0415
    from reconciler.simulation.demo.performance import Performance  # noqa: PLC0415
    from reconciler.simulation.demo.running import run_demo  # noqa: PLC0415
    from reconciler.simulation.demo.screen import Screen  # noqa: PLC0415
    from reconciler.simulation.demo.summary import print_summary  # noqa: PLC0415

    performance = Performance(started=started)
    on_terminal = out.isatty() and os.environ.get("TERM") != "dumb"
    show = Screen(performance, out, seconds=seconds) if on_terminal else Lines(performance, out)
    error = await run_demo(
        performance,
        show,
        server_url=database_url,
        asked=asked,
        ends_at=None if seconds is None else started + seconds,
    )
    if error is not None:
        return _explain(error, is_given=database_url is not None)
    print_summary(performance, out)
    return WENT_WRONG if any(performance.failed()) else 0


def _explain(error: BaseException, *, is_given: bool) -> int:
    """One line for what a person can mend, the traceback for what is our mistake."""
    from reconciler.simulation.postgres import PostgresStartFailed  # noqa: PLC0415 - as above
    from reconciler.simulation.postgres_binaries import PostgresBinariesMissing  # noqa: PLC0415

    if isinstance(error, (PostgresBinariesMissing, PostgresStartFailed, ReconcilerError)):
        typer.echo(f"reconciler: {error}", err=True)
        return BAD_USAGE if is_given or isinstance(error, PostgresBinariesMissing) else WENT_WRONG
    traceback.print_exception(error)
    return WENT_WRONG
