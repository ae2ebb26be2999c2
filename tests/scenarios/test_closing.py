"""Closing a ghost: only what policy, incident, venue and book let, and never twice."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.book.postgres import PostgresBook
from reconciler.incidents import intents, settling
from reconciler.incidents.errors import NotFoundError, RefusedError, UsageError
from reconciler.incidents.ignores import add_ignore
from reconciler.incidents.positions import list_positions
from reconciler.simulation.venue import Fault, FaultKind
from reconciler.simulation.venue.records import PositionSide
from tests.scenarios.acting import (
    ANA,
    POLICY,
    SOL,
    actions,
    close,
    desk_in,
    operations,
    sent,
    writes,
)
from tests.scenarios.setting import PROGRAM, Setting, clean_environment, eventually

HELD = Decimal(10)
NONE = Decimal(0)
REFUSED_KEY = Fault.error(-2015, "Invalid API-key, IP, or permissions for action.", 401)


@pytest.fixture(autouse=True)
def _prompt_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "READ_WITHIN", timedelta(seconds=2))
    monkeypatch.setattr(settling, "READ_EVERY", timedelta(milliseconds=100))


async def _ghost(setting: Setting, side: str = "long") -> None:
    setting.ledger.set_position("SOLUSDT", side, HELD)
    await setting.once()
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    setting.venue.requests.clear()


def _held(setting: Setting, leg: PositionSide = PositionSide.BOTH) -> Decimal:
    return setting.ledger.position("SOLUSDT", leg).qty


async def test_a_dry_run_shows_the_request_and_changes_nothing(setting: Setting) -> None:
    await _ghost(setting)
    report = await close(setting, execute=False)
    assert (report.outcome, report.qty, report.side) == ("dry_run", HELD, "long")
    assert report.request is not None
    assert (report.request.method, report.request.path) == ("POST", "/fapi/v1/order")
    said = report.request.params
    assert (said["symbol"], said["side"], said["type"]) == ("SOLUSDT", "SELL", "MARKET")
    assert (said["quantity"], said["reduceOnly"]) == ("10", "true")
    assert not {"signature", "timestamp"} & set(said)
    assert (writes(setting), _held(setting)) == (0, HELD)
    assert (await operations(setting), await actions(setting)) == ([], [])


async def test_execute_closes_exactly_and_says_so(setting: Setting) -> None:
    await _ghost(setting)
    report = await close(setting)
    assert (report.outcome, report.done_qty, _held(setting)) == ("confirmed", HELD, NONE)
    [order] = sent(setting)
    assert order.reduce_only
    assert (order.executed_qty, order.client_order_id) == (HELD, report.client_order_id)
    assert await operations(setting) == [("positions close", "done")]
    intended, ended = await actions(setting)
    assert intended.startswith("ana has it close long SOL/USDT:USDT")
    assert "the position now is 0" in ended
    kept = await setting.row("select * from reconciler.operations")
    assert (kept["who"], kept["account"], kept["incident_id"]) == ("ana", "main", 1)
    assert kept["details"]["request"]["params"]["reduceOnly"] == "true"
    assert kept["details"]["note"] == "a ghost"


async def test_a_short_is_bought_back(setting: Setting) -> None:
    await _ghost(setting, "short")
    report = await close(setting)
    assert (report.outcome, _held(setting), sent(setting)[0].side) == ("confirmed", NONE, "BUY")


async def test_the_daemon_ends_the_incident_afterwards(setting: Setting) -> None:
    await _ghost(setting)
    await close(setting)
    for _ in range(4):
        await setting.once()
    assert (await setting.incidents())[0] == ("ghost_position", "SEV-1", "resolved")


async def test_a_position_that_shrank_is_closed_as_it_is_now(setting: Setting) -> None:
    await _ghost(setting)
    setting.ledger.set_position("SOLUSDT", "long", Decimal(4))
    report = await close(setting)
    assert (report.qty, report.done_qty, _held(setting)) == (Decimal(4), Decimal(4), NONE)


async def test_a_position_that_shrinks_after_it_was_read_is_never_turned(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _ghost(setting)
    written = intents.intend

    async def shrink(*given: Any, **more: Any) -> Any:
        setting.ledger.set_position("SOLUSDT", "long", Decimal(3))
        return await written(*given, **more)

    monkeypatch.setattr("reconciler.incidents.closing.intend", shrink)
    report = await close(setting)
    assert (report.outcome, report.done_qty, _held(setting)) == ("partial", Decimal(3), NONE)


async def test_a_position_that_is_gone_is_refused(setting: Setting) -> None:
    await _ghost(setting)
    setting.ledger.close_position("SOLUSDT")
    with pytest.raises(RefusedError, match="the venue holds no long SOL/USDT:USDT now"):
        await close(setting)
    assert writes(setting) == 0
    assert await operations(setting) == [("positions close", "refused")]


async def test_a_position_that_the_book_knows_now_is_refused(setting: Setting) -> None:
    await _ghost(setting)
    await setting.position("b1", SOL, "long", "10")
    with pytest.raises(RefusedError, match="no ghost_position any more"):
        await close(setting)
    assert writes(setting) == 0


async def test_rows_that_the_bot_has_just_touched_are_waited_for(setting: Setting) -> None:
    await _ghost(setting)
    await setting.order("o9", SOL, "buy", "1", age=timedelta(seconds=1), status="canceled")
    with pytest.raises(RefusedError, match="changed just now"):
        await close(setting)
    assert writes(setting) == 0


async def test_a_row_that_appears_while_it_is_written_down_is_seen(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look of DESIGN section 2 is inside the transaction."""
    await _ghost(setting)
    planned: Callable[..., Any] = intents.intending

    def row_appears(*given: Any, **more: Any) -> Any:
        ready.set()
        return planned(*given, **more)

    ready = asyncio.Event()
    monkeypatch.setattr("reconciler.incidents.closing.intending", row_appears)
    read = PostgresBook.read

    async def then_insert(self: PostgresBook, *given: Any, **more: Any) -> Any:
        found = await read(self, *given, **more)
        await setting.position("b1", SOL, "long", "10")
        return found

    monkeypatch.setattr(PostgresBook, "read", then_insert)
    with pytest.raises(RefusedError, match="no ghost_position any more"):
        await close(setting)
    assert ready.is_set()
    assert writes(setting) == 0


