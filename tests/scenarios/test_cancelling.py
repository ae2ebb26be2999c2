"""Cancelling a stuck order: only what policy, incident, book and venue let."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.incidents import intents, settling
from reconciler.incidents.errors import NotFoundError, RefusedError
from reconciler.simulation.venue import Fault, FaultKind
from reconciler.simulation.venue.records import OrderStatus
from reconciler.venue.acting import CcxtActing
from tests.scenarios.acting import ETH, POLICY, actions, cancel, operations, writes
from tests.scenarios.setting import HOUR, Setting, ago

REFUSED_KEY = Fault.error(-2015, "Invalid API-key, IP, or permissions for action.", 401)


@pytest.fixture(autouse=True)
def _prompt_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "READ_WITHIN", timedelta(seconds=2))
    monkeypatch.setattr(settling, "READ_EVERY", timedelta(milliseconds=100))


async def _stuck(setting: Setting) -> int:
    """Order o1, whose cancellation the bot asked for and the venue never saw."""
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(2000))
    await setting.order(
        "o1", ETH, "buy", "2", venue_order_id=str(placed.order_id), status="pending_cancel"
    )
    await setting.once()
    assert await setting.incidents() == [("stuck_order", "SEV-2", "open")]
    setting.venue.requests.clear()
    return placed.order_id


def _status(setting: Setting, order_id: int) -> OrderStatus:
    return setting.ledger.orders[order_id].status


async def test_a_dry_run_shows_the_request_and_changes_nothing(setting: Setting) -> None:
    order_id = await _stuck(setting)
    report = await cancel(setting, execute=False)
    assert (report.outcome, report.qty, report.target) == ("dry_run", Decimal(2), "o1")
    assert report.request is not None
    assert (report.request.method, report.request.path) == ("DELETE", "/fapi/v1/order")
    assert report.request.params == {"symbol": "ETHUSDT", "orderId": str(order_id)}
    assert (writes(setting), _status(setting, order_id)) == (0, OrderStatus.NEW)
    assert (await operations(setting), await actions(setting)) == ([], [])


async def test_execute_cancels_and_says_so(setting: Setting) -> None:
    order_id = await _stuck(setting)
    before = await setting.book()
    report = await cancel(setting)
    assert (report.outcome, _status(setting, order_id)) == ("confirmed", OrderStatus.CANCELED)
    assert await operations(setting) == [("orders cancel", "done")]
    intended, ended = await actions(setting)
    assert intended.startswith("ana has it cancel order o1")
    assert ended == "the order is canceled at the venue, 0 filled"
    assert await setting.book() == before, "the daemon writes the book, not the command"
    for _ in range(4):
        await setting.once()
    assert (await setting.incidents())[0][2] == "resolved"
    row = await setting.row("select status from bot.orders")
    assert row["status"] == "canceled"


async def test_an_order_that_filled_meanwhile_is_refused(setting: Setting) -> None:
    order_id = await _stuck(setting)
    setting.ledger.fill_order(order_id)
    with pytest.raises(RefusedError, match="not live at the venue: filled, 2 filled"):
        await cancel(setting)
    assert writes(setting) == 0


async def test_an_order_that_fills_while_the_cancellation_travels(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await _stuck(setting)
    written = intents.intend

    async def fill(*given: Any, **more: Any) -> Any:
        setting.ledger.fill_order(order_id)
        return await written(*given, **more)

    monkeypatch.setattr("reconciler.incidents.cancelling.intend", fill)
    report = await cancel(setting)
    assert (report.outcome, report.done_qty, writes(setting)) == ("not_done", Decimal(2), 1)
    assert "it filled before it could be cancelled" in report.said
    assert await operations(setting) == [("orders cancel", "failed")]


async def test_a_part_that_filled_is_told(setting: Setting) -> None:
    order_id = await _stuck(setting)
    setting.ledger.fill_order(order_id, Decimal("0.5"))
    report = await cancel(setting)
    assert (report.outcome, report.qty, report.done_qty) == (
        "confirmed",
        Decimal("1.5"),
        Decimal("0.5"),
    )


@pytest.mark.parametrize("fault", [FaultKind.HANG_AFTER, FaultKind.CUT_BODY])
async def test_an_answer_that_never_comes_is_found_by_reading(
    setting: Setting, fault: FaultKind
) -> None:
    order_id = await _stuck(setting)
    setting.venue.faults.set(fault, "cancel_order", times=1)
    report = await cancel(setting)
    assert (report.outcome, _status(setting, order_id)) == ("confirmed", OrderStatus.CANCELED)


async def test_one_that_never_arrived_is_settled_before_it_is_sent_again(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await _stuck(setting)
    setting.venue.faults.set(FaultKind.HANG, "cancel_order", times=1)
    assert (await cancel(setting)).outcome == "unknown"
    with pytest.raises(RefusedError, match="not settled yet"):
        await cancel(setting, execute=False)
    assert (await cancel(setting)).outcome == "unknown"
    monkeypatch.setattr(intents, "UNDER_WAY", timedelta(0))
    assert (await cancel(setting)).outcome == "not_done"
    assert writes(setting) == 1
    assert (await cancel(setting)).outcome == "confirmed"
    assert _status(setting, order_id) is OrderStatus.CANCELED
    assert await operations(setting) == [("orders cancel", "failed"), ("orders cancel", "done")]


async def test_policy_never_refuses(setting: Setting) -> None:
    await _stuck(setting)
    with pytest.raises(RefusedError, match=r'policy\.cancel_stuck_orders is "never"'):
        await cancel(setting, policy={"cancel_stuck_orders": "never"})
    assert (writes(setting), await operations(setting)) == (0, [("orders cancel", "refused")])


async def test_the_cap_is_on_what_is_left(setting: Setting) -> None:
    await _stuck(setting)
    with pytest.raises(RefusedError, match="4000"):
        await cancel(setting, policy=POLICY | {"cancel_max_notional": "3999"})
    assert writes(setting) == 0
    report = await cancel(setting, policy=POLICY | {"cancel_max_notional": "4000"})
    assert report.outcome == "confirmed"


async def test_a_resting_order_is_left_alone(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(2000))
    await setting.order("o1", ETH, "buy", "2", venue_order_id=str(placed.order_id))
    await setting.once()
    with pytest.raises(RefusedError, match="no open incident stuck_order"):
        await cancel(setting)
    assert writes(setting) == 0


async def test_an_orphan_is_left_alone(setting: Setting) -> None:
    """It may be a person's: nobody has asked for its end."""
    setting.ledger.place_order(
        "ETHUSDT", "buy", Decimal(2), Decimal(2000), created_at=ago(HOUR), client_order_id="o1"
    )
    await setting.once()
    assert (await setting.incidents())[0][0] == "orphan_order"
    with pytest.raises(NotFoundError):
        await cancel(setting)
    assert writes(setting) == 0


