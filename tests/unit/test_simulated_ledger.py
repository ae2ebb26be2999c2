"""The simulated venue's truth: positions follow fills, old orders are forgotten, answers lag."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reconciler.simulation.venue import Fault, FaultKind, Ledger, Refused
from reconciler.simulation.venue.faults import FaultBoard
from reconciler.simulation.venue.records import OrderStatus, PositionSide, TriggerStatus
from reconciler.simulation.venue.view import LedgerView, time_window

BOTH = PositionSide.BOTH


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def trade(ledger: Ledger, side: str, qty: str, price: str, **more: object) -> int:
    order = ledger.place_order("BTCUSDT", side, Decimal(qty), Decimal(price), **more)  # type: ignore[arg-type]
    ledger.fill_order(order.order_id)
    return order.order_id


def test_a_position_averages_in_realizes_out_and_turns_around(ledger: Ledger) -> None:
    start = ledger.wallet_balance
    trade(ledger, "buy", "1", "100")
    trade(ledger, "buy", "3", "200")
    assert ledger.position("BTCUSDT", BOTH).entry_price == Decimal(175)
    trade(ledger, "sell", "1", "185")
    held = ledger.position("BTCUSDT", BOTH)
    assert (held.qty, held.entry_price) == (Decimal(3), Decimal(175))
    trade(ledger, "sell", "5", "170")
    held = ledger.position("BTCUSDT", BOTH)
    assert (held.qty, held.entry_price) == (Decimal(-2), Decimal(170))
    realized = [fill.realized_pnl for fill in ledger.fills.values()]
    assert realized == [Decimal(0), Decimal(0), Decimal(10), Decimal(-15)]
    fees = sum(fill.commission for fill in ledger.fills.values())
    assert ledger.wallet_balance == start - 5 - fees


def test_a_closed_position_is_gone(ledger: Ledger) -> None:
    trade(ledger, "sell", "2", "100")
    trade(ledger, "buy", "2", "90")
    assert not ledger.positions


def test_hedge_mode_keeps_two_legs_that_never_net(ledger: Ledger) -> None:
    ledger.set_hedge_mode(on=True)
    trade(ledger, "buy", "2", "100")
    trade(ledger, "sell", "3", "110")
    trade(ledger, "sell", "1", "120", reduce_only=True)
    assert ledger.position("BTCUSDT", PositionSide.LONG).qty == Decimal(1)
    assert ledger.position("BTCUSDT", PositionSide.SHORT).qty == Decimal(-3)
    with pytest.raises(Refused, match="-2022"):
        trade(ledger, "sell", "2", "120", position_side="LONG")
    with pytest.raises(Refused, match="-4061"):
        ledger.place_order("BTCUSDT", "buy", Decimal(1), position_side="BOTH")


def test_partial_fills_add_up_on_the_order(ledger: Ledger) -> None:
    order = ledger.place_order("ETHUSDT", "sell", Decimal(3), Decimal(10))
    ledger.fill_order(order.order_id, Decimal(1), Decimal(12))
    partly = ledger.orders[order.order_id]
    assert partly.status is OrderStatus.PARTIALLY_FILLED
    assert partly.remaining == Decimal(2)
    with pytest.raises(ValueError, match="cannot fill 3 of 2"):
        ledger.fill_order(order.order_id, Decimal(3))
    ledger.fill_order(order.order_id)
    done = ledger.orders[order.order_id]
    assert done.status is OrderStatus.FILLED
    assert done.executed_quote == Decimal(32)
    assert order.order_id not in ledger.live_orders


def test_a_reduce_only_order_never_opens(ledger: Ledger) -> None:
    ledger.set_position("BTCUSDT", "long", Decimal("0.4"), Decimal(100))
    order = ledger.place_order("BTCUSDT", "sell", Decimal(1), reduce_only=True)
    assert ledger.fill_order(order.order_id).qty == Decimal("0.4")
    assert not ledger.positions
    with pytest.raises(Refused, match="-2022"):
        ledger.fill_order(order.order_id)


def test_a_triggered_order_gets_a_child_and_ends_with_it(ledger: Ledger) -> None:
    ledger.set_position("BTCUSDT", "long", Decimal(2), Decimal(100))
    stop = ledger.place_trigger_order(
        "BTCUSDT", "sell", Decimal(0), Decimal(90), close_position=True
    )
    child = ledger.trigger(stop.algo_id)
    assert (child.qty, child.order_type, child.reduce_only) == (Decimal(2), "MARKET", True)
    assert child.order_id != stop.algo_id
    assert ledger.trigger_orders[stop.algo_id].status is TriggerStatus.TRIGGERED
    assert not LedgerView(ledger).open_trigger_orders()
    ledger.fill_order(child.order_id, price=Decimal(89))
    assert ledger.trigger_orders[stop.algo_id].status is TriggerStatus.FINISHED
    with pytest.raises(Refused, match="-2011"):
        ledger.cancel_trigger_order(stop.algo_id)


@pytest.mark.parametrize(
    ("filled", "ended", "days", "known"),
    [
        (False, True, 2.9, True),
        (False, True, 3.1, False),
        (True, True, 3.1, True),
        (True, True, 90.1, False),
        (False, False, 400, True),
    ],
)
def test_ended_orders_are_forgotten_by_age(
    ledger: Ledger, *, filled: bool, ended: bool, days: float, known: bool
) -> None:
    order = ledger.place_order("BTCUSDT", "buy", Decimal(2), Decimal(100))
    if filled:
        ledger.fill_order(order.order_id, Decimal(1))
    if ended:
        ledger.cancel_order(order.order_id)
    ledger.clock.shift(timedelta(days=days))
    view = LedgerView(ledger)
    assert bool(list(view.all_orders("BTCUSDT"))) is known
    if not known:
        with pytest.raises(Refused, match="-2013"):
            view.order("BTCUSDT", order_id=order.order_id, client_order_id=None)


def test_a_forgotten_order_leaves_its_fills_unless_told(ledger: Ledger) -> None:
    first = trade(ledger, "buy", "1", "100")
    second = trade(ledger, "buy", "1", "100")
    ledger.forget_order(first)
    ledger.forget_order(second, fills=True)
    assert not ledger.orders
    assert [fill.order_id for fill in ledger.fills.values()] == [first]


def test_lag_shows_the_past_of_one_scope_only(ledger: Ledger) -> None:
    kept = ledger.place_order("BTCUSDT", "buy", Decimal(1), Decimal(100))
    ledger.settle()
    ledger.lag(orders=timedelta(seconds=5))
    ledger.fill_order(kept.order_id)
    new = ledger.place_order("BTCUSDT", "buy", Decimal(1), Decimal(90))
    view = LedgerView(ledger)
    assert view.open_orders() == [kept]
    assert view.positions()[0].qty == Decimal(1)
    with pytest.raises(Refused, match="-2013"):
        view.order("BTCUSDT", order_id=new.order_id, client_order_id=None)
    ledger.clock.shift(timedelta(seconds=6))
    assert view.open_orders() == [new]
    ledger.lag()
    assert view.open_orders() == [new]


def test_lagging_positions_show_what_was_held(ledger: Ledger) -> None:
    ledger.set_position("BTCUSDT", "long", Decimal(1))
    ledger.settle()
    ledger.set_position("BTCUSDT", "short", Decimal(4))
    ledger.close_position("BTCUSDT")
    ledger.lag(positions=timedelta(seconds=1))
    assert [leg.qty for leg in LedgerView(ledger).positions()] == [Decimal(1)]
    with pytest.raises(ValueError, match="at most"):
        ledger.lag(positions=timedelta(hours=1))


def test_history_windows_are_seven_days(ledger: Ledger) -> None:
    now = datetime(2026, 5, 20, tzinfo=UTC)
    week = timedelta(days=7)
    assert time_window(start_at=None, end_at=None, now=now) == (now - week, now)
    start = now - timedelta(days=30)
    assert time_window(start_at=start, end_at=None, now=now) == (start, start + week)
    with pytest.raises(Refused, match="-4165"):
        time_window(start_at=start, end_at=now, now=now)
    with pytest.raises(ValueError, match="no time zone"):
        ledger.place_order("BTCUSDT", "buy", Decimal(1), created_at=now.replace(tzinfo=None))


def test_unknown_symbols_and_taken_ids_are_refused(ledger: Ledger) -> None:
    with pytest.raises(Refused, match="-1121"):
        ledger.place_order("NOSUCH", "buy", Decimal(1))
    ledger.place_order("BTCUSDT", "buy", Decimal(1), order_id=8_000_000_001)
    with pytest.raises(ValueError, match="taken"):
        ledger.place_order("BTCUSDT", "buy", Decimal(1), order_id=8_000_000_001)
    assert ledger.place_order("BTCUSDT", "buy", Decimal(1)).order_id == 8_000_000_002


def test_faults_count_requests_wait_and_mind_the_account() -> None:
    board = FaultBoard()
    board.set(FaultKind.HTML_200, "positions", account="main", times=2, after=1)

    def hits(name: str, account: str) -> bool:
        return board.take(name=name, path="/x", account=account) is not None

    assert not hits("open_orders", "main")
    assert not hits("positions", "other")
    assert [hits("positions", "main") for _ in range(4)] == [False, True, True, False]
    everywhere = board.set(Fault.status(524))
    assert hits("order", "other")
    board.clear(everywhere)
    assert not hits("order", "other")
    assert everywhere.cleared.is_set()
