"""What we must know of a venue to read a whole account, as data: one frozen value per venue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from reconciler.domain.snapshot import AnswerKind, ScopeName


class CallName(StrEnum):
    """What a request to a venue is for: the bounded label `call` of the metrics."""

    MARKETS = "markets"
    OPEN_ORDERS = "open_orders"
    TRIGGER_ORDERS = "trigger_orders"
    POSITIONS = "positions"
    ORDER = "order"
    FILLS = "fills"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerShape:
    """What a right answer of one endpoint looks like; anything else is no answer."""

    path: str
    """The end of the URL's path."""
    rows_at: tuple[str, ...] | None = None
    """Keys that lead to the list of rows, `()` for a list at the top; None: no list, an object."""
    keys: tuple[str, ...] = ()
    """Keys that the object must have."""
    may_be_empty: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How one listing goes on after its first page."""

    size: int
    """Rows of a full page."""
    limit_param: str | None = None
    """The parameter that asks for pages of that size."""
    cursor_param: str | None = None
    cursor_at: tuple[str, ...] = ()
    """Keys that lead to the next page's cursor in the answer; an empty one ends the listing."""
    page_param: str | None = None
    """The parameter of a page number; the first page is 1. A page that is not full is the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingCall:
    """One call that lists part of a scope. All calls of a scope together cover it."""

    scope: ScopeName
    method: str
    """The name of ccxt's method: its implicit call of an endpoint, or a unified one."""
    params: Mapping[str, Any] = field(default_factory=dict)
    rows_at: tuple[str, ...] | None = None
    """Where the answer of an implicit call has its rows; None: the method is a unified one."""
    paging: Paging | None = None
    looks_full_at: frozenset[int] = frozenset()
    """Row counts that look like a page limit where the paging is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """The fields of a raw position row: a signed quantity in contracts, and the leg."""

    symbol: str
    qty: str
    leg: str
    legs: Mapping[str, str | None]
    """The venue's word for a leg: `long`, `short`, or None for the net position."""
    entry_price: str
    mark_price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupCall:
    """One question after one order, through ccxt's `fetch_order`."""

    by_client_order_id: bool = False
    client_order_id_param: str = "clientOrderId"
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsCall:
    """How executions are listed, through ccxt's `fetch_my_trades`."""

    window: timedelta | None = None
    """The longest span of one call; None where the venue sets none."""
    page: int = 100
    kept: timedelta | None = None
    """Fills older than this are no longer listed."""
    looks_full_at: frozenset[int] = frozenset()
    """Row counts that look like a page limit, where the venue's own is not known."""
    order_id_param: str | None = None
    client_order_id_at: str | None = None
    """The field of a raw fill that carries the client order id, None where it carries none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFoundWords:
    """The one error by which a venue says that it does not know an order."""

    error: str = "OrderNotFound"
    """ccxt's class."""
    words: str = ""
    """What its text must contain besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWords:
    """Where raw orders keep their status, and the venue's words that ccxt's do not tell apart."""

    at: tuple[str, ...] = ("status",)
    in_flight: frozenset[str] = frozenset()
    canceled: frozenset[str] = frozenset()
    """Words that mean cancelled although ccxt calls them closed."""
    successor_at: tuple[str, ...] = ()
    """Fields that name the order which took this one's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueDescription:
    """All that is particular to one venue. Facts and their sources are in `descriptions/`."""

    venue: str
    """The ccxt id."""
    listings: tuple[ListingCall, ...]
    lookup: LookupCall | None
    lookup_by_client_order_id: LookupCall | None
    order_id_form: str | None = None
    """Every venue order id matches this pattern; one that does not cannot be an order here."""
    client_order_id_form: str | None = None
    """The venue takes no client order id that does not match this pattern."""
    trigger_lookup: LookupCall | None = None
    trigger_lookup_by_client_order_id: LookupCall | None = None
    fills: FillsCall | None = None
    shapes: tuple[AnswerShape, ...] = ()
    position_row: PositionRow | None = None
    """None: positions come from ccxt's unified method."""
    status: StatusWords = StatusWords()
    not_found: tuple[NotFoundWords, ...] = (NotFoundWords(),)
    error_words: Mapping[str, AnswerKind] = field(default_factory=dict)
    """Text in an error's body that says more than ccxt's class."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """ccxt options, set explicitly so that no account mode is guessed at run time."""
    weight_per_minute: int | None = None
    """The venue's request budget; None: what ccxt's `rateLimit` says."""
    used_weight_header: str | None = None
    retention: timedelta | None = None
    """How long a cancelled order without fills can be looked up; None where none is known."""
    gaps: Mapping[ScopeName, str] = field(default_factory=dict)
    """Scopes that exist but that no call shows in full, and why: never better than partial."""
    not_covered: tuple[str, ...] = ()

    def scopes(self) -> tuple[ScopeName, ...]:
        """Return the scopes in the order in which they are read: positions last (rule 14)."""
        order = (ScopeName.OPEN_ORDERS, ScopeName.TRIGGER_ORDERS, ScopeName.POSITIONS)
        listed = {call.scope for call in self.listings} | set(self.gaps)
        return tuple(name for name in order if name in listed)

    def shape_of(self, path: str) -> AnswerShape | None:
        """Return the shape of the endpoint at a URL path, None where it is not described."""
        return next((shape for shape in self.shapes if path.endswith(shape.path)), None)
