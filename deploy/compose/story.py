# ruff: noqa: INP001 - a script, in no package
"""The demo of the compose stack: a simulated venue, Supabase and bot, for the daemon to watch.

Every few minutes a ghost position appears and goes, the venue falls silent for a while, and the
bot's sign-in fails, so that alerts fire, reach the receiver and resolve. It runs in our image, in
the daemon's network and with its configuration: what it plays listens on loopback only. The book
of the database `demo` is made anew at each start. `story.py 0.1` plays ten times as fast.
"""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from reconciler.settings import Settings, load_settings
from reconciler.simulation.bot_api import SimulatedBotApi, by_project
from reconciler.simulation.demo.bot import ACCOUNT, SCALP, TRADE_EVERY, Bot
from reconciler.simulation.demo.story import GHOST, MISSED, MISSED_PARTS
from reconciler.simulation.supabase import ProjectKeys, SimulatedSupabase
from reconciler.simulation.venue import SimulatedVenue
from reconciler.simulation.venue.faults import FaultKind
from reconciler.store.connecting import Pool, borrowed, open_pool
from reconciler.store.migrations import migrate

DATABASE: Final = "demo"
"""The only one whose book is dropped."""
AT_PARITY: Final = timedelta(minutes=1)
GHOST_STAYS: Final = timedelta(minutes=2)
HEALING: Final = timedelta(minutes=1)
OUTAGE: Final = timedelta(minutes=7)
"""Longer than ReconcilerVenueFailing waits."""
LOCKED_OUT: Final = timedelta(minutes=3)
"""Many probes: ReconcilerAuthProbeFailing wants three of one class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the story is played with. `pace` below 1 plays faster."""

    venue: SimulatedVenue
    supabase: SimulatedSupabase
    bot_api: SimulatedBotApi
    bot: Bot
    pool: Pool
    pace: float

    async def wait(self, time: timedelta) -> None:
        """Let the daemon look."""
        await asyncio.sleep(time.total_seconds() * self.pace)


def say(text: str) -> None:
    """One line of what happens."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def play(settings: Settings, url: str, pace: float) -> None:
    """Open venue, Supabase and bot, make the book, and trade and stumble until cancelled."""
    venue = SimulatedVenue(port=_port_of(settings.accounts[ACCOUNT].base_url))
    venue.add_account(ACCOUNT)
    supabase, bot_api = _sign_in_of(settings)
    async with AsyncExitStack() as stack:
        for server in (venue, supabase, bot_api):
            await stack.enter_async_context(server)
        pool = await open_pool(url, size=2)
        stack.callback(pool.terminate)
        async with borrowed(pool) as connection:
            await connection.execute("drop schema if exists bot cascade")
        await migrate(url, with_native_book=True)
        bot = Bot(venue.ledger(ACCOUNT), pool)
        await bot.settle_in()
        say(f"venue on port {venue.port}, Supabase on {supabase.port}, the bot trades")
        stage = Stage(
            venue=venue, supabase=supabase, bot_api=bot_api, bot=bot, pool=pool, pace=pace
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_trade(stage))
            tasks.create_task(_stumble(stage))


def _sign_in_of(settings: Settings) -> tuple[SimulatedSupabase, SimulatedBotApi]:
    """A project that signs with ES256, with the keys and the canary that the daemon knows."""
    auth = settings.auth
    secret, public, password = auth.service_role_key, auth.anon_key, auth.canary.password
    if secret is None or public is None or password is None or auth.canary.email is None:
        sys.exit("the story wants the keys and the canary of [auth]")
    keys = ProjectKeys(
        secret_key=secret.get_secret_value(), publishable_key=public.get_secret_value()
    )
    keys.rotate()
    supabase = SimulatedSupabase(keys=keys)
    supabase.port = _port_of(auth.supabase_url)
    supabase.users.add(auth.canary.email, password.get_secret_value())
    bot_api = SimulatedBotApi(by_project(supabase))
    bot_api.port = _port_of(auth.bot.url)
    return supabase, bot_api


def _port_of(url: object) -> int:
    """The port of an address of the demo's configuration."""
    return urlsplit(str(url)).port or sys.exit(f"the story wants a port in {url}")


async def _trade(stage: Stage) -> None:
    while True:
        await stage.bot.trade_a_little()
        await asyncio.sleep(TRADE_EVERY.total_seconds())


async def _stumble(stage: Stage) -> None:
    await stage.wait(AT_PARITY)
    say("the venue forgets an order, and fills one that the bot does not hear of")
    await stage.bot.hold_forgotten_order()
    stage.bot.miss_a_fill(MISSED, MISSED_PARTS)
    await stage.wait(AT_PARITY)
    await stage.bot.catch_up(MISSED)
    while True:
        await _appear_and_go(stage)
        await _lock_out(stage)
        say("the venue answers with a maintenance page")
        page = stage.venue.faults.set(FaultKind.HTML_200)
        await stage.wait(OUTAGE)
        say("the venue answers again")
        stage.venue.faults.clear(page)
        await stage.wait(AT_PARITY)


async def _appear_and_go(stage: Stage) -> None:
    say(f"a ghost: {GHOST}, short 40")
    ledger = stage.venue.ledger(ACCOUNT)
    ledger.set_position("SOLUSDT", "short", Decimal(40))
    await stage.wait(GHOST_STAYS)
    say("a person closes it, and sets the profile active")
    ledger.close_position("SOLUSDT")
    await stage.wait(HEALING)
    async with borrowed(stage.pool) as connection:
        await connection.execute(
            "update bot.profiles set status = 'active', updated_at = now() where id = $1", SCALP
        )
    await stage.wait(AT_PARITY)


async def _lock_out(stage: Stage) -> None:
    say("a deploy of the bot breaks how it verifies tokens: nobody can control it")
    let_in, stage.bot_api.why_not = stage.bot_api.why_not, lambda _token: "bad signature"
    await stage.wait(LOCKED_OUT)
    say("it is rolled back")
    stage.bot_api.why_not = let_in
    await stage.wait(AT_PARITY)


async def _until_told(settings: Settings, url: str, pace: float) -> None:
    playing = asyncio.create_task(play(settings, url, pace))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, playing.cancel)
    await asyncio.wait({playing})
    if not playing.cancelled():
        playing.result()


def main() -> None:
    """Play in the daemon's own database, where that is the demo's."""
    settings = load_settings()
    given = settings.database.url
    url = given.get_secret_value() if given is not None else ""
    if urlsplit(url).path != f"/{DATABASE}":
        sys.exit(f"the story drops the book: it plays in a database named {DATABASE} only")
    pace = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    asyncio.run(_until_told(settings, url, pace))


if __name__ == "__main__":
    main()
