"""What we must know of a venue to read a whole account, as data: one frozen value per venue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from reconciler.domain.snapshot import AnswerKind, ScopeName
from reconciler.venue.questions import AccountMode, EachOf


class CallName(StrEnum):
    """What a request to a venue is for: the bounded label `call` of the metrics."""

    MARKETS = "markets"
    OPEN_ORDERS = "open_orders"
    TRIGGER_ORDERS = "trigger_orders"
    POSITIONS = "positions"
    BALANCES = "balances"
    ORDER = "order"
    FILLS = "fills"
    PLACE = "place_order"
    CANCEL = "cancel_order"
    KEY_RIGHTS = "key_rights"


class MarketKind(StrEnum):
    """What venues keep apart: where an order is looked up depends on its market's kind."""

    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"
    OPTION = "option"


class InverseUnit(StrEnum):
    """What a venue's quantities of inverse contracts are; only the last needs no price."""

    CONTRACTS = "contracts"
    """Of so much quote currency each, as ccxt's contract size says."""
    QUOTE = "quote"
    """Quote currency already."""
    IN_BASE = "in_base"


CONTRACTS = frozenset({MarketKind.LINEAR, MarketKind.INVERSE})
ALL_KINDS = frozenset(MarketKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerShape:
    """What a right answer of one endpoint looks like; anything else is no answer."""

    path: str
    """The end of the URL's path."""
    rows_at: tuple[str, ...] | None = None
    """Keys that lead to the list of rows, `()` for a list at the top; None: no list, an object."""
    keys: tuple[str, ...] = ()
    """Keys that the object must have; `a|b` where either will do, `a.b` for one inside another."""
    may_be_empty: bool = True
    keyed: bool = False
    """The rows are the values of an object, by their ids."""
    null_is_none: bool = False
    """The venue says `null` in the list's place where there are no rows."""
    asked: str = ""
    """Text in the request's body, where several questions go to one path."""


class TimeForm(StrEnum):
    """How a venue wants a time."""

    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"
    ISO = "iso"


class CursorForm(StrEnum):
    """How the last row's field becomes the next page's cursor."""

    AS_IT_IS = "as_it_is"
    NEXT_MILLISECOND = "next_millisecond"
    """An ISO time, rounded up: rows of the same moment come again rather than never."""


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
    cursor_row_at: str | None = None
    """The field of the last row that is the next cursor; a page that is not full is the last."""
    cursor_form: CursorForm = CursorForm.AS_IT_IS
    page_param: str | None = None
    """The parameter of a page number; the first page is 1. A page that is not full is the last."""
    offset_param: str | None = None
    """The parameter of the number of rows to leave out. A page that is not full is the last."""
    more_at: tuple[str, ...] = ()
    """Leads to a boolean: false ends a listing by cursor, true outweighs a page's length."""
    row_id_at: str | None = None
    """The field that tells rows apart, where pages overlap."""
    total_at: tuple[str, ...] = ()
    """Keys that lead to the number of all rows: with fewer than that a listing has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIds:
    """The fields of a raw order's ids, where ccxt would take others."""

    order_id: str
    client_order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFoundWords:
    """The one error by which a venue says that it does not know an order."""

    error: str = "OrderNotFound"
    """ccxt's class."""
    words: str = ""
    """What its text must contain besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingCall:
    """One call that lists part of a scope. All calls of a scope together cover it."""

    scope: ScopeName
    method: str
    """The name of ccxt's method: its implicit call of an endpoint, or a unified one."""
    params: Mapping[str, Any] = field(default_factory=dict)
    account_params: Mapping[str, str] = field(default_factory=dict)
    """Parameters and the credentials of ccxt's instance that fill them."""
    rows_at: tuple[str, ...] | None = None
    """Where the answer of an implicit call has its rows; None: the method is a unified one."""
    paging: Paging | None = None
    looks_full_at: frozenset[int] = frozenset()
    """Row counts that look like a page limit where the paging is not known."""
    symbol_at: str | None = None
    """The field of a raw row that names its market; `a.b` where one holds the other."""
    market_type: str | None = None
    """`spot` or `contract`, where one name means a market of each."""
    keyed_as: str | None = None
    """The rows are the values of an object; its keys go into this field."""
    null_is_none: bool = False
    """The venue says `null` in the list's place where there are no rows."""
    within: str | None = None
    """Each row holds a list of the real ones in this field."""
    ids: RowIds | None = None
    uncountable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values of fields of rows whose quantity is not in base units or contracts."""
    each: EachOf | None = None
    """The listing is asked once for each of these values."""
    ended: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values of fields of rows that are over: the listing shows them too, they are left out."""
    none_words: tuple[NotFoundWords, ...] = ()
    """Errors by which the venue says that the account has no such part: there are no rows."""
    weight: float | None = None
    """What the venue counts for one page, where ccxt counts something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """The fields of a raw position row: a signed quantity in contracts, and the leg."""

    symbol: str
    qty: str
    entry_price: str | None
    mark_price: str | None
    closed: str | None = None
    """What of the quantity is closed already."""
    side: str | None = None
    """The field that tells the side of a quantity without a sign; None: the sign does."""
    sides: Mapping[str, str] = field(default_factory=dict)
    leg: str | None = None
    """None: there are no legs."""
    legs: Mapping[str, str | None] = field(default_factory=dict)
    """The venue's word for a leg: `long`, `short`, or None for the net position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """The fields of a raw balance row: a currency, and what together is all of it."""

    asset: str
    parts: tuple[str, ...]
    """`a.b` where one holds the other."""
    suffixes: tuple[str, ...] = ()
    """Ends of the venue's code that mark the same coins, put to interest where they can be sold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupCall:
    """One question after one order: through ccxt's `fetch_order`, or an implicit call."""

    by_client_order_id: bool = False
    trigger: bool = False
    """It asks where trigger orders are kept."""
    client_order_id_param: str = "clientOrderId"
    params: Mapping[str, Any] = field(default_factory=dict)
    kinds: frozenset[MarketKind] = ALL_KINDS
    settle: str | None = None
    """The settle currency of the markets that it is for; None: any."""
    method: str | None = None
    """ccxt's implicit call, or `GET api/access path` where it has none; None: `fetch_order`."""
    id_param: str = ""
    market_params: Mapping[str, str] = field(default_factory=dict)
    """Parameters and the fields of ccxt's market that fill them (see `markets.field_of`)."""
    order_at: tuple[str, ...] = ()
    """Where the answer has the order, or a list of it, or of none."""
    null_is_none: bool = False
    keyed_as: str | None = None
    ids: RowIds | None = None
    form: str | None = None
    """Only ids that match this pattern are asked for."""
    as_list: bool = False
    """The endpoint takes a list of ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsCall:
    """How executions are listed: through ccxt's `fetch_my_trades`, or an implicit call."""

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
    kinds: frozenset[MarketKind] = ALL_KINDS
    settle: str | None = None
    """The settle currency of the markets that it is for; None: any."""
    method: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    account_params: Mapping[str, str] = field(default_factory=dict)
    market_params: Mapping[str, str] = field(default_factory=dict)
    rows_at: tuple[str, ...] = ()
    null_is_none: bool = False
    keyed_as: str | None = None
    paging: Paging | None = None
    since_param: str | None = None
    until_param: str | None = None
    time_form: TimeForm = TimeForm.MILLISECONDS
    last_until_param: str | None = None
    """The end of the last window, for endpoints that want one: a day ahead of now."""
    newest_first_by: str | None = None
    """The time of a raw row, where fills are listed backwards without a start: older are left."""
    qty_at: str | None = None
    """The field of a raw fill's quantity, where ccxt leaves it out."""
    none_words: tuple[NotFoundWords, ...] = ()
    """Errors by which the venue says that the account has no such part: there are no fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPlace:
    """What decides which of a venue's calls are for a market."""

    kind: MarketKind | None
    """None: the market is not known, and any call may be for it."""
    settle: str | None

    def is_of(self, call: LookupCall | FillsCall) -> bool:
        """Tell whether a call is for this market."""
        if self.kind is None:
            return True
        return self.kind in call.kinds and call.settle in {None, self.settle}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWords:
    """Where raw orders keep their status, and the venue's words that ccxt's do not tell apart."""

    at: tuple[str, ...] = ("status",)
    in_flight: frozenset[str] = frozenset()
    canceled: frozenset[str] = frozenset()
    """Words that mean cancelled although ccxt calls them closed."""
    successor_at: tuple[str, ...] = ()
    """Fields that name the order which took this one's place."""
    meaning: Mapping[str, str] = field(default_factory=dict)
    """ccxt's word for a status that it does not know, or takes for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueDescription:
    """All that is particular to one venue. Facts and their sources are in `descriptions/`."""

    venue: str
    """The ccxt id."""
    listings: tuple[ListingCall, ...]
    lookups: tuple[LookupCall, ...] = ()
    """In the order in which they are asked."""
    order_id_form: str | None = None
    """Every venue order id matches this pattern; one that does not cannot be an order here."""
    client_order_id_form: str | None = None
    """The venue takes no client order id that does not match this pattern."""
    fills: tuple[FillsCall, ...] = ()
    """All that fit the order's market are asked."""
    shapes: tuple[AnswerShape, ...] = ()
    counts_contracts: bool = True
    """False: quantities of contracts that are not inverse are in base units already."""
    inverse_in: InverseUnit = InverseUnit.CONTRACTS
    spot_in_positions: bool = False
    """The venue lists what was bought at spot as positions."""
    needs_market_to_count: bool = False
    """Contracts are not base units: a row of a market that is not loaded cannot be counted."""
    position_row: PositionRow | None = None
    """None: positions come from ccxt's unified method."""
    balance_row: BalanceRow | None = None
    balances_always: bool = False
    """False: they are read where a spot market is asked for, since contracts are the rule here."""
    side_words: Mapping[str, str] = field(default_factory=dict)
    """`buy` or `sell` for a raw row's `side` that ccxt misreads."""
    price_at: tuple[str, ...] = ()
    """Where a raw order has its price (`a.b` inside one another), where ccxt leaves it out."""
    status: StatusWords = StatusWords()
    success: Mapping[str, str] = field(default_factory=dict)
    """Fields of every described answer that is an object, and their words for "right": rows beside
    any other word, or none, are no answer."""
    not_found: tuple[NotFoundWords, ...] = (NotFoundWords(),)
    error_words: Mapping[str, AnswerKind] = field(default_factory=dict)
    """Text in an error's body that says more than ccxt's class."""
    account_mode: AccountMode | None = None
    """None: there is one kind of account, or other kinds refuse these calls."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """ccxt options, set explicitly so that no account mode is guessed at run time."""
    weight_per_minute: int | None = None
    """The venue's request budget; None: what ccxt's `rateLimit` says."""
    budget_per_account: bool = False
    """The venue counts requests by account (or user, or key); False: by address, or not known."""
    requests_per_minute_and_address: int | None = None
    """Where it counts by account: how many requests it takes from one address besides."""
    used_weight_header: str | None = None
    """Tells what this minute has used of `used_weight_limit`, by whomever."""
    used_weight_limit: int | None = None
    retention: timedelta | None = None
    """How long a cancelled order without fills can be looked up; None where none is known."""
    gaps: Mapping[ScopeName, str] = field(default_factory=dict)
    """Scopes that exist but that no call shows in full, and why: never better than partial."""
    not_covered: tuple[str, ...] = ()
    is_described: bool = True
    """False: only what ccxt claims of itself is known."""
    lists_all_markets: bool = True
    """False: orders of a market that is not loaded are looked up too."""
    implied_quote: str | None = None
    """The quote that a bare symbol leaves out, for markets that are not loaded."""

    def scopes(self) -> tuple[ScopeName, ...]:
        """Return the scopes in the order in which they are read: positions first.

        A position that differs from the book is read again after the orders: two readings that
        agree prove that the orders between them were not torn from the positions.
        """
        order = (
            ScopeName.POSITIONS,
            ScopeName.OPEN_ORDERS,
            ScopeName.TRIGGER_ORDERS,
            ScopeName.BALANCES,
        )
        listed = {call.scope for call in self.listings} | set(self.gaps)
        return tuple(name for name in order if name in listed)

    def shape_of(self, path: str, asked: str = "") -> AnswerShape | None:
        """Return the shape of the endpoint at a URL path, None where it is not described."""
        return next((shape for shape in self.shapes if _fits(shape, path, asked)), None)

    def lookups_of(
        self, place: MarketPlace, *, by_client_order_id: bool = False, trigger: bool = False
    ) -> tuple[LookupCall, ...]:
        """Return the questions after an order of such a market."""
        return tuple(
            call
            for call in self.lookups
            if call.by_client_order_id is by_client_order_id
            and call.trigger is trigger
            and place.is_of(call)
        )

    def fills_of(self, place: MarketPlace) -> tuple[FillsCall, ...]:
        """Return the lists that an order's fills may be in."""
        return tuple(call for call in self.fills if place.is_of(call))


def _fits(shape: AnswerShape, path: str, asked: str) -> bool:
    """Compare a path's end; `*` stands for an id."""
    if shape.asked and shape.asked not in asked:
        return False
    wanted, sent = shape.path.strip("/").split("/"), path.strip("/").split("/")
    if len(wanted) > len(sent):
        return False
    return all(w in {"*", s} for w, s in zip(wanted, sent[-len(wanted) :], strict=True))