async def test_what_people_ignore_is_theirs(setting: Setting) -> None:
    await _ghost(setting)
    async with desk_in(setting) as desk:
        await add_ignore(desk, ANA, "main", what="symbol", value="SOLUSDT")
    with pytest.raises(RefusedError, match="is ignored on account main"):
        await close(setting)
    assert writes(setting) == 0


async def test_the_cap_leaves_the_rest(setting: Setting) -> None:
    """150 a SOL: 1000 are 6.67 of them, and one step is 1."""
    await _ghost(setting)
    report = await close(setting, policy=POLICY | {"close_max_notional": "1000"})
    assert (report.qty, report.done_qty, _held(setting)) == (Decimal(6), Decimal(6), Decimal(4))
    assert "the cap allows no more" in (await actions(setting))[0]


async def test_a_cap_below_one_step_is_refused(setting: Setting) -> None:
    await _ghost(setting)
    with pytest.raises(RefusedError, match="one step"):
        await close(setting, policy=POLICY | {"close_max_notional": "149"})
    assert writes(setting) == 0


@pytest.mark.parametrize("execute", [False, True])
async def test_policy_never_refuses(setting: Setting, execute: bool) -> None:
    await _ghost(setting)
    with pytest.raises(RefusedError, match=r'policy\.close_ghosts is "never"'):
        await close(setting, execute=execute, policy={"close_ghosts": "never"})
    assert writes(setting) == 0
    kept = [("positions close", "refused")] if execute else []
    assert await operations(setting) == kept


async def test_observe_sends_nothing(setting: Setting) -> None:
    await _ghost(setting)
    assert (await close(setting, execute=False, mode="observe")).outcome == "dry_run"
    with pytest.raises(RefusedError, match="observe"):
        await close(setting, mode="observe")
    assert writes(setting) == 0


