"""What exists once an account is connected: its exchange, its calls, its translator."""

from collections.abc import Iterable

from reconciler.domain.identity import Symbol
from reconciler.domain.orders import VenueOrder
from reconciler.domain.positions import Conversion, Market, VenuePosition
from reconciler.domain.snapshot import AnswerKind, Failure, ScopeName
from reconciler.venue.account_mode import ONE_LOOK, AccountModeProof
from reconciler.venue.calls import Observe, VenueCalls
from reconciler.venue.classify import VenueCallError
from reconciler.venue.connection import AccountConnection, Exchange, build_exchange
from reconciler.venue.description import CallName
from reconciler.venue.lookup import OrderLookup
from reconciler.venue.markets import markets_of
from reconciler.venue.scope_reading import (
    CALL_OF,
    Listed,
    Translated,
    read_scope,
    translate_scope,
)
from reconciler.venue.shared_connection import EmptyMarketsError, SharedConnection
from reconciler.venue.translator import Translator

NO_USE_IN_GOING_ON = frozenset({AnswerKind.THROTTLED})
"""After this the other scopes are not asked: they would get the same answer, and cost more. Not so
after a refused login: rights are per endpoint, and a ghost may show in the next scope."""


class AccountReader:
    """What exists once an account is connected."""

    def __init__(
        self, connection: AccountConnection, shared: SharedConnection, observe: Observe
    ) -> None:
        self.exchange: Exchange
        self.exchange, self.description = build_exchange(connection)
        budget = shared.connect(self.exchange, self.description, connection)
        self.calls = VenueCalls(
            description=self.description,
            budget=budget,
            secrets=connection.secrets,
            observe=observe,
        )
        self.mode = AccountModeProof(
            exchange=self.exchange, calls=self.calls, mode=self.description.account_mode
        )
        self.translator = Translator(self.exchange, self.description, shared)
        self.lookup = OrderLookup(
            exchange=self.exchange,
            description=self.description,
            calls=self.calls,
            translator=self.translator,
        )
        self._shared = shared
        self._deadline = connection.scope_deadline

    async def load_markets(self, *, unknown_seen: bool = False) -> None:
        """Load markets if it is time to; share them otherwise.

        Raises:
            VenueCallError: they were not listed; those that were loaded before stay.

        """
        # Where many markets are never loaded, an unknown one is no news.
        unknown_seen = unknown_seen and self.description.lists_all_markets

        async def request() -> None:
            await self.exchange.load_markets(reload=True)
            if not self.exchange.markets:
                raise EmptyMarketsError("the venue listed no market")

        async def load() -> None:
            await self.calls.make(CallName.MARKETS, request)

        if not self._shared.needs_markets(unknown_seen=unknown_seen):
            self._shared.share_markets(self.exchange)
            return
        async with self.calls.within(self._deadline, CallName.MARKETS):
            await self._shared.load_markets(self.exchange, load, unknown_seen=unknown_seen)

    async def read_scopes(self, names: Iterable[ScopeName]) -> list[Listed]:
        """Read these scopes one after the other."""
        scopes: list[Listed] = []
        hopeless: Failure | None = None
        for name in names:
            if hopeless is not None:
                scopes.append(Listed(scope=name, failure=hopeless))
                continue
            try:
                async with self.calls.within(self._deadline, CALL_OF[name]):
                    await self.mode.prove(CALL_OF[name], no_older_than=ONE_LOOK)
                    scopes.append(
                        await read_scope(
                            name,
                            exchange=self.exchange,
                            description=self.description,
                            calls=self.calls,
                        )
                    )
            except VenueCallError as error:
                scopes.append(Listed(scope=name, failure=error.failure))
                if error.failure.kind in NO_USE_IN_GOING_ON:
                    hopeless = error.failure
        return scopes

    async def translate(self, scopes: list[Listed]) -> list[Translated]:
        """Translate the scopes; again with fresh markets where some market is unknown."""
        translated = [await translate_scope(part, self.translator) for part in scopes]
        seen = {symbol for part in translated for symbol in symbols_of(part.orders, part.positions)}
        unknown = any(part.unknown_market for part in translated) or any(
            symbol not in self._shared.symbols for symbol in seen
        )
        unknown = unknown and self.description.lists_all_markets
        if not unknown or not self._shared.needs_markets(unknown_seen=True):
            return translated
        try:
            await self.load_markets(unknown_seen=True)
        except VenueCallError:
            # The old markets stay; an unknown one keeps its compact name on both sides.
            return translated
        return [await translate_scope(part, self.translator) for part in scopes]

    def wants_balances(self, asked: Iterable[Symbol]) -> bool:
        """Tell whether balances are worth a call: always, or where spot markets are asked for."""
        if self.description.balances_always:
            return True
        return any(market.held_as_balance for market in self.markets_of(asked).values())

    def markets_of(self, symbols: Iterable[Symbol]) -> dict[Symbol, Market]:
        """Return what judging needs of those markets."""
        return markets_of(
            symbols,
            self.exchange.markets or {},
            precision_mode=self.exchange.precisionMode,
            description=self.description,
        )


def not_converted(positions: Iterable[VenuePosition]) -> tuple[str, ...]:
    """Return what is said of inverse positions whose size is known roughly, or not at all."""
    roughly = {Conversion.BY_MARK_PRICE, Conversion.UNKNOWN}
    found = sorted({p.symbol for p in positions if p.conversion in roughly})
    if not found:
        return ()
    return (f"the exact size of inverse positions without an entry price: {', '.join(found)}",)


def symbols_of(orders: Iterable[VenueOrder], positions: Iterable[VenuePosition]) -> set[Symbol]:
    """Return every market that is named."""
    return {order.symbol for order in orders} | {p.symbol for p in positions}
