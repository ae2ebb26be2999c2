"""What a cycle needs from the world, as Protocols. Adapters implement them; tests may too."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol, TypeAlias

from reconciler.domain.identity import AccountName, Symbol
from reconciler.domain.orders import BookOrder
from reconciler.domain.snapshot import Lookup, Snapshot

SymbolOf: TypeAlias = Callable[[str], Symbol]
"""Brings any spelling of a market to its one key."""


class Venue(Protocol):
    """One account at one venue, read only."""

    @property
    def account(self) -> AccountName:
        """The account's name in the configuration."""

    async def prepare(self) -> None:
        """Load what translating needs (markets). Idempotent; cheap when done.

        Raises VenueUnavailableError with a classified failure.
        """

    def symbol_of(self, raw: str) -> Symbol:
        """The one key of a market, from any of its spellings. Pure; needs `prepare`."""

    async def snapshot(self, *, now: datetime, symbols: Iterable[Symbol] = ()) -> Snapshot:
        """Every scope once. Never raises for the venue's failures: they are in the scopes."""

    async def look_up(self, order: BookOrder, *, now: datetime) -> Lookup:
        """Climb the ladder of rule 2 for one order."""

    async def close(self) -> None:
        """Release sockets. Idempotent."""
