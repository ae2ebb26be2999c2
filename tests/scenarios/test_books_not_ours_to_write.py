"""Books whose orders are the bot's alone to write, and books whose bots nobody can stop."""

from decimal import Decimal

import pytest

from tests.scenarios.setting import HOUR, Setting

ETH = "ETH/USDT:USDT"
GONE = "999999"


@pytest.fixture
def unwritable(setting: Setting) -> Setting:
    """The native book, without its UPDATE of orders."""
    setting.sections["book"] = {"preset": "native", "orders": {"update": "none"}}
    return setting


async def _written(setting: Setting) -> list[str]:
    """What a steady pass must leave as it is; the record of passes aside."""
    tables = ("incidents", "incident_events", "quarantine", "outbox", "audit", "runs", "evidence")
    found = []
    for table in tables:
        rows = await setting.rows(f"select xmin::text from reconciler.{table}")
        found += [f"{table} {row['xmin']}" for row in rows]
    return sorted(found)


async def test_quarantine_lives_in_our_table_alone(unwritable: Setting) -> None:
    it = unwritable
    await it.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id=GONE)
    before = await it.book()
    assert [(await it.once()).code for _ in range(3)] == [1, 0, 0]
    assert await it.book() == before
    assert await it.incidents() == [("order_quarantined", "SEV-2", "open")]
    review = await it.row("select * from reconciler.quarantine")
    assert (review["review"], review["status_before"]) == ("pending", "open")
    assert await it.rows("select * from reconciler.audit") == [], "nothing was written to the book"
    written = await _written(it)
    await it.once()
    assert await _written(it) == written


async def test_its_review_is_ours_alone_too(unwritable: Setting) -> None:
    it = unwritable
    await it.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id=GONE)
    await it.once()
    ran = await it.typed(
        *("quarantine", "resolve", "o1", "--status", "canceled", "--by", "ann", "--note", "seen")
    )
    assert ran.code == 0, ran.err
    assert "is the bot's alone to write" in ran.out
    assert [(await it.once()).code for _ in range(2)] == [0, 0]
    review = await it.row("select * from reconciler.quarantine")
    assert (review["review"], review["final_status"]) == ("resolved", "canceled")
    assert await it.incidents() == [("order_quarantined", "SEV-2", "resolved")]


async def test_a_row_that_moves_speaks_for_itself(unwritable: Setting) -> None:
    it = unwritable
    await it.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id=GONE)
    await it.once()
    await it.connection.execute("update bot.orders set status = 'new'")
    await it.once(orders={"grace": "0s"})
    review = await it.row("select * from reconciler.quarantine")
    assert (review["review"], review["status_before"]) == ("pending", "new")


async def test_an_order_set_aside_by_hand(unwritable: Setting) -> None:
    it = unwritable
    await it.once()
    await it.order("o1", ETH, "buy", "1", client_order_id="c1", venue_order_id=GONE, age=HOUR)
    before = await it.book()
    asked = ("quarantine", "add", "o1", "--by", "ann", "--note", "odd")
    ran = await it.typed(*asked)
    assert ran.code == 0, ran.err
    assert "is the bot's alone to write" in ran.out
    assert (await it.typed(*asked)).code != 0, "it is quarantined already"
    assert (await it.once()).code == 0
    assert await it.book() == before


async def test_a_fill_that_the_bot_does_not_know_of_is_told_once(unwritable: Setting) -> None:
    it = unwritable
    order = it.ledger.place_order("ETHUSDT", "buy", Decimal(1), Decimal(1500))
    it.ledger.fill_order(order.order_id, Decimal(1), Decimal(1500))
    it.ledger.close_position("ETHUSDT")
    await it.order("o1", ETH, "buy", "1", venue_order_id=str(order.order_id), age=HOUR)
    before = await it.book()
    found = await it.once()
    assert found.code == 1
    assert found.finding("ended").action == "none"
    assert await it.book() == before
    assert [(k, s) for k, _, s in await it.incidents()] == [("unaware_fill", "open")]
    written = await _written(it)
    suspicions = await it.rows("select count, xmin::text from reconciler.suspicions")
    asked = it.venue.requests.count("order")
    assert (await it.once()).code == 0
    assert await _written(it) == written
    assert await it.rows("select count, xmin::text from reconciler.suspicions") == suspicions
    assert it.venue.requests.count("order") == asked, "it is known how it ended"
    await it.connection.execute("update bot.orders set status = 'filled', filled = 1")
    for _ in range(2):
        await it.once()
    assert [s for _, _, s in await it.incidents()] == ["resolved"]
    assert await it.rows("select * from reconciler.audit") == []


async def test_a_bot_that_nobody_can_stop(setting: Setting) -> None:
    setting.sections["book"] = {
        "preset": "native",
        "profiles": {"deactivate": "none", "activate": "none"},
    }
    setting.ledger.set_position("SOLUSDT", "short", Decimal(10), Decimal(150))
    await setting.once()
    assert await setting.status() == "active"
    assert await setting.incidents() == [("ghost_position", "SEV-1", "open")]
    [incident] = await setting.rows("select details from reconciler.incidents")
    assert "knows no way to deactivate a profile" in incident["details"]["not_contained"]
    assert await setting.rows("select * from reconciler.containments") == []
    written = await _written(setting)
    await setting.once()
    assert await _written(setting) == written
