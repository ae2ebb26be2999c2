"""Where samples are served: the endpoint whose answer they are, or whose rows they look like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from reconciler.domain.snapshot import ScopeName
from reconciler.venue.raw_json import found_at
from tests.integration.venue_adapter.canned import Canned
from tests.integration.venue_replay.facts import FillFields, OrderFields, PositionFields, Row

Wrap = Callable[[list[Any]], Any]


class Asked(Enum):
    """What of our adapter reads the endpoint."""

    OPEN_ORDERS = ScopeName.OPEN_ORDERS
    TRIGGER_ORDERS = ScopeName.TRIGGER_ORDERS
    POSITIONS = ScopeName.POSITIONS
    ORDER = "order"
    TRIGGER_ORDER = "trigger_order"
    FILLS = "fills"


LISTED = frozenset({Asked.OPEN_ORDERS, Asked.TRIGGER_ORDERS, Asked.POSITIONS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One endpoint, the samples that are served there, and how their rows are read."""

    asked: Asked
    path: str
    samples: tuple[str, ...]
    fields: OrderFields | PositionFields | FillFields
    wrap: Wrap
    """The answer that holds those rows, for samples that are bare rows or of another endpoint."""
    rows_at: tuple[str, ...] = ()
    """Where a whole answer has its rows: then the sample is served as it is."""
    also_at: tuple[tuple[str, ...], ...] = ()
    """Where whole answers of other endpoints have theirs."""
    within: str | None = None
    """Each of those rows holds a list of the real ones."""
    keyed: bool = False
    """The rows are the values of an object, by their ids."""
    where: Mapping[str, str] = field(default_factory=dict)
    cursor: str = ""
    """The parameter that asks for the next page, which is empty."""

    by_client_order_id: bool = False
    """The order is asked for by its client order id too, at the same path."""

    def rows_of(self, document: Any) -> list[Row]:
        """Return the rows of a sample, which is one itself where no place holds any."""
        places = (self._rows_at(document, place) for place in (self.rows_at, *self.also_at))
        return next((rows for rows in places if rows is not None), [document])

    def canned(self, document: Any) -> Canned:
        """Return the entry of the server's table that answers with a sample."""
        whole = self._rows_at(document, self.rows_at) is not None
        body = document if whole else self.wrap(self.rows_of(document))
        empty = _without_rows(document, self.rows_at) if whole else self.wrap([])
        return Canned(
            path=self.path,
            where=self.where,
            body=lambda params: body if params.get(self.cursor, "1") == "1" else empty,
        )

    def canned_with_damage(self, document: Any) -> Canned:
        """Return the entry that answers with a sample's rows, and one of which little is left."""
        rows = self.rows_of(document)
        damaged = {name: rows[0][name] for name in ("id", "currency_pair") if name in rows[0]}
        if "id" in damaged:
            damaged["id"] = "999"
        return Canned(path=self.path, where=self.where, body=self.wrap([*rows, damaged]))

    def _rows_at(self, document: Any, place: tuple[str, ...]) -> list[Row] | None:
        rows = found_at(document, place)
        if isinstance(rows, list):
            return [row for group in rows for row in group[self.within]] if self.within else rows
        if not isinstance(rows, dict) or not place:
            return None
        if not self.keyed:
            return [rows]
        # An object of lists or of objects of rows is not one of rows.
        held = all(isinstance(row, dict) and row.keys() & {"vol"} for row in rows.values())
        return [{"id": key, **row} for key, row in rows.items()] if held else None


def _without_rows(document: Any, rows_at: tuple[str, ...]) -> Any:
    """Return a page that has no more rows, and says all else that the first one does."""
    if not rows_at:
        return []
    key, *rest = rows_at
    return {**document, key: _without_rows(document[key], tuple(rest))}


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueReplay:
    """All that is replayed of one venue."""

    venue: str
    source: str
    """ccxt's class that has the samples."""
    least: int
    """So many samples are replayed, or the test has become empty."""
    seats: tuple[Seat, ...]
    markets: tuple[Canned, ...]
    empty: tuple[Canned, ...]
    """What the other endpoints say of an account that has nothing, and of an order not known."""
    partial: Mapping[str, str] = field(default_factory=dict)
    """Lists that say of themselves that there is more, and the words that must show of it."""
    not_used: Mapping[str, tuple[str, ...]]
    """Why, and the samples that it is true of."""
    credentials: Mapping[str, str] = field(default_factory=dict)

    def used(self) -> list[str]:
        """Return the keys of the samples that are replayed; some at several seats."""
        return [key for seat in self.seats for key in seat.samples]
