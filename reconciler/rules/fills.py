"""What the executions of one order come to. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from reconciler.domain.orders import BookOrder, Fill
from reconciler.rules.inverse_contracts import contracts_of

ZERO = Decimal(0)
ONE = Decimal(1)
NEARLY = Decimal("0.9999")
"""The most that is said of an order whose contracts cannot be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsTotal:
    """The executions of one order, summed."""

    filled: Decimal
    """In the row's quantities."""
    avg_price: Decimal | None
    is_whole: bool
    """They fill all of the row."""


def sum_fills(row: BookOrder, fills: Iterable[Fill]) -> FillsTotal:
    """The fills of the row's symbol and side, each counted once by its id."""
    once = {fill.id: fill for fill in fills if (fill.symbol, fill.side) == (row.symbol, row.side)}
    qty = sum((fill.qty for fill in once.values()), ZERO)
    if qty <= ZERO:
        return FillsTotal(filled=ZERO, avg_price=None, is_whole=False)
    # Of inverse contracts too: their base units times their prices are what was paid.
    avg_price = sum((fill.qty * fill.price for fill in once.values()), ZERO) / qty
    share = _share_of_contracts(row, once.values())
    if share is None:
        return FillsTotal(filled=qty, avg_price=avg_price, is_whole=qty >= row.qty > ZERO)
    return FillsTotal(filled=row.qty * share, avg_price=avg_price, is_whole=share == ONE)


def _share_of_contracts(row: BookOrder, fills: Collection[Fill]) -> Decimal | None:
    """How much of an inverse order is filled, in contracts; None where it is no such order.

    Without the row's price its contracts cannot be counted: what is filled is less than whole.
    """
    sent = [fill.inverse for fill in fills if fill.inverse is not None]
    if len(sent) < len(fills) or row.qty <= ZERO:
        return None
    contracts = contracts_of(row, step=sent[0].step)
    if contracts is None:
        by_price = sum((fill.qty for fill in fills), ZERO) / row.qty
        return min(by_price, NEARLY)
    return min(sum((one.filled for one in sent), ZERO) / contracts, ONE)
