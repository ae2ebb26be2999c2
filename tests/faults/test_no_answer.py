"""Rule 1: no answer, part of one, or one of the wrong shape is never "none"."""

from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.simulation.venue import Fault
from tests.scenarios.setting import Setting

ETH = "ETH/USDT:USDT"
NO_ANSWERS: dict[str, Fault | str] = {
    "html_200": "html_200",
    "empty_200": "empty_200",
    "null": "null",
    "object": "object",
    "text": "text",
    "truncated_json": "truncated_json",
    "reset": "reset",
    "hang": "hang",
    "cut_body": Fault.cut_body(),
    "cut_body_unannounced": Fault.cut_body(content_length=False),
    "524": Fault.status(524),
    "502": Fault.status(502),
    "429": Fault.status(429),
    "418": Fault.status(418),
    "401": Fault.status(401),
    "403": Fault.status(403),
    "404": Fault.status(404),
    "500_json": Fault.status(500, "[]"),
    "busy": Fault.error(-1001, "Internal error; unable to process your request."),
    "200_code": Fault.error(-1000, "An unknown error occurred.", http_status=200),
}


def _mend(setting: Setting) -> None:
    """The venue answers again, if only slowly: the machine may be busy."""
    setting.venue.faults.clear()
    setting.sections["accounts"]["main"]["timeout"] = "10s"


async def _contrary(setting: Setting) -> None:
    """A book that would be emptied, and an account that would be contained, by "none"."""
    setting.sections["accounts"]["main"]["timeout"] = "500ms"  # for those that hang
    setting.ledger.set_position("BTCUSDT", "long", Decimal(1))
    await setting.position("x1", "BTC/USDT:USDT", "long", "1")
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    await setting.order("o1", ETH, "buy", "1", venue_order_id=str(placed.order_id))
    await setting.order("o2", ETH, "buy", "1", venue_order_id="999999", age=timedelta(minutes=30))


@pytest.mark.parametrize("answer", NO_ANSWERS)
@pytest.mark.parametrize("endpoint", ["positions", "open_orders", "trigger_orders"])
async def test_a_listing_that_does_not_answer_proves_nothing(
    setting: Setting, endpoint: str, answer: str
) -> None:
    await _contrary(setting)
    await setting.connection.execute("delete from bot.orders where id = 'o2'")
    before = await setting.book()
    setting.venue.faults.set(NO_ANSWERS[answer], endpoint)
    found = await setting.once()
    assert found.code == 3, found
    assert await setting.book() == before
    kinds = {i[0] for i in await setting.incidents()}
    assert kinds <= {"venue_unreachable", "venue_auth"}
    _mend(setting)
    assert (await setting.once()).code == 0


@pytest.mark.parametrize("answer", NO_ANSWERS)
@pytest.mark.parametrize("endpoint", ["order", "fills"])
async def test_a_lookup_that_does_not_answer_proves_nothing(
    setting: Setting, endpoint: str, answer: str
) -> None:
    await _contrary(setting)
    await setting.connection.execute(
        "update bot.orders set created_at = now() - interval '25 hours'"
    )
    before = await setting.book()
    setting.venue.faults.set(NO_ANSWERS[answer], endpoint)
    found = await setting.once()
    assert found.code == 3, found
    assert await setting.book() == before
    assert await setting.rows("select * from reconciler.quarantine") == []
    assert await setting.incidents() == []
    _mend(setting)
    assert (await setting.once()).code == 1
    assert (await setting.row("select status from bot.orders where id = 'o2'"))[
        "status"
    ] == "unknown"


@pytest.mark.parametrize("answer", ["array", "null", "object", "html_200", "524", "hang"])
async def test_markets_that_do_not_answer_prove_nothing(setting: Setting, answer: str) -> None:
    await _contrary(setting)
    before = await setting.book()
    setting.venue.faults.set(NO_ANSWERS.get(answer, answer), "markets")
    assert (await setting.once()).code == 3
    assert await setting.book() == before


@pytest.mark.parametrize("answer", ["html_200", "hang", "524", "429"])
async def test_everything_at_once(setting: Setting, answer: str) -> None:
    await _contrary(setting)
    before = await setting.book()
    setting.venue.faults.set(NO_ANSWERS[answer])
    assert (await setting.once()).code == 3
    assert await setting.book() == before


@pytest.mark.parametrize(("answer", "code"), [("html_200", 3), ("empty_200", 3), ("hang", 3)])
async def test_the_command_exits_3(setting: Setting, answer: str, code: int) -> None:
    await _contrary(setting)
    before = await setting.book()
    setting.venue.faults.set(NO_ANSWERS[answer], "positions")
    ran = await setting.command("once")
    assert ran.code == code, ran
    assert "Traceback" not in ran.err
    assert await setting.book() == before


async def test_orders_that_do_not_answer_do_not_hold_a_ghost_back(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    setting.venue.faults.set("html_200", "open_orders")
    assert (await setting.once()).code == 3
    assert await setting.status() == "inactive"


async def test_positions_that_do_not_answer_do_not_hold_orders_back(setting: Setting) -> None:
    await setting.order("o1", ETH, "buy", "1", venue_order_id="999999")
    setting.venue.faults.set("html_200", "positions")
    assert (await setting.once()).code == 3
    assert (await setting.row("select status from bot.orders"))["status"] == "unknown"
    [incident] = [i for i in await setting.incidents() if i[0] == "order_quarantined"]
    assert incident[1] == "SEV-1", "what the position is, nobody knows"


async def test_a_wrong_key_is_an_incident_after_confirmations(setting: Setting) -> None:
    setting.ledger.set_position("SOLUSDT", "long", Decimal(1))
    setting.sections["accounts"]["main"]["api_key"] = "wrong"
    before = await setting.book()
    for _ in range(3):
        assert (await setting.once()).code == 3
    assert await setting.incidents() == [("venue_auth", "SEV-2", "open")]
    assert await setting.book() == before
    setting.sections["accounts"]["main"]["api_key"] = setting.venue.accounts["main"].api_key
    setting.ledger.close_position("SOLUSDT")
    assert (await setting.once()).code == 0
    assert await setting.incidents() == [("venue_auth", "SEV-2", "resolved")]


async def test_an_outage_is_an_incident_after_confirmations_and_heals(setting: Setting) -> None:
    setting.venue.faults.set(Fault.status(502))
    assert (await setting.once()).code == 3
    for _ in range(2):
        await setting.once()
    assert await setting.incidents() == [("venue_unreachable", "SEV-2", "open")]
    _mend(setting)
    assert (await setting.once()).code == 0
    assert await setting.incidents() == [("venue_unreachable", "SEV-2", "resolved")]
