"""ccxt's dicts and raw rows → domain values. Pure; what cannot be read is said, never guessed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.domain.identity import Asset, ClientOrderId, Symbol, VenueOrderId
from reconciler.domain.orders import Fill, InverseAmount, OrderSide, OrderState, VenueOrder
from reconciler.domain.positions import Conversion, PositionSide, VenueBalance, VenuePosition
from reconciler.venue.description import BalanceRow, PositionRow, StatusWords
from reconciler.venue.raw_json import found_at

ZERO = Decimal(0)
ONE = Decimal(1)
NO_IDS = frozenset({"", "0"})
"""What venues send where there is no client order id (Kraken's unset userref is 0)."""

SymbolOf = Callable[[str], Symbol]
SizeOf = Callable[[str], Decimal]
"""Base units of one contract of a market, 1 where the quantity is in base units already; of an
inverse one its quote currency."""
IsInverse = Callable[[str], bool]
"""Whether a market's quantities are worth quote currency: a price makes base units of them."""


def never_inverse(_symbol: str) -> bool:
    """Say of every market that its quantities are in base units."""
    return False


class NotUnderstoodError(Exception):
    """A row that was sent but cannot be read: the scope is not complete, the lookup no answer."""


class UnknownMarketError(NotUnderstoodError):
    """A row of a market that is not loaded, whose contracts cannot be counted."""


def number_of(value: Any) -> Decimal | None:
    """Return a finite Decimal, None for anything else."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def text_of(value: Any) -> str | None:
    """Return an id as text, None where the venue means "none"."""
    text = "" if value is None else str(value)
    return None if text in NO_IDS else text


def moment_of(milliseconds: Any) -> datetime | None:
    """Return an aware UTC time, None where the venue does not say."""
    if type(milliseconds) is int and milliseconds:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    number = number_of(milliseconds)
    return datetime.fromtimestamp(float(number) / 1000, UTC) if number else None


def state_of(
    *,
    status: str | None,
    raw: str,
    filled: Decimal,
    qty: Decimal | None,
    is_trigger: bool,
    words: StatusWords,
) -> OrderState:
    """Return what ccxt's status means once the filled quantity is looked at too.

    The unified word alone lies: Bybit's partial fill plus cancel is "closed", a triggered stop's
    parent is "closed" with nothing filled.
    """
    if raw in words.in_flight:
        return OrderState.IN_FLIGHT
    full = qty is not None and ZERO < qty <= filled
    match status:
        case "open":
            return OrderState.PARTIALLY_FILLED if filled > 0 else OrderState.OPEN
        case "canceling":
            return OrderState.CANCELING
        case "rejected":
            return OrderState.REJECTED
        case "canceled":
            return OrderState.FILLED if full else OrderState.CANCELED
        case "expired":
            return OrderState.FILLED if full else OrderState.EXPIRED
        case "closed" if not is_trigger:
            return _how_it_closed(raw, filled, qty=qty, full=full, words=words)
        case _:
            # Also a trigger order's "closed": its order was sent, which proves no fill.
            return OrderState.UNMAPPED


def _how_it_closed(
    raw: str, filled: Decimal, *, qty: Decimal | None, full: bool, words: StatusWords
) -> OrderState:
    if full or (qty is None and filled > 0):
        return OrderState.FILLED
    if filled > 0 or raw in words.canceled:
        return OrderState.CANCELED
    # "Closed" with nothing filled: cancelled, or fills that are not booked yet. Not known.
    return OrderState.UNMAPPED


def order_of(
    parsed: Mapping[str, Any],
    *,
    is_trigger: bool,
    words: StatusWords,
    symbol_of: SymbolOf,
    size_of: SizeOf,
    is_inverse: IsInverse = never_inverse,
) -> VenueOrder:
    """Return the order that ccxt parsed, in base units.

    How far it is filled is judged before a price comes in: a full fill is one at any price.

    Raises:
        NotUnderstoodError: it has no id, symbol, side, or filled quantity that can be told.

    """
    order_id, raw_symbol, side = parsed.get("id"), parsed.get("symbol"), parsed.get("side")
    if not order_id or not raw_symbol or side not in {"buy", "sell"}:
        raise NotUnderstoodError("an order without id, symbol or side")
    info = parsed.get("info")
    info = info if isinstance(info, dict) else {}
    size = size_of(raw_symbol)
    qty = number_of(parsed.get("amount"))
    qty = qty * size if qty else None
    filled = _filled_of(parsed, is_trigger=is_trigger) * size
    status = parsed.get("status")
    raw = next((str(info[key]) for key in words.at if info.get(key)), str(status or ""))
    status = words.meaning.get(raw, status)
    average = _price(parsed.get("average")) if filled else None
    state = state_of(
        status=status, raw=raw, filled=filled, qty=qty, is_trigger=is_trigger, words=words
    )
    inverse = None
    if is_inverse(raw_symbol):
        inverse = InverseAmount(qty=qty, filled=filled, step=size)
        qty, filled = _in_base(inverse, price=_price(parsed.get("price")), average=average)
    return VenueOrder(
        symbol=symbol_of(raw_symbol),
        side=OrderSide.BUY if side == "buy" else OrderSide.SELL,
        venue_order_id=VenueOrderId(str(order_id)),
        client_order_id=_client_id(parsed.get("clientOrderId")),
        state=state,
        raw_status=raw,
        qty=qty,
        filled=filled,
        avg_price=average,
        price=number_of(parsed.get("price")),
        is_trigger=is_trigger,
        created_at=moment_of(parsed.get("timestamp")),
        successor_ids=_successors(info, words, str(order_id)) if words.successor_at else (),
        inverse=inverse,
    )


def _in_base(
    sent: InverseAmount, *, price: Decimal | None, average: Decimal | None
) -> tuple[Decimal | None, Decimal]:
    """Return quantity and fills of an inverse order in base units.

    The quantity by the order's own price, what is filled by what it cost; without a price the
    quantity is not known.
    """
    worth, paid = price or average, average or price
    qty = sent.qty / worth if sent.qty is not None and worth is not None else None
    if not sent.filled:
        return qty, ZERO
    if paid is None:
        raise NotUnderstoodError("an inverse order that does not say at what price it filled")
    return qty, sent.filled / paid


def _filled_of(parsed: Mapping[str, Any], *, is_trigger: bool) -> Decimal:
    if is_trigger and parsed.get("status") == "closed":
        # What a trigger order sends has its own id, and its own fills; ccxt makes a full fill of
        # the word alone.
        return ZERO
    filled = number_of(parsed.get("filled"))
    if filled is None and (is_trigger or parsed.get("status") == "open"):
        return ZERO
    if filled is None or filled < 0:
        raise NotUnderstoodError("an order that does not say how much of it is filled")
    return filled


def _client_id(value: Any) -> ClientOrderId | None:
    text = text_of(value)
    return ClientOrderId(text) if text else None


def _successors(info: Mapping[str, Any], words: StatusWords, own: str) -> tuple[VenueOrderId, ...]:
    found = (text_of(info.get(key)) for key in words.successor_at)
    return tuple(VenueOrderId(value) for value in found if value and value != own)


def position_of_row(
    row: Any,
    *,
    fields: PositionRow,
    symbol_of: SymbolOf,
    size_of: SizeOf,
    is_inverse: IsInverse = never_inverse,
) -> VenuePosition | None:
    """Return the position of a raw row, None for a flat one.

    Raises:
        NotUnderstoodError: it is no object, or lacks symbol or quantity, or its leg is unknown.

    """
    if not isinstance(row, dict) or not row.get(fields.symbol):
        raise NotUnderstoodError("a position without symbol")
    signed = _signed_of(row, fields)
    leg = None if fields.leg is None else str(row.get(fields.leg))
    if leg is not None and leg not in fields.legs:
        raise NotUnderstoodError("a position without leg")
    if not signed:
        return None
    side = None if leg is None else fields.legs[leg]
    hedged = side is not None
    if side is None:
        side = "long" if signed > 0 else "short"
    raw_symbol = str(row[fields.symbol])
    return _position(
        symbol_of(raw_symbol),
        PositionSide(side),
        abs(signed) * size_of(raw_symbol),
        hedged=hedged,
        entry_price=_price(row.get(fields.entry_price)),
        mark_price=_price(row.get(fields.mark_price)),
        inverse=is_inverse(raw_symbol),
    )


def _position(
    symbol: Symbol,
    side: PositionSide,
    qty: Decimal,
    *,
    hedged: bool | None,
    entry_price: Decimal | None,
    mark_price: Decimal | None,
    inverse: bool,
) -> VenuePosition:
    """Return a position in base units; an inverse one by the best price that there is."""
    price, conversion = None, Conversion.NONE
    if inverse:
        price, conversion = mark_price, Conversion.BY_MARK_PRICE
        if entry_price is not None:
            price, conversion = entry_price, Conversion.BY_ENTRY_PRICE
        if price is None:
            conversion = Conversion.UNKNOWN
    return VenuePosition(
        symbol=symbol,
        side=side,
        qty=qty if price is None else qty / price,
        hedged=hedged,
        entry_price=entry_price,
        mark_price=mark_price,
        conversion=conversion,
    )


def _signed_of(row: Mapping[str, Any], fields: PositionRow) -> Decimal:
    """Return what is held, negative where it is short."""
    qty = number_of(row.get(fields.qty))
    closed = ZERO if fields.closed is None else number_of(row.get(fields.closed))
    if qty is None or closed is None:
        raise NotUnderstoodError("a position without quantity")
    held = qty - closed
    if fields.side is None or not held:
        return held
    side = fields.sides.get(str(row.get(fields.side)))
    if side is None:
        raise NotUnderstoodError("a position without side")
    return abs(held) if side == "long" else -abs(held)


def position_of(
    parsed: Mapping[str, Any],
    *,
    symbol_of: SymbolOf,
    size_of: SizeOf,
    is_inverse: IsInverse = never_inverse,
) -> VenuePosition | None:
    """Return the position that ccxt's unified call parsed, None for a flat one.

    Raises:
        NotUnderstoodError: it has no symbol, quantity or side.

    """
    raw_symbol, contracts = parsed.get("symbol"), number_of(parsed.get("contracts"))
    if not raw_symbol or contracts is None:
        raise NotUnderstoodError("a position without symbol or quantity")
    if not contracts:
        return None
    side = parsed.get("side")
    if side not in {"long", "short"}:
        raise NotUnderstoodError("a position without side")
    hedged = parsed.get("hedged")
    return _position(
        symbol_of(raw_symbol),
        PositionSide(side),
        abs(contracts) * size_of(raw_symbol),
        hedged=hedged if isinstance(hedged, bool) else None,
        entry_price=_price(parsed.get("entryPrice")),
        mark_price=_price(parsed.get("markPrice")),
        inverse=is_inverse(raw_symbol),
    )


def balance_of_row(
    row: Any, *, fields: BalanceRow, asset_of: Callable[[str], Asset]
) -> VenueBalance | None:
    """Return the balance of a raw row, None where there is nothing of that currency.

    Raises:
        NotUnderstoodError: it is no object, or lacks its currency or some part of the quantity.

    """
    raw = row.get(fields.asset) if isinstance(row, dict) else None
    if not isinstance(raw, str) or not raw:
        raise NotUnderstoodError("a balance without currency")
    total = ZERO
    for part in fields.parts:
        qty = number_of(found_at(row, tuple(part.split("."))))
        if qty is None:
            raise NotUnderstoodError(f"a balance without {part}")
        total += qty
    for suffix in fields.suffixes:
        raw = raw.removesuffix(suffix)
    return VenueBalance(asset=asset_of(raw), total=total) if total else None


def fill_of(
    parsed: Mapping[str, Any],
    *,
    client_order_id_at: str | None,
    symbol_of: SymbolOf,
    size_of: SizeOf,
    is_inverse: IsInverse = never_inverse,
) -> Fill:
    """Return the execution that ccxt parsed, in base units.

    Raises:
        NotUnderstoodError: it has no id, symbol, side, quantity or price.

    """
    raw_symbol, side = parsed.get("symbol"), parsed.get("side")
    qty, price = number_of(parsed.get("amount")), number_of(parsed.get("price"))
    if not parsed.get("id") or not raw_symbol or side not in {"buy", "sell"}:
        raise NotUnderstoodError("a fill without id, symbol or side")
    if qty is None or qty <= 0 or price is None:
        raise NotUnderstoodError("a fill without quantity or price")
    info = parsed.get("info")
    info = info if isinstance(info, dict) else {}
    order_id = text_of(parsed.get("order"))
    size = size_of(raw_symbol)
    qty, inverse = qty * size, None
    if is_inverse(raw_symbol):
        if price <= 0:
            raise NotUnderstoodError("a fill of inverse contracts without price")
        inverse = InverseAmount(qty=qty, filled=qty, step=size)
        qty /= price
    return Fill(
        id=str(parsed["id"]),
        symbol=symbol_of(raw_symbol),
        side=OrderSide(side),
        venue_order_id=VenueOrderId(order_id) if order_id else None,
        client_order_id=_client_id(info.get(client_order_id_at)) if client_order_id_at else None,
        qty=qty,
        price=price,
        at=moment_of(parsed.get("timestamp")),
        inverse=inverse,
    )


def _price(value: Any) -> Decimal | None:
    price = number_of(value)
    return price if price and price > 0 else None
