"""Rules 2 to 4 and 8: what becomes of orders that the venue's listing lacks."""

from datetime import timedelta
from decimal import Decimal

import pytest

from reconciler.simulation.venue import Fault
from tests.scenarios.setting import HOUR, PROMPT, Setting, ago

ETH = "ETH/USDT:USDT"
GONE = "999999"


async def _order(setting: Setting, name: str = "o1") -> dict[str, object]:
    return await setting.row("select * from bot.orders where id = $1", name)


async def test_a_25_h_old_order_that_no_endpoint_knows_is_quarantined(setting: Setting) -> None:
    await setting.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id=GONE)
    assert [(await setting.once()).code for _ in range(3)] == [1, 0, 0]
    assert (await _order(setting))["status"] == "unknown"
    assert await setting.incidents() == [("order_quarantined", "SEV-2", "open")]
    review = await setting.row("select * from reconciler.quarantine")
    assert (review["order_id"], review["profile_id"], review["account"]) == ("o1", "p1", "main")
    assert (review["review"], review["reason"]) == ("pending", "never_seen")
    assert review["status_before"] == "open"
    assert len(await setting.rows("select * from reconciler.outbox")) == 1
    written = await setting.connection.fetch(
        """
        select xmin::text from bot.orders union all select xmin::text from reconciler.quarantine
        union all select xmin::text from reconciler.incidents
        union all select xmin::text from reconciler.audit
        union all select xmin::text from reconciler.outbox
        """
    )
    assert len(written) == 5
    assert len({row["xmin"] for row in written}) == 1, "one transaction"
    evidence = (await setting.row("select bundle from reconciler.evidence"))["bundle"]
    assert evidence["lookup"]["type"] == "NotFound"
    assert evidence["lookup"]["rungs"]


async def test_an_order_older_than_the_venue_remembers_is_forgotten(setting: Setting) -> None:
    await setting.order(
        "o1", ETH, "buy", "1", client_order_id="c1", venue_order_id=GONE, age=timedelta(days=5)
    )
    await setting.once()
    assert (await setting.row("select * from reconciler.quarantine"))["reason"] == "forgotten"


async def test_an_order_with_neither_id_is_quarantined_as_unidentifiable(setting: Setting) -> None:
    await setting.order("o1", ETH, "buy", "1")
    await setting.once()
    assert (await _order(setting))["status"] == "unknown"
    assert (await setting.row("select * from reconciler.quarantine"))["reason"] == "unidentifiable"


async def test_a_23_h_old_missing_order_stays(setting: Setting) -> None:
    await setting.order("o1", ETH, "buy", "1", venue_order_id=GONE, age=23 * HOUR)
    before = await setting.book()
    found = await setting.once()
    assert found.code == 1
    assert found.finding("missing_order").action == "suspected"
    assert await setting.book() == before
    assert await setting.incidents() == []


@pytest.mark.parametrize("endpoint", ["order", "fills", "trigger_order"])
async def test_an_order_whose_lookup_answers_502_stays(setting: Setting, endpoint: str) -> None:
    kind = {"type": "stop_market"} if endpoint == "trigger_order" else {}
    await setting.order("o1", ETH, "buy", "1", venue_order_id=GONE, **kind)
    setting.venue.faults.set(Fault.status(502), endpoint)
    before = await setting.book()
    assert (await setting.once()).code == 3
    assert setting.venue.requests.count(endpoint) > 0
    assert await setting.book() == before
    assert await setting.rows("select * from reconciler.quarantine") == []
    assert await setting.rows("select * from reconciler.suspicions where count > 0") == []


