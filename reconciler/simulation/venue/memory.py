"""How late a venue's answers are, and how long it remembers."""

from dataclasses import dataclass
from datetime import timedelta

NO_LAG = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How old the answers of each scope are."""

    positions: timedelta = NO_LAG
    orders: timedelta = NO_LAG
    fills: timedelta = NO_LAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long after their creation finished orders, and fills, stay known.

    Binance USD-M, Query Order: 3 days without a fill, 90 days with; userTrades: six months.
    """

    unfilled: timedelta = timedelta(days=3)
    finished: timedelta = timedelta(days=90)
    fills: timedelta = timedelta(days=183)
