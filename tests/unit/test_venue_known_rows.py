"""A row is parsed again unless the last listing held the very same one, under the same markets."""

from typing import Any

import pytest

from reconciler.venue.known_rows import KnownRows
from reconciler.venue.translate import NotUnderstoodError
from tests.unit.builders import venue_order

MARKETS, OTHER_MARKETS = object(), object()
ROW = {"orderId": 1, "origQty": "1.0", "status": "NEW"}


class Listings:
    """Listings of one account, and the rows that were parsed for them."""

    def __init__(self) -> None:
        self.known = KnownRows()
        self.parsed: list[Any] = []

    def take(self, *rows: Any, markets: object = MARKETS) -> list[Any]:
        """One listing; the rows of it that were parsed."""
        self.parsed = []
        self.known.begin(markets)
        for row in rows:
            self.known.order_of(row, lambda row=row: self._parse(row))  # type: ignore[misc]
        return self.parsed

    def _parse(self, row: Any) -> Any:
        self.parsed.append(row)
        return venue_order(str(row["orderId"]))


def test_the_same_row_is_parsed_once() -> None:
    listings = Listings()
    assert listings.take(ROW) == [ROW]
    assert listings.take(dict(ROW)) == []
    assert listings.take(dict(ROW)) == []


@pytest.mark.parametrize(
    "changed", [{"status": "FILLED"}, {"origQty": "1.00"}, {"orderId": "1"}, {"more": None}]
)
def test_any_difference_is_parsed(changed: dict[str, Any]) -> None:
    listings = Listings()
    listings.take(ROW)
    assert listings.take({**ROW, **changed}) == [{**ROW, **changed}]


def test_markets_loaded_anew_are_another_meaning() -> None:
    listings = Listings()
    listings.take(ROW)
    assert listings.take(ROW, markets=OTHER_MARKETS) == [ROW]
    assert listings.take(ROW, markets=OTHER_MARKETS) == []


def test_only_the_last_listing_is_remembered() -> None:
    listings = Listings()
    listings.take(ROW)
    listings.take()
    assert listings.take(ROW) == [ROW]


def test_a_row_that_cannot_be_read_is_tried_again() -> None:
    known, asked = KnownRows(), []

    def refuse() -> Any:
        asked.append(1)
        raise NotUnderstoodError("no")

    for _ in range(2):
        known.begin(MARKETS)
        with pytest.raises(NotUnderstoodError):
            known.order_of(ROW, refuse)
    assert len(asked) == 2