async def test_an_order_known_only_by_its_client_id_is_found(setting: Setting) -> None:
    placed = setting.ledger.place_order(
        "ETHUSDT", "buy", Decimal(1), Decimal(2000), client_order_id="c1"
    )
    await setting.order("o1", ETH, "buy", "1", client_order_id="c1")
    before = await setting.book()
    assert (await setting.once()).code == 0, "it rests"
    assert await setting.book() == before
    setting.ledger.cancel_order(placed.order_id)
    assert (await setting.once()).code == 1
    assert (await _order(setting))["status"] == "canceled"
    assert await setting.rows("select * from reconciler.quarantine") == []


async def test_an_order_cancelled_after_a_partial_fill(setting: Setting) -> None:
    ledger = setting.ledger
    placed = ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(2000))
    ledger.fill_order(placed.order_id, Decimal("0.5"), Decimal(1990))
    ledger.fill_order(placed.order_id, Decimal("0.3"), Decimal(1998))
    ledger.cancel_order(placed.order_id)
    await setting.order("o1", ETH, "buy", "2", venue_order_id=str(placed.order_id))
    await setting.position("x1", ETH, "long", "0.8")
    await setting.once()
    row = await _order(setting)
    assert (row["status"], row["filled"], row["avg_price"]) == (
        "canceled",
        Decimal("0.8"),
        Decimal(1993),
    )
    assert ("unaware_fill", "SEV-2") in [i[:2] for i in await setting.incidents()]
    audit = await setting.row("select * from reconciler.audit where target = 'order'")
    assert audit["before"]["status"] == "open"
    assert (audit["after"]["status"], audit["after"]["filled"]) == ("canceled", "0.8")
    assert Decimal(audit["after"]["avg_price"]) == 1993


async def test_a_filled_order_whose_position_the_book_lacks_is_severe(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    setting.ledger.fill_order(placed.order_id)
    await setting.order("o1", ETH, "buy", "1", venue_order_id=str(placed.order_id))
    assert (await setting.once()).code == 1
    row = await _order(setting)
    assert (row["status"], row["filled"], row["avg_price"]) == ("filled", 1, 2000)
    assert set(await setting.incidents()) == {
        ("unaware_fill", "SEV-1", "open"),
        ("ghost_position", "SEV-1", "open"),
    }
    assert await setting.status() == "inactive"


async def test_an_order_of_which_only_the_fills_are_known_is_filled(setting: Setting) -> None:
    ledger = setting.ledger
    placed = ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(2000))
    ledger.fill_order(placed.order_id, Decimal("1.5"), Decimal(2000))
    ledger.fill_order(placed.order_id, Decimal("0.5"), Decimal(1996))
    ledger.forget_order(placed.order_id)
    await setting.order("o1", ETH, "buy", "2", venue_order_id=str(placed.order_id))
    await setting.position("x1", ETH, "long", "2")
    await setting.once()
    row = await _order(setting)
    assert (row["status"], row["filled"], row["avg_price"]) == ("filled", 2, 1999)
    assert await setting.rows("select * from reconciler.quarantine") == []


async def test_a_missing_order_with_part_of_its_fills_keeps_them(setting: Setting) -> None:
    """It is not whole, so nobody can say how it ended; what filled is written all the same."""
    ledger = setting.ledger
    placed = ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(2000))
    ledger.fill_order(placed.order_id, Decimal("0.5"))
    ledger.forget_order(placed.order_id)
    await setting.order("o1", ETH, "buy", "2", venue_order_id=str(placed.order_id))
    await setting.position("x1", ETH, "long", "0.5")
    await setting.once()
    row = await _order(setting)
    assert (row["status"], row["filled"]) == ("unknown", Decimal("0.5"))


async def test_a_live_order_that_filled_a_part_is_learnt(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(2000))
    setting.ledger.fill_order(placed.order_id, Decimal("0.5"))
    await setting.order("o1", ETH, "buy", "2", venue_order_id=str(placed.order_id))
    await setting.position("x1", ETH, "long", "0.5")
    await setting.once()
    row = await _order(setting)
    assert (row["status"], row["filled"]) == ("partially_filled", Decimal("0.5"))
    assert (await setting.once()).code == 0


