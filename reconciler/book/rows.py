"""From rows to frozen values. A row that cannot be read stops the reading: it proves nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import asyncpg

from reconciler.book.preset import Preset
from reconciler.domain.book import Profile, UnreadableRow
from reconciler.domain.errors import BookUnreadableError
from reconciler.domain.identity import (
    AccountName,
    BookOrderId,
    BookPositionId,
    ClientOrderId,
    ProfileId,
    VenueOrderId,
)
from reconciler.domain.orders import BookOrder, OrderSide
from reconciler.domain.positions import BookPosition, PositionSide
from reconciler.ports import SymbolOf
from reconciler.rules.vocabulary import state_of

Row = Mapping[str, Any] | asyncpg.Record
Word = TypeVar("Word", OrderSide, PositionSide)


def profile_of(row: Row) -> Profile:
    """A row of `profiles.select`."""
    return Profile(
        id=ProfileId(_text(row, "id", "profiles")),
        account=AccountName(_text(row, "account", "profiles")),
        status=_optional_text(row, "status") or "",
        name=_optional_text(row, "name"),
        risk_limit=_optional_number(row, "risk_limit"),
    )


def order_of(row: Row, *, preset: Preset, symbol_of: SymbolOf) -> BookOrder:
    """A row of `orders.select` or `orders.find`."""
    raw_symbol = _text(row, "symbol", "orders")
    status = _text(row, "status", "orders")
    created_at = _time(row, "created_at", "orders", preset)
    client_id, venue_id = _id(row, "client_order_id"), _id(row, "venue_order_id")
    return BookOrder(
        id=BookOrderId(_text(row, "id", "orders")),
        profile_id=ProfileId(_text(row, "profile_id", "orders")),
        symbol=symbol_of(raw_symbol),
        raw_symbol=raw_symbol,
        side=_word(row, "side", "orders", OrderSide),
        qty=abs(_number(row, "qty", "orders")),
        filled=_optional_number(row, "filled") or Decimal(0),
        state=state_of(status, added=preset.vocabulary),
        raw_status=status,
        client_order_id=ClientOrderId(client_id) if client_id else None,
        venue_order_id=VenueOrderId(venue_id) if venue_id else None,
        created_at=created_at,
        updated_at=_time(row, "updated_at", "orders", preset, instead=created_at),
        type=_optional_text(row, "type"),
        price=_optional_number(row, "price"),
        avg_price=_optional_number(row, "avg_price"),
        reduce_only=bool(row.get("reduce_only")),
        role=_optional_text(row, "role"),
    )


def position_of(row: Row, *, preset: Preset, symbol_of: SymbolOf) -> BookPosition:
    """A row of `positions.select`."""
    raw_symbol = _text(row, "symbol", "positions")
    if not isinstance(row.get("open"), bool):
        raise _unreadable("positions", row, "open", row.get("open"), "true or false")
    return BookPosition(
        id=BookPositionId(_text(row, "id", "positions")),
        profile_id=ProfileId(_text(row, "profile_id", "positions")),
        symbol=symbol_of(raw_symbol),
        raw_symbol=raw_symbol,
        side=_word(row, "side", "positions", PositionSide),
        qty=_position_qty(row),
        open=row["open"],
        updated_at=_time(row, "updated_at", "positions", preset),
    )


def unreadable_row(table: str, row: Row, why: str, *, symbol_of: SymbolOf) -> UnreadableRow:
    """What can be said of a row that cannot be read."""
    symbol = _optional_text(row, "symbol")
    ids = (_id(row, "venue_order_id"), _id(row, "client_order_id"))
    return UnreadableRow(
        table=table,
        id=str(row.get("id")),
        why=why,
        symbol=symbol_of(symbol) if symbol else None,
        order_ids=tuple(i for i in ids if i),
    )


def _position_qty(row: Row) -> Decimal:
    """Not negative. Some bots write a short's quantity with a sign; a long's cannot have one."""
    qty = _number(row, "qty", "positions")
    if qty < 0 and str(row.get("side")).strip().lower() != PositionSide.SHORT:
        raise _unreadable("positions", row, "qty", qty, "not negative on a long position")
    return abs(qty)


def _unreadable(
    table: str, row: Row, column: str, given: object, accepted: str
) -> BookUnreadableError:
    return BookUnreadableError(
        f"{table} row {row.get('id')!s}: {column} is {given!r}, it must be {accepted}"
    )


def _text(row: Row, column: str, table: str) -> str:
    value = row.get(column)
    if value is None or str(value) == "":
        raise _unreadable(table, row, column, value, "text")
    return str(value)


def _optional_text(row: Row, column: str) -> str | None:
    value = row.get(column)
    return None if value is None else str(value)


def _id(row: Row, column: str) -> str | None:
    """An empty id is no id."""
    value = (_optional_text(row, column) or "").strip()
    return value or None


def _word(row: Row, column: str, table: str, words: type[Word]) -> Word:
    value = _text(row, column, table).strip().lower()
    word: Word | None = _members(words).get(value)
    if word is None:
        raise _unreadable(table, row, column, row.get(column), " or ".join(words))
    return word


@cache
def _members(words: type[Word]) -> dict[str, Word]:
    return {word.value: word for word in words}


def _number(row: Row, column: str, table: str) -> Decimal:
    value = _optional_number(row, column)
    if value is None:
        raise _unreadable(table, row, column, row.get(column), "a number")
    return value


def _optional_number(row: Row, column: str) -> Decimal | None:
    """Floats by their shortest text, so that 0.1 is 0.1; NaN is not a number."""
    value = row.get(column)
    if value is None:
        return None
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise _unreadable("", row, column, value, "a finite number")
    return number


def _time(
    row: Row, column: str, table: str, preset: Preset, *, instead: datetime | None = None
) -> datetime:
    """An aware time in UTC; naive ones are read in the preset's zone (rule 13)."""
    value = row.get(column)
    if value is None and instead is not None:
        return instead
    if not isinstance(value, datetime):
        raise _unreadable(table, row, column, value, "a time")
    if value.tzinfo is None:
        if preset.timezone is None:
            raise _unreadable(table, row, column, value, "a time with a zone (set book.timezone)")
        value = value.replace(tzinfo=ZoneInfo(preset.timezone))
    return value if value.tzinfo is UTC else value.astimezone(UTC)
