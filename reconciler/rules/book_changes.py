"""When we saw the book's rows of a symbol differ from our last reading (rule 5).

A bot that does not keep `updated_at` still explains a difference by a change that we saw.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.domain.book import BookReading
from reconciler.domain.identity import BookOrderId, Symbol
from reconciler.domain.memory import OwnWrite, SeenSymbol
from reconciler.domain.orders import BookOrder
from reconciler.domain.positions import BookPosition

FORGET_AFTER = timedelta(hours=1)
"""A symbol without open rows is remembered this long after its last change."""


def is_own_write(row: BookOrder, own: Mapping[BookOrderId, OwnWrite]) -> bool:
    """The row is as we left it."""
    write = own.get(row.id)
    if write is None or row.raw_status != write.status:
        return False
    return write.written_from <= row.updated_at <= write.written_to


def digests_of(reading: BookReading) -> dict[Symbol, str]:
    """A short digest of each symbol's open rows; a symbol without any is absent."""
    lines: dict[Symbol, list[str]] = defaultdict(list)
    for row in reading.positions:
        if row.open:
            lines[row.symbol].append(f"p|{row.id}|{row.profile_id}|{row.side}|{_plain(row.qty)}")
    for order in reading.orders:
        if not order.state.is_terminal:
            lines[order.symbol].append(
                f"o|{order.id}|{order.raw_status}|{_plain(order.filled)}|{_plain(order.qty)}"
            )
    return {
        symbol: hashlib.blake2b("\n".join(sorted(rows)).encode(), digest_size=12).hexdigest()
        for symbol, rows in lines.items()
    }


def _plain(number: Decimal) -> str:
    """1.5 and 1.50 are one quantity: a column's scale must not make our own write look changed."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def note_changes(
    *,
    seen: Mapping[Symbol, SeenSymbol] | None,
    digests: Mapping[Symbol, str],
    now: datetime,
) -> dict[Symbol, SeenSymbol]:
    """What to remember after this reading. `seen` None: first sight, which is no change."""
    if seen is None:
        return {s: SeenSymbol(digest=d, changed_at=None) for s, d in digests.items()}
    noted: dict[Symbol, SeenSymbol] = {}
    for symbol in {*seen, *digests}:
        before, digest = seen.get(symbol), digests.get(symbol, "")
        if before is not None and before.digest == digest:
            if digest or (before.changed_at and now - before.changed_at < FORGET_AFTER):
                noted[symbol] = before
        else:
            noted[symbol] = SeenSymbol(digest=digest, changed_at=now)
    return noted


def changed_at_by_symbol(
    *,
    reading: BookReading,
    noted: Mapping[Symbol, SeenSymbol],
    own: Mapping[BookOrderId, OwnWrite],
) -> dict[Symbol, datetime]:
    """The latest change of each symbol's rows: their own `updated_at`, or when we saw it."""
    rows: list[BookPosition | BookOrder] = [
        *reading.positions,
        *(row for row in reading.orders if not is_own_write(row, own)),
    ]
    latest: dict[Symbol, datetime] = {
        symbol: seen.changed_at for symbol, seen in noted.items() if seen.changed_at is not None
    }
    for row in rows:
        if row.updated_at > reading.read_at + timedelta(minutes=1):
            continue  # a time in the future is an anomaly, and explains nothing
        if row.symbol not in latest or row.updated_at > latest[row.symbol]:
            latest[row.symbol] = row.updated_at
    return latest