async def test_a_bot_that_changed_its_mind_is_obeyed(setting: Setting) -> None:
    await _stuck(setting)
    await setting.connection.execute("update bot.orders set status = 'open'")
    with pytest.raises(RefusedError, match="not have it as being cancelled any more"):
        await cancel(setting)
    assert writes(setting) == 0


async def test_a_bot_that_changes_its_mind_while_it_is_written_down_is_obeyed(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _stuck(setting)
    preview = CcxtActing.preview_cancel

    async def then_reopen(self: CcxtActing, *given: Any) -> Any:
        request = await preview(self, *given)
        await setting.connection.execute("update bot.orders set status = 'open'")
        return request

    monkeypatch.setattr(CcxtActing, "preview_cancel", then_reopen)
    with pytest.raises(RefusedError, match="not have it as being cancelled any more"):
        await cancel(setting)
    assert writes(setting) == 0


async def test_a_key_that_may_only_read_changes_nothing(setting: Setting) -> None:
    order_id = await _stuck(setting)
    setting.venue.faults.set(REFUSED_KEY, "cancel_order")
    report = await cancel(setting)
    assert (report.outcome, _status(setting, order_id)) == ("not_done", OrderStatus.NEW)
    assert "the key may not trade" in report.said


async def test_of_two_people_at_once_one_sends(setting: Setting) -> None:
    await _stuck(setting)
    setting.configure(policy=POLICY)
    ended = await asyncio.gather(*(cancel(setting) for _ in range(3)), return_exceptions=True)
    assert sum(getattr(one, "request", None) is not None for one in ended) == 1
    assert writes(setting) == 1


async def test_a_trigger_order_is_cancelled_where_such_are_kept(setting: Setting) -> None:
    placed = setting.ledger.place_trigger_order("ETHUSDT", "buy", Decimal(2), Decimal(4000))
    await setting.order(
        "o1", ETH, "buy", "2", venue_order_id=str(placed.algo_id), status="pending_cancel",
        type="stop_market",
    )  # fmt: skip
    await setting.once()
    report = await cancel(setting)
    assert report.request is not None
    assert (report.outcome, report.request.path) == ("confirmed", "/fapi/v1/algoOrder")
    assert not setting.ledger.trigger_orders[placed.algo_id].is_live


@pytest.mark.timeout(150)
async def test_the_command_line_says_it_and_ends_with_its_code(setting: Setting) -> None:
    order_id = await _stuck(setting)
    setting.configure(policy=POLICY)
    cancel_it = ("orders", "cancel", "o1", "--by", "ana", "--note", "stuck")
    dry = await setting.command(*cancel_it)
    assert (dry.code, dry.report["outcome"]) == (0, "dry_run")
    done = await setting.command(*cancel_it, "--execute")
    assert (done.code, done.report["outcome"]) == (0, "confirmed")
    assert _status(setting, order_id) is OrderStatus.CANCELED
    again = await setting.command(*cancel_it, "--execute")
    assert (again.code, again.out) == (1, "")
