"""When we saw the book's rows of a symbol differ from our last reading (rule 5)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.domain.book import BookReading
from reconciler.domain.identity import BookOrderId, Symbol
from reconciler.domain.memory import OwnWrite, SeenSymbol
from reconciler.domain.orders import BookOrder, OrderState
from reconciler.rules.book_changes import (
    FORGET_AFTER,
    changed_at_by_symbol,
    digests_of,
    is_own_write,
    note_changes,
)
from tests.unit.builders import (
    A_MINUTE,
    BTC,
    ETH,
    NOW,
    SHORT,
    book_order,
    book_position,
    reading,
)
from tests.unit.rules.scaling import growth

SECOND = timedelta(seconds=1)
BASE = reading(orders=[book_order()], positions=[book_position()])


@pytest.mark.parametrize(
    "changed",
    [
        reading(orders=[book_order(filled="0.1")], positions=[book_position()]),
        reading(orders=[book_order(qty="2")], positions=[book_position()]),
        reading(orders=[book_order(qty="10")], positions=[book_position()]),
        reading(orders=[book_order(raw_status="new")], positions=[book_position()]),
        reading(orders=[book_order(state=OrderState.FILLED)], positions=[book_position()]),
        reading(orders=[book_order(), book_order("o2")], positions=[book_position()]),
        reading(positions=[book_position()]),
        reading(orders=[book_order()], positions=[book_position(qty="2")]),
        reading(orders=[book_order()], positions=[book_position(SHORT)]),
        reading(orders=[book_order()], positions=[book_position(profile="p2")]),
        reading(orders=[book_order()], positions=[book_position(is_open=False)]),
        reading(orders=[book_order()]),
    ],
)
def test_a_change_shows_in_the_digest(changed: BookReading) -> None:
    assert digests_of(changed).get(BTC) != digests_of(BASE)[BTC]


ROWS = [book_order("a"), book_order("b")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (reading(orders=ROWS), reading(orders=ROWS[::-1])),
        # a heartbeat that only touches the row
        (BASE, reading(orders=[book_order(touched=SECOND)], positions=[book_position()])),
        # a column's scale
        (
            reading(orders=[book_order(filled="0.5", qty="1")]),
            reading(orders=[book_order(filled="0.50000000", qty="1.0")]),
        ),
        (
            reading(positions=[book_position(qty="100")]),
            reading(positions=[book_position(qty="1E+2")]),
        ),
        # rows that have ended
        (
            BASE,
            reading(
                orders=[book_order(), book_order("o0", state=OrderState.CANCELED)],
                positions=[book_position(), book_position(row_id="b0", is_open=False)],
            ),
        ),
    ],
)
def test_what_is_no_change_does_not(one: BookReading, other: BookReading) -> None:
    assert digests_of(one) == digests_of(other)


def test_quantities_beyond_any_context_are_told_apart() -> None:
    long = "1." + "0" * 40
    one = reading(positions=[book_position(qty=Decimal(long + "1"))])
    other = reading(positions=[book_position(qty=Decimal(long + "2"))])
    assert digests_of(one) != digests_of(other)


def _seen(digest: str, changed_at: datetime | None) -> SeenSymbol:
    return SeenSymbol(digest=digest, changed_at=changed_at)


AGO = NOW - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("before", "digest", "after"),
    [
        ({}, "x", _seen("x", NOW)),  # a symbol that was not there
        ({BTC: _seen("x", None)}, "x", _seen("x", None)),
        ({BTC: _seen("x", AGO)}, "x", _seen("x", AGO)),
        ({BTC: _seen("x", AGO)}, "y", _seen("y", NOW)),
        ({BTC: _seen("x", None)}, None, _seen("", NOW)),  # its last row ended
        ({BTC: _seen("", AGO)}, None, _seen("", AGO)),
        ({BTC: _seen("", NOW - FORGET_AFTER)}, None, None),
        ({BTC: _seen("", None)}, None, None),
        ({BTC: _seen("x", NOW - 9 * FORGET_AFTER)}, "x", _seen("x", NOW - 9 * FORGET_AFTER)),
    ],
)
def test_what_is_remembered_of_a_symbol(
    before: dict[Symbol, SeenSymbol], digest: str | None, after: SeenSymbol | None
) -> None:
    digests = {} if digest is None else {BTC: digest}
    noted = note_changes(seen=before, digests=digests, now=NOW)
    assert noted == ({} if after is None else {BTC: after})


def test_first_sight_alone_is_no_change() -> None:
    noted = note_changes(seen=None, digests={BTC: "x"}, now=NOW)
    assert noted == {BTC: _seen("x", None)}
    quiet = reading(orders=[book_order()])
    assert changed_at_by_symbol(reading=quiet, noted=noted, own={}) == {
        BTC: book_order().updated_at
    }


@pytest.mark.parametrize(
    ("noted_at", "touched", "latest"),
    [
        (None, A_MINUTE, NOW - A_MINUTE),
        (AGO, A_MINUTE, NOW - A_MINUTE),
        (NOW - SECOND, A_MINUTE, NOW - SECOND),
        (AGO, -A_MINUTE, NOW + A_MINUTE),  # the row moved after the book was read
        (AGO, -A_MINUTE - SECOND, AGO),  # a time in the future explains nothing
        (None, -A_MINUTE - SECOND, None),
    ],
)
@pytest.mark.parametrize("row", ["order", "position", "closed"])
def test_the_latest_change_of_a_symbol(
    noted_at: datetime | None, touched: timedelta, latest: datetime | None, row: str
) -> None:
    book = {
        "order": reading(orders=[book_order(touched=touched)]),
        "position": reading(positions=[book_position(touched=touched)]),
        "closed": reading(positions=[book_position(touched=touched, is_open=False)]),
    }[row]
    changed = changed_at_by_symbol(reading=book, noted={BTC: _seen("x", noted_at)}, own={})
    assert changed == ({} if latest is None else {BTC: latest})


def test_each_symbol_has_its_own_change() -> None:
    book = reading(
        orders=[book_order(touched=SECOND)],
        positions=[book_position(symbol=ETH, touched=A_MINUTE)],
    )
    changed = changed_at_by_symbol(reading=book, noted={}, own={})
    assert changed == {BTC: NOW - SECOND, ETH: NOW - A_MINUTE}


WRITE = OwnWrite(status="unknown", written_from=NOW - 2 * SECOND, written_to=NOW - SECOND)
WRITTEN = replace(
    book_order(state=OrderState.UNKNOWN, raw_status="unknown"), updated_at=NOW - SECOND
)


@pytest.mark.parametrize(
    ("row", "own"),
    [
        (WRITTEN, True),
        (replace(WRITTEN, updated_at=WRITE.written_from), True),
        (replace(WRITTEN, updated_at=NOW), False),  # touched since
        (replace(WRITTEN, updated_at=WRITE.written_from - SECOND), False),
        (replace(WRITTEN, raw_status="open"), False),  # written over since
        (replace(WRITTEN, id=BookOrderId("another")), False),
    ],
)
def test_what_we_wrote_ourselves_explains_nothing(row: BookOrder, *, own: bool) -> None:
    writes = {WRITTEN.id: WRITE}
    assert is_own_write(row, writes) is own
    changed = changed_at_by_symbol(reading=reading(orders=[row]), noted={}, own=writes)
    assert changed == ({} if own else {BTC: row.updated_at})


def test_time_is_linear() -> None:
    def noting(count: int) -> Callable[[], object]:
        rows = [book_order(f"o{n}", symbol=Symbol(f"S{n % 100}")) for n in range(count)]
        book = reading(orders=rows)

        def run() -> None:
            noted = note_changes(seen={}, digests=digests_of(book), now=NOW)
            changed_at_by_symbol(reading=book, noted=noted, own={})

        return run

    assert growth(noting) < 3
