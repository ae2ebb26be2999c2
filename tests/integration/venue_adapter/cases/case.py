"""What a canned account of one venue is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reconciler.domain.snapshot import AnswerKind
from tests.integration.venue_adapter.canned import Canned, Params

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A book row to look up."""

    symbol: str
    order_id: str | None = None
    client_order_id: str | None = None
    type: str = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a lookup must show."""

    ask: Ask
    state: str
    order_id: str
    qty: str | None = None
    filled: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """A listing of many pages."""

    entry: Callable[[Rows], Canned]
    """The table's entry that serves those rows page by page, in place of the case's own."""
    row: Callable[[int], Mapping[str, Any]]
    pages: int
    """How many pages 700 rows take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCase:
    """One venue's canned account."""

    venue: str
    markets: tuple[Canned, ...]
    table: tuple[Canned, ...]
    orders: frozenset[tuple[str, str, str, str]]
    """Symbol, venue order id, quantity in base units, state: all that is open."""
    sells: frozenset[str] = frozenset()
    """Which of them sell, by their ids; the others buy."""
    positions: frozenset[tuple[str, str, str, bool | None]]
    """Symbol, side, quantity in base units, hedged."""
    missing: tuple[Ask, ...]
    """Orders that the venue does not know; all rungs answer."""
    found: tuple[Expected, ...]
    fills: Mapping[str, Decimal] = field(default_factory=dict)
    """Of each missing order that has some, by its id: the sum of its fills in base units."""
    paged: Paged | None = None
    errors: tuple[tuple[int, Any, AnswerKind], ...] = ()
    """The venue's own error bodies and what they are."""
    credentials: Mapping[str, str] = field(default_factory=dict)
    partial: frozenset[str] = frozenset()
    """Scopes that no call of the venue shows in full."""
    scopes: frozenset[str] = frozenset({"open_orders", "trigger_orders", "positions"})
    spot: tuple[str, ...] = ()
    """Spot markets that a look asks for: only then are balances read, but where they always are."""
    balances: frozenset[tuple[str, str]] = frozenset()
    """Currency and total."""
    calls: int | None = None
    """Calls of one look; None: one for each listing."""


def by(
    rows: Rows, wrap: Callable[[list[Any]], Any], *, same: Mapping[str, str], **always: str
) -> Callable[[Params], Any]:
    """Answer with the rows whose fields are what the parameters ask for.

    `same`: parameters and the fields they must equal; a parameter that is not sent asks nothing.
    """

    def answer(params: Params) -> Any:
        return wrap(
            [
                row
                for row in rows
                if all(
                    str(row.get(name)) == params[param]
                    for param, name in same.items()
                    if param in params
                )
                and all(row.get(name) == value for name, value in always.items())
            ]
        )

    return answer
