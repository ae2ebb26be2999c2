"""The stage: a database, a venue and the real daemon between them; gone when the demo ends."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from reconciler.domain.errors import DatabaseUnavailableError
from reconciler.service.daemon import Daemon, run_daemon
from reconciler.settings import Settings
from reconciler.simulation.bot_api import SimulatedBotApi, by_secret
from reconciler.simulation.demo.bot import ACCOUNT, Bot
from reconciler.simulation.demo.log_tail import LogLine, LogTail
from reconciler.simulation.demo.performance import Performance, Played
from reconciler.simulation.demo.scene import (
    AccountHealth,
    Scene,
    fingerprint_of_book,
    read_scene,
)
from reconciler.simulation.postgres import EmbeddedPostgres
from reconciler.simulation.supabase import SimulatedSupabase
from reconciler.simulation.venue import SimulatedVenue
from reconciler.simulation.venue.ledger import Ledger
from reconciler.store.connecting import CONNECT_ERRORS, Pool, borrowed, connect, open_pool
from reconciler.store.migrations import migrate
from reconciler.telemetry.logs import configure_logs
from reconciler.telemetry.redaction import Redactor

LOOK_EVERY = timedelta(seconds=0.25)
DAEMON_STOPS_WITHIN = timedelta(seconds=6)
"""It answers SIGTERM within 5 s; then it is cancelled."""
HEALTH_WITHIN = timedelta(seconds=2)
CANARY = ("canary@example.test", "only-for-the-demo")
UNSEEN = AccountHealth(last_success_at=None, trouble=None)


class Show(Protocol):
    """Whoever looks: a terminal (`screen`) or a pipe (`lines`)."""

    def say(self, text: str, *, who: str = "demo") -> None:
        """One remark."""

    def begin(self, chapter: Played) -> None:
        """A chapter begins."""

    def end(self, chapter: Played) -> None:
        """Its effect was seen, or not."""

    def log(self, line: LogLine) -> None:
        """A line of the daemon's log."""

    def draw(self) -> None:
        """The scene has changed."""

    def close(self) -> None:
        """Give the terminal back."""


class Stage:
    """What the chapters work with."""

    def __init__(
        self,
        *,
        pool: Pool,
        venue: SimulatedVenue,
        bot: Bot,
        sign_in: "SignIn",
        health_url: str,
    ) -> None:
        self.venue = venue
        self.bot = bot
        self.sign_in = sign_in
        self._pool = pool
        self._health_url = health_url
        self._scene: Scene | None = None
        self._seen = asyncio.Condition()

    @property
    def ledger(self) -> Ledger:
        """The account as the venue has it."""
        return self.venue.ledger(ACCOUNT)

    async def look(self) -> Scene:
        """The next scene that is read."""
        async with self._seen:
            await self._seen.wait()
        assert self._scene is not None
        return self._scene

    async def until(self, effect: Callable[[Scene], str | None]) -> str:
        """Look until `effect` finds something. Bounded by the chapter's deadline."""
        while (found := effect(await self.look())) is None:
            pass
        return found

    async def fingerprint(self) -> str:
        """A digest of every row of the book."""
        async with borrowed(self._pool) as connection:
            return await fingerprint_of_book(connection)

    async def keep_looking(self, tell: Callable[[Scene], None]) -> None:
        """Read the scene again and again."""
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=HEALTH_WITHIN.total_seconds())
        ) as session:
            while True:
                health = await self._ask_health(session)
                async with asyncio.timeout(10):
                    scene = await read_scene(self._pool, self.ledger, health)
                async with self._seen:
                    self._scene = scene
                    self._seen.notify_all()
                tell(scene)
                await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def _ask_health(self, session: aiohttp.ClientSession) -> AccountHealth:
        """As anybody can: over HTTP."""
        try:
            async with session.get(self._health_url) as answer:
                report = await answer.json()
        except (aiohttp.ClientError, TimeoutError):
            return UNSEEN
        return _read_health(report)


