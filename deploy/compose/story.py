# ruff: noqa: INP001 - a script, in no package
"""The demo of the compose stack: a simulated venue and a bot, for the stack's daemon to watch.

Every few minutes a ghost position appears and goes, and the venue falls silent for a while, so that
alerts fire, reach the receiver and resolve. It runs in our image, in the daemon's network: the
venue listens on loopback only. The book of the database `demo` is made anew at each start.
"""

import asyncio
import signal
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from reconciler.settings import load_settings
from reconciler.simulation.demo.bot import ACCOUNT, SCALP, TRADE_EVERY, Bot
from reconciler.simulation.demo.story import GHOST, MISSED, MISSED_PARTS
from reconciler.simulation.venue import SimulatedVenue
from reconciler.simulation.venue.faults import FaultKind
from reconciler.store.connecting import Pool, borrowed, open_pool
from reconciler.store.migrations import migrate

PORT: Final = 9001
DATABASE: Final = "demo"
"""The only one whose book is dropped."""
AT_PARITY: Final = timedelta(minutes=1)
GHOST_STAYS: Final = timedelta(minutes=2)
HEALING: Final = timedelta(minutes=1)
OUTAGE: Final = timedelta(minutes=7)
"""Longer than ReconcilerVenueFailing waits."""


def say(text: str) -> None:
    """One line of what happens."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def play(url: str) -> None:
    """Open the venue, make the book, and trade and stumble until cancelled."""
    venue = SimulatedVenue(port=PORT)
    venue.add_account(ACCOUNT)
    async with venue:
        pool = await open_pool(url, size=2)
        try:
            async with borrowed(pool) as connection:
                await connection.execute("drop schema if exists bot cascade")
            await migrate(url, with_native_book=True)
            bot = Bot(venue.ledger(ACCOUNT), pool)
            await bot.settle_in()
            say(f"venue on port {PORT}, the bot trades")
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_trade(bot))
                tasks.create_task(_stumble(venue, bot, pool))
        finally:
            pool.terminate()


async def _trade(bot: Bot) -> None:
    while True:
        await bot.trade_a_little()
        await asyncio.sleep(TRADE_EVERY.total_seconds())


async def _stumble(venue: SimulatedVenue, bot: Bot, pool: Pool) -> None:
    await asyncio.sleep(AT_PARITY.total_seconds())
    say("the venue forgets an order, and fills one that the bot does not hear of")
    await bot.hold_forgotten_order()
    bot.miss_a_fill(MISSED, MISSED_PARTS)
    await asyncio.sleep(AT_PARITY.total_seconds())
    await bot.catch_up(MISSED)
    while True:
        say(f"a ghost: {GHOST}, short 40")
        venue.ledger(ACCOUNT).set_position("SOLUSDT", "short", Decimal(40))
        await asyncio.sleep(GHOST_STAYS.total_seconds())
        say("a person closes it, and sets the profile active")
        venue.ledger(ACCOUNT).close_position("SOLUSDT")
        await asyncio.sleep(HEALING.total_seconds())
        async with borrowed(pool) as connection:
            await connection.execute(
                "update bot.profiles set status = 'active', updated_at = now() where id = $1", SCALP
            )
        await asyncio.sleep(AT_PARITY.total_seconds())
        say("the venue answers with a maintenance page")
        page = venue.faults.set(FaultKind.HTML_200)
        await asyncio.sleep(OUTAGE.total_seconds())
        say("the venue answers again")
        venue.faults.clear(page)
        await asyncio.sleep(AT_PARITY.total_seconds())


async def _until_told(url: str) -> None:
    playing = asyncio.create_task(play(url))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, playing.cancel)
    await asyncio.wait({playing})
    if not playing.cancelled():
        playing.result()


def main() -> None:
    """Play in the daemon's own database, where that is the demo's."""
    given = load_settings().database.url
    url = given.get_secret_value() if given is not None else ""
    if urlsplit(url).path != f"/{DATABASE}":
        sys.exit(f"the story drops the book: it plays in a database named {DATABASE} only")
    asyncio.run(_until_told(url))


if __name__ == "__main__":
    main()
