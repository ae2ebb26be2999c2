"""What an operator's command needs to write at a venue, and what it answers."""

import contextlib
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from reconciler.domain.acting import (
    CannotActError,
    Declined,
    ReducingOrder,
    Sending,
    VenueRequest,
)
from reconciler.domain.errors import VenueMisconfiguredError, VenueUnavailableError
from reconciler.domain.identity import ClientOrderId
from reconciler.domain.orders import VenueOrder
from reconciler.incidents.errors import RefusedError

NEVER_SENT = (CannotActError, VenueUnavailableError, VenueMisconfiguredError)
"""Raised before a request is sent."""
Outcome = Literal["dry_run", "confirmed", "partial", "not_done", "unknown"]


class Acting(Protocol):
    """One account, written to. Each method raises a ReconcilerError before anything is sent."""

    async def client_order_id(self, token: str) -> ClientOrderId:
        """The id of ours that a token of letters and digits makes at this venue."""

    async def preview_close(self, order: ReducingOrder) -> VenueRequest:
        """What `close` sends, proven to be reduce-only."""

    async def close(self, order: ReducingOrder) -> Sending:
        """Send it, once."""

    async def preview_cancel(self, order: VenueOrder) -> VenueRequest:
        """What `cancel` sends."""

    async def cancel(self, order: VenueOrder) -> Sending:
        """Send it, once."""


@contextlib.contextmanager
def refused_where_it_cannot() -> Iterator[None]:
    """A venue that cannot be asked, or not so, refuses the command: nothing was sent."""
    try:
        yield
    except NEVER_SENT as error:
        raise RefusedError(str(error)) from error


async def declined_where_it_cannot(sending: Awaitable[Sending]) -> Sending:
    """The same once the intent is written: the command ends as one that the venue declined."""
    try:
        return await sending
    except NEVER_SENT as error:
        return Declined(why=str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionReport:
    """What an action at a venue would send, or what came of it. Quantities in base units."""

    operation: str
    """`positions close` or `orders cancel`."""
    account: str
    target: str
    symbol: str
    side: str
    incident_id: int
    outcome: Outcome
    """`unknown`: not settled; the same command with `execute` reads again, and sends nothing."""
    said: str
    request: VenueRequest | None = None
    """What goes, or went, over the wire. None where an earlier command was settled."""
    client_order_id: str | None = None
    qty: Decimal | None = None
    """What was to be closed, or what the order to cancel had left."""
    done_qty: Decimal | None = None
    """What is known to be closed, or to have filled of the order."""
    operation_id: int | None = None