@pytest.mark.parametrize("end", ["expire_order", "reject_order"])
async def test_other_ends_are_learnt_in_the_books_words(setting: Setting, end: str) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(2000))
    getattr(setting.ledger, end)(placed.order_id)
    await setting.order("o1", ETH, "buy", "2", venue_order_id=str(placed.order_id), status="NEW")
    await setting.once()
    assert (await _order(setting))["status"] == {"expire_order": "expired"}.get(end, "rejected")


async def test_a_filled_quantity_is_never_lowered(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(2), Decimal(2000))
    setting.ledger.cancel_order(placed.order_id)
    await setting.order(
        "o1", ETH, "buy", "2", venue_order_id=str(placed.order_id), filled=Decimal(1)
    )
    before = await setting.book()
    assert (await setting.once()).code == 3
    assert await setting.book() == before


@pytest.mark.parametrize("age", [timedelta(seconds=10), timedelta(hours=30)])
async def test_an_order_that_the_bot_is_writing_is_not_judged(
    setting: Setting, age: timedelta
) -> None:
    """Too young, or old and touched a moment ago."""
    await setting.order(
        "o1", ETH, "buy", "1", venue_order_id=GONE, age=age, updated_at=ago(timedelta(seconds=1))
    )
    before = await setting.book()
    assert (await setting.once()).code == 0
    assert setting.venue.requests.count("order") == 0
    assert await setting.book() == before


async def test_a_status_outside_the_vocabulary_is_left_alone(setting: Setting) -> None:
    await setting.order("o1", ETH, "buy", "1", venue_order_id=GONE, status="banana")
    before = await setting.book()
    found = await setting.once()
    assert found.code == 3
    assert "banana" in found.finding("unmapped").text
    assert await setting.book() == before
    assert await setting.incidents() == []


async def test_an_orphan_is_reported_and_heals(setting: Setting) -> None:
    placed = setting.ledger.place_order(
        "ETHUSDT", "buy", Decimal(1), Decimal(2000), created_at=ago(HOUR)
    )
    before = await setting.book()
    assert [(await setting.once()).code for _ in range(2)] == [1, 1]
    assert await setting.incidents() == [("orphan_order", "SEV-2", "open")]
    assert await setting.book() == before
    setting.ledger.cancel_order(placed.order_id)
    assert (await setting.once()).code == 0
    assert await setting.incidents() == [("orphan_order", "SEV-2", "resolved")]


async def test_an_order_that_ended_long_ago_in_the_book_is_asked_for_by_id(
    setting: Setting,
) -> None:
    """Outside the reading's reach: the orphan's incident names the row, which stays as it is."""
    placed = setting.ledger.place_order(
        "ETHUSDT", "buy", Decimal(1), Decimal(2000), created_at=ago(50 * HOUR)
    )
    await setting.order(
        "o1", ETH, "buy", "1", venue_order_id=str(placed.order_id), status="canceled", age=50 * HOUR
    )
    before = await setting.book()
    assert (await setting.once()).code == 1
    incident = await setting.row("select * from reconciler.incidents")
    assert (incident["kind"], incident["order_id"]) == ("orphan_order", "o1")
    assert "the book says canceled" in incident["details"]["why"]
    assert await setting.book() == before


async def test_another_prefix_is_not_ours(setting: Setting) -> None:
    setting.ledger.place_order(
        "ETHUSDT", "buy", Decimal(1), Decimal(2000), client_order_id="hand-1", created_at=ago(HOUR)
    )
    setting.sections["accounts"]["main"]["client_order_id_prefix"] = "bot-"
    assert (await setting.once()).code == 0