def _read_health(report: dict[str, Any]) -> AccountHealth:
    account = report["accounts"].get(ACCOUNT, {})
    last = account.get("last_success")
    why = [one["why"] for one in report["degraded"] if one["what"] == f"account {ACCOUNT}"]
    return AccountHealth(
        last_success_at=datetime.fromisoformat(last) if last else None,
        trouble=why[0] if why else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What people sign in with at the bot."""

    supabase: SimulatedSupabase
    bot_api: SimulatedBotApi
    """It verifies tokens by the legacy secret, as bots did before keys were rotated."""

    def settings(self) -> dict[str, Any]:
        """`[auth]` of the daemon: a canary of its own, and every step of the probe."""
        keys = self.supabase.keys
        return {
            "supabase_url": self.supabase.url,
            "anon_key": keys.anon_key,
            "service_role_key": keys.service_key,
            "jwt_secret": keys.jwt_secret,
            "rest_table": "profiles",
            "canary": {"email": CANARY[0], "password": CANARY[1]},
            "bot": {"url": self.bot_api.url, "websocket_url": self.bot_api.websocket_url},
        }


@contextlib.asynccontextmanager
async def _signing_in() -> AsyncIterator[SignIn]:
    async with SimulatedSupabase() as supabase:
        supabase.users.add(*CANARY)
        async with SimulatedBotApi(by_secret(supabase.keys.jwt_secret)) as bot_api:
            yield SignIn(supabase=supabase, bot_api=bot_api)


def demo_settings(*, database_url: str, venue: SimulatedVenue, sign_in: SignIn) -> Settings:
    """The daemon's settings, complete: no file and no environment variable is read.

    A look costs 85 of 2400 request weights a minute: every 4 s that is 53 %, and the rest is
    enough for confirming looks and lookups.
    """
    account = venue.accounts[ACCOUNT]
    return Settings.model_validate(
        {
            "database": {"url": database_url},
            "http": {"host": "127.0.0.1", "port": 0},
            "schedule": {
                "reconciliation": "4s",
                "order_status_sync": "4s",
                "auth_probe": "1s",
            },
            "auth": sign_in.settings(),
            "orders": {"confirmations": 2, "confirm_after": "1s", "grace": "2s"},
            "positions": {"confirmations": 2, "confirm_after": "1s", "grace": "2s"},
            "accounts": {
                ACCOUNT: {
                    "venue": "binanceusdm",
                    "api_key": account.api_key,
                    "secret": account.secret,
                    "base_url": venue.base_url,
                    "rate_share": 1.0,
                }
            },
        }
    )


@contextlib.asynccontextmanager
async def staged(
    performance: Performance, show: Show, *, server_url: str | None
) -> AsyncIterator[Stage]:
    """Set everything up, and leave nothing behind.

    `server_url`: a server where a database of our own may be made; None: a private one is started.
    Raises PostgresBinariesMissing, PostgresStartFailed, DatabaseUnavailableError, and whatever
    ends the daemon, in an exception group.
    """
    async with contextlib.AsyncExitStack() as stack:
        if server_url is None:
            url = (await stack.enter_async_context(EmbeddedPostgres())).url
        else:
            url = await stack.enter_async_context(_own_database(server_url))
        show.say("starting the simulated venue (Binance USD-M over HTTP) …")
        venue = SimulatedVenue()
        venue.add_account(ACCOUNT)
        await stack.enter_async_context(venue)
        show.say("starting the simulated Supabase and the bot's own API …")
        sign_in = await stack.enter_async_context(_signing_in())
        show.say("creating the bot's book and the daemon's tables …")
        await migrate(url, with_native_book=True)
        pool = await stack.enter_async_context(_pool(url))
        bot = Bot(venue.ledger(ACCOUNT), pool)
        await bot.settle_in()
        settings = demo_settings(database_url=url, venue=venue, sign_in=sign_in)
        redactor = Redactor(settings.secret_values())
        configure_logs(format="json", redactor=redactor, stream=LogTail(show.log))
        show.say("starting the daemon …")
        performance.url = await stack.enter_async_context(_daemon(settings, redactor))
        show.say(
            f"the daemon works: {performance.url}/health and {performance.url}/metrics",
        )
        stage = Stage(
            pool=pool,
            venue=venue,
            bot=bot,
            sign_in=sign_in,
            health_url=f"{performance.url}/health",
        )

        def tell(scene: Scene) -> None:
            performance.scene = scene
            show.draw()

        await stack.enter_async_context(_alongside(stage.keep_looking(tell)))
        yield stage


@contextlib.asynccontextmanager
async def _daemon(settings: Settings, redactor: Redactor) -> AsyncIterator[str]:
    """The daemon as `reconciler run` runs it; its HTTP address. Stopped as SIGTERM stops it."""
    stop = asyncio.Event()
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def started(daemon: Daemon) -> None:
        if not listening.done():  # cancelled: the demo ends before it has begun
            listening.set_result(daemon.http.url)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run_daemon(settings, redactor, stop=stop, started=started))
        try:
            yield await listening
        finally:
            stop.set()
            await asyncio.wait({running}, timeout=DAEMON_STOPS_WITHIN.total_seconds())
            running.cancel()


@contextlib.asynccontextmanager
async def _alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        try:
            yield
        finally:
            task.cancel()


@contextlib.asynccontextmanager
async def _pool(url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(url, size=3)
    try:
        yield pool
    finally:
        pool.terminate()


@contextlib.asynccontextmanager
async def _own_database(server_url: str) -> AsyncIterator[str]:
    """A new database on that server, dropped at the end. Raises DatabaseUnavailableError."""
    name = f"reconciler_demo_{secrets.token_hex(6)}"
    try:
        connection = await connect(server_url)
    except CONNECT_ERRORS as error:
        raise DatabaseUnavailableError(f"the server did not answer: {error}") from error
    try:
        await connection.execute(f'create database "{name}"')
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseUnavailableError(f"the demo makes a database of its own: {error}") from error
    finally:
        with contextlib.suppress(*CONNECT_ERRORS):  # a server that has gone has nothing to drop
            await connection.execute(f'drop database if exists "{name}" with (force)')
        connection.terminate()
