"""What an order that the venue shows can be taken for: is it the row's, has it ended."""

from datetime import timedelta

from reconciler.domain.orders import BookOrder, VenueOrder
from reconciler.rules.vocabulary import normalise_word, state_of

REUSED_BEFORE = timedelta(hours=1)
"""A bot writes its row about when it sends the order; an order this much older is another one."""


def why_not_the_same(row: BookOrder, found: VenueOrder) -> str | None:
    """Why an order found by its client id alone may be another one, or None.

    Venues let a client order id be used again once its order has ended (Binance, OKX, Bybit). What
    the earlier order did must not be written onto a row that never reached the venue (rule 6).
    """
    if row.venue_order_id == found.venue_order_id:
        return None
    if found.qty is not None and found.qty != row.qty:
        return (
            f"the venue's order under its client id has quantity {found.qty}, the row {row.qty}: "
            "the id may have been used before"
        )
    if found.created_at is not None and found.created_at < row.created_at - REUSED_BEFORE:
        return (
            f"the venue's order under its client id is of {found.created_at:%Y-%m-%d %H:%M}, "
            "before the row: the id was used before"
        )
    return None


def may_trade_on(word: str) -> bool:
    """The venue's own word, which ccxt's hides: Alpaca's `calculated` is done for the day only.

    A lookup follows `replaced` orders: one that is left names no order in its place.
    """
    return state_of(word).is_live or normalise_word(word) == "replaced"