async def test_without_an_incident_nothing_is_closed(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", HELD)
    with pytest.raises(NotFoundError):
        await close(setting)
    assert writes(setting) == 0


async def test_the_other_side_is_no_incident(setting: Setting) -> None:
    await _ghost(setting)
    with pytest.raises(NotFoundError):
        await close(setting, "short")
    with pytest.raises(UsageError):
        await close(setting, "sideways")
    assert writes(setting) == 0


async def test_one_leg_of_a_hedge_is_closed_and_the_other_stays(setting: Setting) -> None:
    setting.ledger.set_hedge_mode(on=True)
    setting.ledger.set_position("SOLUSDT", "short", Decimal(7))
    await setting.position("b1", SOL, "short", "7")
    await _ghost(setting)
    report = await close(setting)
    assert report.request is not None
    assert report.request.params["positionSide"] == "LONG"
    assert "reduceOnly" not in report.request.params  # Binance refuses it beside a leg
    assert (report.outcome, _held(setting, PositionSide.LONG)) == ("confirmed", NONE)
    assert _held(setting, PositionSide.SHORT) == -7


async def test_two_ghost_legs_need_a_side(setting: Setting) -> None:
    setting.ledger.set_hedge_mode(on=True)
    for side in ("long", "short"):
        setting.ledger.set_position("SOLUSDT", side, HELD)
    await setting.once()
    with pytest.raises(UsageError, match="say long or short"):
        await close(setting)
    assert (await close(setting, "short")).outcome == "confirmed"
    assert _held(setting, PositionSide.LONG) == HELD


async def test_a_side_mismatch_is_closed_to_nothing(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", HELD)
    await setting.position("b1", SOL, "short", "10")
    await setting.once()
    assert (await setting.incidents())[0][0] == "side_mismatch"
    assert ((await close(setting)).done_qty, _held(setting)) == (HELD, NONE)


@pytest.mark.parametrize("fault", [FaultKind.HANG_AFTER, FaultKind.CUT_BODY])
async def test_an_answer_that_never_comes_is_found_by_reading(
    setting: Setting, fault: FaultKind
) -> None:
    await _ghost(setting)
    setting.venue.faults.set(fault, "place_order", times=1)
    report = await close(setting)
    assert (report.outcome, report.done_qty, _held(setting)) == ("confirmed", HELD, NONE)
    assert setting.venue.requests.count("place_order") == 1, "it was sent again"


async def test_what_cannot_be_read_stays_open_and_is_not_sent_again(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _ghost(setting)
    setting.venue.faults.set(FaultKind.RESET, "place_order", times=1)
    first = await close(setting)
    assert (first.outcome, await operations(setting)) == (
        "unknown",
        [("positions close", "intended")],
    )
    with pytest.raises(RefusedError, match="not settled yet"):
        await close(setting, execute=False)
    again = await close(setting)
    assert (again.outcome, again.request, writes(setting)) == ("unknown", None, 1)
    monkeypatch.setattr(intents, "UNDER_WAY", timedelta(0))
    settled = await close(setting)
    assert (settled.outcome, settled.operation_id) == ("not_done", first.operation_id)
    assert (writes(setting), _held(setting)) == (1, HELD)
    assert (await close(setting)).outcome == "confirmed"
    assert len(sent(setting)) == 1
    assert await operations(setting) == [("positions close", "failed"), ("positions close", "done")]


async def test_a_key_that_may_only_read_changes_nothing(setting: Setting) -> None:
    await _ghost(setting)
    setting.venue.faults.set(REFUSED_KEY, "place_order")
    report = await close(setting)
    assert report.outcome == "not_done"
    assert "the venue declined, nothing was changed: the key may not trade" in report.said
    assert (sent(setting), _held(setting)) == ([], HELD)
    assert await operations(setting) == [("positions close", "failed")]
    assert "main-secret" not in str(await setting.rows("select * from reconciler.operations"))


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("positions", FaultKind.HTML_200),
        ("positions", FaultKind.EMPTY_200),
        ("positions", Fault.status(503)),
    ],
)
async def test_a_venue_that_does_not_list_its_positions_is_no_ground(
    setting: Setting, endpoint: str, fault: Fault | FaultKind
) -> None:
    await _ghost(setting)
    setting.venue.faults.set(fault, endpoint)
    with pytest.raises(RefusedError, match="did not list its positions in full"):
        await close(setting)
    assert writes(setting) == 0


async def test_of_two_people_at_once_one_sends(setting: Setting) -> None:
    await _ghost(setting)
    async with desk_in(setting):
        pass  # the configuration is written once
    ended = await asyncio.gather(*(close(setting) for _ in range(4)), return_exceptions=True)
    assert len(sent(setting)) == 1
    assert _held(setting) == 0
    assert sum(getattr(one, "request", None) is not None for one in ended) == 1
    for one in ended:
        assert not isinstance(one, BaseException) or isinstance(one, (RefusedError, NotFoundError))


async def test_an_intent_that_appears_after_it_was_asked_for_stops_the_second(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _ghost(setting)
    setting.venue.faults.set(FaultKind.RESET, "place_order", times=1)
    assert (await close(setting)).outcome == "unknown"

    async def saw_none(*_given: Any) -> None:
        return None

    monkeypatch.setattr("reconciler.incidents.closing._unsettled", saw_none)
    with pytest.raises(RefusedError, match="not settled yet: positions close"):
        await close(setting)
    assert writes(setting) == 1


async def test_a_process_that_was_frozen_sends_nothing(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _ghost(setting)
    monkeypatch.setattr(intents, "SEND_BY", timedelta(0))
    report = await close(setting)
    assert (report.outcome, writes(setting)) == ("not_done", 0)


@pytest.mark.timeout(150)
async def test_kill_9_between_intent_and_answer(setting: Setting) -> None:
    await _ghost(setting)
    setting.sections["accounts"]["main"]["timeout"] = "10s"
    hanging = setting.venue.faults.set(FaultKind.HANG_AFTER, "place_order")
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM), "positions", "close", "main", SOL, "--by", "ana", "--note", "t", "--execute",
        "--config", str(setting.configure(policy=POLICY)),
        env=clean_environment(), stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await eventually(lambda: setting.venue.requests.count("place_order"), within=20)
    process.kill()
    await process.wait()
    setting.venue.faults.clear(hanging)
    assert await operations(setting) == [("positions close", "intended")]
    async with desk_in(setting) as desk:
        [row] = await list_positions(desk)
    assert (row.symbol, row.verdict) == (SOL, "in_parity")
    assert row.unsettled is not None
    report = await close(setting)
    assert (report.outcome, report.done_qty, report.request) == ("confirmed", HELD, None)
    assert len(sent(setting)) == 1
    assert await operations(setting) == [("positions close", "done")]


async def test_an_unsettled_command_is_settled_after_its_incident_is_over(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _ghost(setting)
    setting.venue.faults.set(FaultKind.HANG_AFTER, "place_order", times=1)
    unreadable = setting.venue.faults.set(Fault.status(503), "order")
    assert (await close(setting)).outcome == "unknown"
    setting.venue.faults.clear(unreadable)
    for _ in range(4):
        await setting.once()
    assert (await setting.incidents())[0][2] == "resolved"
    assert (await close(setting)).outcome == "confirmed"
    assert len(sent(setting)) == 1


@pytest.mark.timeout(150)
async def test_the_command_line_says_it_and_ends_with_its_code(setting: Setting) -> None:
    await _ghost(setting)
    setting.configure(policy=POLICY | {"ghost_threshold_notional": "1000"})
    close_it = ("positions", "close", "main", "SOLUSDT", "--by", "ana", "--note", "a ghost")
    listed = await setting.command("positions", "list")
    [row] = json.loads(listed.out)
    assert (row["venue_qty"], row["threshold"]["breached"]) == ("10", True)
    assert listed.code == 0
    rule = setting.venue.faults.set(Fault.status(503), "positions")
    unread = await setting.command("positions", "list")
    [row] = json.loads(unread.out)
    assert (unread.code, row["verdict"]) == (3, "not_judged")
    setting.venue.faults.clear(rule)
    dry = await setting.command(*close_it)
    assert (dry.code, dry.report["outcome"]) == (0, "dry_run")
    assert dry.report["request"]["params"]["reduceOnly"] == "true"
    done = await setting.command(*close_it, "--execute")
    assert (done.code, done.report["outcome"], _held(setting)) == (0, "confirmed", NONE)
    again = await setting.command(*close_it, "--execute")
    assert (again.code, again.out) == (1, "")
    assert "refused: the venue holds no long" in again.err


async def test_an_account_that_does_not_answer_is_a_row_that_says_so(setting: Setting) -> None:
    await _ghost(setting)
    setting.venue.faults.set(Fault.status(503), "positions")
    async with desk_in(setting) as desk:
        [row] = await list_positions(desk)
    assert (row.verdict, row.venue_qty, row.incident_id) == ("not_judged", None, 1)
