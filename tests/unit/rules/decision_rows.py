"""The rows of the decision tables, and what a case of one is made of.

The tables are those of the best in-process engine of this field (NautilusTrader 1.231, its live
reconciliation): what the book has, what the venue says, what follows. `docs/why/decision-tables.md`
says what that engine does, what we do, and why.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from reconciler.domain.orders import BookOrder, OrderState, VenueOrder
from reconciler.domain.snapshot import Lookup
from reconciler.domain.verdicts import OrderVerdictKind
from reconciler.rules.matching import match_orders
from reconciler.rules.order_status import judge_orphans
from tests.unit.rules.judging import judge_row

ORDER_ROWS = tuple(f"2.1-R{n}" for n in range(1, 25))
ABSENCE_ROWS = tuple(f"2.2-{n}" for n in range(1, 12))
IN_FLIGHT_ROWS = tuple(f"2.3-{n}" for n in range(1, 9))
POSITION_ROWS = tuple(f"2.4-{n}" for n in range(1, 15))
ROWS = (*ORDER_ROWS, *ABSENCE_ROWS, *IN_FLIGHT_ROWS, *POSITION_ROWS)

NOTHING = (None, None, None)
"""No verdict at all."""
Outcome = tuple[OrderVerdictKind | None, OrderState | None, Decimal | None]
"""What is concluded, the status and the filled quantity that the book learns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCase:
    """One row of a table: what is given, and our outcome."""

    row: str
    what: str
    """Tells this case from the row's others."""
    book: BookOrder | None = None
    listed: tuple[VenueOrder, ...] = ()
    lookup: Lookup | None = None
    first_seen: timedelta | None = None
    outcome: Outcome

    @property
    def name(self) -> str:
        """`2.1-R9 filled`."""
        return f"{self.row} {self.what}"


def outcome_of(case: OrderCase) -> Outcome:
    """Match and judge, as a look does."""
    rows = [case.book] if case.book is not None else []
    matching = match_orders(rows=rows, listed=case.listed)
    if case.book is None:
        verdicts = judge_orphans(unmatched=matching.unmatched)
        if not verdicts:
            return NOTHING
        [verdict] = verdicts
    else:
        assert not judge_orphans(unmatched=matching.unmatched)
        verdict = judge_row(
            case.book,
            listed=matching.by_order.get(case.book.id),
            lookup=case.lookup,
            first_seen=case.first_seen,
        )
    return verdict.kind, verdict.state, verdict.filled
