"""One account at one venue, read only: the adapter behind the port `Venue`."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from reconciler.domain.errors import VenueUnavailableError
from reconciler.domain.identity import AccountName, Asset, Symbol
from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.domain.positions import VenueBalance
from reconciler.domain.snapshot import Lookup, ScopeName, Snapshot, Unanswered
from reconciler.rules.scheduling import LookCost
from reconciler.venue.account_mode import LOOKUPS
from reconciler.venue.account_reader import AccountReader, not_converted, symbols_of
from reconciler.venue.calls import Observe, observe_nothing
from reconciler.venue.classify import VenueCallError
from reconciler.venue.connection import AccountConnection, ccxt_module
from reconciler.venue.description import CallName, VenueDescription
from reconciler.venue.descriptions.key_rights import KEY_RIGHTS
from reconciler.venue.key_rights import KeyRights, rights_in
from reconciler.venue.raw_calls import asking
from reconciler.venue.scope_reading import Listed, Translated
from reconciler.venue.shared_connection import SharedConnections


class CcxtAccount:
    """Reads one account through an unmodified ccxt class."""

    def __init__(
        self,
        connection: AccountConnection,
        *,
        shared: SharedConnections | None = None,
        observe: Observe = observe_nothing,
    ) -> None:
        """Describe the account; nothing is connected before `prepare`.

        `shared` is what the accounts of one process share, and is then closed by its owner.
        """
        self._connection = connection
        own = SharedConnections()
        self._owned = own if shared is None else None
        self._shared = (own if shared is None else shared).of(connection)
        self._observe = observe
        self._reader: AccountReader | None = None
        self._connecting = asyncio.Lock()

    @property
    def account(self) -> AccountName:
        """The account's name in the configuration."""
        return self._connection.name

    @property
    def description(self) -> VenueDescription | None:
        """What is known of the venue; None before `prepare`."""
        return self._reader.description if self._reader else None

    @property
    def place(self) -> tuple[str, str]:
        """The venue and host whose budget this account's looks are taken from."""
        connection = self._connection
        sandbox = f"{connection.venue}'s sandbox" if connection.sandbox else connection.venue
        return sandbox, connection.base_url or ""

    @property
    def look(self) -> LookCost | None:
        """What a look costs; None before the first account of its venue is connected."""
        return self._shared.look

    async def connect(self) -> AccountReader:
        """Build the exchange, without any request. Idempotent.

        Raises:
            VenueMisconfiguredError: unknown venue, or a credential is missing.

        """
        return await self._connected()

    async def prepare(self) -> None:
        """Connect, and load markets where nobody did yet. Idempotent; cheap when done.

        Raises:
            VenueMisconfiguredError: unknown venue, or a credential is missing.
            VenueUnavailableError: the venue did not list its markets.

        """
        reader = await self._connected()
        try:
            await reader.load_markets()
        except VenueCallError as error:
            if not self._shared.is_loaded:
                raise VenueUnavailableError(error.failure) from error

    def symbol_of(self, raw: str) -> Symbol:
        """Return the one key of a market, from any of its spellings. Pure; needs `prepare`."""
        return self._shared.symbols.of(raw)

    def covers(self, symbol: Symbol) -> bool:
        """Tell whether the account's allow-list has this market. Pure; needs `prepare`."""
        allowed = self._allowed()
        return allowed is None or symbol in allowed

    def _allowed(self) -> frozenset[Symbol] | None:
        allowed = self._connection.symbols
        return frozenset(self.symbol_of(raw) for raw in allowed) if allowed else None

    async def snapshot(
        self,
        *,
        now: datetime,
        symbols: Iterable[Symbol] = (),
        only: frozenset[ScopeName] | None = None,
    ) -> Snapshot:
        """Read every scope once, or `only` some. The venue's failures are in the scopes.

        Raises:
            VenueMisconfiguredError: unknown venue, or a credential is missing.

        """
        reader = await self._connected()
        names = [n for n in reader.description.scopes() if only is None or n in only]
        asked = frozenset(symbols)
        try:
            await self.prepare()
        except VenueUnavailableError as error:
            # Whether it trades spot is not known without the markets.
            expected = [n for n in names if n is not ScopeName.BALANCES]
            scopes = [Listed(scope=name, failure=error.failure) for name in expected]
        else:
            if not reader.wants_balances(asked):
                names = [name for name in names if name is not ScopeName.BALANCES]
            scopes = await reader.read_scopes(names)
        translated = await reader.translate(scopes)
        return self._assembled(reader, translated, now=now, symbols=asked)

    async def look_up(self, order: BookOrder, *, now: datetime) -> Lookup:
        """Climb the ladder of rule 2 for one order.

        Raises:
            VenueMisconfiguredError: unknown venue, or a credential is missing.

        """
        reader = await self._connected()
        try:
            await self.prepare()
            async with reader.calls.within(self._connection.scope_deadline, CallName.ORDER):
                if order.symbol not in self._shared.symbols:
                    await reader.load_markets(unknown_seen=True)
                    order = replace(order, symbol=self.symbol_of(order.raw_symbol))
                await reader.mode.prove(CallName.ORDER, no_older_than=LOOKUPS)
                return await reader.lookup.look_up(order, now=now)
        except (VenueUnavailableError, VenueCallError) as error:
            return Unanswered(failure=error.failure)

    async def key_rights(self) -> KeyRights | None:
        """What the account's key may do; None where the venue does not tell.

        Raises:
            VenueMisconfiguredError: unknown venue, or a credential is missing.
            VenueUnavailableError: it was asked, and gave no answer.

        """
        reader = await self._connected()
        call = KEY_RIGHTS.get(reader.exchange.id)
        if call is None:
            return None
        ask = asking(reader.exchange, call.method)
        try:
            async with reader.calls.within(self._connection.timeout, CallName.KEY_RIGHTS):
                answer, _ = await reader.calls.make(
                    CallName.KEY_RIGHTS, lambda: ask(dict(call.params))
                )
        except VenueCallError as error:
            raise VenueUnavailableError(error.failure) from error
        return rights_in(call, answer, self._connection.api_key or "")

    def lists(self, symbol: Symbol) -> bool | None:
        """Tell whether the venue has this market; None where not all are known. Needs `prepare`."""
        if symbol in self._shared.symbols:
            return True
        description = self.description
        knows_all = description is not None and description.lists_all_markets
        return False if knows_all and self._shared.is_loaded else None

    async def close(self) -> None:
        """Release what this account holds. Idempotent."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.exchange.close()
        if self._owned is not None:
            await self._owned.close()

    async def _connected(self) -> AccountReader:
        async with self._connecting:
            if self._reader is None:
                # The import takes half a second, several without compiled files.
                await asyncio.to_thread(ccxt_module)
                self._reader = AccountReader(self._connection, self._shared, self._observe)
            return self._reader

    def _assembled(
        self,
        reader: AccountReader,
        translated: list[Translated],
        *,
        now: datetime,
        symbols: Iterable[Symbol],
    ) -> Snapshot:
        orders = _without_doubles(order for part in translated for order in part.orders)
        positions = [position for part in translated for position in part.positions]
        allowed = self._allowed()
        covered_orders = tuple(o for o in orders if allowed is None or o.symbol in allowed)
        covered_positions = tuple(p for p in positions if allowed is None or p.symbol in allowed)
        left_out = len(orders) + len(positions) - len(covered_orders) - len(covered_positions)
        return Snapshot(
            account=self.account,
            taken_at=now,
            scopes={part.scope.name: part.scope for part in translated},
            orders=covered_orders,
            positions=covered_positions,
            balances=_summed(balance for part in translated for balance in part.balances),
            markets=reader.markets_of({*symbols, *symbols_of(orders, positions)}),
            venue_clock_skew=reader.calls.venue_clock_skew,
            is_described=reader.description.is_described,
            not_covered=(
                *reader.description.not_covered,
                *self._not_allowed(left_out),
                *not_converted(positions),
            ),
        )

    def _not_allowed(self, left_out: int) -> tuple[str, ...]:
        if not self._connection.symbols:
            return ()
        return (f"symbols outside the account's allow-list ({left_out} rows left out)",)


def _without_doubles(orders: Iterable[VenueOrder]) -> list[VenueOrder]:
    """Drop what overlapping pages or scopes show twice."""
    seen = {(order.symbol, order.venue_order_id, order.is_trigger): order for order in orders}
    return list(seen.values())


def _summed(balances: Iterable[VenueBalance]) -> tuple[VenueBalance, ...]:
    """One balance for each currency: some venues keep several accounts of one."""
    totals: dict[Asset, Decimal] = defaultdict(Decimal)
    for balance in balances:
        totals[balance.asset] += balance.total
    return tuple(VenueBalance(asset=a, total=t) for a, t in sorted(totals.items()) if t)
