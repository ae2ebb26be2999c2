"""What the accounts of one venue and host share: markets, HTTP session, TLS context, budget.

Each alone costs an account about a megabyte and 18 ms; a thousand of them fit in one process only
because they share (DESIGN section 10).
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp

from reconciler.venue.classify import VenueCallError, again
from reconciler.venue.connection import AccountConnection, Exchange, ccxt_module
from reconciler.venue.description import VenueDescription
from reconciler.venue.rate_budget import RateBudget
from reconciler.venue.symbols import Symbols

RELOAD_AFTER = timedelta(hours=6)
RELOAD_FOR_UNKNOWN_AFTER = timedelta(minutes=10)
"""A market that was listed since the last load is looked for at most this often."""


class EmptyMarketsError(Exception):
    """The venue listed no market: taken as no answer."""


class SharedConnection:
    """One venue at one host."""

    def __init__(self) -> None:
        self.symbols = Symbols({})
        self._session: aiohttp.ClientSession | None = None
        self._ssl_context: ssl.SSLContext | None = None
        self._budget: RateBudget | None = None
        self._description: VenueDescription | None = None
        self._keeper: Exchange | None = None
        """Holds the loaded markets; makes no request, has no credentials."""
        self._loaded_at = 0.0
        self._tried_at = 0.0
        self._failed_at = 0.0
        self._failure: VenueCallError | None = None
        self._loading = asyncio.Lock()

    @property
    def is_loaded(self) -> bool:
        """Markets are there, however old."""
        return self._keeper is not None

    @property
    def budget(self) -> RateBudget | None:
        """The request budget, None before the first account is connected."""
        return self._budget

    def connect(
        self, exchange: Exchange, description: VenueDescription, connection: AccountConnection
    ) -> RateBudget:
        """Give an exchange the shared session, TLS context and budget. Needs a running loop."""
        if self._session is None:
            self._ssl_context = ssl.create_default_context(cafile=exchange.cafile)
            self._session = aiohttp.ClientSession(
                # The budget limits what is under way; a pool limit would let one account's
                # hanging requests keep another's from starting.
                connector=aiohttp.TCPConnector(ssl=self._ssl_context, limit=0),
                # Accounts share the session, so they must not share cookies.
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[_no_redirects()],
            )
        self._description = description
        if self._budget is None:
            per_minute = description.weight_per_minute or 60_000 / exchange.rateLimit
            self._budget = RateBudget(weight_per_minute=per_minute * connection.rate_share)
        exchange.session = self._session
        exchange.own_session = False
        exchange.ssl_context = self._ssl_context
        exchange.throttler = self._budget
        self.share_markets(exchange)
        return self._budget

    def share_markets(self, exchange: Exchange) -> None:
        """Give an exchange the markets that are loaded, if any. Cheap."""
        keeper = self._keeper
        if keeper is not None and exchange.markets is not keeper.markets:
            exchange.set_markets_from_exchange(keeper)

    def needs_markets(self, *, unknown_seen: bool = False) -> bool:
        """Tell whether markets are to be loaded now."""
        if self._keeper is None:
            return True
        now = time.monotonic()
        if now - self._tried_at < RELOAD_FOR_UNKNOWN_AFTER.total_seconds():
            return False
        return unknown_seen or now - self._loaded_at > RELOAD_AFTER.total_seconds()

    async def load_markets(
        self,
        exchange: Exchange,
        load: Callable[[], Awaitable[Any]],
        *,
        unknown_seen: bool = False,
    ) -> None:
        """Load markets through one account for all; the others wait and share.

        Raises:
            Whatever `load` raises; markets that were loaded before stay.

        """
        asked_at = time.monotonic()
        async with self._loading:
            if not self.needs_markets(unknown_seen=unknown_seen):
                self.share_markets(exchange)
                return
            if self._failed_at > asked_at and self._failure is not None:
                # It failed for another account while this one waited: asking again, a thousand
                # accounts would wait for a thousand timeouts.
                raise again(self._failure)
            self._tried_at = time.monotonic()
            try:
                await load()
            except BaseException as error:
                if isinstance(error, VenueCallError):
                    self._failure, self._failed_at = error, time.monotonic()
                # ccxt keeps what a failed load left, and would not load again.
                exchange.markets = None
                self.share_markets(exchange)
                raise
            self._keep(exchange, self._description)

    def _keep(self, exchange: Exchange, description: VenueDescription | None) -> None:
        keeper = getattr(ccxt_module(), exchange.id)({"session": None})
        keeper.set_markets_from_exchange(exchange)
        self._keeper = keeper
        self._loaded_at = time.monotonic()
        self.symbols = Symbols(
            exchange.markets,
            default_type=exchange.options.get("defaultType"),
            implied_quote=description.implied_quote if description else None,
        )

    async def close(self) -> None:
        """Close the session. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class SharedConnections:
    """All venues of one process. Give the same one to every account; close it last."""

    def __init__(self) -> None:
        self._by_host: dict[tuple[str, str | None, bool], SharedConnection] = {}

    def of(self, connection: AccountConnection) -> SharedConnection:
        """Return what the accounts of that venue and host share."""
        key = (connection.venue, connection.base_url, connection.sandbox)
        return self._by_host.setdefault(key, SharedConnection())

    async def close(self) -> None:
        """Close every session. Idempotent."""
        for shared in self._by_host.values():
            await shared.close()


def _no_redirects() -> aiohttp.TraceConfig:
    """Refuse to follow redirects: the request's headers hold the API key."""

    async def refuse(
        _session: aiohttp.ClientSession,
        _context: object,
        params: aiohttp.TraceRequestRedirectParams,
    ) -> None:
        target = params.response.headers.get("Location", "").partition("?")[0]
        raise aiohttp.ClientError(f"redirected to {target}, not followed")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(refuse)
    return tracing
