"""`ports.Venue` over the simulated exchange: late, torn, partial, throttled, or silent."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.domain.errors import VenueUnavailableError
from reconciler.domain.identity import AccountName, Symbol
from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.domain.positions import VenuePosition
from reconciler.domain.snapshot import (
    AnswerKind,
    Completeness,
    Failure,
    Found,
    Lookup,
    NotFound,
    Scope,
    ScopeName,
    Snapshot,
    Unanswered,
)
from tests.simulation.clock import VirtualLoop
from tests.simulation.exchange import MARKETS, Exchange, State
from tests.simulation.process import Process

POSITIONS, OPEN, TRIGGER = ScopeName.POSITIONS, ScopeName.OPEN_ORDERS, ScopeName.TRIGGER_ORDERS
WHOLE = {
    name: Scope(name=name, completeness=Completeness.COMPLETE)
    for name in (POSITIONS, OPEN, TRIGGER)
}
USUAL_LAG = 2.0
"""Seconds that a replica is behind at most, in good times."""


@dataclass(slots=True)
class VenueFaults:
    """What is wrong with the venue now; scenes switch these on and off."""

    failing: dict[ScopeName, AnswerKind] = field(default_factory=dict)
    partial: set[ScopeName] = field(default_factory=set)
    retry_after: timedelta | None = None
    lookups: AnswerKind | None = None
    markets: AnswerKind | None = None
    slow: float = 0.0
    """Seconds that each call takes longer."""
    lag: float = 0.0
    """Seconds that listings are behind, at most, above the usual."""
    wrong_account: bool = False
    """The key is of another account: complete, and empty."""
    skew: timedelta = timedelta(0)
    stumble: float = 0.01
    """The share of single calls that fail."""


class VenueTwin:
    """One process's connection to the exchange."""

    def __init__(
        self,
        exchange: Exchange,
        faults: VenueFaults,
        process: Process,
        *,
        loop: VirtualLoop,
        luck: random.Random,
        account: AccountName,
    ) -> None:
        self.account = account
        self._exchange = exchange
        self._faults = faults
        self._process = process
        self._loop = loop
        self._luck = luck.random
        self._shown: dict[ScopeName, float] = {}

    async def prepare(self) -> None:
        """Markets; raises VenueUnavailableError."""
        kind = self._faults.markets
        if kind is not None:
            await self._process.step(1.0)
            raise VenueUnavailableError(self._failure(kind, "markets"))

    def symbol_of(self, raw: str) -> Symbol:
        """The bot writes them as ccxt does."""
        return Symbol(raw)

    async def close(self) -> None:
        """Nothing is held."""

    async def snapshot(
        self,
        *,
        now: datetime,
        symbols: Iterable[Symbol] = (),
        only: frozenset[ScopeName] | None = None,
    ) -> Snapshot:
        """Positions, then orders: each from its own replica, at its own time."""
        del symbols
        scopes: dict[ScopeName, Scope] = {}
        orders: tuple[VenueOrder, ...] = ()
        positions: tuple[VenuePosition, ...] = ()
        whole = True
        for name in (POSITIONS, OPEN, TRIGGER):
            if only is not None and name not in only:
                continue
            await self._process.step(0.05 + 0.5 * self._luck() + self._faults.slow)
            scope = self._scope(name, scopes)
            scopes[name] = self.told(scope)
            whole = whole and scope is WHOLE[name]
            state = self._view(name)
            if name is POSITIONS:
                positions = self._listed(scope, state.positions)
                self._note_positions(scope, state, is_first=only is None)
                whole = True  # orders have their own scopes
            elif name is OPEN:
                orders = self._listed(scope, state.open_orders)
            else:
                orders = (*orders, *self._listed(scope, state.trigger_orders))
        if only is None:
            self._process.seen.orders_complete = whole
        return Snapshot(
            account=self.account,
            taken_at=now,
            scopes=scopes,
            orders=orders,
            positions=positions,
            markets=MARKETS,
            venue_clock_skew=self._faults.skew,
        )

    def _note_positions(self, scope: Scope, state: State, *, is_first: bool) -> None:
        seen = self._process.seen
        if is_first:
            seen.positions, seen.positions_scope = state, scope.completeness
            seen.is_wrong_account = self._faults.wrong_account
            seen.skew = max(seen.skew, abs(self._faults.skew))
        elif scope.completeness is Completeness.FAILED:
            seen.read_again = False

    def _scope(self, name: ScopeName, before: dict[ScopeName, Scope]) -> Scope:
        faults = self._faults
        kind = faults.failing.get(name)
        if kind is None and self._luck() < faults.stumble:
            kind = AnswerKind.NO_ANSWER
        if kind is None and any(_is_throttled(scope) for scope in before.values()):
            kind = AnswerKind.THROTTLED
        if kind is not None:
            failure = self._failure(kind, name)
            return Scope(name=name, completeness=Completeness.FAILED, failure=failure)
        if name in faults.partial:
            failure = self._failure(AnswerKind.NO_ANSWER, name)
            return Scope(name=name, completeness=Completeness.PARTIAL, failure=failure)
        return WHOLE[name]

    def told(self, scope: Scope) -> Scope:
        """What is said of a scope: a mutation lies."""
        return scope

    def _failure(self, kind: AnswerKind, call: str) -> Failure:
        retry_after = self._faults.retry_after if kind is AnswerKind.THROTTLED else None
        return Failure(kind=kind, call=call, detail=f"simulated {kind}", retry_after=retry_after)

    def _view(self, name: ScopeName) -> State:
        """A replica shows the past, and never goes back."""
        most = USUAL_LAG + self._faults.lag
        shown = max(self._shown.get(name, 0.0), self._loop.now - most * self._luck())
        self._shown[name] = shown
        return self._exchange.at(shown)

    def _listed(self, scope: Scope, rows: tuple) -> tuple:  # type: ignore[type-arg]
        if self._faults.wrong_account or scope.completeness is Completeness.FAILED:
            return ()
        return rows[: len(rows) // 2] if scope.completeness is Completeness.PARTIAL else rows

    async def look_up(self, order: BookOrder, *, now: datetime) -> Lookup:
        """Climb the ladder of rule 2 for one order."""
        del now
        await self._process.step(0.05 + 0.2 * self._luck() + self._faults.slow)
        lookup = self._process.seen.lookups[order.id] = self._looked_up(order)
        return self.answered(lookup)

    def answered(self, lookup: Lookup) -> Lookup:
        """What is said of a lookup: a mutation lies."""
        return lookup

    def _looked_up(self, order: BookOrder) -> Lookup:
        kind = self._faults.lookups
        if kind is None and self._luck() < self._faults.stumble:
            kind = AnswerKind.NO_ANSWER
        if kind is not None:
            return Unanswered(failure=self._failure(kind, "order"))
        found = None if self._faults.wrong_account else self._exchange.lookup(order)
        if found is None:
            return NotFound(rungs=("venue_order_id", "client_order_id", "fills"))
        by_id = found.venue_order_id == order.venue_order_id
        return Found(order=found, by="venue_order_id" if by_id else "client_order_id")


def _is_throttled(scope: Scope) -> bool:
    return scope.failure is not None and scope.failure.kind is AnswerKind.THROTTLED
