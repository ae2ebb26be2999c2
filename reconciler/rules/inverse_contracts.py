"""Rule 14 for inverse contracts, which are worth quote currency: base units depend on a price.

Positions are compared within what the conversion may be off by; orders are judged by the share of
their contracts that is filled, which no price can change.
"""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

from reconciler.domain.orders import BookOrder, InverseAmount, VenueOrder
from reconciler.domain.positions import Conversion, Market, VenuePosition

ZERO = Decimal(0)
ONE = Decimal(1)
ENTRY_PRICE_SHARE = Decimal("0.001")
"""Venues round an average entry price to a tick or to a few digits; the bot has its own average."""
MARK_PRICE_SHARE = Decimal("0.5")
"""The price may have moved by half since the position was entered."""
ORDER_PRICE_SHARE = Decimal("0.01")
"""The bot may have reckoned with another price (a limit, the last one) than the order got."""


def slack_of(held: VenuePosition, market: Market | None) -> Decimal:
    """How far the position's quantity may be off, in base units; infinite where no price is told.

    By the entry price: one contract's worth, for what the bot could not buy of one, and 0.1 %.
    """
    match held.conversion:
        case Conversion.NONE:
            return ZERO
        case Conversion.UNKNOWN:
            return Decimal("Infinity")
        case Conversion.BY_MARK_PRICE:
            return held.qty * MARK_PRICE_SHARE
        case Conversion.BY_ENTRY_PRICE:
            step = market.inverse_step if market is not None else None
            one = step / held.entry_price if step is not None and held.entry_price else ZERO
            return held.qty * ENTRY_PRICE_SHARE + one


def as_the_row_counts(row: BookOrder, order: VenueOrder) -> VenueOrder:
    """An inverse order in the row's own quantities: the same share of it is filled.

    So a full fill fills the row, whatever the order cost. What the bot wrote itself stands where
    only the price that it reckoned with can make the difference. Other orders stay as they are.
    """
    sent = order.inverse
    if sent is None or not sent.qty:
        return order
    qty = order.qty
    if qty is not None and _is_about(qty, row.qty, one=_one_contract(sent, qty)):
        qty = row.qty
    share = min(sent.filled / sent.qty, ONE)
    filled = row.qty * share
    about = abs(filled - row.filled) <= row.qty * ORDER_PRICE_SHARE
    if share == ONE:
        filled = max(row.qty, row.filled) if about else row.qty
    elif about and share > ZERO and row.filled > ZERO:
        filled = row.filled
    return replace(order, qty=qty, filled=filled)


def _one_contract(sent: InverseAmount, qty: Decimal) -> Decimal:
    return qty * sent.step / sent.qty if sent.step is not None and sent.qty else ZERO


def _is_about(qty: Decimal, row_qty: Decimal, *, one: Decimal) -> bool:
    return abs(qty - row_qty) <= row_qty * ORDER_PRICE_SHARE + one


def contracts_of(row: BookOrder, *, step: Decimal | None) -> Decimal | None:
    """The row's quantity in quote currency, brought to whole contracts; None without its price."""
    if not row.price or row.price < ZERO or not row.qty:
        return None
    quote = row.qty * row.price
    if step is None or step <= ZERO:
        return quote
    whole = (quote / step).to_integral_value(rounding=ROUND_HALF_EVEN) * step
    return whole if whole > ZERO else None
