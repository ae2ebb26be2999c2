"""What the accounts of one venue and host share: markets, HTTP session, TLS context, budget.

Each alone costs an account about a megabyte and 18 ms; a thousand of them fit in one process only
because they share (DESIGN section 10).
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp

from reconciler.rules.scheduling import LookCost
from reconciler.venue.classify import VenueCallError, again
from reconciler.venue.connection import AccountConnection, Exchange, ccxt_module
from reconciler.venue.description import VenueDescription
from reconciler.venue.look_weight import weights_of_look
from reconciler.venue.rate_budget import RateBudget
from reconciler.venue.symbols import Symbols

RELOAD_AFTER = timedelta(hours=6)
RELOAD_FOR_UNKNOWN_AFTER = timedelta(minutes=10)
"""A market that was listed since the last load is looked for at most this often."""


STATIC_TABLES = ("api", "exceptions")
"""ccxt copies these tables of its class into every instance (210 of 260 KiB), and only reads them:
the accounts share the first one's."""


class EmptyMarketsError(Exception):
    """The venue listed no market: taken as no answer."""


class SharedConnection:
    """One venue at one host."""

    def __init__(self) -> None:
        self.symbols = Symbols({})
        self._tables: dict[str, Any] = {}
        self._session: aiohttp.ClientSession | None = None
        self._ssl_context: ssl.SSLContext | None = None
        self._look: LookCost | None = None
        self._address_budget: RateBudget | None = None
        """None where the venue counts by account only."""
        self._account_budgets: dict[str, RateBudget] = {}
        """By key: one account under two names is one to the venue."""
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
    def look(self) -> LookCost | None:
        """What a look of one account costs, None before the first account is connected."""
        return self._look

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
        budget = self._budget_for(exchange, description, connection)
        for name in STATIC_TABLES:
            setattr(exchange, name, self._tables.setdefault(name, getattr(exchange, name)))
        exchange.session = self._session
        exchange.own_session = False
        exchange.ssl_context = self._ssl_context
        exchange.throttler = budget
        self.share_markets(exchange)
        return budget

    def _budget_for(
        self, exchange: Exchange, description: VenueDescription, connection: AccountConnection
    ) -> RateBudget:
        """Return the budget that the venue counts this account's calls on."""
        share = connection.rate_share
        if self._look is None:
            self._look = _cost_of_look(exchange, description, share)
            by_address = self._look.requests_per_minute
            if not self._look.per_account:
                by_address = self._look.weight_per_minute
            if by_address is not None:
                self._address_budget = RateBudget(weight_per_minute=by_address, share=share)
        # One venue, several shares: the bot that needs most gets it.
        self._look = replace(self._look, rate_share=min(self._look.rate_share, share))
        if self._address_budget is not None:
            self._address_budget.at_most(share)
            if not self._look.per_account:
                return self._address_budget
        key = connection.api_key or connection.wallet_address or connection.name
        budget = self._account_budgets.setdefault(
            key,
            RateBudget(
                weight_per_minute=self._look.weight_per_minute,
                share=share,
                address=self._address_budget,
            ),
        )
        budget.at_most(share)
        return budget

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
            is_loaded = False
            try:
                await load()
                is_loaded = True
            except VenueCallError as error:
                self._failure, self._failed_at = error, time.monotonic()
                raise
            finally:
                if not is_loaded:  # ccxt keeps what a failed load left, and would not load again
                    exchange.markets = None
                    self.share_markets(exchange)
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


def _cost_of_look(exchange: Exchange, description: VenueDescription, share: float) -> LookCost:
    # On an instance of its own: listening takes its throttler and its markets away.
    listener = getattr(ccxt_module(), exchange.id)({"session": None})
    for name, value in exchange.options.items():
        listener.options[name] = value
    weights = weights_of_look(listener, description)
    return LookCost(
        weight=sum(weights),
        requests=len(weights),
        weight_per_minute=description.weight_per_minute or 60_000 / exchange.rateLimit,
        rate_share=share,
        per_account=description.budget_per_account,
        requests_per_minute=description.requests_per_minute_and_address,
    )


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