async def test_an_order_stuck_in_cancelling_is_reported(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    await setting.order(
        "o1", ETH, "buy", "1", venue_order_id=str(placed.order_id), status="pending_cancel"
    )
    before = await setting.book()
    assert (await setting.once()).code == 1
    assert await setting.incidents() == [("stuck_order", "SEV-2", "open")]
    assert await setting.book() == before


async def test_a_quarantined_order_that_reappears_is_not_released(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    order = setting.ledger.orders[placed.order_id]
    setting.ledger.forget_order(placed.order_id)
    await setting.order("o1", ETH, "buy", "1", venue_order_id=str(placed.order_id))
    await setting.once()
    setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000), order_id=order.order_id)
    before = await setting.book()
    assert [(await setting.once()).code for _ in range(2)] == [1, 1]
    assert await setting.book() == before
    review = await setting.row("select * from reconciler.quarantine")
    assert review["seen_again_at"] is not None
    assert review["review"] == "pending"
    events = await setting.rows("select event from reconciler.incident_events order by id")
    assert [e["event"] for e in events] == ["opened", "seen_again"]


async def test_a_row_that_moved_meanwhile_is_left_alone(setting: Setting) -> None:
    """The bot learns of the cancel itself, while we still look the order up."""
    await setting.order("o1", ETH, "buy", "1", venue_order_id=GONE)
    orders = {"confirmations": 1, "confirm_after": "50ms"}
    async with setting.while_asking("order", lambda: setting.once(orders=orders)) as running:
        await setting.connection.execute("update bot.orders set status = 'canceling'")
        before = await setting.book()
    found = await running
    assert found.finding("quarantine").action == "left alone"
    assert await setting.book() == before
    assert await setting.rows("select * from reconciler.quarantine") == []
    assert await setting.rows("select * from reconciler.audit") == []
    assert await setting.incidents() == []


async def test_more_missing_orders_than_lookups_are_all_reached(setting: Setting) -> None:
    for n in range(7):
        await setting.order(f"o{n}", ETH, "buy", "1", venue_order_id=str(999000 + n))
    orders = PROMPT["orders"] | {"lookups_per_cycle": 2}
    for _ in range(8):
        await setting.once(orders=orders)
    rows = await setting.rows("select status from bot.orders")
    assert {r["status"] for r in rows} == {"unknown"}


async def test_a_stop_that_was_triggered_is_followed_to_its_end(setting: Setting) -> None:
    ledger = setting.ledger
    ledger.set_position("ETHUSDT", "long", Decimal(1))
    stop = ledger.place_trigger_order(
        "ETHUSDT", "sell", Decimal(1), Decimal(1900), reduce_only=True
    )
    await setting.order(
        "o1",
        ETH,
        "sell",
        "1",
        venue_order_id=str(stop.algo_id),
        client_order_id=stop.client_algo_id,
        type="stop_market",
        role="stop",
    )
    await setting.position("x1", ETH, "long", "1")
    assert (await setting.once()).code == 0
    child = ledger.trigger(stop.algo_id)
    ledger.fill_order(child.order_id, price=Decimal(1898))
    await setting.once()
    row = await _order(setting)
    assert (row["status"], row["filled"], row["avg_price"]) == ("filled", 1, 1898)
    kinds = {i[0] for i in await setting.incidents()}
    assert kinds == {"unaware_fill", "phantom_position"}


async def test_an_unaware_fill_heals_when_the_book_has_the_position(setting: Setting) -> None:
    placed = setting.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(2000))
    setting.ledger.fill_order(placed.order_id)
    await setting.order("o1", ETH, "buy", "1", venue_order_id=str(placed.order_id))
    await setting.once()
    await setting.position("x1", ETH, "long", "1")
    assert (await setting.once()).code == 0
    assert {i[2] for i in await setting.incidents()} == {"resolved"}


async def test_a_market_that_the_venue_does_not_have_is_not_judged(setting: Setting) -> None:
    await setting.order("o1", "FOO/BAR", "buy", "1", venue_order_id=GONE)
    before = await setting.book()
    assert (await setting.once()).code == 3
    assert await setting.book() == before
