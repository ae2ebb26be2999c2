"""`reconciler demo`: the real daemon, a made-up bot and venue, and a story to watch."""

import asyncio
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
    # The heavy part, in pieces: between two of them a Ctrl-C is heard.
    from reconciler.simulation.demo.performance import Performance  # noqa: PLC0415 - asyncpg
    from reconciler.simulation.demo.summary import print_summary  # noqa: PLC0415 - rich

    performance = Performance(started=started)
    if not asked.is_set():
        error = await _play(performance, out, seconds, database_url, asked)
    else:
        error = None
    print_summary(performance, out)
    if error is not None:
        return _explain(error, is_given=database_url is not None)
    return WENT_WRONG if any(performance.failed()) else 0
