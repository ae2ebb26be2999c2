"""A bot that trades a contract may write the spot market's symbol: its row is no absence."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.domain.identity import Asset, Symbol
from reconciler.domain.positions import BookPosition, Market, PositionSide
from reconciler.domain.verdicts import PositionVerdictKind as Kind
from reconciler.rules.ghost_positions import PositionLimits, judge_positions
from reconciler.rules.ownership import Ownership
from tests.unit.builders import (
    BTC,
    LONG,
    NOW,
    SHORT,
    book_position,
    reading,
    snapshot,
    venue_position,
)
from tests.unit.rules.judging import GRACE

COINS = Symbol("BTC/USDT")
LIMITS = PositionLimits(grace=GRACE, tolerance_notional=Decimal(1))


def _row(side: PositionSide = LONG, qty: str = "1") -> BookPosition:
    return replace(book_position(side, qty=qty), symbol=COINS, raw_symbol=COINS)


@pytest.mark.parametrize(
    ("rows", "side", "expected"),
    [
        ([_row()], LONG, Kind.NOT_JUDGED),
        ([_row(SHORT)], SHORT, Kind.NOT_JUDGED),
        ([_row(qty="0.5"), _row(qty="0.5")], LONG, Kind.NOT_JUDGED),
        # What could not be the position does not hide it: another size, a hedge of the coins.
        ([_row(qty="2")], LONG, Kind.GHOST_POSITION),
        ([_row()], SHORT, Kind.GHOST_POSITION),
        ([replace(_row(), open=False)], LONG, Kind.GHOST_POSITION),
        # A row of its own explains it, and the coins are coins.
        ([_row(), book_position()], LONG, Kind.IN_PARITY),
    ],
)
def test_a_row_of_coins_that_may_be_the_position_stands_against_a_ghost(
    rows: list[BookPosition], side: PositionSide, expected: Kind
) -> None:
    held = snapshot(positions=[venue_position(side)])
    coins = Market(
        symbol=COINS, venue_id="BTC-USDT", qty_step=None, base=Asset("BTC"), held_as_balance=True
    )
    held = replace(held, markets={**held.markets, COINS: coins})
    [verdict] = judge_positions(
        reading=reading(positions=rows),
        snapshot=held,
        ownership=Ownership(),
        changed_at={},
        first_seen={},
        now=NOW,
        limits=LIMITS,
    )
    assert (verdict.symbol, verdict.kind) == (BTC, expected)
