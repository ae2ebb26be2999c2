"""Which rows of the book the native statements return for a while only."""

from datetime import timedelta

from reconciler.domain.orders import BookOrder
from reconciler.domain.positions import BookPosition

BOOK_TABLES = frozenset({"orders", "positions"})
RECENT = timedelta(minutes=10)
"""Rows that ended so long ago are read only by those who ask for older ones."""
ENDED_WORDS = frozenset({"filled", "canceled", "expired", "rejected"})


def has_ended(row: BookOrder | BookPosition) -> bool:
    """Terminal, or closed."""
    if isinstance(row, BookOrder):
        return row.raw_status in ENDED_WORDS
    return not row.open
