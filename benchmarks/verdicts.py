"""Verdicts a second on one core: matching and judging, no I/O. Linear in the number of orders."""

import gc
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from benchmarks.measuring import Measure, Size, measure, measured
from reconciler.domain.identity import (
    BookOrderId,
    ClientOrderId,
    ProfileId,
    Symbol,
    VenueOrderId,
)
from reconciler.domain.orders import BookOrder, Fill, OrderSide, OrderState, VenueOrder
from reconciler.domain.snapshot import NotFound
from reconciler.domain.verdicts import OrderVerdictKind
from reconciler.rules.matching import match_orders
from reconciler.rules.order_status import OrderLimits, judge_order
from reconciler.service.garbage import collect_less_often

QUESTION = "verdicts a second on one core"
AT_LEAST = 200_000
"""In-sync verdicts a second (the issue)."""
MAX_GROWTH = 4.0
"""Time of one order at the largest size over that at the smallest: caches and garbage collection
cost up to twice as much; quadratic work would cost a hundred times as much."""

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMITS = OrderLimits(
    stale_after=timedelta(minutes=15),
    quarantine_after=timedelta(hours=24),
    grace=timedelta(seconds=60),
    retention=timedelta(days=3),
)
MARKETS = 50
CASES = {
    "in sync": OrderVerdictKind.IN_SYNC,
    "in sync, no client ids": OrderVerdictKind.IN_SYNC,
    "missing, with fills": OrderVerdictKind.ENDED,
}


async def run(size: Size) -> AsyncIterator[Measure]:
    """One line for each case and size, and how the time of one order grows."""
    for case in CASES:
        rates = {}
        for orders in size.orders:
            found = await measured(__name__, case=case, orders=orders, rounds=size.rounds)
            rates[orders] = found["orders_per_second"]
            yield Measure(
                benchmark="verdicts",
                case=f"{case}, {orders} orders",
                what="match and judge",
                value=rates[orders],
                unit="/s",
                at_least=AT_LEAST if case == "in sync" else None,
            )
        small, large = size.orders[0], size.orders[-1]
        yield Measure(
            benchmark="verdicts",
            case=case,
            what=f"time of one order, {large} over {small}",
            value=1e6 / rates[large],
            floor=1e6 / rates[small],
            unit="µs",
            at_most=MAX_GROWTH,
        )


async def judge(*, case: str, orders: int, rounds: int) -> dict[str, Any]:
    """In the measured process: the best of the rounds, collections of garbage included."""
    work = _work(case, orders)
    best = float("inf")
    collect_less_often()  # as the daemon does at its start
    for _ in range(rounds):
        gc.collect()
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return {"orders_per_second": orders / best}


def _work(case: str, orders: int) -> Callable[[], None]:
    client_ids = case != "in sync, no client ids"
    rows = [_row(number, client_ids=client_ids) for number in range(orders)]
    filled = case == "missing, with fills"
    listed = [] if filled else [_listed(row, number) for number, row in enumerate(rows)]
    lookups = {row.id: _only_fills(row, number) for number, row in enumerate(rows) if filled}
    wanted = CASES[case]

    def work() -> None:
        matching = match_orders(rows=rows, listed=listed)
        verdicts = [
            judge_order(
                row=row,
                listed=matching.by_order.get(row.id),
                why_incomplete=None,
                lookup=lookups.get(row.id),
                first_seen_at=None,
                now=NOW,
                limits=LIMITS,
            )
            for row in rows
        ]
        if any(verdict.kind is not wanted for verdict in verdicts):
            raise RuntimeError(f"not every verdict is {wanted}")

    return work


def _row(number: int, *, client_ids: bool) -> BookOrder:
    symbol = f"C{number % MARKETS:02d}/USDT:USDT"
    at = NOW - timedelta(hours=2, seconds=number % 3600)
    return BookOrder(
        id=BookOrderId(f"o{number}"),
        profile_id=ProfileId(f"p{number % 5}"),
        symbol=Symbol(symbol),
        raw_symbol=symbol,
        side=_side(number),
        qty=Decimal("1.500"),
        filled=Decimal("0.000"),
        state=OrderState.OPEN,
        raw_status="open",
        client_order_id=ClientOrderId(f"bot-{number}") if client_ids else None,
        venue_order_id=VenueOrderId(str(8_000_000_000 + number)),
        created_at=at,
        updated_at=at,
    )


def _listed(row: BookOrder, number: int) -> VenueOrder:
    return VenueOrder(
        symbol=row.symbol,
        side=_side(number),
        venue_order_id=VenueOrderId(str(8_000_000_000 + number)),
        client_order_id=ClientOrderId(f"bot-{number}"),
        state=OrderState.OPEN,
        raw_status="NEW",
        qty=Decimal("1.5"),
        filled=Decimal(0),
        created_at=row.created_at,
    )


def _only_fills(row: BookOrder, number: int) -> NotFound:
    fills = tuple(
        Fill(
            id=f"f{number}-{part}",
            symbol=row.symbol,
            side=row.side,
            venue_order_id=row.venue_order_id,
            client_order_id=row.client_order_id,
            qty=Decimal("0.5"),
            price=Decimal("100.25"),
            at=NOW,
        )
        for part in range(3)
    )
    return NotFound(rungs=("order by venue id",), fills=fills)


def _side(number: int) -> OrderSide:
    return OrderSide.BUY if number % 2 else OrderSide.SELL


if __name__ == "__main__":
    measure(judge)
